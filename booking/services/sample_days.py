"""What a lab's days are promised to: asked and written behind the test item's lock, so that no two get the same capacity."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Sum

from booking.models import SampleDay, SampleJob
from booking.rules.sample_days import FURTHEST, Promise, promise
from config.kernel.errors import Conflict, Refusal
from instruments.models import TestItem
from instruments.rules import statutory_holidays
from instruments.rules.turnaround import is_workday
from instruments.services.answer_time import zone_of_owner, zones_of_owners


def lock_item(resource_id: int) -> TestItem:
    """The test item, locked until the transaction ends: whoever promises its days waits for the other."""
    return TestItem.objects.select_for_update(no_key=True).get(pk=resource_id)


def work_out(
    item: TestItem, lab_id: int, samples: int, arrive_on: date, *, but_for: int = 0, at_once: bool = False
) -> Promise | None:
    """When the result of ``samples`` that come on ``arrive_on`` can be promised beside what is promised to others than the job
    ``but_for``; None where the lab names no turnaround. ``at_once``: as far as its capacity goes, whatever its turnaround is, if any.
    Nothing is written or locked.

    Raises Refusal ``samples.no_capacity`` where that is too far away.
    """
    turnaround_days = 0 if at_once else item.turnaround_days
    if turnaround_days is None:
        return None
    rows = SampleDay.objects.filter(resource_id=item.pk, day__range=(arrive_on, arrive_on + FURTHEST)).exclude(job_id=but_for)
    taken = dict(rows.order_by().values_list("day").annotate(total=Sum("samples")))
    found = _promise(item, turnaround_days, samples, arrive_on, taken, _days_off(arrive_on, zone_of_owner(lab_id)))
    if found is None:
        raise Refusal.of("samples.no_capacity", "samples", daily_capacity=item.daily_capacity or 0)
    return found


def work_out_many(items: Iterable[TestItem], samples: int, arrive_on: date) -> dict[int, date]:
    """The days that ``work_out`` would promise for each of the items (with their resources), by key: two queries however many. Without
    those whose lab names no turnaround or cannot promise so much."""
    known = {item.pk: item for item in items if item.turnaround_days is not None}
    if not known:
        return {}
    taken: dict[int, dict[date, int]] = {pk: {} for pk in known}
    rows = SampleDay.objects.filter(resource_id__in=known, day__range=(arrive_on, arrive_on + FURTHEST))
    for pk, day, total in rows.order_by().values_list("resource_id", "day").annotate(total=Sum("samples")):
        taken[pk][day] = total
    zones = zones_of_owners(item.resource.organisation_id for item in known.values())
    off = {zone: _days_off(arrive_on, zone) for zone in set(zones.values())}
    found = {}
    for pk, item in known.items():
        free = off[zones[item.resource.organisation_id]]
        promised = _promise(item, item.turnaround_days or 0, samples, arrive_on, taken[pk], free)
        if promised is not None:
            found[pk] = promised.promised_on
    return found


_DaysOff = tuple[Collection[date], Collection[date]]


def _days_off(arrive_on: date, zone: ZoneInfo) -> _DaysOff:
    return statutory_holidays.days_off(arrive_on, arrive_on + FURTHEST, zone.key)


def _promise(
    item: TestItem, turnaround_days: int, samples: int, arrive_on: date, taken: Mapping[date, int], off: _DaysOff
) -> Promise | None:
    capacity = item.daily_capacity or None
    return promise(arrive_on, turnaround_days, samples, capacity, taken, lambda day: is_workday(day, *off))


def at_acceptance(job: SampleJob, item: TestItem, wanted: date | None, today: date) -> Promise | None:
    """The days of a job that is accepted on ``today`` for ``wanted`` (None: for what was worked out) instead of those that it has;
    None where it stays at those. A lab may be faster than its turnaround, or name none, and never be faster than its capacity.

    Raises Refusal ``samples.no_capacity``.
    """
    starts = max(job.arrive_on, today)
    if job.promised_on is None:
        counts = wanted is not None and bool(item.daily_capacity)
        return work_out(item, job.lab_id, job.sample_count, starts, but_for=job.pk, at_once=True) if counts else None
    came_late, sooner = job.arrive_on < today, wanted is not None and wanted < job.promised_on
    if not (came_late or sooner):
        return None
    found = work_out(item, job.lab_id, job.sample_count, starts, but_for=job.pk)
    if wanted is None or (found is not None and wanted >= found.promised_on):
        return found
    return work_out(item, job.lab_id, job.sample_count, starts, but_for=job.pk, at_once=True)


def at_receipt(job: SampleJob, item: TestItem, today: date) -> Promise | None:
    """The days of a promised job whose samples came on ``today``, later than expected; None where it stays at those that it has.

    Raises Refusal ``samples.no_capacity``.
    """
    at_once = job.first_promised_on is None
    if at_once and not item.daily_capacity:
        return None
    return work_out(item, job.lab_id, job.sample_count, today, but_for=job.pk, at_once=at_once)


def keep(job: SampleJob, item: TestItem, found: Promise | None) -> None:
    """Promise these days to the job instead of those it had; part of the caller's transaction, behind ``lock_item``."""
    SampleDay.objects.filter(job=job).delete()
    if found is not None:
        SampleDay.objects.bulk_create(
            SampleDay(job=job, resource_id=item.pk, day=day, samples=count, daily_capacity=item.daily_capacity or None)
            for day, count in found.days
        )


def kept_by(job: SampleJob) -> dict[str, Any]:
    """The promise that a job has, as ``put_back`` takes it."""
    rows = SampleDay.objects.filter(job=job).order_by("day").values_list("day", "samples", "daily_capacity")
    days = [[day.isoformat(), samples, capacity] for day, samples, capacity in rows]
    return {"promised_on": job.promised_on.isoformat() if job.promised_on else None, "days": days}


def put_back(job: SampleJob, item: TestItem, before: Mapping[str, Any]) -> None:
    """Promise a job again what it was promised ``before``; part of the caller's transaction, behind ``lock_item``.

    Raises Conflict ``samples.days_given`` where others were promised its days meanwhile.
    """
    days = [(date.fromisoformat(day), samples, capacity) for day, samples, capacity in before.get("days", ())]
    others = SampleDay.objects.filter(resource_id=item.pk, day__in=[day for day, *_rest in days]).exclude(job=job)
    taken = dict(others.order_by().values_list("day").annotate(total=Sum("samples")))
    for day, samples, capacity in days:
        if capacity and taken.get(day, 0) + samples > max(capacity, item.daily_capacity or 0):
            raise Conflict.of("samples.days_given", day_on=day.isoformat())
    promised_on = before.get("promised_on")
    job.promised_on = date.fromisoformat(promised_on) if promised_on else None
    SampleDay.objects.filter(job=job).delete()
    SampleDay.objects.bulk_create(
        SampleDay(job=job, resource_id=item.pk, day=day, samples=samples, daily_capacity=capacity)
        for day, samples, capacity in days
    )


def free(job: SampleJob) -> None:
    """Others may have the job's days."""
    SampleDay.objects.filter(job=job).delete()
