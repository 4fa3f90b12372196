"""Every read about reservations that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField
from django.db.models import BooleanField, Case, Exists, ExpressionWrapper, F, Func, OuterRef, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Greatest
from psycopg.types.range import TimestamptzRange

from booking.models import Enquiry, LabEntry, Occupancy, OccupancySource, Reservation, ReservationChange, ReservationTransition
from booking.rules.assistance import ASSISTED, meant_mode, with_reason
from booking.rules.changes import ChangeState, Side
from booking.rules.enquiries import EnquiryState
from booking.rules.enquiries import Side as Party
from booking.rules.slots import Slot, day_slots, free_ranges
from booking.rules.states import GIVEN_UP, IN_REVIEW, ReservationState
from booking.services import context as booking_context
from booking.services import deciders
from booking.services.context import BookingContext
from booking.services.refusing import BOOKING_ROLES
from config.kernel.access import Actor, Role, visible_to
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Membership, Organisation
from instruments.rules.opening import ClosedStretch
from instruments.rules.wall_time import local_day

LAB_ROLES = (Role.LAB_MANAGER,)


@dataclass(frozen=True, slots=True)
class DaySlots:
    """One local day of an instrument. ``slots`` cover the whole day without a hole; ``closed`` are its closed stretches."""

    local_date: date
    slots: list[Slot]
    closed: list[ClosedStretch]

    @property
    def shown(self) -> list[Slot]:
        """What is worth a row: everything but closed time."""
        return [slot for slot in self.slots if slot.why != "booking.closed"]


@dataclass(frozen=True, slots=True)
class Week:
    """Free and taken time of an instrument over some local days, with what is needed to show it. ``free``: where a reservation may lie from
    start to end; ranges overlap where two people can assist one after the other."""

    context: BookingContext
    days: list[DaySlots]
    free: list[TimeRange]


def free_slots(
    actor: Actor,
    instrument_id: int,
    first_date: date | None,
    days: int,
    now: datetime,
    customer_id: int | None = None,
    service_mode: str = "",
) -> Week:
    """``days`` local days (31 at most) from ``first_date`` (default: today at the site), as they are for a customer; in assisted mode
    what nobody can assist in is not free. What the actor holds while a form is open is free for them.

    Without a customer of the actor's own they are as for any of them. Raises NotFound.
    """
    own = customer_id if customer_id in actor.organisations() else None
    context = booking_context.load(actor, instrument_id, lock=False, customer_id=own)
    first = first_date or context.local_day(now)
    dates = [first + timedelta(days=offset) for offset in range(min(days, 31))]
    window = TimeRange(local_day(dates[0], context.zone).starts_at, local_day(dates[-1], context.zone).ends_at)
    opening = context.opening(window)
    busy = booking_context.busy_ranges(context.instrument.calendar_id, window, holder_id=actor.user_id)
    alone = free_ranges(opening, busy, context.policy, now)
    mode = meant_mode(service_mode, context.instrument.service_modes)
    free = booking_context.free_times(context, window, busy, now, mode) if mode == ASSISTED else alone
    rows = []
    for each in dates:
        closed = context.closed(local_day(each, context.zone))
        slots = day_slots(free, context.policy, context.zone, each, now, open_ranges=opening, closed=closed)
        rows.append(DaySlots(each, with_reason(slots, alone), closed))
    return Week(context, rows, free)


def reservations_visible(actor: Actor) -> QuerySet[Reservation]:
    """The actor's reservations with what a list shows, newest start first."""
    return (
        visible_to(Reservation.objects.all(), actor)
        .select_related("instrument__site", "instrument__organisation", "organisation", "requested_by", "booked_by", "session")
        .order_by("-starts_at", "-pk")
    )


