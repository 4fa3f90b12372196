"""A series of Lin's: Wednesdays from 25 November 2026, nine to twelve in Shanghai."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from billing.settlement import series_figures
from booking.rules.series import SeriesRule
from booking.services import series
from booking.services.series import Wish
from config.kernel.invariants import registered

WEDNESDAY = datetime(2026, 11, 25, 9)


@pytest.fixture
def wish(cast):
    """``wish(count=3)``; the rest of the rule by name."""

    def make(starts=WEDNESDAY, hours=3, purpose="lithium salts", mode="self_operated", **more) -> Wish:
        rule = SeriesRule(starts, starts + timedelta(hours=hours), **({"count": 3} | more))
        return Wish(cast.xrd.pk, cast.firm.pk, rule, mode, purpose)

    return make


@pytest.fixture
def made(cast, wish):
    """``made(count=3)``: a series that Lin asked for as the report says; the series' id."""

    def make(key="s1", who="lin", **more) -> int:
        shown = series_figures.report(cast.actor(who), wish(**more), cast.now)
        return series.ask(cast.actor(who), wish(**more), shown.picks(), cast.now, idempotency_key=key).series_id

    return make


@pytest.fixture(autouse=True)
def nothing_is_broken(cast):
    """After each test the rows hold what is always true of them."""
    yield
    found = {name: check().violations for name, check in registered().items() if not name.startswith("registry.")}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
