"""Reads about check-in, use and what does not add up; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Case, Q, QuerySet, When

from booking.models import (
    CheckInPoint,
    CloseOut,
    DeviceEvent,
    DeviceKey,
    DeviceRun,
    InstrumentPolicy,
    Occupancy,
    OccupancySource,
    Reservation,
    RunState,
    UsageAdjustment,
    UsageDispute,
)
from booking.rules.attendance import Arrival, arrival
from booking.rules.device_runs import may_be_use_of
from booking.rules.policy import BookingPolicy
from booking.rules.states import IN_REVIEW, ReservationState
from booking.services import acting
from booking.services.context import busy_ranges, policy_of
from booking.services.running import running_on
from booking.services.sides import CUSTOMER_ROLES
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Membership

LOOK_AHEAD = timedelta(days=14)
LONG_RUNNING = timedelta(minutes=60)
NEAR = timedelta(hours=36)
OWNER_ROLES = (Role.LAB_MANAGER, Role.OWNER_FINANCE)


@dataclass(frozen=True, slots=True)
class Here:
    """What somebody who stands at an instrument can do now.

    ``running``: the own session; ``due``: the one to start, with what arriving now means (``arrival``); ``lost``: the missed one whose
    time is not over and that cannot be started any more; ``later``: the next one when nothing is due; ``colleagues``: what a colleague has
    now, where nothing is the own. ``taken_until``: others have the instrument until then (None: it is free); ``still_used``: somebody
    else's session runs. ``recent``: the own session that has just ended and waits for a yes. The own ones are those for which the person
    acts, their own before others.
    """

    instrument: Instrument
    zone: ZoneInfo
    policy: BookingPolicy
    running: Reservation | None
    due: Reservation | None
    arrival: Arrival | None
    lost: Reservation | None
    later: Reservation | None
    colleagues: Reservation | None
    recent: Reservation | None
    taken_until: datetime | None
    still_used: bool
    manages: bool


def here(actor: Actor, instrument: Instrument, now: datetime) -> Here:
    """As it is for the actor, who was led to ``instrument`` (with site and policy) by its code."""
    policy = policy_of(InstrumentPolicy.objects.filter(instrument=instrument).first())
    rows = _customers(actor, instrument)
    own, own_first = rows.filter(acting.acted_for(actor, now)), Case(When(requested_by_id=actor.user_id, then=0), default=1)
    running = own.filter(state=ReservationState.IN_USE).order_by(own_first, "starts_at").first()
    due, lost = (None, None) if running else _due(own.order_by(own_first, "starts_at", "pk"), policy, now)
    ahead = own.filter(state=ReservationState.APPROVED, starts_at__gt=now, starts_at__lt=now + LOOK_AHEAD)
    ended = own.filter(state__in=IN_REVIEW, session__actual_ends_at__gt=now - NEAR)
    mine = [one.pk for one in (running, due) if one is not None]
    return Here(
        instrument=instrument,
        zone=ZoneInfo(instrument.site.time_zone),
        policy=policy,
        running=running,
        due=due,
        arrival=arrival(due.during, now, policy.early_start_minutes) if due else None,
        lost=lost,
        later=None if due or running else ahead.order_by(own_first, "starts_at").first(),
        colleagues=None if due or running else _under_way(rows, policy, now),
        recent=ended.order_by(own_first, "-session__actual_ends_at").first(),
        taken_until=taken_until(instrument, now, mine),
        still_used=running_on(instrument.calendar_id).exclude(pk__in=mine).exists(),
        manages=instrument.organisation_id in actor.organisations(Role.LAB_MANAGER),
    )


def _customers(actor: Actor, instrument: Instrument) -> QuerySet[Reservation]:
    """What the person or a colleague has booked there."""
    rows = visible_to(Reservation.objects.filter(instrument=instrument), actor)
    mine = Q(organisation_id__in=actor.organisations(*CUSTOMER_ROLES)) | Q(requested_by_id=actor.user_id)
    return rows.filter(mine).select_related(
        "instrument__site", "instrument__organisation", "instrument__policy", "organisation", "requested_by", "session"
    )


def _under_way(rows: QuerySet[Reservation], policy: BookingPolicy, now: datetime) -> Reservation | None:
    """What runs, or could be started now."""
    opens = now + timedelta(minutes=policy.early_start_minutes)
    due = Q(state=ReservationState.APPROVED, starts_at__lte=opens, ends_at__gt=now)
    return rows.filter(Q(state=ReservationState.IN_USE) | due).order_by("starts_at", "pk").first()


def _due(own: QuerySet[Reservation], policy: BookingPolicy, now: datetime) -> tuple[Reservation | None, Reservation | None]:
    """The one that may be started now, and the missed one for which it is too late; the person's earliest each.

    An approved one goes before a missed one, which may be started only where the lab lets late comers in and its time is still free.
    """
    opens = now + timedelta(minutes=policy.early_start_minutes)
    startable = own.filter(starts_at__lte=opens, ends_at__gt=now)
    approved = startable.filter(state=ReservationState.APPROVED).first()
    if approved is not None:
        return approved, None
    missed = list(startable.filter(state=ReservationState.NO_SHOW))
    free = [one for one in missed if policy.late_may_use and _still_free(one)]
    return next(iter(free), None), next(iter(missed), None) if not free else None


def _still_free(missed: Reservation) -> bool:
    """Whether nothing has taken what a missed reservation would take of the calendar again."""
    taken = Occupancy.objects.get(reservation=missed, source=OccupancySource.RESERVATION).during
    return not busy_ranges(missed.instrument.calendar_id, TimeRange(taken.lower, taken.upper))


def taken_until(instrument: Instrument, now: datetime, mine: Sequence[int] = ()) -> datetime | None:
    """Until when something other than the reservations ``mine`` takes the instrument's calendar at this moment. Who it is stays out."""
    taken = Occupancy.objects.filter(calendar_id=instrument.calendar_id, blocking=True, during__contains=now)
    ends = [one.upper for one in taken.exclude(reservation_id__in=mine).values_list("during", flat=True)]
    return max(ends, default=None)