def my_reservations(actor: Actor) -> QuerySet[Reservation]:
    """What the actor's customer organisations booked (all of an organisation's for its members)."""
    own = actor.organisations(Role.RESEARCHER, Role.FIRM_ADMIN)
    rows = reservations_visible(actor)
    return rows.filter(organisation_id__in=own) | rows.filter(requested_by_id=actor.user_id)


def one_of_mine(actor: Actor, reservation_id: int) -> Reservation | None:
    """A reservation of an organisation for which the actor may book, with its instrument and customer; None for any other."""
    rows = visible_to(Reservation.objects.select_related("instrument__site", "organisation"), actor)
    return rows.filter(pk=reservation_id, organisation_id__in=actor.organisations(*BOOKING_ROLES)).first()


def reservation_detail(actor: Actor) -> QuerySet[Reservation]:
    """With history, for one page."""
    history = ReservationTransition.objects.select_related("actor").order_by("pk")
    rows = reservations_visible(actor).select_related("series", "entry__agreed_by", "entry__entered_by")
    return rows.prefetch_related(Prefetch("transitions", queryset=history))


def lab_reservations(actor: Actor) -> QuerySet[Reservation]:
    """Reservations of the instruments that the actor manages."""
    return reservations_visible(actor).filter(instrument__organisation_id__in=actor.organisations(*LAB_ROLES))


def requests_waiting(actor: Actor) -> QuerySet[Reservation]:
    """Requests about which the actor decides (``services.deciders``), those that begin soonest first."""
    rows = reservations_visible(actor).filter(deciders.decided_by(actor), state=ReservationState.REQUESTED)
    return rows.order_by("starts_at", "pk")


def approval_inbox(actor: Actor) -> QuerySet[Reservation]:
    """``requests_waiting`` with what the inbox says of each.

    ``has_rival`` marks those that overlap another one, ``is_first`` those of a customer who never used an instrument of this owner,
    ``other_time_proposed`` those whose customer was asked to take another time, ``question_asked`` those about which the lab asked its
    customer something and has heard nothing, ``has_left`` those of whom asked and belongs to the customer no longer, ``yes_awaited`` those
    that the lab entered and to which the customer has not said yes; ``waits_since`` is when the lab could first answer: once the leader of
    the group that pays, and of what the lab entered the customer, had agreed.
    """
    used = Reservation.objects.filter(
        organisation_id=OuterRef("organisation_id"),
        instrument__organisation_id=OuterRef("instrument__organisation_id"),
        state__in=[*IN_REVIEW, ReservationState.AGREED],
    )
    asked = ReservationChange.objects.filter(reservation_id=OuterRef("pk"), state=ChangeState.OPEN, side=Side.LAB)
    questions = Enquiry.objects.filter(reservation_id=OuterRef("pk"), state=EnquiryState.ANSWERED)
    unanswered = questions.exclude(messages__side=Party.CUSTOMER)
    rows = requests_waiting(actor).annotate(has_rival=_has_rival(), is_first=~Exists(used), other_time_proposed=Exists(asked))
    entered = LabEntry.objects.filter(reservation_id=OuterRef("pk"), agreed_at__isnull=True)
    rows = rows.annotate(question_asked=Exists(unanswered), has_left=~Exists(books_still()), yes_awaited=Exists(entered))
    # Who agreed last counts; a booking that no leader was asked about has nothing there, which PostgreSQL passes over.
    return rows.annotate(waits_since=Greatest("created_at", "leader_approval__decided_at", "entry__agreed_at"))


def books_still() -> QuerySet[Membership]:
    """That whoever asked for the row (a request for time, or for the test of samples) still books for its customer."""
    return Membership.objects.filter(
        user=OuterRef("requested_by"), organisation=OuterRef("organisation"), role__in=BOOKING_ROLES, user__is_active=True
    )


