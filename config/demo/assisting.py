"""Two people of the demo's first lab who assist on one of its instruments: with hours, an absence, and the sessions that are theirs."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from booking.models import Assistant, Reservation
from booking.rules.assistance import ASSISTED
from booking.rules.states import ReservationState
from booking.services import assistants
from config.demo import bookings
from config.demo.organisations import People
from config.demo.sessions import ZONE
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict
from config.kernel.time_range import TimeRange
from instruments.models import Instrument
from instruments.services.weekly_hours import WeeklyWindow

_WORKDAYS = range(5)
#: So many were booked before anybody was named, and nobody was chosen since.
_LEFT = 2


def name(people: People, stocked: list[Instrument], today: date, now: datetime) -> dict[str, int]:
    """Name them on the lab's last instrument that works and is used with assistance, and give them most of what is to come on it."""
    lab = people.owners[0]
    manager = people.actor(lab, Role.LAB_MANAGER)
    working = Instrument.objects.filter(pk__in=[one.pk for one in stocked], organisation=lab, status="normal")
    instrument = [one for one in working.order_by("pk") if ASSISTED in one.service_modes][-1]
    _some_to_come(people, manager, instrument, today, now)
    named = [
        assistants.name(manager, instrument.pk, people.actor(lab, role).person_id, now).assistant
        for role in (Role.LAB_MANAGER, Role.OWNER_FINANCE)
    ]
    week = [WeeklyWindow(day, time(8), time(18)) for day in _WORKDAYS]
    assistants.set_hours(manager, named[1].pk, week, now)
    first = datetime.combine(today + timedelta(days=9), time(8), ZONE)
    assistants.add_absence(manager, named[1].pk, TimeRange(first, first + timedelta(days=2)), "培训", now)
    coming = Reservation.objects.filter(
        instrument=instrument, service_mode=ASSISTED, state=ReservationState.APPROVED, starts_at__gt=now
    ).order_by("starts_at", "pk")
    rows = list(coming)
    return {"sessions with somebody who assists": sum(_given(manager, one, named, now) for one in rows[:-_LEFT])}


def _some_to_come(people: People, manager: Actor, instrument: Instrument, today: date, now: datetime) -> None:
    """One session more than are left, of the second firm, on the first days on which the instrument can be had, whatever was drawn."""
    firm = people.customers[1]
    researcher, made = people.actor(firm, Role.RESEARCHER), 0
    for days in range(2, 25):
        starts_at = datetime.combine(today + timedelta(days=days), time(14), ZONE)
        during = TimeRange(starts_at, starts_at + timedelta(hours=2))
        made += bookings.approved(researcher, manager, firm.pk, instrument, during, now) is not None
        if made > _LEFT:
            break


def _given(manager: Actor, one: Reservation, named: list[Assistant], now: datetime) -> bool:
    """Whether somebody of them could take it."""
    for assistant in named:
        try:
            assistants.choose(manager, one.pk, assistant.pk, now)
        except Conflict:
            continue
        return True
    return False
