"""Instruments that exclude each other (one room, one operator) share a calendar: put together, looked at first, and taken apart again.

What is over stays on the calendar where it was, which is remembered (``FormerCalendar``). From now on everything that an instrument has
taken goes with it: bookings, offers and the calendars that it follows; downtimes and followed calendars take anew what the bookings leave.
The database refuses a booking that is written on a calendar which its instrument has left meanwhile (trigger
``occupancy_on_own_calendar``), and it is tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from booking.models import CalendarSubscription, Downtime, Occupancy, OccupancySource, Reservation, ReservationChange
from booking.rules.calendar_sharing import clashes
from booking.rules.changes import ChangeState
from booking.rules.states import ReservationState
from booking.services import downtime_rows, subscription_news, subscription_refresh
from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from config.kernel.time_range import TimeRange
from instruments.models import FormerCalendar, Instrument
from instruments.rules.audience import audience_of
from instruments.rules.opening import CalendarRules, open_ranges
from instruments.services import catalogue, schedule_store
from instruments.services.instrument_changes import managed_instrument, require_manager

MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Taken:
    """Time that is taken, buffers included; ``reservation`` None: an offer, or time that the lab took itself."""

    during: TimeRange
    instrument: str
    reservation: Reservation | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What sharing would do. ``others`` have the calendar already; ``clashing`` are pairs that stand against it; ``outside`` are bookings
    of the instrument that the hours of the shared calendar leave out: they stay. ``moving`` counts what goes along, ``followed`` the
    calendars that then block all of them."""

    instrument: Instrument
    others: tuple[Instrument, ...]
    clashing: tuple[tuple[Taken, Taken], ...]
    outside: tuple[Taken, ...]
    moving: int
    followed: int


def sharers(actor: Actor, instrument: Instrument) -> list[Instrument]:
    """The other instruments on its calendar that the actor may see, by name."""
    rows = visible_to(Instrument.objects.filter(calendar_id=instrument.calendar_id), actor).exclude(pk=instrument.pk)
    return list(rows.order_by("name_pinyin", "pk"))


def candidates(actor: Actor, instrument: Instrument) -> list[Instrument]:
    """With whose calendar it could go: the others of its owner whose place has the same clock, by name."""
    rows = visible_to(Instrument.objects.filter(organisation=instrument.organisation_id), actor)
    same_clock = rows.filter(site__time_zone=instrument.site.time_zone).exclude(calendar_id=instrument.calendar_id)
    return list(same_clock.exclude(status="retired").order_by("name_pinyin", "pk"))


def preview(actor: Actor, instrument_id: int, other_id: int, now: datetime) -> Preview:
    """What would happen if the instrument took the other's calendar. Raises NotFound, Forbidden, Refusal ``sharing.*``."""
    rows = Instrument.objects.select_related("site")
    instrument, other = (get_visible(rows, actor, pk=pk) for pk in (instrument_id, other_id))
    for one in (instrument, other):
        require_manager(actor, one.organisation_id)
    return _preview(instrument, other, now)


@whole
def share(actor: Actor, instrument_id: int, other_id: int, now: datetime) -> Preview:
    """Let the instrument take the other's calendar, with its hours; a booking of one blocks the other from now on.

    Raises NotFound, Forbidden, Refusal ``sharing.*``, Conflict ``sharing.clashes`` (with the bookings).
    """
    instrument, other = _both(actor, instrument_id, other_id)
    left, joined = instrument.calendar_id, other.calendar_id
    with schedule_store.changing([left, joined]):
        told = _preview(instrument, other, now)
        if told.clashing:
            raise Conflict.of("sharing.clashes", "other", count=len(told.clashing), bookings=_numbers(told.clashing))
        Occupancy.objects.filter(calendar_id__in=(left, joined), source=OccupancySource.HOLD).delete()
        known = CalendarSubscription.objects.filter(calendar_id=joined).values("address")
        for double in CalendarSubscription.objects.filter(calendar_id=left, address__in=known):
            subscription_news.forget(double, now)
            double.delete()
        _go(instrument, joined, _firm(left, now) | _unblocking(left, now), now)
        _told(actor, "instrument.share_calendar", instrument, left, joined, now)
    return told


