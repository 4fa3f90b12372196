"""Whatever becomes of bookings, outages and followed calendars, the busy times that another parser reads are those of the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pgtrigger
import pytest
import vobject
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking import calendar_queries
from booking.models import BusyChange, CalendarSubscription, Downtime, Occupancy, Reservation, ReservationChange
from booking.rules.downtime import Choice, DowntimeKind
from booking.services import busy_changes, changes, downtimes, subscription_refresh, subscriptions, transitions
from booking.services.changes import ChangeRequest
from booking.services.downtimes import Decision, Outage
from booking.services.reservations import ReservationRequest, reserve
from booking.services.taken import Taken
from config.kernel.errors import Refusal
from config.kernel.services import outbound
from config.kernel.services.outbound import Fetched
from config.kernel.time_range import TimeRange
from frontend import calendar_file
from instruments.rules.ics_reading import read_ics
from instruments.services import ics_reader
from tests.instruments.calendars.ics import calendar, timed

pytestmark = pytest.mark.django_db
Told = tuple[datetime, datetime, str, int]

WHAT = ("book", "move", "elsewhere", "cancel", "outage", "prolong", "close", "event", "event", "gone", "switch", "fill", "later")
STEPS = st.lists(st.tuples(st.sampled_from(WHAT), st.integers(0, 7), st.integers(1, 4)), min_size=4, max_size=16)


class Lab:
    """The cast's lab with two instruments; the first follows a calendar."""

    def __init__(self, cast: Any, other: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cast, self.instruments, self.now = cast, (cast.xrd, other), cast.now
        self.day = cast.now.replace(hour=0, minute=0) + timedelta(days=2)  # 8:00 at the lab
        self.events: dict[int, tuple[int, int]] = {}
        self.keys, self.done = iter(range(10**6)), Counter[str]()
        self.told: dict[tuple[int, str], Told] = {}
        monkeypatch.setattr(ics_reader, "read", read_ics)
        monkeypatch.setattr(outbound, "fetch", lambda address, **_known: Fetched(self.file(), "", ""))
        self.wang, self.lin = cast.actor("wang"), cast.actor("lin")
        self.followed = subscriptions.subscribe(self.wang, cast.xrd.pk, "https://example.org/lab.ics", "Lab", self.now)

    def file(self) -> bytes:
        return calendar(
            *(
                timed(*(f"{one:%Y%m%dT%H%M%SZ}" for one in self.span(first, hours)), uid=f"e{uid}", title="Beam")
                for uid, (first, hours) in sorted(self.events.items())
            )
        )

    def span(self, first: int, hours: int) -> tuple[datetime, datetime]:
        return self.day + timedelta(hours=first), self.day + timedelta(hours=first + hours)

    def step(self, what: str, first: int, number: int) -> None:
        """What is refused leaves everything as it was. What the lab proposed is told as taken before the customer says yes."""
        self.now += timedelta(minutes=1)
        with suppress(Refusal, Taken, LookupError), transaction.atomic():
            getattr(self, what)(first, number)
            self.done[what] += 1
        for one in ReservationChange.objects.filter(state="open"):
            self.look()
            with suppress(Refusal, Taken), transaction.atomic():
                changes.accept(self.lin, one.pk, self.now)

    # --- What may happen ------------------------------------------------------------------------------------------
    def book(self, first: int, hours: int) -> None:
        request = ReservationRequest(
            self.cast.xrd.pk, self.cast.firm.pk, TimeRange(*self.span(first, hours)), "self_operated", "salts"
        )
        reserve(self.lin, request, self.now, idempotency_key=f"b{next(self.keys)}")

    def move(self, first: int, hours: int) -> None:
        changes.change_one(self.wang, ChangeRequest(self.booked(hours), TimeRange(*self.span(first, hours)), "repair"), self.now)

    def elsewhere(self, first: int, hours: int) -> None:
        pk = self.booked(hours)
        here = Reservation.objects.get(pk=pk).instrument_id
        (other,) = [one.pk for one in self.instruments if one.pk != here]
        asked = ChangeRequest(pk, TimeRange(*self.span(first, hours)), "repair", instrument_id=other)
        changes.change_one(self.wang, asked, self.now)

    def cancel(self, _first: int, number: int) -> None:
        transitions.cancel(self.lin, self.booked(number), self.now)

    def booked(self, number: int) -> int:
        rows = Reservation.objects.filter(state__in=["requested", "approved"]).order_by("pk")
        return rows[number % max(rows.count(), 1)].pk

    def outage(self, first: int, hours: int) -> None:
        during = TimeRange(*self.span(first, hours))
        seen = frozenset(downtimes.hit(self.cast.xrd, during, self.now))
        kept = {pk: Decision(Choice.KEEP) for pk in seen}
        outage = Outage(DowntimeKind.SERVICE, during, "works", decisions=kept, seen=seen)
        downtimes.declare(self.wang, self.cast.xrd.pk, outage, self.now, idempotency_key=f"o{next(self.keys)}")

    def prolong(self, first: int, hours: int) -> None:
        row = Downtime.objects.filter(closed_at=None).order_by("pk")[0]
        ends_at = self.span(first, hours)[1]
        seen = downtimes.hit(self.cast.xrd, TimeRange(row.starts_at, max(ends_at, row.ends_at)), self.now)
        downtimes.prolong(self.wang, row.pk, ends_at, seen, self.now)

    def close(self, _first: int, _hours: int) -> None:
        downtimes.close(self.wang, Downtime.objects.filter(closed_at=None).order_by("pk")[0].pk, self.now)

    def event(self, first: int, hours: int) -> None:
        self.events[hours % 2] = (first, hours)
        self.read()

    def gone(self, first: int, _hours: int) -> None:
        del self.events[first % 2]
        self.read()

    def read(self) -> None:
        CalendarSubscription.objects.update(due_at=self.now)
        subscription_refresh.refresh(self.followed.pk, self.now)

    def switch(self, _first: int, _hours: int) -> None:
        enabled = CalendarSubscription.objects.get().enabled
        subscriptions.set_enabled(self.wang, self.followed.pk, not enabled, self.now)

    def fill(self, _first: int, _hours: int) -> None:
        subscription_refresh.settle_crowded(self.now)
        downtimes.settle_due(self.now)

    def later(self, _first: int, hours: int) -> None:
        self.now = max(self.now, self.day) + timedelta(hours=hours)

    # --- What is told of it ---------------------------------------------------------------------------------------
    def look(self) -> None:
        for instrument in self.instruments:
            rows = list(self.read_back(instrument))
            found = dict(rows)
            assert len(found) == len(rows), "one UID, one event"
            taken = Occupancy.objects.filter(calendar_id=instrument.calendar_id, blocking=True).values_list("during", flat=True)
            confirmed = sorted(one[:2] for one in found.values() if one[2] == "CONFIRMED")
            assert confirmed == sorted((during.lower, during.upper) for during in taken)
            before = {uid: one for (pk, uid), one in self.told.items() if pk == instrument.pk}
            assert before.keys() <= found.keys(), "what was told once is told until it is long gone"
            for uid, now in found.items():
                self.compare(before.get(uid), now)
                self.told[instrument.pk, uid] = now

    def compare(self, then: Told | None, now: Told) -> None:
        if then is None:
            assert now[2] == "CONFIRMED", "what never took time is not told as gone"
            return
        assert now[3] >= then[3]
        assert then[:3] == now[:3] or now[3] > then[3], "it changed, so it is counted"
        assert now[2] == "CONFIRMED" or now[:2] == then[:2], "what is gone lies where it was"

    def read_back(self, instrument: Any) -> Iterator[tuple[str, Told]]:
        text = calendar_file.busy_feed(calendar_queries.busy_times(instrument, self.now), "x").decode()
        for each in vobject.readOne(text).contents.get("vevent", []):
            start, end = (one.value.astimezone(UTC) for one in (each.dtstart, each.dtend))
            yield each.uid.value, (start, end, each.status.value, int(each.sequence.value))


@settings(max_examples=90, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_the_busy_times_are_the_databases_after_every_step(cast, programmes, another, monkeypatch, steps):
    with transaction.atomic():
        lab = Lab(cast, another(), monkeypatch)
        for what, first, number in steps:
            lab.step(what, first, number)
            lab.look()
        transaction.set_rollback(True)


MENDED = [
    ("update", [("book", 1, 2), ("move", 4, 1)]),
    ("update", [("book", 1, 2), ("elsewhere", 4, 1)]),
    ("update", [("book", 1, 2), ("cancel", 0, 0)]),
    ("insert", [("event", 1, 2), ("event", 3, 2)]),
    ("insert", [("book", 3, 1), ("outage", 1, 4), ("prolong", 7, 1)]),
    ("delete", [("event", 1, 2), ("gone", 0, 0)]),
    ("delete", [("outage", 1, 2), ("close", 0, 0)]),
]


@pytest.mark.parametrize(("trigger", "steps"), MENDED, ids=[f"{trigger}-{steps[-1][0]}" for trigger, steps in MENDED])
def test_without_a_trigger_a_change_would_not_be_told(cast, programmes, another, monkeypatch, trigger, steps):
    other = another()

    def happens() -> None:
        with transaction.atomic():
            lab = Lab(cast, other, monkeypatch)
            for what, first, number in steps:
                lab.step(what, first, number)
                lab.look()
            assert sum(lab.done.values()) == len(steps)
            transaction.set_rollback(True)

    happens()
    (off,) = [one for one in Occupancy._meta.triggers if one.name == f"busy_changes_follow_{trigger}"]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE booking_occupancy DISABLE TRIGGER {off.get_pgid(Occupancy)}")
    with pytest.raises(AssertionError):
        happens()


def test_what_is_long_over_is_forgotten_and_what_is_told_is_not(cast, programmes, another, monkeypatch):
    lab = Lab(cast, another(), monkeypatch)
    for step in (("event", 1, 2), ("gone", 0, 0)):
        lab.step(*step)
    assert BusyChange.objects.count() == 1
    row = BusyChange.objects.get()
    for age, left in ((timedelta(days=119), 1), (timedelta(days=121), 0)):
        at = lab.now - age
        during = (at - timedelta(hours=1), at)
        row.sequence, row.changed_at, row.during = row.sequence + 1, at, during
        row.save()
        assert busy_changes.forget(lab.now) == 1 - left
        assert BusyChange.objects.count() == left


def test_the_database_refuses_to_count_changes_down(cast, programmes, another, monkeypatch):
    lab = Lab(cast, another(), monkeypatch)
    lab.step("event", 1, 2)
    with pytest.raises(Exception, match="counted up"), transaction.atomic():
        BusyChange.objects.update(taken=False)
    with pgtrigger.ignore("booking.BusyChange:busy_change_counts_up"):
        assert BusyChange.objects.update(taken=False) == 1