def _has_rival() -> ExpressionWrapper:
    """Whether another live booking of the calendar overlaps a request; ``during`` covers a booking's own time and is indexed.

    Two looks, since what blocks its time and what competes for it stand in two indexes: one condition would walk through all that
    the calendar ever had.
    """
    rivals = Occupancy.objects.filter(
        reservation__starts_at__lt=OuterRef("ends_at"),
        reservation__ends_at__gt=OuterRef("starts_at"),
        reservation__state__in=[ReservationState.REQUESTED, ReservationState.APPROVED, ReservationState.IN_USE],
    ).exclude(reservation_id=OuterRef("pk"))
    blocking = rivals.alias(on=_calendar_range(F("calendar_id"))).filter(
        blocking=True,
        on__overlap=_calendar_range(OuterRef("instrument__calendar_id")),
        during__overlap=Func(OuterRef("starts_at"), OuterRef("ends_at"), function="tstzrange", output_field=DateTimeRangeField()),
    )
    competing = rivals.filter(blocking=False, calendar_id=OuterRef("instrument__calendar_id"))
    return ExpressionWrapper(Exists(blocking.values("pk")) | Exists(competing.values("pk")), output_field=BooleanField())


def _calendar_range(calendar_id: F | OuterRef) -> Func:
    """A calendar as the exclusion constraint of occupancies, and so its index, words it."""
    return Func(calendar_id, calendar_id, Value("[]"), function="int8range", output_field=BigIntegerRangeField())


