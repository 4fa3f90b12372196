"""A sample job under a commission is priced by what was agreed there; the link is kept."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from billing.ordering.models import CommissionSampleJob, CommissionSheet
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import quotations, sample_links, sheets
from billing.settlement.models import Quote
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.services import sample_jobs
from booking.services.sample_jobs import Wish
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Notice
from tests.booking.samples.conftest import make_item


@pytest.fixture
def item(cast, programmes):
    return make_item(cast)


@pytest.fixture
def ordered(cast, sent, item):
    """A commission sheet with a line for the test item: 60 instead of 80 yuan."""

    def make(*lines):
        quotation = sent(*(lines or [LineInput("test", "3", item.pk, "", "sample", 6_000)]))
        made = quotations.accept(cast.actor("lin"), quotation.pk, None, cast.now, idempotency_key=str(uuid4()))
        return CommissionSheet.objects.get(pk=made.pk)

    return make


def asked(cast, item):
    wish = Wish(item.pk, cast.firm.pk, 3, date(2026, 11, 25))
    return sample_jobs.ask(cast.actor("lin"), wish, cast.now, idempotency_key=str(uuid4())).pk


def test_the_agreed_price_takes_the_place_of_the_list_and_is_held(cast, ordered, item):
    job, sheet = asked(cast, item), ordered()
    sample_links.link(cast.actor("lin"), sheet.pk, job, cast.now)
    sample_jobs.accept(cast.actor("wang"), job, cast.now)
    first, second, held = Quote.objects.filter(sample_job_id=job).order_by("revision")
    assert (first.gross_fen, second.gross_fen, held.gross_fen) == (24_000, 18_000, 18_000)
    assert held.held_at is not None and second.accepted_by_id == cast.users["lin"].pk
    assert held.inputs["price"] == {"unit": "sample", "amount_fen": 6_000, "class_fen": {}}


def test_dearer_figures_are_linked_only_when_they_were_shown(cast, ordered, item):
    job, sheet, lin = asked(cast, item), ordered(LineInput("test", "3", item.pk, "", "sample", 9_000)), cast.actor("lin")
    figures = None
    for seen in (NOTHING_EXPECTED, ExpectedFigures(final_cost_fen=1), ExpectedFigures(1, 1)):
        with pytest.raises(Conflict, match="figures_differ") as refused:
            sample_links.link(lin, sheet.pk, job, cast.now, seen)
        assert figures in (None, refused.value.extra)
        figures = refused.value.extra
    assert Quote.objects.filter(sample_job_id=job).count() == 1 and not CommissionSampleJob.objects.exists()
    sample_links.link(lin, sheet.pk, job, cast.now, ExpectedFigures(**figures))
    first, second = Quote.objects.filter(sample_job_id=job).order_by("revision")
    assert (
        first.final_cost_fen < second.final_cost_fen == figures["final_cost_fen"]
        and second.accepted_by_id == cast.users["lin"].pk
    )


def test_cheaper_figures_than_those_that_were_shown_are_shown_first_too(cast, ordered, item):
    job, sheet = asked(cast, item), ordered()
    with pytest.raises(Conflict, match="figures_differ"):
        sample_links.link(cast.actor("lin"), sheet.pk, job, cast.now, ExpectedFigures(24_000, 24_000))
    assert sample_links.link(cast.actor("lin"), sheet.pk, job, cast.now).sample_job_id == job


def test_only_the_customer_links_and_only_once_and_in_time(cast, ordered, item):
    job, sheet = asked(cast, item), ordered()
    with pytest.raises(Forbidden):
        sample_links.link(cast.actor("wang"), sheet.pk, job, cast.now)
    with pytest.raises(NotFound):
        sample_links.link(cast.actor("he"), sheet.pk, job, cast.now)
    sample_links.link(cast.actor("lin"), sheet.pk, job, cast.now)
    with pytest.raises(Refusal, match="linked_already"):
        sample_links.link(cast.actor("lin"), sheet.pk, job, cast.now)
    late = asked(cast, item)
    sample_jobs.accept(cast.actor("wang"), late, cast.now)
    with pytest.raises(Refusal, match="too_late_for_commission"):
        sample_links.link(cast.actor("lin"), sheet.pk, late, cast.now)


def test_a_sheet_without_a_line_for_the_test_gives_no_price(cast, ordered, item):
    job = asked(cast, item)
    sheet = ordered(LineInput("other", "1", None, "Report", "piece", 15_000))
    with pytest.raises(Refusal, match="not_on_the_sheet"):
        sample_links.link(cast.actor("lin"), sheet.pk, job, cast.now)


def test_the_sides_hear_of_the_link_and_only_what_is_on_the_line_hangs_on_it(cast, ordered, item):
    first, second, sheet = asked(cast, item), asked(cast, item), ordered()
    sample_links.link(cast.actor("zhao"), sheet.pk, first, cast.now)
    told = Notice.objects.filter(event__startswith="sample_job.linked").values_list("event", "user__email")
    assert set(told) >= {("sample_job.linked_to_lab", "wang@example.org"), ("sample_job.linked_to_customer", "lin@example.org")}
    assert Notice.objects.filter(event="sample_job.asked", object_id=str(first), needs_action=True).exists()
    with pytest.raises(Refusal, match="beyond_the_line"):
        sample_links.link(cast.actor("lin"), sheet.pk, second, cast.now)
    sample_jobs.cancel(cast.actor("lin"), first, "", cast.now)
    sample_links.link(cast.actor("lin"), sheet.pk, second, cast.now)
    sheets.cancel(cast.actor("wang"), sheet.pk, "Not any more.", cast.now)
    with pytest.raises(Refusal, match="commission_cancelled"):
        sample_jobs.accept(cast.actor("wang"), second, cast.now)


def test_a_price_for_each_element_is_none_for_samples_alone(cast, ordered, item):
    sheet = ordered(LineInput("test", "3", item.pk, "", "element", 100))
    with pytest.raises(Refusal, match="line_per_element"):
        sample_links.link(cast.actor("lin"), sheet.pk, asked(cast, item), cast.now)


def test_the_link_is_kept_unless_its_triggers_are_off(cast, ordered, item):
    sample_links.link(cast.actor("lin"), ordered().pk, asked(cast, item), cast.now)
    assert CommissionSampleJob.objects.count() == 1
    table = "billing_commissionsamplejob"
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET linked_at = now()", f"TRUNCATE {table}"):
        with pytest.raises(DatabaseError, match=r"Cannot|append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(statement)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"DELETE FROM {table}")
        assert cursor.rowcount == 1
        transaction.set_rollback(True)
