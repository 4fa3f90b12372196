"""How a lab's instruments were used over a period, beside the period before: a fixed number of statements for each ``BATCH`` of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Count, F, FilteredRelation, Model, Q, QuerySet
from psycopg.types.range import TimestamptzRange

from booking.models import Occupancy, OccupancySource, Reservation, ReservationTransition
from booking.rules.states import IN_REVIEW, Action, ReservationState
from booking.rules.use_figures import Figures, Story, Use, figures_of, middle, together, within
from booking.rules.use_hours import Cell, by_hour, table
from booking.rules.use_period import Period, Span, Windows, asked_period, windows
from config.kernel.access import OFFICIALS, Actor, Role, get_visible, visible_to
from config.kernel.errors import Forbidden
from config.kernel.time_range import TimeRange, subtract
from instruments.models import Instrument, Organisation, OrganisationKind
from instruments.rules.answer_time import worked_minutes
from instruments.rules.opening import CalendarRules, ranges_open_to_anybody
from instruments.services import schedule_store
from instruments.services.answer_time import zone_of_owner

M = TypeVar("M", bound=Model)
READERS = (Role.LAB_MANAGER, Role.OWNER_FINANCE)
MOST_INSTRUMENTS, BATCH = 1000, 200
MOST_LABS = 50
_BOOKED = (
    ReservationState.APPROVED,
    ReservationState.IN_USE,
    *IN_REVIEW,
    ReservationState.AGREED,
    ReservationState.NO_SHOW,
)


@dataclass(frozen=True, slots=True)
class InstrumentUse:
    """One instrument. ``figures`` and ``before`` are its figures in the period and in the one before; the minutes are medians, in working
    time of the lab, from when it could answer a request until it did (None: it answered none)."""

    instrument: Instrument
    figures: Figures
    before: Figures
    answer_minutes: int | None
    answer_minutes_before: int | None


@dataclass(frozen=True)
class LabUse:
    """A lab, or those of its instruments that were looked at, the most used first. ``today`` is the lab's day at ``until``, as far as
    which is counted. ``left_out``: it has more than ``MOST_INSTRUMENTS``, and so many of them are not in here. ``hours``: a row for
    each weekday."""

    lab: Organisation
    period: Period
    until: datetime
    today: date
    rows: Sequence[InstrumentUse]
    left_out: int
    hours: Sequence[Sequence[Cell]]
    answer_minutes: int | None
    answer_minutes_before: int | None
    answered: int

    @property
    def running(self) -> bool:
        """Whether the period has begun and is not over."""
        return self.period.first_on <= self.today <= self.period.last_on

    @cached_property
    def figures(self) -> Figures:
        return together(row.figures for row in self.rows)

    @cached_property
    def before(self) -> Figures:
        return together(row.before for row in self.rows)


@dataclass(slots=True)
class _Gathered:
    """What the statements found, by instrument."""

    maintenance: dict[int, list[TimeRange]] = field(default_factory=lambda: defaultdict(list))
    booked: dict[int, list[TimeRange]] = field(default_factory=lambda: defaultdict(list))
    missed: dict[int, list[TimeRange]] = field(default_factory=lambda: defaultdict(list))
    uses: dict[int, list[Use]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[int, list[tuple[datetime, int]]] = field(default_factory=lambda: defaultdict(list))


@dataclass(slots=True)
class _Counted:
    """What was counted so far: instruments, hours offered and used, minutes until an answer in the period and in the one before."""

    rows: list[InstrumentUse] = field(default_factory=list)
    offered: list[Any] = field(default_factory=list)
    used: list[Any] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    earlier: list[int] = field(default_factory=list)


def labs(actor: Actor, text: str = "") -> QuerySet[Organisation]:
    """Whose figures the actor may read, by name: the own labs, for officials and the operator every owner. ``text``: in the name.

    Raises Forbidden for who reads no lab's.
    """
    actor.require(*READERS, *OFFICIALS)
    rows = visible_to(Organisation.objects.filter(kind=OrganisationKind.OWNER), actor)
    if not actor.has(*OFFICIALS):
        rows = rows.filter(pk__in=actor.organisations(*READERS))
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(name_en__icontains=text))
    return rows.order_by("name_pinyin", "name", "pk")


def lab_for(actor: Actor, lab_id: int) -> Organisation:
    """Raises NotFound, Forbidden for who may see the lab but not its figures."""
    lab = get_visible(Organisation.objects.filter(kind=OrganisationKind.OWNER), actor, pk=lab_id)
    if lab.pk not in actor.organisations(*READERS) and not actor.has(*OFFICIALS):
        raise Forbidden.of("access.role_needed", roles=[str(role) for role in (*READERS, *OFFICIALS)])
    return lab


@dataclass(frozen=True, slots=True)
class Days:
    """What people say about the days: one within the period, or both ends."""

    on: date | None = None
    first_on: date | None = None
    last_on: date | None = None


def period_for(lab: Organisation, span: Span, days: Days, now: datetime) -> Period:
    """The period that people name; today is that of the lab. Raises Refusal ``utilisation.*``."""
    return asked_period(span, days.on, days.first_on, days.last_on, now.astimezone(zone_of_owner(lab.pk)).date())


def asked(actor: Actor, lab_id: int, span: Span, days: Days, now: datetime, instrument_id: int | None = None) -> LabUse:
    """As ``utilisation`` for a period that people name. Raises also Refusal ``utilisation.*``."""
    return utilisation(actor, lab_id, period_for(lab_for(actor, lab_id), span, days, now), now, instrument_id)


def utilisation(actor: Actor, lab_id: int, period: Period, now: datetime, instrument_id: int | None = None) -> LabUse:
    """All instruments of a lab that the actor may see, or one of them. Raises NotFound, Forbidden."""
    lab = lab_for(actor, lab_id)
    instruments, left_out = _instruments(actor, lab, instrument_id)
    lab_zone, counted = zone_of_owner(lab.pk), _Counted()
    for first in range(0, len(instruments), BATCH):
        _count(counted, actor, instruments[first : first + BATCH], period, lab_zone, now)
    return LabUse(
        lab=lab,
        period=period,
        until=now,
        today=now.astimezone(lab_zone).date(),
        rows=sorted(counted.rows, key=_most_used_first),
        left_out=left_out,
        hours=table(counted.offered, counted.used),
        answer_minutes=middle(counted.answers),
        answer_minutes_before=middle(counted.earlier),
        answered=len(counted.answers),
    )


def _most_used_first(row: InstrumentUse) -> tuple[int, int, str, int]:
    return -row.figures.used_seconds, -row.figures.booked_seconds, row.instrument.name, row.instrument.pk


def _count(
    counted: _Counted, actor: Actor, instruments: Sequence[Instrument], period: Period, lab_zone: ZoneInfo, now: datetime
) -> None:
    """Some of the instruments, after those that were counted before."""
    zones = {one.pk: ZoneInfo(one.site.time_zone) for one in instruments}
    spans = {pk: windows(period, zone, now) for pk, zone in zones.items()}
    rules = schedule_store.rules_by_calendar([one.calendar_id for one in instruments])
    found = _gather(actor, instruments, spans, lab_zone)
    for one in instruments:
        span = spans[one.pk]
        row, opened = _use_of(one, span, rules[one.calendar_id], zones[one.pk], found)
        counted.rows.append(row)
        if span.current is not None:
            counted.offered.append(by_hour(opened, zones[one.pk]))
            counted.used.append(by_hour(within((use.measured for use in found.uses[one.pk]), span.current), zones[one.pk]))
        counted.answers += _answers(found.answers[one.pk], span.current)
        counted.earlier += _answers(found.answers[one.pk], span.before)


def _instruments(actor: Actor, lab: Organisation, instrument_id: int | None) -> tuple[list[Instrument], int]:
    """What is looked at, those with the most bookings of all time where there are too many, and how many are left out."""
    rows = visible_to(Instrument.objects.filter(organisation_id=lab.pk), actor).select_related("site", "organisation")
    if instrument_id is not None:
        return [get_visible(rows, actor, pk=instrument_id)], 0
    found = list(rows.order_by("name_pinyin", "name", "pk")[: MOST_INSTRUMENTS + 1])
    if len(found) <= MOST_INSTRUMENTS:
        return found, 0
    busiest = rows.annotate(asked=Count("reservations")).order_by("-asked", "pk")
    return list(busiest[:MOST_INSTRUMENTS]), rows.count() - MOST_INSTRUMENTS


def _use_of(
    instrument: Instrument, span: Windows, rules: CalendarRules, zone: ZoneInfo, found: _Gathered
) -> tuple[InstrumentUse, list[TimeRange]]:
    """The instrument's row, and when it was offered in the period."""
    pk = instrument.pk
    looked_at = [one for one in (span.before, span.current) if one is not None]
    opened = {one: subtract(ranges_open_to_anybody(rules, zone, one), found.maintenance[pk]) for one in looked_at}
    figures = {one: figures_of(Story(opened[one], found.booked[pk], found.missed[pk], found.uses[pk]), one) for one in looked_at}
    row = InstrumentUse(
        instrument=instrument,
        figures=figures[span.current] if span.current else Figures(),
        before=figures[span.before],
        answer_minutes=middle(_answers(found.answers[pk], span.current)),
        answer_minutes_before=middle(_answers(found.answers[pk], span.before)),
    )
    return row, opened[span.current] if span.current else []


