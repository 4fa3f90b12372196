"""The worked example on a page is what the engine says, for a customer who does not exist, and writes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override

from billing.ledger.models import Account
from billing.settlement.services import quotes
from billing.settlement.services.example import worked_example
from booking.models import InstrumentPolicy
from booking.services import context as booking_context
from config.kernel.access import NOBODY
from instruments.models import Organisation
from instruments.services import registry
from instruments.services.registry import InstrumentFields

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")


def load(cast):
    return booking_context.load(NOBODY, cast.xrd.pk, lock=False)


def test_three_hours_on_the_next_tuesday_at_nine(cast, programmes, now):
    example = worked_example(load(cast), now)
    local = example.during.starts_at.astimezone(SHANGHAI)
    assert (local.isoformat(), example.during.seconds, example.is_open) == ("2026-11-24T09:00:00+08:00", 3 * 3600, True)
    assert example.assessment.gross_fen == 3 * 400_00


def test_on_a_tuesday_it_is_the_tuesday_after(cast, now):
    example = worked_example(load(cast), datetime(2026, 11, 24, 1, tzinfo=UTC))
    assert example.during.starts_at.astimezone(SHANGHAI).date().isoformat() == "2026-12-01"


def test_a_real_firm_of_this_kind_gets_the_same_figures(cast, programmes, now):
    """The example's figures are those of a quote: the cast's firm is small too, verified, of the same place, and has used nothing."""
    Organisation.objects.filter(pk=cast.firm.pk).update(staff_count=60, annual_revenue_fen=20_000_000_00, region_code="630104")
    example = worked_example(load(cast), now)
    quote = quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, example.during, now)
    names = ("gross_fen", "deducted_fen", "refunded_fen", "payable_now_fen", "final_cost_fen")
    assert {name: getattr(example.assessment, name) for name in names} == {
        name: getattr(quote.assessment, name) for name in names
    }
    assert example.assessment.final_cost_fen < example.assessment.gross_fen


def test_it_opens_no_account_and_leaves_the_lists_alone(cast, programmes, now):
    before = Account.objects.count(), Organisation.objects.count()
    worked_example(load(cast), now)
    assert (Account.objects.count(), Organisation.objects.count()) == before


def test_without_a_price_there_is_no_example(cast, now):
    made = registry.create_instrument(cast.actor("wang"), cast.site.pk, InstrumentFields("Lathe"), now)
    assert worked_example(booking_context.load(NOBODY, made.pk, lock=False), now) is None


def test_the_labs_own_rules_bound_its_length(cast, now):
    InstrumentPolicy.objects.create(instrument=cast.xrd, granularity_minutes=30, min_minutes=30, max_minutes=120)
    assert worked_example(load(cast), now).during.duration == timedelta(hours=2)


def test_its_programmes_are_named_with_their_clauses(cast, programmes, now):
    from frontend.presenters.example import example_view

    with override("en"):
        view = example_view(worked_example(load(cast), now), "Asia/Shanghai")
    assert view.lines
    assert all("clauses" in line["note"] for line in view.lines)
    json.dumps(view.lines)