def to_review(actor: Actor) -> QuerySet[Reservation]:
    """Sessions of the actor's instruments that are over and not agreed, what waits for the lab first, then the oldest."""
    rows = visible_to(Reservation.objects.filter(state__in=IN_REVIEW), actor)
    rows = rows.filter(instrument__organisation_id__in=actor.organisations(*OWNER_ROLES))
    return rows.select_related(
        "instrument__site", "instrument__organisation", "organisation", "requested_by", "session__adjustment", "session__dispute"
    ).order_by("session__review_until", "pk")


def my_reviews(actor: Actor, now: datetime) -> QuerySet[Reservation]:
    """Sessions that wait for the customer's yes, which is the actor's to give."""
    rows = visible_to(
        Reservation.objects.filter(
            acting.acted_for(actor, now),
            state__in=[ReservationState.COMPLETED, ReservationState.ADJUSTMENT_REFUSED],
            session__customer_agreed_at__isnull=True,
        ),
        actor,
    )
    return rows.select_related("instrument__site", "instrument__organisation", "organisation", "session").order_by(
        "session__review_until", "pk"
    )


def wish_of(actor: Actor, reservation: Reservation) -> UsageAdjustment | None:
    """What the customer wanted otherwise about a session that the actor may see."""
    rows = visible_to(UsageAdjustment.objects.filter(session__reservation=reservation), actor)
    return rows.select_related("asked_by", "answered_by").first()


def dispute_of(actor: Actor, reservation: Reservation) -> UsageDispute | None:
    """The dispute about a session that the actor may see."""
    rows = visible_to(UsageDispute.objects.filter(session__reservation=reservation), actor)
    return rows.select_related("opened_by", "decided_by").first()


def close_out_of(actor: Actor, reservation: Reservation) -> CloseOut | None:
    """How the service of a session that the actor may see was closed."""
    rows = visible_to(CloseOut.objects.filter(reservation=reservation), actor)
    return rows.select_related("graded_by", "confirmed_by").first()


def problems(actor: Actor, *, decided: bool = False) -> QuerySet[DeviceRun]:
    """Runs of the actor's instruments that wait for a person, the oldest first; or those that were decided, the newest first."""
    rows = visible_to(DeviceRun.objects.select_related("instrument__site", "instrument__organisation"), actor)
    rows = rows.select_related("instrument__site", "reservation__organisation", "decided_by")
    if decided:
        states = [RunState.ATTACHED, RunState.ENTERED, RunState.IGNORED]
        return rows.filter(state__in=states).order_by("-decided_at", "-pk")
    return rows.filter(state=RunState.OPEN).order_by("starts_at", "pk")


def not_ended(actor: Actor, now: datetime) -> QuerySet[Reservation]:
    """Sessions on the actor's instruments that still run an hour after their booked end."""
    rows = Reservation.objects.filter(state=ReservationState.IN_USE, ends_at__lt=now - LONG_RUNNING)
    rows = visible_to(rows, actor).filter(instrument__organisation_id__in=actor.organisations(Role.LAB_MANAGER))
    return rows.select_related("instrument__site", "organisation", "requested_by", "session").order_by("ends_at", "pk")


def doubtful(actor: Actor) -> QuerySet[Reservation]:
    """Sessions on the actor's instruments that are over, whose times do not add up and that the lab has not said yes to, the oldest
    first."""
    rows = visible_to(Reservation.objects.filter(state__in=IN_REVIEW, session__lab_agreed_at=None), actor).exclude(
        session__doubt=""
    )
    rows = rows.filter(instrument__organisation_id__in=actor.organisations(Role.LAB_MANAGER))
    return rows.select_related("instrument__site", "organisation", "requested_by", "session").order_by("ends_at", "pk")