def _answers(answers: Iterable[tuple[datetime, int]], span: TimeRange | None) -> list[int]:
    return [minutes for at, minutes in answers if span is not None and span.starts_at <= at < span.ends_at]


# --- The statements ---------------------------------------------------------------------------------------------------
def _gather(actor: Actor, instruments: Sequence[Instrument], spans: Mapping[int, Windows], lab_zone: ZoneInfo) -> _Gathered:
    found = _Gathered()
    if not instruments:
        return found
    reach = _reach(spans.values())
    _read_maintenance(found, instruments, reach)
    _read_bookings(actor, found, instruments, reach)
    _read_answers(actor, found, instruments, reach, lab_zone)
    return found


def _reach(spans: Iterable[Windows]) -> TimeRange:
    """From the first to the last instant that any instrument is looked at."""
    ranges = [one for span in spans for one in (span.before, span.current) if one is not None]
    return TimeRange(min(one.starts_at for one in ranges), max(one.ends_at for one in ranges))


def _read_maintenance(found: _Gathered, instruments: Sequence[Instrument], reach: TimeRange) -> None:
    """Times only; what was done then is not told."""
    by_calendar: dict[int, list[int]] = defaultdict(list)
    for one in instruments:
        by_calendar[one.calendar_id].append(one.pk)
    for calendar_id, during in maintenance_within(by_calendar, reach):
        for pk in by_calendar[calendar_id]:
            found.maintenance[pk].append(during)