@whole
def part(actor: Actor, instrument_id: int, now: datetime) -> Instrument:
    """Give the instrument a calendar of its own again, with the same hours and with what it has taken from now on.

    Raises NotFound, Forbidden, Refusal ``sharing.not_shared``, ``sharing.session_runs``.
    """
    instrument = managed_instrument(actor, instrument_id)
    left = instrument.calendar_id
    with schedule_store.changing([left]):
        _refuse_running(instrument, now)
        if not Instrument.objects.filter(calendar_id=left).exclude(pk=instrument.pk).exists():
            raise Refusal.of("sharing.not_shared", "instrument")
        own = schedule_store.create_calendar(instrument.name)
        stored = schedule_store.stored_calendars([left])[left]
        schedule_store.add_entries([(own, one.zone_name, one.entry) for one in stored.entries])
        schedule_store.set_holidays(own, stored.holidays)
        _go(instrument, own, _of(instrument, _firm(left, now) | _unblocking(left, now)), now)
        _told(actor, "instrument.part_calendar", instrument, left, own, now)
    return instrument


def _both(actor: Actor, instrument_id: int, other_id: int) -> tuple[Instrument, Instrument]:
    """Both instruments, locked in the order of their ids."""
    locked = {pk: managed_instrument(actor, pk) for pk in sorted({instrument_id, other_id})}
    return locked[instrument_id], locked[other_id]


def _preview(instrument: Instrument, other: Instrument, now: datetime) -> Preview:
    _refuse(instrument, other)
    _refuse_running(instrument, now)
    mine = [_taken(one) for one in _firm(instrument.calendar_id, now)]
    # What has begun goes along whole, so what was on the other calendar since then is in its way too.
    theirs = [_taken(one) for one in _firm(other.calendar_id, now, min([now, *(one.during.starts_at for one in mine)]))]
    rules = schedule_store.rules_by_calendar([other.calendar_id])[other.calendar_id]
    zone = ZoneInfo(other.site.time_zone)
    on_it = Instrument.objects.filter(calendar_id=other.calendar_id).order_by("name_pinyin", "pk")
    calendars = CalendarSubscription.objects.filter(calendar_id__in=(instrument.calendar_id, other.calendar_id))
    return Preview(
        instrument=instrument,
        others=tuple(on_it),
        clashing=tuple(clashes(mine, theirs)),
        outside=tuple(one for one in mine if one.reservation is not None and not _is_open(rules, zone, one.reservation)),
        moving=len(mine),
        followed=calendars.filter(enabled=True).count(),
    )


def _refuse(instrument: Instrument, other: Instrument) -> None:
    if instrument.calendar_id == other.calendar_id:
        raise Refusal.of("sharing.already", "other")
    if instrument.organisation_id != other.organisation_id:
        raise Refusal.of("sharing.other_owner", "other")
    if instrument.site.time_zone != other.site.time_zone:
        raise Refusal.of("sharing.zone_differs", "other", zone=instrument.site.time_zone, other=other.site.time_zone)
    if Instrument.objects.filter(calendar_id=instrument.calendar_id).exclude(pk=instrument.pk).exists():
        raise Refusal.of("sharing.leave_first", "instrument")


def _refuse_running(instrument: Instrument, now: datetime) -> None:
    """What is over stays behind, and so would the place of a session that goes on beyond its booked end: it could not be made longer."""
    running = Reservation.objects.filter(instrument=instrument, state=ReservationState.IN_USE, ends_at__lte=now).first()
    if running is not None:
        raise Refusal.of("sharing.session_runs", "instrument", reference=running.reference)


def _is_open(rules: CalendarRules, zone: ZoneInfo, booked: Reservation) -> bool:
    customer = booked.organisation
    audience = audience_of(customer.kind, is_owner=customer.pk == booked.instrument.organisation_id)
    return any(opened.contains(booked.during) for opened in open_ranges(rules, zone, booked.during, audience))


