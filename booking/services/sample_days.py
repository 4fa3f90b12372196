"""What a lab's days are promised to: asked and written behind the test item's lock, so that no two get the same capacity."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.db.models import Sum

from booking.models import SampleDay, SampleJob
from booking.rules.sample_days import FURTHEST, Promise, promise
from config.kernel.errors import Refusal
from instruments.models import TestItem
from instruments.rules import statutory_holidays
from instruments.rules.turnaround import is_workday
from instruments.services.answer_time import zone_of_owner


def lock_item(resource_id: int) -> TestItem:
    """The test item, locked until the transaction ends: whoever promises its days waits for the other."""
    return TestItem.objects.select_for_update(no_key=True).get(pk=resource_id)


def work_out(
    item: TestItem, lab_id: int, samples: int, arrive_on: date, *, but_for: int = 0, at_once: bool = False
) -> Promise | None:
    """When the result of ``samples`` that come on ``arrive_on`` can be promised beside what is promised to others than the job
    ``but_for``; None where the lab names no turnaround. ``at_once``: as far as its capacity goes, whatever its turnaround is.
    Nothing is written or locked.

    Raises Refusal ``samples.no_capacity`` where that is too far away.
    """
    if item.turnaround_days is None:
        return None
    last = arrive_on + FURTHEST
    rows = SampleDay.objects.filter(resource_id=item.pk, day__range=(arrive_on, last)).exclude(job_id=but_for)
    taken = dict(rows.order_by().values_list("day").annotate(total=Sum("samples")))
    holidays, make_up_days = _days_off(lab_id, arrive_on, last)
    found = promise(
        arrive_on,
        0 if at_once else item.turnaround_days,
        samples,
        item.daily_capacity or None,
        taken,
        lambda day: is_workday(day, holidays, make_up_days),
    )
    if found is None:
        raise Refusal.of("samples.no_capacity", "samples", daily_capacity=item.daily_capacity or 0)
    return found


def at_acceptance(job: SampleJob, item: TestItem, wanted: date | None, today: date) -> Promise | None:
    """The days of a job that is accepted on ``today`` for ``wanted`` (None: for what was worked out) instead of those that it has;
    None where it stays at those. A lab may be faster than its turnaround, never than its capacity.

    Raises Refusal ``samples.no_capacity``.
    """
    if job.promised_on is None or job.first_promised_on is None:
        return None
    came_late, sooner = job.arrive_on < today, wanted is not None and wanted < job.promised_on
    if not (came_late or sooner):
        return None
    starts = max(job.arrive_on, today)
    found = work_out(item, job.lab_id, job.sample_count, starts, but_for=job.pk)
    if found is None or wanted is None or wanted >= found.promised_on:
        return found
    return work_out(item, job.lab_id, job.sample_count, starts, but_for=job.pk, at_once=True)


def keep(job: SampleJob, item: TestItem, found: Promise | None) -> None:
    """Promise these days to the job instead of those it had; part of the caller's transaction, behind ``lock_item``."""
    SampleDay.objects.filter(job=job).delete()
    if found is not None:
        SampleDay.objects.bulk_create(
            SampleDay(job=job, resource_id=item.pk, day=day, samples=count, daily_capacity=item.daily_capacity or None)
            for day, count in found.days
        )


def free(job: SampleJob) -> None:
    """Others may have the job's days."""
    SampleDay.objects.filter(job=job).delete()


def _days_off(lab_id: int, first_on: date, last_on: date) -> tuple[Collection[date], Collection[date]]:
    """The statutory holidays and make-up days, as far as they are published, where the lab's zone has them."""
    if not statutory_holidays.applies_in(zone_of_owner(lab_id).key):
        return (), ()
    return statutory_holidays.holidays_between(first_on, last_on), statutory_holidays.makeup_days_between(first_on, last_on)
