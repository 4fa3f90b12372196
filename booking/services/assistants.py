"""Keeping who may assist on which instrument, when they work and are away, and who holds a session; each refused where it would be
impossible, and written down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError
from django.db.models import QuerySet
from psycopg.types.range import TimestamptzRange

from booking.models import Assistant, InstrumentAssistant, Occupancy, OccupancySource, Reservation
from booking.rules.assistance import ASSISTED, Helper
from booking.rules.changes import ChangeState
from booking.rules.states import ReservationState
from booking.services import assisting, notices, other_instrument
from booking.services.conflicts import NO_OVERLAP
from booking.services.state_writing import lock_row, seen_by
from booking.services.taken import NobodyCan
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Conflict, NotFound, Reason, Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.transactions import whole
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Membership, User
from instruments.rules.names import clean_name
from instruments.services import schedule_store
from instruments.services.instrument_changes import managed_instrument
from instruments.services.weekly_hours import WeeklyWindow, shown_window, weekly_entries, weekly_windows, window_reasons

#: So many people may assist on one instrument.
MOST_NAMED = 30
#: So many windows of work has a week at most: ten a day.
MOST_WINDOWS = 70
LONGEST_ABSENCE = timedelta(days=366)
_OPEN = (ReservationState.REQUESTED, ReservationState.APPROVED, ReservationState.IN_USE)
_MOST_TOLD = 20


def members(instrument: Instrument) -> QuerySet[Membership]:
    """The people of the instrument's lab, who alone can assist on it; somebody with two roles comes twice."""
    return Membership.objects.filter(organisation_id=instrument.organisation_id, user__is_active=True)


@whole
def name(actor: Actor, instrument_id: int, person_id: int, now: datetime) -> InstrumentAssistant:
    """Let a member of the lab assist on an instrument. From the first one on, sessions with assistance are booked only when somebody can
    assist; whoever is named first keeps the clock of that instrument's place.

    Raises NotFound, Forbidden, Refusal ``assistant.not_of_the_lab``, ``assistant.named_already``, ``assistant.too_many``.
    """
    instrument = managed_instrument(actor, instrument_id)
    member = members(instrument).filter(user_id=person_id).select_related("user").first()
    if member is None:
        raise Refusal.of("assistant.not_of_the_lab", "person")
    rows = InstrumentAssistant.objects.filter(instrument=instrument)
    if rows.filter(assistant__person_id=person_id).exists():
        raise Refusal.of("assistant.named_already", "person", person=str(member.user))
    if rows.count() >= MOST_NAMED:
        raise Refusal.of("assistant.too_many", "person", most=MOST_NAMED)
    assistant = Assistant.objects.filter(person_id=person_id).first() or _begun(member.user, instrument, now)
    row = InstrumentAssistant.objects.create(
        instrument=instrument, assistant=assistant, added_at=now, added_by_id=actor.person_id
    )
    audit.record(actor, "assistant.name", instrument, now, after={"assistant": assistant.pk, "person": person_id})
    return row


@whole
def unname(actor: Actor, instrument_id: int, assistant_id: int, now: datetime) -> None:
    """Somebody may no longer assist on an instrument. What is over stays theirs.

    Raises NotFound, Forbidden, Refusal ``assistant.has_sessions`` (give those to somebody else first).
    """
    instrument = managed_instrument(actor, instrument_id)
    row = InstrumentAssistant.objects.filter(instrument=instrument, assistant_id=assistant_id).first()
    if row is None:
        raise NotFound.of("access.not_found", model="assistant")
    schedule_store.lock_calendars([instrument.calendar_id])  # a booking that chooses this person is over or waits
    held = _sessions(row.assistant, now).filter(reservation__instrument=instrument)
    if held.exists():
        raise _conflict(actor, row.assistant, held, "assistant.has_sessions", "assistant")
    audit.record(actor, "assistant.unname", instrument, now, before={"assistant": assistant_id})
    row.delete()


