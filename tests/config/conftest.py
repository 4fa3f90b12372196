"""Fixtures for how the platform runs: a folder of one's own for a whole installation, and a day's work with money in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Model
from psycopg import sql

from config.embedded import server
from tests import databases
from tests.beginnings import BEGINNINGS
from tests.conftest import WITH_PROGRAMMES, slot_of

Manage = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Installation:
    """A JISHI_HOME of its own. ``manage`` runs a command in it."""

    home: Path

    def environment(self, **extra: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JISHI_", "DATABASE_URL", "DJANGO_"))}
        return {**kept, "JISHI_HOME": str(self.home), **extra}

    def manage(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=settings.BASE_DIR, env=self.environment(**extra), capture_output=True, text=True)

    def server_pids(self) -> list[int]:
        """The processes of the embedded PostgreSQL of this home."""
        return pids_with(f"postgres{chr(0)}-D{chr(0)}{self.home / 'postgres'}")

    def close(self) -> None:
        server.stop(self.home)
        shutil.rmtree(self.home, ignore_errors=True)


def pids_with(words: str) -> list[int]:
    """Processes whose command line holds ``words`` (arguments are separated by NUL)."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            line = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if words in line:
            found.append(int(folder.name))
    return found


def new_installation() -> Installation:
    """A fresh home in a place that the database's own user can reach (pytest's temporary folders are private)."""
    home = Path(tempfile.mkdtemp(prefix="jishi-test-"))
    home.chmod(0o711)
    return Installation(home)


@pytest.fixture
def installation() -> Iterator[Installation]:
    made = new_installation()
    yield made
    made.close()


@pytest.fixture(scope="session")
def migrated_dump(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The migrated database without rows, as pg_dump writes it."""
    with django_db_blocker.unblock():
        host = databases.own_host()
        name = databases.migrated(host)
    dump = tmp_path_factory.mktemp("migrated") / "database.dump"
    program = [str(server.programs() / "pg_dump"), "--format=custom", "--compress=0", f"--file={dump}"]
    subprocess.run([*program, databases.CommittedDatabase(name, host).url], check=True)
    return dump


def fill(made: Installation, dump: Path) -> None:
    """Bring an installation without a database to where ``migrate`` brings it. Its server is stopped afterwards, as after ``migrate``."""
    folder = server.socket_folder(made.home, "jishi")
    try:
        program = [str(server.programs() / "pg_restore"), "--single-transaction", "--exit-on-error", "--no-owner"]
        subprocess.run([*program, f"--host={folder}", "--username=postgres", "--dbname=jishi", str(dump)], check=True)
    finally:
        server.leave(made.home)


def add(made: Installation, row: Model) -> None:
    """Write a row into the database of an installation, for which a process of its own would load all of Django."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection=connection) for field in fields]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(row._meta.db_table),
        sql.SQL(", ").join(sql.Identifier(field.column) for field in fields),
        sql.SQL(", ").join(sql.Placeholder() for _ in fields),
    )
    folder = server.socket_folder(made.home, "jishi")
    try:
        with psycopg.connect(host=folder, user="postgres", dbname="jishi") as connected:
            connected.execute(statement, values)
    finally:
        server.leave(made.home)


@pytest.fixture(scope="module")
def migrated(migrated_dump: Path) -> Iterator[Installation]:
    """An installation with an empty schema, shared by a module's tests."""
    made = new_installation()
    fill(made, migrated_dump)
    yield made
    made.close()


@dataclass(frozen=True)
class DaysWork:
    """One agreed session with its charge and awards, one request, a statement over the first award, and a signed commission sheet."""

    cast: Any
    agreed: Any
    requested: Any
    charge: Any
    statement: Any


def write_days_work(cast: Any) -> DaysWork:
    from billing.settlement.models import Charge
    from billing.settlement.services import statements
    from booking.models import Reservation
    from booking.services import availability, ratings, transitions
    from booking.services.reservations import ReservationRequest, reserve
    from instruments.services import catalogue
    from tests.agreeing import check_out_agreed

    lin, wang = cast.actor("lin"), cast.actor("wang")
    availability.rebuild([cast.xrd.calendar_id], cast.now)

    def ask(first: float, last: float, key: str) -> Any:
        request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot_of(first, last), "assisted")
        return Reservation.objects.get(pk=reserve(lin, request, cast.now, idempotency_key=key).reservation_id)

    catalogue.rebuild(cast.now)
    agreed, requested = ask(9, 13, "a"), ask(14, 16, "b")
    transitions.approve(wang, agreed.pk, cast.now)
    transitions.check_in(wang, agreed.pk, agreed.starts_at)
    check_out_agreed(wang, agreed.pk, agreed.ends_at)
    agreed.refresh_from_db()
    ratings.rate(cast.actor("lin"), agreed.pk, 5, "", cast.now)
    charge = Charge.objects.get(reservation=agreed)
    award = charge.awards.order_by("pk").first()
    assert award is not None, "the cast's programmes give this session nothing"
    month = award.service_on.replace(day=1)
    next_month = cast.now + timedelta(days=30)
    statement = statements.issue(cast.actor("qian"), award.programme_version_id, award.payee_id, month, next_month)
    _order(cast, agreed.pk)
    _send_samples(cast)
    _bill(cast, next_month)
    return DaysWork(cast, agreed, requested, charge, statement)