def _firm(calendar_id: int, now: datetime, since: datetime | None = None) -> QuerySet[Occupancy]:
    """What takes time after ``since`` (None: after now) and cannot give way: all but holds, open downtimes and what followed calendars say
    of the time to come."""
    yields = Q(source=OccupancySource.HOLD) | Q(source=OccupancySource.SUBSCRIBED, during__endswith__gt=now)
    rows = _taking_after(calendar_id, since or now).filter(blocking=True)
    return rows.exclude(yields | Q(downtime__isnull=False, downtime__closed_at=None))


def _unblocking(calendar_id: int, now: datetime) -> QuerySet[Occupancy]:
    """Requests that keep nobody out yet; they go along."""
    return _taking_after(calendar_id, now).filter(blocking=False)


def _of(instrument: Instrument, rows: QuerySet[Occupancy]) -> QuerySet[Occupancy]:
    """Those that are kept on the instrument: its bookings, its offers, and what is proposed to move to it."""
    proposed = ReservationChange.objects.filter(reservation=OuterRef("reservation"), state=ChangeState.OPEN)
    place = Coalesce(Subquery(proposed.values("instrument")[:1]), "reservation__instrument", output_field=BigIntegerField())
    is_proposed = Q(source=OccupancySource.CHANGE)
    booked = ~is_proposed & Q(reservation__instrument=instrument)
    return rows.annotate(place=place).filter(booked | is_proposed & Q(place=instrument.pk) | Q(wait_entry__instrument=instrument))


def _taking_after(calendar_id: int, since: datetime) -> QuerySet[Occupancy]:
    rows = Occupancy.objects.filter(calendar_id=calendar_id, during__endswith__gt=since)
    related = "reservation__instrument", "reservation__organisation", "wait_entry__instrument"
    return rows.select_related(*related).order_by("during", "pk")


def _taken(one: Occupancy) -> Taken:
    of = one.reservation or one.wait_entry
    name = of.instrument.name if of is not None else one.note
    return Taken(TimeRange(one.during.lower, one.during.upper), name, one.reservation)


def _go(instrument: Instrument, calendar_id: int, rows: QuerySet[Occupancy], now: datetime) -> None:
    """Move the instrument with ``rows`` to a calendar: what gives way is taken off both, the firm goes over, and the rest takes its time
    anew."""
    left = instrument.calendar_id
    moving = list(rows.order_by().values_list("pk", flat=True))
    touched = [left, calendar_id]
    downtimes = list(Downtime.objects.filter(instrument__calendar_id__in=touched, closed_at=None).order_by("pk"))
    yields = Q(downtime__in=downtimes) | Q(source=OccupancySource.SUBSCRIBED, during__endswith__gt=now)
    Occupancy.objects.filter(yields, calendar_id__in=touched).delete()
    FormerCalendar.objects.create(instrument=instrument, calendar_id=left, left_at=now)
    instrument.calendar_id, instrument.updated_at = calendar_id, now
    instrument.save(update_fields=["calendar", "updated_at"])
    Occupancy.objects.filter(pk__in=moving).update(calendar_id=calendar_id)
    CalendarSubscription.objects.filter(instrument=instrument, calendar_id=left).update(calendar_id=calendar_id)
    _fill(downtimes)
    for touched_id in touched:
        subscription_refresh.settle(touched_id, now)
        schedule_store.tell_changed(touched_id)


def _fill(downtimes: Iterable[Downtime]) -> None:
    rows = Downtime.objects.select_related("instrument").filter(pk__in=[one.pk for one in downtimes]).order_by("starts_at", "pk")
    for one in rows:
        downtime_rows.fill(one, one.instrument.calendar_id)


def _told(actor: Actor, action: str, instrument: Instrument, left: int, joined: int, now: datetime) -> None:
    catalogue.refresh_instruments([instrument.pk], now)
    told: dict[str, Any] = {"calendar": joined}
    audit.record(actor, action, instrument, now, before={"calendar": left}, after=told)


def _numbers(pairs: Sequence[tuple[Taken, Taken]]) -> str:
    """The bookings of the pairs, a few of them; time without a booking by its instrument, or what was noted on it."""
    named = dict.fromkeys(one.reservation.reference if one.reservation else one.instrument for pair in pairs for one in pair)
    return ", ".join(list(named)[:MOST_TOLD])
