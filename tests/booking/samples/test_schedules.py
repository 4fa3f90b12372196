"""A job on a test that is priced by a whole schedule goes from the question to the charge, for a firm and in the house itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.models import InternalSlip
from billing.ordering.services import sample_links
from billing.pricing import sample_prices
from billing.pricing.rules.counted import parse_counted
from billing.pricing.services import Beside
from billing.settlement.models import Charge, Quote
from config.kernel.errors import Refusal
from tests.booking.samples.conftest import Work, commissioned, make_item
from tests.spending import Spenders, build_spenders

ON = date(2026, 11, 23)
SCHEDULE: dict[str, Any] = {
    "format": 2,
    "currency": "CNY",
    "unit": "sample",
    "rates": {"inside": "50", "academic": "80", "team": "90", "firm_sme": "100", "firm_large": "120"},
    "steps": [{"up_to": "2", "ratio": "1"}, {"ratio": "0.5"}],
    "setup": {"inside": 0, "academic": 0, "team": 0, "firm_sme": 200, "firm_large": 200},
    "rounding": {"step": "fen", "mode": "half_up"},
}
INCLUDED = SCHEDULE | {"tax": {"rate": "0.06", "included": True}}
ADDED = SCHEDULE | {"tax": {"rate": "0.06", "included": False}}


def scheduled(cast: Any, document: dict[str, Any]) -> Any:
    item = make_item(cast)
    terms = parse_counted(document)
    sample_prices.publish_test_schedule(cast.actor("wang"), item, terms, ON, cast.now, ON, Beside(None, None))
    return item


@pytest.fixture
def spenders(cast: Any) -> Spenders:
    return build_spenders(cast)


def closed(work: Work, job: Any, who: str) -> Any:
    job = work.accept(job)
    work.come(job)
    work.step(job, "receive")
    work.step(job, "test")
    work.report(job)
    return work.close(job, who)


@pytest.mark.parametrize(("document", "fen"), [(SCHEDULE, 450_00), (INCLUDED, 450_00), (ADDED, 477_00)])
def test_a_firm_is_charged_by_the_schedule(cast, programmes, document, fen):
    work = Work(cast, scheduled(cast, document))
    job = closed(work, work.ask(3), "lin")
    assert Charge.objects.get(sample_job=job).gross_fen == fen


@pytest.mark.parametrize(("document", "fen", "lines"), [(SCHEDULE, 125_00, 2), (INCLUDED, 125_00, 2), (ADDED, 132_50, 3)])
def test_the_slip_of_the_house_has_a_line_for_each_that_was_priced(cast, spenders, document, fen, lines):
    work = Work(cast, scheduled(cast, document))
    closed(work, work.ask(3, "ma", cast.lab, fund_card_id=spenders.card.pk), "ma")
    slip = InternalSlip.objects.get()
    written = slip.content["lines"]
    assert (slip.total_fen, len(written), sum(line["amount_fen"] for line in written)) == (fen, lines, fen)


def test_one_amount_does_not_take_the_place_of_a_schedule(cast, programmes):
    item = scheduled(cast, SCHEDULE)
    with pytest.raises(Refusal, match="is_a_schedule"):
        sample_prices.publish_test_price(cast.actor("wang"), item, "sample", 1, {}, ON, cast.now, ON)


def test_such_a_job_is_put_under_a_commission(cast, programmes):
    item = scheduled(cast, SCHEDULE)
    job = Work(cast, item).ask(3)
    sample_links.link(cast.actor("lin"), commissioned(cast, item, 60_00), job.pk, cast.now)
    assert Quote.objects.filter(sample_job=job).latest("revision").gross_fen == 180_00