def problem_count(actor: Actor) -> int:
    """How much of the use of the actor's instruments does not add up."""
    return problems(actor).count() + doubtful(actor).count()


def attachable(actor: Actor, run: DeviceRun) -> list[Reservation]:
    """The reservations that a run may have been the use of, the nearest first."""
    states = [*IN_REVIEW, ReservationState.APPROVED, ReservationState.IN_USE, ReservationState.NO_SHOW, ReservationState.AGREED]
    told = run.told
    policy = policy_of(InstrumentPolicy.objects.filter(instrument=run.instrument_id).first())
    early = timedelta(minutes=policy.early_start_minutes)
    rows = visible_to(
        Reservation.objects.filter(
            instrument_id=run.instrument_id,
            state__in=states,
            starts_at__lte=told.during().ends_at + early,
            ends_at__gte=told.starts_at,
        ),
        actor,
    ).select_related("organisation", "requested_by", "instrument__site")
    found = [one for one in rows if may_be_use_of(told, one.during, early)]
    return sorted(found, key=lambda one: (abs(one.starts_at - run.starts_at), one.pk))[:8]


def events_of(actor: Actor, run: DeviceRun) -> QuerySet[DeviceEvent]:
    """What the device told during a run, in order of time."""
    return visible_to(DeviceEvent.objects.filter(run=run), actor).order_by("at", "pk")


def newest_count(actor: Actor, run: DeviceRun) -> Decimal | None:
    """What the device's counter showed last during a run."""
    return events_of(actor, run).filter(value__isnull=False).values_list("value", flat=True).last()


def evidence_of(actor: Actor, run: DeviceRun) -> str:
    """A run in a line, for the evidence of a late-entered session: its events with the device's own ids."""
    events = events_of(actor, run).values_list("kind", "event_id")
    listed = ", ".join(f"{kind} {event_id}" for kind, event_id in events[:20])
    return f"{run.device or run.instrument.name}: {listed}"[:1000]


def instrument_of_run(actor: Actor, run_id: int) -> Instrument:
    """The instrument of a run that the actor may see. Raises NotFound."""
    return get_visible(DeviceRun.objects.select_related("instrument__site"), actor, pk=run_id).instrument


def reservation_runs(actor: Actor, reservation: Reservation) -> list[DeviceRun]:
    """What devices told about the use of a reservation that the actor may see, in order of time; not what is a guess."""
    seen = visible_to(Reservation.objects.filter(pk=reservation.pk), actor)
    return list(DeviceRun.objects.filter(reservation__in=seen).exclude(state=RunState.OPEN).order_by("starts_at", "pk"))


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A person for whom a past session may be written down; ``value`` is ``organisation-person``."""

    value: str
    organisation: str
    person: str


def known_customers(actor: Actor, instrument: Instrument) -> list[KnownCustomer]:
    """Who has booked at the lab that the actor manages, and its own people, by name."""
    owner_id = instrument.organisation_id
    if owner_id not in actor.organisations(Role.LAB_MANAGER):
        return []
    asked = visible_to(Reservation.objects.filter(instrument__organisation_id=owner_id), actor)
    pairs = set(asked.order_by().values_list("organisation_id", "requested_by_id").distinct())
    members = Membership.objects.filter(
        Q(organisation_id__in=[one for one, _person in pairs]) | Q(organisation_id=owner_id),
        role__in=[*CUSTOMER_ROLES, Role.LAB_MANAGER],
        user__is_active=True,
    ).select_related("organisation", "user")
    found = {
        (one.organisation_id, one.user_id): KnownCustomer(
            f"{one.organisation_id}-{one.user_id}", str(one.organisation), str(one.user)
        )
        for one in members
        if (one.organisation_id, one.user_id) in pairs or one.organisation_id == owner_id
    }
    return sorted(found.values(), key=lambda one: (one.organisation, one.person, one.value))


def device_keys(actor: Actor) -> QuerySet[DeviceKey]:
    """The keys of the actor's labs, those in use first."""
    rows = visible_to(DeviceKey.objects.select_related("organisation", "instrument", "created_by"), actor)
    return rows.order_by("revoked_at", "-created_at", "-pk")


def check_in_points(actor: Actor) -> dict[int, CheckInPoint]:
    """The codes at the actor's instruments, by instrument."""
    return {one.instrument_id: one for one in visible_to(CheckInPoint.objects.all(), actor)}


def managed_instruments(actor: Actor) -> QuerySet[Instrument]:
    """What the actor manages, by name."""
    rows = Instrument.objects.filter(organisation_id__in=actor.organisations(Role.LAB_MANAGER))
    return visible_to(rows, actor).select_related("site", "organisation").order_by("name_pinyin", "name", "pk")