def _bill(cast: Any, now: Any) -> None:
    """A bill over what was agreed, a part of it credited, a part of it paid by transfer."""
    from billing.bills.services import issuing
    from billing.payments.services import allocating, bank_import, crediting

    actor = cast.actor("li")
    bill = issuing.issue(actor, issuing.BillRequest(cast.lab.pk, cast.firm.pk, now.date()), now)
    crediting.issue(actor, crediting.CreditRequest(bill.pk, 1, 100_00, "other", "late"), now)
    rows = f"date,credit,debit,payer,remark\n2026-12-01,100,,Gaoyuan,{bill.reference}".encode()
    payment = bank_import.import_statement(actor, cast.lab.pk, rows, "list.csv", now).statement.payments.get()
    allocating.give(actor, payment.pk, bill.pk, 90_00, now)


def _order(cast: Any, reservation_id: int) -> None:
    """From a question to a commission sheet that both sides have signed."""
    from billing.ordering.rules.lines import LineInput
    from billing.ordering.services import quotations, sheets
    from billing.ordering.services.quotations import QuotationInput
    from booking.services import enquiries
    from booking.services.enquiries import Question

    lin, wang, now = cast.actor("lin"), cast.actor("wang"), cast.now
    enquiry = enquiries.ask(lin, Question(cast.firm.pk, "s", "t", cast.xrd.pk), (), now, idempotency_key="ask").pk
    given = QuotationInput("Offer", now.date() + timedelta(days=9), (LineInput("instrument_time", "2", cast.xrd.pk),))
    quotation = quotations.draft(wang, enquiry, given, now, idempotency_key="draft").pk
    quotations.send(wang, quotation, "", now)
    pk = quotations.accept(lin, quotation, None, now, idempotency_key="accept").pk
    sheet = sheets.issue(wang, pk, now)
    sheets.link(lin, pk, reservation_id, now)
    for signatory in (wang, cast.actor("zhao")):
        sheets.sign(signatory, pk, sheet.content_sha256, now)


def _send_samples(cast: Any) -> None:
    """A sample job that is closed, with a charge that was agreed to, and one whose samples are on their way."""
    from datetime import date

    from billing.pricing import sample_prices
    from booking.models import Sample
    from booking.rules.samples import ExtraEvent, SampleStep
    from booking.services import sample_extras, sample_jobs, sample_reports, sample_steps
    from booking.services.enquiry_files import Attachment
    from instruments.services import resources

    lin, wang, now, on = cast.actor("lin"), cast.actor("wang"), cast.now, date(2026, 11, 23)
    part = {"turnaround_days": 1, "daily_capacity": 10}
    core = {"name": "Li in brine", "published": True}
    item = resources.create_resource(wang, cast.lab.pk, "test_item", core, part, now)
    sample_prices.publish_test_price(wang, item, "sample", 8_000, {}, on, now, on)

    def accepted(key: str) -> int:
        wish = sample_jobs.Wish(item.pk, cast.firm.pk, 3, on)
        pk = sample_jobs.ask(lin, wish, now, idempotency_key=key).pk
        sample_jobs.accept(wang, pk, now)
        return pk

    accepted("on its way")
    pk = accepted("closed")
    ids = list(Sample.objects.filter(job_id=pk).values_list("pk", flat=True))
    for step in (SampleStep.RECEIVE, SampleStep.TEST):
        sample_steps.take(wang, ids, step, now)
    extra = sample_extras.propose(wang, pk, "retest", "again", 5_000, now)
    sample_extras.answer(lin, extra.pk, ExtraEvent.AGREE, now)
    sample_reports.report(wang, pk, Attachment(b"a;b", "report.csv"), "", now)
    sample_reports.close(lin, pk, now)


BEGINNINGS.add("begins_with_days_work", WITH_PROGRAMMES, lambda left: write_days_work(left["begins_with_cast"]))


@pytest.fixture
def begins_with_days_work() -> None:
    """The database begins with the day's work."""


@pytest.fixture
def days_work(begins_with_days_work: None, cast: Any, programmes: dict[str, Any]) -> DaysWork:
    work: DaysWork = BEGINNINGS.left_by("begins_with_days_work")
    return work
