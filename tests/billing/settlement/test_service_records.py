"""The national service records: agreed sessions, what nobody was charged for, closed sample jobs, and who reads them."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.settlement import service_records
from billing.settlement.services.instrument_use import InstrumentUse
from booking.models import Reservation, SessionRating, UsageSession
from booking.queries.utilisation import Days
from booking.rules.service_facts import direction_of, fund_source_of, fund_sources
from booking.rules.use_period import Span
from booking.services import ratings, reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Forbidden, NotFound, Refusal
from tests.agreeing import check_out_agreed
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import Cast


def used(cast: Cast, slot: Any, first: int, **said: Any) -> Reservation:
    asked = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(first, first + 2), "self_operated", **said)
    pk = reservations.reserve(cast.actor("lin"), asked, cast.now, idempotency_key=f"k{first}").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    transitions.check_in(cast.actor("wang"), pk, asked.during.starts_at)
    check_out_agreed(cast.actor("wang"), pk, asked.during.ends_at)
    return Reservation.objects.get(pk=pk)


def records(cast: Cast, who: str = "wang") -> list[dict[str, str]]:
    days = Days(on=date(2026, 11, 25))
    return service_records.asked(cast.actor(who), cast.lab.pk, Span.MONTH, days, cast.now + timedelta(days=20))[1]


def test_an_agreed_session_is_a_record_with_what_was_said(cast, programmes, slot):
    row = used(cast, slot, 9, purpose="Brine", research_project="Salt lakes", service_direction="teaching", fund_source="2")
    SessionRating.objects.create(reservation=row, instrument=cast.xrd, stars=4, rated_by=cast.users["lin"], rated_at=cast.now)
    (record,) = records(cast)
    assert record["recordInnerId"] == row.reference and record["amounts"] == "800.00" and record["serviceAmount"] == "2.0"
    assert (record["serviceTime"], record["endTime"]) == ("2026-11-25 09", "2026-11-25 11")
    assert (record["serviceContent"], record["subjectName"], record["applicant"]) == ("Brine", "Salt lakes", "Lin")
    assert record["subjectIncome"] == next(each.name for each in fund_sources() if each.code == "2")
    assert list(record) == [key for key, _heading in service_records.service_record.columns()]


def test_what_nobody_said_is_derived(cast, programmes, slot):
    used(cast, slot, 9)
    (record,) = records(cast)
    names = {each.code: each.name for each in fund_sources()}
    assert record["subjectIncome"] == names["17"] and record["comment"] == ""
    assert (direction_of("", "firm"), direction_of("", "team"), direction_of("other", "firm")) == (
        "development",
        "research",
        "other",
    )
    assert (fund_source_of("", ""), fund_source_of("", "Salts"), fund_source_of("2", "")) == ("17", "16", "2")


@pytest.mark.parametrize("wrong", [{"service_direction": "fun"}, {"fund_source": "99"}])
def test_what_is_no_direction_or_source_is_refused(cast, programmes, slot, wrong):
    with pytest.raises(Refusal, match=r"service\."):
        used(cast, slot, 9, **wrong)


def test_use_that_nobody_was_charged_for_is_in_both_national_records(cast, programmes, slot):
    row = used(cast, slot, 9)
    UsageSession.objects.filter(reservation=row).update(
        billable_rule="imported", billable_minutes=0, billable_starts_at=None, billable_ends_at=None
    )
    (record,) = records(cast)
    assert record["serviceAmount"] == "2.0"
    facts = InstrumentUse().facts_of([cast.xrd.pk], date(2026, 12, 1), 2026)[cast.xrd.pk]
    assert (str(facts.run_hours), str(facts.service_hours)) == ("2.0", "2.0")


def test_a_closed_sample_job_is_a_record_that_counts_samples(cast, programmes):
    work = Work(cast, make_item(cast))
    job = work.ask(3, research_project="Salts")
    job = work.accept(job)
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test", places=[1, 2])
    work.step(job, "find_unfit", places=[3], reason="Broken")
    work.report(job)
    job = work.close(job)
    (record,) = records(cast)
    assert (record["recordInnerId"], record["serviceAmount"], record["amounts"]) == (job.reference, "2", "160.00")
    assert record["serviceContent"] == "Li in brine" and record["subjectName"] == "Salts"
    rating = ratings.rate_samples(cast.actor("lin"), job.pk, 4, "", work.now)
    (rated,) = records(cast)
    changed = {key for key in record if record[key] != rated[key]}
    assert len(changed) == 1, "only the stars are new"
    ratings.hide(cast.actor("zhou"), rating.pk, "Names a person.", work.now)
    assert records(cast) == [record]


def test_only_who_runs_or_accounts_for_the_lab_reads_them(cast, programmes, slot):
    used(cast, slot, 9)
    assert len(records(cast, "li")) == 1
    for who in ("lin", "qian", "zhou"):
        with pytest.raises((Forbidden, NotFound)):
            records(cast, who)


def test_as_many_queries_for_many_as_for_one_and_no_cell_is_a_formula(cast, programmes, slot):
    used(cast, slot, 9, purpose="=1+1")
    with CaptureQueriesContext(connection) as one:
        records(cast)
    used(cast, slot, 12)
    with CaptureQueriesContext(connection) as two:
        found = records(cast)
    assert len(one) == len(two)
    table = list(csv.reader(io.StringIO(service_records.as_csv(found).decode("utf-8-sig"))))
    assert len(table) == 3 and "'=1+1" in table[1]
