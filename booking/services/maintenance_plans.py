"""Maintenance that comes again: keeping plans, making their next downtime with one press, and reminding the lab."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Case, DurationField, F, Max, OuterRef, Q, Subquery, Sum, When
from django.db.models.functions import Coalesce, Least
from django.urls import reverse

from booking.models import Downtime, MaintenancePlan, UsageSession
from booking.rules.downtime import DowntimeKind, Due, due_of
from booking.services import context as booking_context
from booking.services import maintenance
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.parking import each_parked
from config.kernel.services.transactions import whole
from config.kernel.time_range import TimeRange, subtract
from instruments.models import Instrument
from instruments.rules.names import clean_name
from instruments.services.notices import News, holders, settle, tell

NAME_LENGTH = 100
MOST = 20
"""Plans of an instrument."""
MOST_MONTHS, MOST_HOURS, MOST_MINUTES, MOST_REMIND_DAYS = 120, 100_000, 30 * 24 * 60, 90
LOOKED_AHEAD = timedelta(days=60)
BATCH = 500
DUE = "lab.maintenance_due"


@dataclass(frozen=True, slots=True)
class PlanFields:
    """``every_months`` or ``every_hours`` of use, or both: what comes first."""

    name: str
    kind: DowntimeKind
    every_months: int | None
    every_hours: int | None
    duration_minutes: int
    remind_days: int = 14


@whole
def add(actor: Actor, instrument_id: int, fields: PlanFields, now: datetime) -> MaintenancePlan:
    """A new plan, which counts from now.

    Raises NotFound, Forbidden, Refusal ``plan.never``, ``plan.out_of_range``, ``plan.too_many``, ``plan.breakdown``, ``names.*``.
    """
    instrument = get_visible(Instrument.objects.select_for_update(of=("self",), no_key=True), actor, pk=instrument_id)
    actor.require_in(instrument.organisation_id, Role.LAB_MANAGER)
    name = clean_name(fields.name, NAME_LENGTH, field="name")
    _refuse(fields)
    if MaintenancePlan.objects.filter(instrument=instrument).count() >= MOST:
        raise Refusal.of("plan.too_many", most=MOST)
    row = MaintenancePlan.objects.create(
        instrument=instrument,
        name=name,
        kind=fields.kind,
        every_months=fields.every_months,
        every_hours=fields.every_hours,
        duration_minutes=fields.duration_minutes,
        remind_days=fields.remind_days,
        since=now,
        made_by_id=actor.person_id,
    )
    after = {"name": name, "every_months": fields.every_months, "every_hours": fields.every_hours}
    audit.record(actor, "maintenance_plan.add", row, now, after=after)
    return row


def _refuse(fields: PlanFields) -> None:
    if fields.kind is DowntimeKind.BREAKDOWN:
        raise Refusal.of("plan.breakdown", "kind")
    if not fields.every_months and not fields.every_hours:
        raise Refusal.of("plan.never", "every_months")
    for value, most, field in (
        (fields.every_months, MOST_MONTHS, "every_months"),
        (fields.every_hours, MOST_HOURS, "every_hours"),
        (fields.duration_minutes, MOST_MINUTES, "duration_minutes"),
    ):
        if value is not None and not 1 <= value <= most:
            raise Refusal.of("plan.out_of_range", field, most=most)
    if not 0 <= fields.remind_days <= MOST_REMIND_DAYS:
        raise Refusal.of("plan.out_of_range", "remind_days", most=MOST_REMIND_DAYS)


@whole
def remove(actor: Actor, plan_id: int, now: datetime) -> MaintenancePlan:
    """Take a plan away; what was planned by it stays. Raises NotFound, Forbidden."""
    row = _managed(actor, plan_id)
    audit.record(actor, "maintenance_plan.remove", row, now, before={"name": row.name})
    settle(row, [DUE], now)
    MaintenancePlan.objects.filter(pk=row.pk).delete()
    return row


def make_block(actor: Actor, plan_id: int, now: datetime) -> Downtime:
    """Keep the next time that is open, free and long enough for what is due; from then on it counts anew.

    Raises NotFound, Forbidden, Refusal ``plan.made_already``, ``plan.no_time``, Conflict ``booking.just_taken``.
    """
    row = _managed(actor, plan_id)

    def work() -> Downtime:
        context = booking_context.load(actor, row.instrument_id, lock=True)
        if Downtime.objects.filter(plan=row, closed_at=None, ends_at__gt=now).exists():
            raise Refusal.of("plan.made_already")
        window = TimeRange(now, now + LOOKED_AHEAD)
        busy = booking_context.busy_ranges(context.instrument.calendar_id, window)
        length = timedelta(minutes=row.duration_minutes)
        for free in subtract(context.opening(window), busy):
            starts_at = _whole_minute(free.starts_at)
            if starts_at + length <= free.ends_at:
                during = TimeRange(starts_at, starts_at + length)
                made = maintenance.block(actor, row.instrument_id, during, row.name, now, DowntimeKind(row.kind))
                count(made, row, now)
                return made
        raise Refusal.of("plan.no_time", minutes=row.duration_minutes, days=LOOKED_AHEAD.days)

    return transactions.run(work)


def plan_for(actor: Actor, plan_id: int, instrument_id: int, kind: DowntimeKind) -> MaintenancePlan:
    """The plan of the instrument that planned work names. Raises NotFound, Refusal ``plan.breakdown``."""
    if kind is DowntimeKind.BREAKDOWN:
        raise Refusal.of("plan.breakdown", "kind")
    return get_visible(MaintenancePlan.objects.filter(instrument_id=instrument_id), actor, pk=plan_id)


def count(made: Downtime, plan: MaintenancePlan, now: datetime) -> None:
    """From ``made`` on the plan counts anew, and its reminder is settled. Part of the caller's transaction."""
    made.plan = plan
    made.save(update_fields=["plan"])
    MaintenancePlan.objects.filter(pk=plan.pk).update(reminded_at=None)
    settle(plan, [DUE], now)