@whole
def set_hours(actor: Actor, assistant_id: int, windows: Sequence[WeeklyWindow], now: datetime) -> Assistant:
    """From now on the person works in exactly these weekly windows of their clock; none: whenever an instrument is open. Sessions stay.

    Raises NotFound, Refusal ``assistant.too_many_windows``, ``calendar.weekday_unknown``, ``calendar.windows_overlap``.
    """
    assistant = _kept(actor, assistant_id)
    if len(windows) > MOST_WINDOWS:
        raise Refusal.of("assistant.too_many_windows", "windows", most=MOST_WINDOWS)
    Refusal.raise_any(window_reasons(windows))
    calendar_id, today = assistant.calendar_id, now.astimezone(ZoneInfo(assistant.time_zone)).date()
    with schedule_store.changing([calendar_id]):
        stored = schedule_store.stored_entries_by_calendar([calendar_id])[calendar_id]
        for one in stored:
            schedule_store.remove_entry(calendar_id, one.id, now)
        schedule_store.add_entries([(calendar_id, assistant.time_zone, entry) for entry in weekly_entries(windows, today)])
    before = {"windows": [shown_window(window) for window in weekly_windows(stored)]}
    after = {"windows": [shown_window(window) for window in windows]}
    audit.record(actor, "assistant.hours", assistant, now, before=before, after=after)
    return assistant


def add_absence(actor: Actor, assistant_id: int, during: TimeRange, note: str, now: datetime) -> Occupancy:
    """The person is away and assists nobody then.

    Raises NotFound, Refusal ``assistant.absence_over``, ``assistant.absence_too_long``, Conflict ``assistant.absence_clashes`` with the
    sessions and absences that are in the way, ``assistant.absence_held`` where somebody is being offered such a session now.
    """
    assistant = get_visible(Assistant.objects.all(), actor, pk=assistant_id)
    text = " ".join(note.split())
    text = clean_name(text, 200, field="note") if text else ""
    if during.ends_at <= now:
        raise Refusal.of("assistant.absence_over", "ends_at")
    if during.duration > LONGEST_ABSENCE:
        raise Refusal.of("assistant.absence_too_long", "ends_at", days=LONGEST_ABSENCE.days)
    taken = TimestamptzRange(during.starts_at, during.ends_at)

    def work() -> Occupancy:
        assisting.end_expired([assistant.calendar_id], during, now)
        row = Occupancy.objects.create(calendar_id=assistant.calendar_id, during=taken, source=OccupancySource.ABSENCE, note=text)
        after = {"starts_at": during.starts_at.isoformat(), "ends_at": during.ends_at.isoformat()}
        audit.record(actor, "assistant.absence", assistant, now, after=after)
        return row

    try:
        return transactions.run(work)
    except IntegrityError as error:
        if transactions.constraint_name(error) != NO_OVERLAP:
            raise
    rows = Occupancy.objects.filter(calendar_id=assistant.calendar_id, blocking=True, during__overlap=taken)
    sure, kept = rows.exclude(source=OccupancySource.KEEPING), rows.filter(source=OccupancySource.KEEPING).order_by("-expires_at")
    last = kept.first()
    if last is not None and last.expires_at is not None and not sure.exists():
        until_at = last.expires_at.astimezone(ZoneInfo(assistant.time_zone)).isoformat()
        raise Conflict.of("assistant.absence_held", "starts_at", until_at=until_at)
    raise _conflict(actor, assistant, sure, "assistant.absence_clashes", "starts_at")


@whole
def remove_absence(actor: Actor, assistant_id: int, occupancy_id: int, now: datetime) -> None:
    """The person is there after all. Raises NotFound."""
    assistant = _kept(actor, assistant_id)
    rows = Occupancy.objects.filter(calendar_id=assistant.calendar_id, source=OccupancySource.ABSENCE, pk=occupancy_id)
    row = rows.first()
    if row is None:
        raise NotFound.of("access.not_found", model="occupancy")
    before = {"starts_at": row.during.lower.isoformat(), "ends_at": row.during.upper.isoformat()}
    audit.record(actor, "assistant.absence_over", assistant, now, before=before)
    rows.delete()


@whole
def choose(actor: Actor, reservation_id: int, assistant_id: int, now: datetime) -> str:
    """The lab gives a session to somebody who may assist on its instrument; hours of work bind only what is chosen by itself. Both
    people are told of an approved one. Returns the name.

    Raises NotFound, Forbidden, Refusal ``assistant.not_assisted``, ``assistant.session_over``, ``assistant.not_named``, Conflict
    ``assistant.busy`` (the database says so, whatever was looked at before).
    """
    reservation = seen_by(actor, reservation_id)
    actor.require_in(reservation.instrument.organisation_id, Role.LAB_MANAGER)
    return give(actor, lock_row(reservation_id), assistant_id, now)