def sessions_of_day(actor: Actor, local_date: date, zone: ZoneInfo) -> QuerySet[Reservation]:
    """What touches a local day on the actor's instruments, in order of start: approved, in use, done, missed."""
    day = local_day(local_date, zone)
    states = [
        ReservationState.APPROVED,
        ReservationState.IN_USE,
        *IN_REVIEW,
        ReservationState.AGREED,
        ReservationState.NO_SHOW,
    ]
    rows = lab_reservations(actor).filter(state__in=states, starts_at__lt=day.ends_at, ends_at__gt=day.starts_at)
    return rows.order_by("starts_at", "instrument__name_pinyin", "pk")


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A taken stretch of one calendar; ``reservation_id`` and ``label`` only where the actor may know."""

    instrument_id: int
    starts_at: datetime
    ends_at: datetime
    source: str
    state: str
    reservation_id: int | None
    label: str


def day_feed(actor: Actor, local_date: date, zone: ZoneInfo, instrument_ids: Sequence[int] | None = None) -> list[FeedRow]:
    """Everything that takes time on a local day, over all (or some) instruments, in two queries however many there are.

    Times are the occupancy's, buffers included. Who booked is shown only to those who may see the reservation.
    """
    day = local_day(local_date, zone)
    instruments = visible_to(Instrument.objects.all(), actor)
    if instrument_ids is not None:
        instruments = instruments.filter(pk__in=instrument_ids)
    by_calendar: dict[int, list[int]] = {}
    for pk, calendar_id in instruments.values_list("pk", "calendar_id"):
        by_calendar.setdefault(calendar_id, []).append(pk)
    known = visible_to(Reservation.objects.all(), actor).filter(pk=OuterRef("reservation_id"))
    rows = (
        Occupancy.objects.filter(blocking=True, during__overlap=TimestamptzRange(day.starts_at, day.ends_at))
        .annotate(may_know=Exists(known))
        .order_by("calendar_id", "during")
        .values_list(
            "calendar_id",
            "during",
            "source",
            "may_know",
            "reservation_id",
            "reservation__state",
            "reservation__organisation__name",
        )
    )
    return [row for each in rows for row in _feed_rows(each, by_calendar)]


def _feed_rows(values: tuple[Any, ...], by_calendar: dict[int, list[int]]) -> list[FeedRow]:
    calendar_id, during, source, may_know, reservation_id, state, organisation = values
    return [
        FeedRow(
            instrument_id,
            during.lower,
            during.upper,
            source,
            state or "",
            reservation_id if may_know else None,
            organisation if may_know else "",
        )
        for instrument_id in by_calendar.get(calendar_id, [])
    ]


def bookable_organisations(actor: Actor) -> list[Organisation]:
    """The organisations on whose account the actor may book, by name."""
    own = actor.organisations(*BOOKING_ROLES)
    return list(Organisation.objects.filter(pk__in=own).order_by("name_pinyin", "name", "pk")) if own else []


def last_reservation_of(actor: Actor, instrument_id: int) -> Reservation | None:
    """What the person asked for last, of this instrument if ever, else anywhere: most of it is asked for again."""
    if actor.user_id is None:
        return None
    rows = visible_to(Reservation.objects.filter(requested_by_id=actor.user_id), actor)
    here = Case(When(instrument_id=instrument_id, then=1), default=0)
    return rows.order_by(here.desc(), "-created_at", "-pk").first()


@dataclass(frozen=True, slots=True)
class Before:
    """What is the same each time: what was asked for last, as the fields of a request; empty where nothing was."""

    purpose: str = ""
    research_project: str = ""
    service_direction: str = ""
    fund_source: str = ""
    fund_card_id: int | None = None


def as_before(last: Reservation | None, instrument_id: int) -> Before:
    """The facts of ``last`` for another request of that instrument; what it was for only where it was for the same instrument."""
    if last is None:
        return Before()
    purpose = last.purpose if last.instrument_id == instrument_id else ""
    return Before(purpose, last.research_project, last.service_direction, last.fund_source, last.fund_card_id)


def before_of_each(actor: Actor, asked: Collection[tuple[int, int]]) -> dict[tuple[int, int], Before]:
    """What the person asked for last for each (organisation, instrument), of that instrument if ever, else of any: one query for all."""
    if not asked or actor.user_id is None:
        return dict.fromkeys(asked, Before())
    rows = visible_to(Reservation.objects.filter(requested_by_id=actor.user_id), actor)
    rows = rows.filter(organisation_id__in={organisation_id for organisation_id, _instrument in asked})
    rows = rows.order_by("organisation_id", "instrument_id", "-created_at", "-pk").distinct("organisation_id", "instrument_id")
    latest: dict[int, Reservation] = {}
    here: dict[tuple[int, int], Reservation] = {}
    for row in sorted(rows, key=lambda one: (one.created_at, one.pk)):
        latest[row.organisation_id] = here[row.organisation_id, row.instrument_id] = row
    return {pair: as_before(here.get(pair, latest.get(pair[0])), pair[1]) for pair in asked}


def calendar_day(actor: Actor, reservation: Reservation, day: TimeRange) -> list[Occupancy]:
    """What takes or is asked to take time on the reservation's calendar on a day, with its reservation and customer: one statement."""
    rows = Occupancy.objects.filter(
        Q(reservation=None) | ~Q(reservation__state__in=GIVEN_UP),
        calendar_id=reservation.instrument.calendar_id,
        during__overlap=TimestamptzRange(day.starts_at, day.ends_at),
    )
    return list(visible_to(rows, actor).select_related("reservation__organisation").order_by("during", "pk"))


def free_instead(actor: Actor, reservation: Reservation, now: datetime, count: int) -> list[TimeRange]:
    """The nearest times of the same length that are free for the reservation's customer, nearest first. Raises NotFound."""
    context = booking_context.load(actor, reservation.instrument_id, lock=False, customer_id=reservation.organisation_id)
    found = booking_context.alternatives(context, reservation.during, now, count + 1, reservation.service_mode)
    return [one for one in found if one != reservation.during][:count]


def planned_maintenance(actor: Actor, instrument: Instrument, now: datetime) -> list[Occupancy]:
    """The maintenance of an instrument's calendar that is not over and was kept before there were downtimes, by start."""
    rows = visible_to(Occupancy.objects.filter(source=OccupancySource.MAINTENANCE, downtime=None), actor)
    rows = rows.filter(calendar_id=instrument.calendar_id, during__endswith__gt=now)
    return list(rows.order_by("during"))
