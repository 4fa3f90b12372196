"""Samples sent under a commission at once: of tests that count no samples, or whose price is given on request."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.models import CommissionSampleJob
from billing.ordering.services import sheets
from billing.ordering.services.sample_links import UnderSheet
from booking.models import SampleJob
from booking.ports import ExpectedFigures
from booking.services import sample_jobs
from booking.services.sample_jobs import Wish
from config.kernel.errors import Conflict, NotFound, Refusal
from tests.booking.samples.conftest import Work, commissioned, make_item
from tests.price_publishing import publish_confirmed


@pytest.fixture
def hourly(cast: Any, programmes: Any) -> Any:
    return make_item(cast, "hour")


@pytest.fixture
def sheet(cast: Any, hourly: Any) -> int:
    return commissioned(cast, hourly, 70_00, quantity="5")


def send(cast: Any, item: Any, sheet_id: int | None, samples: int = 3, key: str = "k", **more: Any) -> SampleJob:
    wish = Wish(item.pk, cast.firm.pk, samples, date(2026, 11, 25), **more)
    order = UnderSheet(sheet_id) if sheet_id is not None else None
    done = sample_jobs.ask(cast.actor("lin"), wish, cast.now, idempotency_key=key, order=order)
    return SampleJob.objects.get(pk=done.pk)


def refused(call: Any, kind: type[Refusal] = Refusal) -> list[str]:
    with pytest.raises(kind) as caught:
        call()
    return [reason.code for reason in caught.value.reasons]


def test_a_test_priced_by_the_hour_is_sent_for_under_the_price_of_its_commission(cast, hourly, sheet):
    job = send(cast, hourly, sheet)
    assert job.quotes.get().gross_fen == 210_00
    assert CommissionSampleJob.objects.get().sample_job == job
    work = Work(cast, hourly)
    work.accept(job)
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    work.report(job)
    work.close(job)
    assert job.charge.gross_fen == 210_00


def test_without_a_commission_it_still_is_not(cast, hourly, sheet):
    assert refused(lambda: send(cast, hourly, None)) == ["samples.priced_by_time"]


def test_a_price_on_request_needs_no_list_when_it_was_agreed(cast, programmes):
    item = make_item(cast)
    on = date(2026, 11, 23)
    sheet_id = commissioned(cast, item, 65_00)
    publish_confirmed(cast.actor("wang"), item, "sample", None, {}, on, cast.now, on)
    assert refused(lambda: send(cast, item, None)) == ["price.on_request"]
    assert send(cast, item, sheet_id, key="k2").quotes.get().gross_fen == 195_00


def test_no_more_is_sent_than_the_line_says_and_nothing_is_left_of_what_was_refused(cast, hourly, sheet):
    assert refused(lambda: send(cast, hourly, sheet, 6)) == ["samples.beyond_the_line"]
    assert not SampleJob.objects.exists() and not CommissionSampleJob.objects.exists()
    send(cast, hourly, sheet, 3)
    assert refused(lambda: send(cast, hourly, sheet, 3, key="k2")) == ["samples.beyond_the_line"]


def test_the_figures_that_were_seen_hold_and_a_repeated_call_sends_once(cast, hourly, sheet):
    seen = ExpectedFigures(1, 1)
    assert refused(lambda: send(cast, hourly, sheet, expected=seen), Conflict) == ["billing.figures_differ"]
    assert send(cast, hourly, sheet, key="k3").pk == send(cast, hourly, sheet, key="k3").pk
    assert refused(lambda: send(cast, hourly, None, key="k3")) == ["idempotency.other_payload"]


def test_somebody_elses_commission_is_not_found(cast, hourly, sheet):
    wish = Wish(hourly.pk, cast.other_firm.pk, 1, date(2026, 11, 25))
    stranger = next(name for name in cast.users if cast.other_firm.pk in cast.actor(name).organisations())
    with pytest.raises(NotFound):
        sample_jobs.ask(cast.actor(stranger), wish, cast.now, idempotency_key="k", order=UnderSheet(sheet))


def test_a_commission_that_is_called_off_takes_nothing_more(cast, hourly, sheet):
    sheets.cancel(cast.actor("wang"), sheet, "The line is down", cast.now)
    assert refused(lambda: send(cast, hourly, sheet)) == ["commission.illegal_transition"]