def give(actor: Actor, locked: Reservation, assistant_id: int, now: datetime) -> str:
    """``choose`` as part of the caller's transaction, which has asked whether the actor may; ``locked`` comes from ``lock_row``."""
    if locked.service_mode != ASSISTED:
        raise Refusal.of("assistant.not_assisted", "assistant")
    if locked.state not in _OPEN:
        raise Refusal.of("assistant.session_over", "assistant")
    occupied = assisting.taken_by(locked)
    wanted = next((one for one in helpers_for(locked, occupied, now) if one.id == assistant_id), None)
    if wanted is None:
        raise Refusal.of("assistant.not_named", "assistant")
    if not wanted.is_free(occupied):
        raise Conflict.of("assistant.busy", "assistant", person=wanted.name)
    assisting.end_expired([wanted.calendar_id], occupied, now)
    told = assisting.person_told(locked)
    proposed = assisting.end_proposed(locked)
    before = assisting.release(locked)
    if not assisting.take(locked.pk, wanted.calendar_id):
        raise Conflict.of("assistant.busy", "assistant", person=wanted.name)
    if proposed:
        _keep_proposed(locked, now)
    if before != wanted.id:
        audit.record(actor, "reservation.assistant", locked, now, before={"assistant": before}, after={"assistant": wanted.id})
        notices.tell_of_another(locked, told, now)
    return wanted.name


def _keep_proposed(locked: Reservation, now: datetime) -> None:
    """Keep people's time for what is proposed as if the session had been with the new person from the first. Where nobody can any more
    nobody's is kept, and the answer finds out."""
    row = locked.changes.filter(state=ChangeState.OPEN).first()
    if row is None:
        return
    context = other_instrument.context_of(locked, row.instrument_id)
    for during in sorted((row.during, *(one.during for one in row.others.all()))):
        with suppress(NobodyCan):
            assisting.keep_proposed(locked, context.instrument, during, context.policy.occupied(during), context.zone, now)


def helpers_for(reservation: Reservation, occupied: TimeRange, now: datetime) -> list[Helper]:
    """Who may assist in a reservation that takes ``occupied`` (``assisting.taken_by``), by name, as if nobody did now; the instrument comes
    with its site."""
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    found = assisting.helpers(reservation.instrument_id, occupied, reservation.starts_at, zone, now, without_id=reservation.pk)
    return sorted(found, key=lambda one: (one.name, one.id))


def _begun(person: User, instrument: Instrument, now: datetime) -> Assistant:
    """A calendar for somebody who never assisted; another lab may do the same at this moment."""
    defaults = {
        "calendar_id": schedule_store.create_calendar("assistant"),
        "time_zone": instrument.site.time_zone,
        "created_at": now,
    }
    return Assistant.objects.get_or_create(person=person, defaults=defaults)[0]


def _kept(actor: Actor, assistant_id: int) -> Assistant:
    """One's own, or somebody's who assists in a lab that the actor manages; locked."""
    return get_visible(Assistant.objects.select_for_update(of=("self",), no_key=True), actor, pk=assistant_id)


def _sessions(assistant: Assistant, now: datetime) -> QuerySet[Occupancy]:
    """What the person still has to hold."""
    rows = Occupancy.objects.filter(calendar_id=assistant.calendar_id, source=OccupancySource.ASSISTANCE)
    return rows.filter(reservation__state__in=_OPEN, reservation__ends_at__gt=now)


def _conflict(actor: Actor, assistant: Assistant, rows: QuerySet[Occupancy], code: str, field: str) -> Conflict:
    """With what is in the way, as far as it is the actor's to see; nothing, where it has gone since it was."""
    found = list(rows.select_related("reservation").order_by("during", "pk"))
    shown = found[:_MOST_TOLD]
    if assistant.person_id != actor.user_id:
        seen = visible_to(Reservation.objects.filter(pk__in=[one.reservation_id for one in shown]), actor).values_list(
            "pk", flat=True
        )
        shown = [one for one in shown if one.reservation_id is None or one.reservation_id in set(seen)]
    return Conflict(Reason(code, {"count": len(found), "bookings": ", ".join(_names(shown)) or "–"}, field))


def _names(rows: Iterable[Occupancy]) -> list[str]:
    """Sessions by their references; absences by what was noted."""
    return [one.reservation.reference if one.reservation is not None else one.note or "–" for one in rows]
