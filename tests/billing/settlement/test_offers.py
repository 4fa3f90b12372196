"""The times on cards and in comparisons: the one who reads can book each of them, at the cost that stands beside it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.settlement.offers import offers_of
from billing.settlement.services import quotes
from billing.settlement.time_finding import assumed_customer, customer_of
from booking.rules.downtime import DowntimeKind
from booking.services import context as booking_context
from booking.services import downtimes
from booking.services.downtimes import Outage
from booking.services.refusing import refusal_reasons
from config.kernel.access import NOBODY
from config.kernel.time_range import TimeRange
from instruments.models import CatalogueEntry
from instruments.queries.catalogue import with_card
from tests.billing.settlement.test_time_finding import priced_at
from tests.booking.availability.building import occupy
from tests.booking.finding.labs import Labs

pytestmark = pytest.mark.django_db
POLICIES = {
    "Notice": {"notice_minutes": 60},
    "Whole hours": {"granularity_minutes": 60, "notice_minutes": 0},
    "Odd grid": {"granularity_minutes": 35, "min_minutes": 35, "max_minutes": 350, "notice_minutes": 0},
    "Long only": {"min_minutes": 180, "notice_minutes": 0},
    "Short only": {"max_minutes": 30, "granularity_minutes": 15, "notice_minutes": 0, "min_minutes": 15},
    "Today only": {"horizon_days": 0, "notice_minutes": 0},
    "Next month": {"notice_minutes": 30 * 24 * 60, "horizon_days": 60},
    "Buffers": {"buffer_before_minutes": 45, "buffer_after_minutes": 30, "notice_minutes": 0},
    "Not for firms": {"notice_minutes": 3 * 24 * 60, "rules": {"horizons": [["firm", 2]]}},
}


def entries() -> list[CatalogueEntry]:
    return list(with_card(CatalogueEntry.objects.filter(kind="instrument").order_by("name")))


@pytest.fixture
def many(labs: Labs, cast, programmes, slot) -> Labs:
    """Instruments of every kind of policy, some of them busy."""
    for name, policy in POLICIES.items():
        added = labs.add(name, price=priced_at("120"), policy=policy)
        occupy(added.calendar_id, slot(12, 13, day=-2))
        occupy(added.calendar_id, slot(10.5, 10.75, day=-1))
    labs.add("No price", price=None)
    labs.add("Sundays", weekdays=(6,))
    return labs


def test_whoever_reads_a_card_can_book_its_time_at_its_cost(many: Labs, cast, slot):
    lin, firm = cast.actor("lin"), cast.firm
    repaired = CatalogueEntry.objects.get(name="Notice").instrument
    until = slot(15, 16, day=-2).starts_at
    downtimes.declare(
        cast.actor("wang"),
        repaired.pk,
        Outage(DowntimeKind.SERVICE, TimeRange(cast.now, until)),
        cast.now,
        idempotency_key="d",
    )
    asked = {timedelta(): 120, timedelta(hours=5, minutes=58, seconds=43): None, timedelta(days=4, hours=11, microseconds=1): 60}
    for later, minutes in asked.items():
        now, said = cast.now + later, {}
        offers = offers_of(lin, entries(), minutes, customer_of(firm), now, now)
        for entry in entries():
            if entry.pk not in offers:
                continue
            during = offers[entry.pk].found.during
            context = booking_context.load(lin, entry.instrument_id, lock=False, customer_id=firm.pk)
            assert refusal_reasons(context, cast.users["lin"].pk, firm, during, "self_operated", now) == [], entry.name
            assert not booking_context.busy_ranges(entry.calendar_id, context.policy.occupied(during)), entry.name
            quote = quotes.preview(lin, entry.instrument_id, firm.pk, during, now)
            assert offers[entry.pk].assessment == quote.assessment
            said[entry.name] = f"{during.starts_at.astimezone(context.zone):%a %d %H:%M}, {during.seconds // 60}"
        if minutes is None:  # Monday 14:58:43
            assert said == {
                "Buffers": "Mon 23 15:00, 60",
                "Long only": "Tue 24 11:00, 180",
                "Next month": "Wed 23 15:00, 60",
                "Notice": "Mon 23 16:00, 60",
                "Odd grid": "Mon 23 15:10, 70",
                "Short only": "Mon 23 15:00, 30",
                "Sundays": "Sun 29 09:00, 60",
                "Today only": "Mon 23 15:00, 60",
                "Whole hours": "Mon 23 15:00, 60",
                "X-ray diffractometer": "Mon 23 17:00, 60",
            }  # nothing without a price, nothing that only others may book so far ahead


def test_a_visitor_sees_times_open_to_everybody_without_figures(many: Labs, cast):
    offers = offers_of(NOBODY, entries(), None, assumed_customer("", ""), cast.now, cast.now, priced=False)
    assert len(offers) > 8
    assert all(row.assessment is None for row in offers.values())


def test_times_of_many_cards_cost_as_many_statements_as_of_one(many: Labs, cast):
    shown = entries()

    def statements(count: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            offers_of(cast.actor("lin"), shown[:count], None, customer_of(cast.firm), cast.now, cast.now)
        return len(queries)

    statements(len(shown))
    assert statements(len(shown)) <= 14
