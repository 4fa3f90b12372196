"""People, requests and outages of the tests of this folder."""

from __future__ import annotations

from uuid import uuid4

import pytest

from booking.models import Reservation
from booking.rules.downtime import DowntimeKind
from booking.services import downtimes, transitions
from booking.services.downtimes import Outage
from config.kernel.time_range import TimeRange
from tests.frontend.acting import approved, ask, twin  # noqa: F401


@pytest.fixture
def booked(cast, programmes, ask):  # noqa: F811
    """``booked(9, 12)``: an approved reservation of Lin's firm, or of He's."""

    def make(first, last, who="lin", **fields):
        pk = ask(first, last, who=who, **fields)
        transitions.approve(cast.actor("wang"), pk, cast.now)
        return Reservation.objects.get(pk=pk)

    return make


@pytest.fixture
def breaks(cast):
    """``breaks(until, {pk: Decision})``: Wang says that it is broken; every booking that it hits was shown."""

    def make(ends_at, decisions=None, now=None, kind=DowntimeKind.BREAKDOWN, starts_at=None, seen=None, key="", **words):
        now = now or cast.now
        during = TimeRange(starts_at or now, ends_at)
        shown = frozenset(downtimes.hit(cast.xrd, during, now)) if seen is None else frozenset(seen)
        outage = Outage(kind, during, "Tube", decisions=decisions or {}, seen=shown, **words)
        row = downtimes.declare(cast.actor("wang"), cast.xrd.pk, outage, now, idempotency_key=key or str(uuid4()))
        cast.xrd.refresh_from_db()
        return row

    return make
