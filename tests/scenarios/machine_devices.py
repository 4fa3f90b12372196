"""Devices in the machine: they tell when they run, late and twice, and a manager looks at what does not add up."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis.stateful import invariant

from booking.models import DeviceEvent, DeviceKey, DeviceRun, Reservation, RunState
from booking.rules.device_runs import EventKind
from booking.services import device_events, usage_problems
from booking.services.device_events import Batch, Told
from booking.services.late_entry import Entry
from config.kernel.time_range import TimeRange

KINDS = (EventKind.START, EventKind.STOP, EventKind.START, EventKind.STOP, EventKind.HEARTBEAT)
LATE = (timedelta(0), timedelta(minutes=3), timedelta(hours=2))


class Devices:
    """``device`` is the key of the first instrument's computer. Part of ``LabMachine``."""

    device: DeviceKey
    device_ids: Any
    told: list[Told]
    cast: Any
    attempt: Any
    actor: Any
    pick: Any
    now: Any

    def start_of_devices(self) -> None:
        self.device_ids, self.told = count(), []

    def a_device_tells(self, which: int, again: bool) -> None:
        """Something that has just happened or was kept back; or, ``again``, what it has told already."""
        if again and self.told:
            batch = tuple(self.told[-2:])
        else:
            at = self.now - LATE[which % 3]
            batch = (Told(f"e{next(self.device_ids)}", KINDS[which % 5], at, device="pc"),)
            self.told.extend(batch)
        self.attempt("a device tells", lambda: device_events.receive(self.device, Batch(self.now, batch), self.now))

    def somebody_looks_at_a_run(self, place: int, which: int) -> None:
        """A manager says what a run was that nobody could make sense of."""
        run = self.pick(DeviceRun.objects.filter(state=RunState.OPEN).order_by("pk"), place)
        if run is None:
            return
        wang = self.actor("wang")
        if which % 3 == 0:
            self.attempt("ignore a run", lambda: usage_problems.ignore(wang, run.pk, "A test", self.now))
        elif which % 3 == 1 and run.starts_at is not None and run.ends_at is not None and run.starts_at < run.ends_at:
            during = TimeRange(run.starts_at, run.ends_at)
            firm, person = self.cast.firm.pk, self.cast.users["lin"].pk
            entry = Entry(run.instrument_id, firm, person, during, "self_operated", "log", "Forgotten")
            self.attempt("enter a run", lambda: usage_problems.enter(wang, run.pk, entry, self.now))
        else:
            booked = Reservation.objects.filter(instrument_id=run.instrument_id).exclude(state="requested")
            row = self.pick(booked.order_by("-starts_at", "pk"), which // 3)
            if row is not None:
                self.attempt("attach a run", lambda: usage_problems.attach(wang, run.pk, row.pk, self.now))

    @invariant()
    def each_event_is_kept_once(self) -> None:
        """However often it was told."""
        kept = list(DeviceEvent.objects.values_list("event_id", flat=True))
        assert len(kept) == len(set(kept)) and set(kept) <= {one.event_id for one in self.told}