def _whole_minute(moment: datetime) -> datetime:
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + timedelta(minutes=1)


def due_of_all(plans: Iterable[MaintenancePlan]) -> dict[int, Due]:
    """When each of the plans (with instrument and site) is due, by id: one query, however many. What ended early counts from then."""
    rows = list(plans)
    counted = MaintenancePlan.objects.filter(pk__in=[row.pk for row in rows]).annotate(from_at=Coalesce(_last_end(), "since"))
    sums = {pk: (at, used) for pk, at, used in counted.annotate(used=_use_since()).values_list("pk", "from_at", "used")}
    found = {}
    for row in rows:
        since, used = sums[row.pk]
        minutes = int(used.total_seconds()) // 60 if used else 0
        found[row.pk] = due_of(since, minutes, row.every_months, row.every_hours, ZoneInfo(row.instrument.site.time_zone))
    return found


def _last_end() -> Subquery:
    """The end of the plan's last downtime that took place: when it was closed, where that came before the end that was said."""
    took_place = Q(closed_at=None) | Q(closed_at__gt=F("starts_at"))
    rows = Downtime.objects.filter(took_place, plan=OuterRef("pk")).order_by().values("plan")
    return Subquery(rows.annotate(at=Max(Least("ends_at", "closed_at"))).values("at"))


def _use_since() -> Case:
    """How long the plan's instrument was used since ``from_at``, where it counts hours."""
    rows = UsageSession.objects.filter(
        reservation__instrument_id=OuterRef("instrument_id"), actual_ends_at__gt=OuterRef("from_at")
    )
    sums = rows.order_by().values("reservation__instrument_id").annotate(used=Sum(F("actual_ends_at") - F("actual_starts_at")))
    return Case(When(every_hours__isnull=False, then=Subquery(sums.values("used"))), output_field=DurationField())


def remind_due(now: datetime) -> int:
    """Tell the lab's managers, once, of what is due soon and has no downtime yet; returns how many. Safe to repeat.

    Only plans that seem due soon are locked, and looked at again behind the lock."""
    rows = MaintenancePlan.objects.filter(reminded_at=None).select_related("instrument__site").order_by("pk")

    def remind(pk: int) -> bool:
        row = MaintenancePlan.objects.select_for_update(of=("self",)).select_related("instrument__site").get(pk=pk)
        made = Downtime.objects.filter(plan=row, closed_at=None, ends_at__gt=now).exists()
        due = due_of_all([row])[row.pk]
        if row.reminded_at is not None or made or not due.is_near(now, row.remind_days, row.every_hours):
            return False
        _tell(row, due, now)
        MaintenancePlan.objects.filter(pk=pk).update(reminded_at=now)
        return True

    done = 0
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        due = due_of_all(batch)
        near = [row.pk for row in batch if due[row.pk].is_near(now, row.remind_days, row.every_hours)]
        done += each_parked(near, remind, "maintenance plan")
        last = batch[-1].pk
    return done


def _tell(row: MaintenancePlan, due: Due, now: datetime) -> None:
    zone = ZoneInfo(row.instrument.site.time_zone)
    params = {
        "instrument": row.instrument.name,
        "instrument_en": row.instrument.name_en,
        "name": row.name,
        "due_at": due.at.astimezone(zone).isoformat() if due.at else "",
        "hours": "" if due.hours_left is None else max(0, due.hours_left),
    }
    path = reverse("instrument_maintenance", args=[row.instrument_id])
    lab = row.instrument.organisation_id
    tell(News(DUE, params, path, row, lab), holders(Role.LAB_MANAGER, lab), now)


def _managed(actor: Actor, plan_id: int) -> MaintenancePlan:
    row = get_visible(MaintenancePlan.objects.select_related("instrument"), actor, pk=plan_id)
    actor.require_in(row.instrument.organisation_id, Role.LAB_MANAGER)
    return row