def maintenance_within(calendar_ids: Iterable[int], reach: TimeRange) -> list[tuple[int, TimeRange]]:
    """When calendars were under maintenance, each time with its calendar: one statement."""
    rows = Occupancy.objects.filter(
        calendar_id__in=calendar_ids,
        source=OccupancySource.MAINTENANCE,
        blocking=True,
        during__overlap=TimestamptzRange(reach.starts_at, reach.ends_at),
    )
    return [(pk, TimeRange(during.lower, during.upper)) for pk, during in rows.values_list("calendar_id", "during")]


def _read_bookings(actor: Actor, found: _Gathered, instruments: Sequence[Instrument], reach: TimeRange) -> None:
    owners = {one.pk: one.organisation_id for one in instruments}
    touches = Q(ends_at__gt=reach.starts_at) | Q(session__actual_ends_at__gt=reach.starts_at)
    rows = _counted_by(actor, Reservation.objects.all()).filter(
        touches, instrument_id__in=owners, state__in=_BOOKED, starts_at__lt=reach.ends_at
    )
    kept = FilteredRelation("occupancies", condition=Q(occupancies__source=OccupancySource.RESERVATION))
    rows = rows.annotate(kept=kept).order_by("starts_at")  # what is in order already is merged faster
    columns = ("instrument_id", "organisation_id", "state", "starts_at", "ends_at", "kept__during")
    for pk, customer_id, state, starts_at, ends_at, kept_during, began_at, ended_at in rows.values_list(
        *columns, "session__actual_starts_at", "session__actual_ends_at"
    ):
        booked = TimeRange(starts_at, ends_at)
        found.booked[pk].append(booked)
        if state == ReservationState.NO_SHOW:
            found.missed[pk].append(booked)
        elif ended_at is not None and began_at < ended_at:
            measured = TimeRange(began_at, ended_at)
            before = min(starts_at, began_at) - kept_during.lower if kept_during else timedelta()
            after = kept_during.upper - ends_at if kept_during else timedelta()
            needed = measured.widened(max(before, timedelta()), max(after, timedelta()))
            found.uses[pk].append(Use(measured, needed, customer_id != owners[pk]))


def _counted_by(actor: Actor, rows: QuerySet[M]) -> QuerySet[M]:
    """What of a lab's bookings is counted: what the actor may see; for the operator, who sees none of them, all, because sums tell of
    nobody. Whether the lab's figures are the actor's to read was asked before (``lab_for``)."""
    return rows if actor.has(Role.OPERATOR) else visible_to(rows, actor)


def _read_answers(
    actor: Actor, found: _Gathered, instruments: Sequence[Instrument], reach: TimeRange, lab_zone: ZoneInfo
) -> None:
    """The last answer of a person of each request; not what was written down afterwards or brought along, and not what
    was taken back."""
    rows = _counted_by(actor, ReservationTransition.objects.all()).filter(
        action__in=[Action.APPROVE, Action.REJECT],
        actor__isnull=False,
        at__gte=reach.starts_at,
        at__lt=reach.ends_at,
        reservation__instrument__in=[one.pk for one in instruments],
    )
    rows = rows.exclude(reservation__state=ReservationState.REQUESTED).exclude(reservation__imported=True)
    rows = rows.exclude(reservation__session__late_entered=True)
    last = rows.order_by("reservation_id", "-pk").distinct("reservation_id")
    for pk, created_at, agreed_at, at in last.values_list(
        "reservation__instrument_id", "reservation__created_at", F("reservation__leader_approval__decided_at"), "at"
    ):
        since = max(created_at, agreed_at) if agreed_at else created_at
        found.answers[pk].append((at, worked_minutes(since, at, lab_zone)))
