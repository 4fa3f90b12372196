"""What is odd about the lines of a month where the use behind them is read: sample jobs, overtime, files, and what was issued before."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.firms import loading
from billing.month.services import behind, reading, running
from billing.month.services.running import RunRequest
from billing.settlement.rules.series import Series
from billing.settlement.services import statements
from booking.models import Sample, UsageSession
from booking.services import sample_reports
from booking.services.enquiry_files import Attachment
from tests.billing.bills.conftest import NOVEMBER_30
from tests.billing.month.conftest import DECEMBER, NOVEMBER
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(cast, two):
    return Work(cast, make_item(cast))


def odd(cast, series, who="li"):
    """The codes of each party's draft with how many lines have them."""
    dry = running.dry_run(cast.actor(who), RunRequest(series, NOVEMBER), DECEMBER)
    return {draft.party_id: dict(draft.odd) for draft in dry.drafts}


def sessions_of(firm):
    return UsageSession.objects.filter(reservation__organisation=firm).order_by("pk")


def closed(work, report, who="lin", firm=None):
    """A sample job with a report, charged."""
    job = work.accept(work.ask(who=who, firm=firm))
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    sample_reports.report(work.cast.actor("wang"), job.pk, Attachment(report, "report.pdf"), "", work.now)
    return work.close(work.again(job), who)


def test_sample_jobs_are_looked_at_for_ties_files_and_tests_that_nobody_made(cast, work, bills, monkeypatch):
    first, second = closed(work, b"%PDF-1.7 one"), closed(work, b"%PDF-1.7 two")
    assert odd(cast, bills) == {cast.firm.pk: {}, cast.other_firm.pk: {}}
    other = closed(work, b"%PDF-1.7 two", "he", cast.other_firm)
    assert odd(cast, bills) == {cast.firm.pk: {"same_evidence": 1}, cast.other_firm.pk: {"same_evidence": 1}}
    Sample.objects.filter(job=first, position=1).update(state="received")
    assert odd(cast, bills)[cast.firm.pk] == {"same_evidence": 1, "zero_use": 1}
    monkeypatch.setattr(
        reading, "related", lambda _known, one, _other, _on: one == loading.known([cast.firm.pk])[1][cast.firm.pk]
    )
    assert odd(cast, bills)[cast.firm.pk] == {"related": 4, "same_evidence": 1, "zero_use": 1}
    assert second.pk != other.pk


def test_a_report_that_was_replaced_and_what_another_lab_has_are_no_second_use(cast, work, bills):
    first, second = closed(work, b"%PDF-1.7 one"), work.reported(firm=cast.other_firm, who="he")
    sample_reports.report(cast.actor("wang"), second.pk, Attachment(b"%PDF-1.7 one", "r.pdf"), "", work.now)
    assert odd(cast, bills)[cast.firm.pk] == {"same_evidence": 1}
    row = {"reservation_id": None, "sample_job_id": first.pk}
    row |= {"reservation__commission__sheet_id": None, "sample_job__commission__sheet_id": None}
    assert [len(behind.files([row], lab_id)[1]) for lab_id in (cast.lab.pk, cast.firm.pk, None)] == [2, 0, 2]
    sample_reports.report(cast.actor("wang"), second.pk, Attachment(b"%PDF-1.7 other", "r.pdf"), "", work.now)
    assert odd(cast, bills)[cast.firm.pk] == {}


@pytest.mark.parametrize(
    ("used_until", "billed_until", "marked"),
    [(19.5, 20, False), (20.5, 20.5, True), (20.5, 20, False), (19.5, 20.5, False), (None, 20.5, True)],
)
def test_overtime_that_was_used_and_is_billed_after_closing_is_marked(cast, two, bills, used_until, billed_until, marked):
    """The instrument closes at eight; what rounding alone bills beyond it was not used."""
    session = sessions_of(cast.other_firm).last()
    ends = [None if hour is None else slot_of(15, hour, 1).ends_at for hour in (used_until, billed_until)]
    sessions_of(cast.other_firm).filter(pk=session.pk).update(actual_ends_at=ends[0], billable_ends_at=ends[1])
    assert odd(cast, bills)[cast.other_firm.pk] == ({"closed": 1} if marked else {})


def at_the_same_time(one, other):
    UsageSession.objects.filter(pk=one.pk).update(actual_starts_at=other.actual_starts_at, actual_ends_at=other.actual_ends_at)


def test_what_stands_on_a_bill_already_is_at_once_with_what_comes_later(cast, two, bills):
    mine, billed = sessions_of(cast.firm).first(), sessions_of(cast.other_firm).first()
    issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.other_firm.pk, NOVEMBER_30), DECEMBER)
    assert odd(cast, bills) == {cast.firm.pk: {}}
    at_the_same_time(mine, billed)
    assert odd(cast, bills) == {cast.firm.pk: {"overlap": 1}}
    UsageSession.objects.filter(pk=mine.pk).update(evidence="book 4")
    UsageSession.objects.filter(pk=billed.pk).update(evidence="Book  4")
    assert odd(cast, bills) == {cast.firm.pk: {"overlap": 1, "same_evidence": 1}}


def test_what_stands_on_a_statement_already_is_at_once_with_what_comes_later(cast, two):
    statements.issue(cast.actor("qian"), two["DEMO-QH-A"].pk, cast.other_firm.pk, NOVEMBER, DECEMBER)
    assert odd(cast, Series(), "qian") == {cast.lab.pk: {}}
    at_the_same_time(sessions_of(cast.firm).first(), sessions_of(cast.other_firm).first())
    assert odd(cast, Series(), "qian") == {cast.lab.pk: {"overlap": 1}}


def test_looking_takes_as_many_queries_for_many_lines_as_for_few(cast, work, bills):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            reading.bill_lines(cast.lab.pk, NOVEMBER_30, NOVEMBER_30)
        return len(asked)

    issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.other_firm.pk, NOVEMBER_30), DECEMBER)
    closed(work, b"%PDF-1.7 one")
    few = queries()
    for number in range(3):
        closed(work, f"%PDF-1.7 {number}".encode())
    assert queries() == few
