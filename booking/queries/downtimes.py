"""What an outage hits, before it is said and while it lasts, with what could be done about each booking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Prefetch, QuerySet

from booking.models import Downtime, DowntimeEffect, MaintenancePlan, Occupancy, OccupancySource, Reservation
from booking.queries.equal import WITHIN, equal_instrument
from booking.queries.finding import FoundTime
from booking.rules.downtime import MOST_DECIDED, Choice, Due, choices_for, share_out
from booking.rules.states import ReservationState
from booking.services import context as booking_context
from booking.services import downtimes, maintenance_plans
from config.kernel.access import Actor, visible_to
from config.kernel.time_range import TimeRange
from instruments.models import Instrument

MOST_ELSEWHERE = 12
"""Bookings for which an equal instrument is looked for: each is a search of its own."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A booking that is hit: what may be chosen (the usual choice first), the times that could be offered, and an equal instrument that
    is free. ``runs``: its session is running. ``only_proposed``: not its time lies there, but one that was proposed for it."""

    reservation: Reservation
    choices: tuple[Choice, ...]
    times: tuple[TimeRange, ...]
    elsewhere: FoundTime | None
    runs: bool
    only_proposed: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The first bookings that are hit, in order of start; ``more`` come after them and are looked at once these are decided."""

    hits: list[Hit]
    more: int


def preview(actor: Actor, instrument: Instrument, during: TimeRange, now: datetime, *, without: Sequence[int] = ()) -> Preview:
    """What an outage of an instrument that the actor was given already would hit; ``without`` are bookings that are decided."""
    ids = [pk for pk in downtimes.hit(instrument, during, now) if pk not in set(without)]
    rows = list(_shown(actor, ids[:MOST_DECIDED]))
    here = [row for row in rows if row.instrument_id == instrument.pk]
    own = _own_ranges(here, during) | {row.pk for row in here if row.state == ReservationState.IN_USE}
    context = booking_context.of_instrument(instrument, getattr(instrument, "policy", None))
    ahead = [row for row in rows if row.starts_at > now and row.pk in own and row.state != ReservationState.IN_USE]
    window = TimeRange(max(now, during.ends_at), max(now, during.ends_at) + WITHIN)
    busy = [*booking_context.busy_ranges(instrument.calendar_id, window), during]
    shares = share_out([row.during for row in ahead], context.opening(window), busy, context.policy, context.zone, now)
    times = {row.pk: tuple(share) for row, share in zip(ahead, shares, strict=True)}
    equal = {row.pk: equal_instrument(actor, context, row.during, row.organisation, now) for row in ahead[:MOST_ELSEWHERE]}
    return Preview(
        [_hit(actor, row, times.get(row.pk, ()), equal.get(row.pk), row.pk in own, now) for row in rows],
        max(0, len(ids) - MOST_DECIDED),
    )


def would_hit(actor: Actor, instrument: Instrument, during: TimeRange, now: datetime) -> list[Reservation]:
    """The first bookings that ``preview`` would look at, without what could be done about them."""
    return list(_shown(actor, downtimes.hit(instrument, during, now)[:MOST_DECIDED]))


def _shown(actor: Actor, ids: Sequence[int]) -> QuerySet[Reservation]:
    rows = visible_to(Reservation.objects.filter(pk__in=ids), actor)
    return rows.select_related("instrument__site", "organisation", "requested_by").order_by("starts_at", "pk")


def _own_ranges(rows: Sequence[Reservation], during: TimeRange) -> set[int]:
    """Those whose own time, buffers included, is hit."""
    span = (during.starts_at, during.ends_at)
    found = Occupancy.objects.filter(reservation__in=rows, source=OccupancySource.RESERVATION, during__overlap=span)
    return set(found.values_list("reservation_id", flat=True))


def _hit(
    actor: Actor, row: Reservation, times: tuple[TimeRange, ...], elsewhere: FoundTime | None, own: bool, now: datetime
) -> Hit:
    asks_oneself = row.is_of(actor.user_id)
    choices = choices_for(ReservationState(row.state), row.starts_at, now, asks_oneself=asks_oneself) if own else (Choice.KEEP,)
    same_lab = elsewhere is not None and elsewhere.instrument.organisation_id == row.instrument.organisation_id
    missing = {Choice.OFFER: not times, Choice.ANOTHER: not same_lab}
    choices = tuple(one for one in choices if not missing.get(one))
    return Hit(row, choices, times, elsewhere, row.state == ReservationState.IN_USE, not own)


def downtimes_of(actor: Actor, instrument: Instrument, now: datetime) -> list[Downtime]:
    """What is out of service now or planned, by start."""
    rows = visible_to(Downtime.objects.filter(instrument=instrument, closed_at=None, ends_at__gt=now), actor)
    return list(rows.order_by("starts_at", "pk"))


def downtime_detail(actor: Actor) -> QuerySet[Downtime]:
    """With what became of each booking, for one page."""
    effects = DowntimeEffect.objects.select_related("reservation__organisation", "reservation__requested_by")
    rows = visible_to(Downtime.objects.all(), actor).select_related(
        "instrument__site", "instrument__organisation", "instrument__policy", "made_by", "closed_by"
    )
    return rows.prefetch_related(Prefetch("effects", queryset=effects.order_by("reservation__starts_at", "pk")))


def plans(actor: Actor) -> QuerySet[MaintenancePlan]:
    """The plans of the instruments that the actor manages."""
    return visible_to(MaintenancePlan.objects.all(), actor).select_related("instrument__site", "instrument__organisation")


def plans_of(actor: Actor, instrument: Instrument) -> list[tuple[MaintenancePlan, Due]]:
    """The plans of one instrument with when each is due, those with an earlier date first."""
    rows = list(plans(actor).filter(instrument=instrument))
    due = maintenance_plans.due_of_all(rows)
    far = datetime.max.replace(tzinfo=UTC)
    return sorted(((row, due[row.pk]) for row in rows), key=lambda pair: (pair[1].at or far, pair[0].pk))
