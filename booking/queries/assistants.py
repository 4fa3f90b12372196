"""Who assists: on an instrument, in a session, and what one person has to do; everything as far as the actor may see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from booking.models import Assistant, InstrumentAssistant, Occupancy, OccupancySource, Reservation
from booking.rules.assistance import ASSISTED
from booking.rules.states import GIVEN_UP
from booking.services import assistants, assisting
from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, User
from instruments.services import schedule_store
from instruments.services.weekly_hours import WeeklyWindow, weekly_windows

#: How long a session that is over stands in a person's list.
SHOWN_AFTER = timedelta(days=7)
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody who may assist, with the week they work (empty: whenever the instrument is open). ``counts``: still of the lab."""

    assistant: Assistant
    windows: list[WeeklyWindow]
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Assisted:
    """A session that somebody assists in, buffers included in ``during``. ``visible``: the actor may open the booking."""

    during: TimeRange
    reservation: Reservation
    visible: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who may assist in a session. ``is_chosen``: does now; ``can``: works then and has nothing else; ``is_free``: has nothing
    else."""

    id: int
    name: str
    is_chosen: bool
    can: bool
    is_free: bool


def of_instrument(actor: Actor, instrument: Instrument) -> list[Named]:
    """Who was named for it, by name: three queries."""
    rows = visible_to(InstrumentAssistant.objects.filter(instrument=instrument), actor)
    found = [one.assistant for one in rows.select_related("assistant__person").order_by("assistant__person__full_name", "pk")]
    stored = schedule_store.stored_entries_by_calendar(one.calendar_id for one in found) if found else {}
    still = set(assistants.members(instrument).values_list("user_id", flat=True))
    return [Named(one, weekly_windows(stored[one.calendar_id]), one.person_id in still) for one in found]


def candidates(actor: Actor, instrument: Instrument) -> list[User]:
    """The people of its lab who were not named for it, by name."""
    named = visible_to(InstrumentAssistant.objects.filter(instrument=instrument), actor).values("assistant__person")
    of_lab = assistants.members(instrument).values("user")
    return list(User.objects.filter(pk__in=of_lab, is_active=True).exclude(pk__in=named).order_by("full_name", "pk"))


def assistant_for(actor: Actor, assistant_id: int) -> Assistant:
    """One's own, or somebody's of a lab that the actor manages. Raises NotFound."""
    return get_visible(Assistant.objects.select_related("person"), actor, pk=assistant_id)


def own(actor: Actor) -> Assistant | None:
    """The actor's, who was named somewhere once."""
    return Assistant.objects.select_related("person").filter(person_id=actor.user_id).first() if actor.user_id else None


def hours_of(assistant: Assistant) -> list[WeeklyWindow]:
    return weekly_windows(schedule_store.stored_entries_by_calendar([assistant.calendar_id])[assistant.calendar_id])


def absences_of(assistant: Assistant, now: datetime) -> list[Occupancy]:
    """Those that are not over, by start."""
    rows = Occupancy.objects.filter(calendar_id=assistant.calendar_id, source=OccupancySource.ABSENCE)
    return list(rows.filter(during__endswith__gt=now).order_by("during")[:MOST_SHOWN])


def sessions_of(actor: Actor, assistant: Assistant, now: datetime) -> list[Assisted]:
    """What the person holds, by start, from a week ago on; to a manager only what is of their labs: two queries."""
    rows = _held(assistant).filter(reservation__ends_at__gt=now - SHOWN_AFTER)
    related = "reservation__instrument__site", "reservation__organisation"
    found = list(rows.select_related(*related).order_by("during", "pk")[:MOST_SHOWN])
    seen = visible_to(Reservation.objects.filter(pk__in=[one.reservation_id for one in found]), actor)
    known = set(seen.values_list("pk", flat=True))
    is_own = assistant.person_id == actor.user_id
    return [
        Assisted(TimeRange(one.during.lower, one.during.upper), one.reservation, one.reservation_id in known)
        for one in found
        if one.reservation is not None and (is_own or one.reservation_id in known)
    ]


def _held(assistant: Assistant) -> QuerySet[Occupancy]:
    rows = Occupancy.objects.filter(calendar_id=assistant.calendar_id, source=OccupancySource.ASSISTANCE)
    return rows.exclude(reservation__state__in=GIVEN_UP)


def choices(reservation: Reservation, now: datetime) -> list[Choice]:
    """Who may assist in a reservation in hand, which comes with its instrument and site; nobody where none has to."""
    if reservation.service_mode != ASSISTED:
        return []
    now_by = assisting.of(reservation)
    occupied = assisting.taken_by(reservation)
    chosen = now_by.calendar_id if now_by is not None else None
    return [
        Choice(one.id, one.name, one.calendar_id == chosen, one.can(reservation.during, occupied), one.is_free(occupied))
        for one in assistants.helpers_for(reservation, occupied, now)
    ]


def assistant_names(ids: Iterable[int]) -> dict[str, str]:
    """What people who assist, or once did, are called, by their ids as text: one query."""
    rows = Assistant.objects.filter(pk__in=list(ids)).select_related("person")
    return {str(one.pk): str(one.person) for one in rows}


def names_of(reservations: Iterable[Reservation]) -> dict[int, str]:
    """Who assists in each of these, by their ids; without those in which nobody does: one query."""
    wanted = [one.pk for one in reservations if one.service_mode == ASSISTED]
    if not wanted:
        return {}
    rows = Occupancy.objects.filter(reservation__in=wanted, source=OccupancySource.ASSISTANCE)
    found = rows.values_list("reservation_id", "calendar__assistant__person__full_name", "calendar__assistant__person__email")
    return {pk: full_name or email for pk, full_name, email in found}
