"""Which promised results an instrument that is out of service puts at risk, and when they could be promised instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Sum

from booking.models import Sample, SampleDay, SampleJob
from booking.rules.sample_days import FURTHEST, promise, works_again_on
from booking.rules.samples import WORKED_ON, JobState
from config.kernel.access import Actor, visible_to
from config.kernel.time_range import TimeRange
from instruments.models import Instrument
from instruments.rules import statutory_holidays
from instruments.rules.turnaround import is_workday
from instruments.services.answer_time import zone_of_owner

MOST_JOBS = 100
_DAY = timedelta(days=1)
#: Their samples are still to be measured, or the lab has not said yes yet.
_UNMEASURED = (JobState.ASKED, JobState.ACCEPTED, JobState.RECEIVED, JobState.PREPARING)


@dataclass(frozen=True, slots=True)
class Risk:
    """A job that is to be measured on the instrument. ``falls_due``: its result is promised for a day of the outage; else only some of its
    days of measuring lie there, those of ``samples_lost``. ``suggested_on`` is the first day for which it could be promised instead;
    None for a request, whose day the lab names with its yes. ``others`` are further instruments on which the test is done."""

    job: SampleJob
    falls_due: bool
    samples_lost: int
    suggested_on: date | None
    others: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True)
class Risks:
    """The first jobs, by promised day; ``more`` come after them. ``works_on`` is the first whole day on which the instrument works."""

    jobs: list[Risk]
    more: int
    works_on: date


def promises_at_risk(actor: Actor, instrument: Instrument, during: TimeRange, now: datetime) -> Risks:
    """What an outage of an instrument that the actor was given already puts at risk: a constant number of statements."""
    zone = zone_of_owner(instrument.organisation_id)
    first_on, works_on = max(during.starts_at, now).astimezone(zone).date(), works_again_on(during.ends_at, zone)
    within = (first_on, works_on - _DAY)
    rows = list(_at_risk(actor, instrument, within)[: MOST_JOBS + 1])
    shown = rows[:MOST_JOBS]
    lost = _samples_lost(shown, within)
    suggested = _suggestions(shown, works_on, zone)
    more = _at_risk(actor, instrument, within).count() - len(shown) if len(rows) > len(shown) else 0
    return Risks([_risk(job, instrument, within, lost, suggested) for job in shown], more, works_on)


def _at_risk(actor: Actor, instrument: Instrument, within: tuple[date, date]) -> QuerySet[SampleJob]:
    measured = SampleDay.objects.filter(job=OuterRef("pk"), day__range=within)
    rows = SampleJob.objects.filter(
        Q(promised_on__range=within) | Exists(measured),
        lab_id=instrument.organisation_id,
        resource__test_item__instruments=instrument,
        state__in=[state.value for state in _UNMEASURED],
    )
    instruments = Prefetch("resource__test_item__instruments", queryset=Instrument.objects.order_by("name_pinyin", "pk"))
    rows = visible_to(rows, actor).select_related("resource__test_item", "organisation", "requested_by")
    return rows.prefetch_related(instruments).order_by("promised_on", "pk")


def _risk(
    job: SampleJob, instrument: Instrument, within: tuple[date, date], lost: Mapping[int, int], suggested: Mapping[int, date]
) -> Risk:
    falls_due = job.promised_on is not None and within[0] <= job.promised_on <= within[1]
    others = tuple(one for one in job.resource.test_item.instruments.all() if one.pk != instrument.pk)
    return Risk(job, falls_due, lost.get(job.pk, 0), suggested.get(job.pk), others)


def _samples_lost(jobs: Sequence[SampleJob], within: tuple[date, date]) -> dict[int, int]:
    days = SampleDay.objects.filter(job__in=jobs, day__range=within)
    return dict(days.order_by().values_list("job_id").annotate(total=Sum("samples")))


def _suggestions(jobs: Sequence[SampleJob], works_on: date, zone: ZoneInfo) -> dict[int, date]:
    """The first day for each job that is accepted, one after the other as they would be promised anew: what one gets the next cannot have.
    Jobs on which work has begun keep their days."""
    accepted = [job for job in jobs if job.state != JobState.ASKED]
    if not accepted:
        return {}
    begun = set(Sample.objects.filter(job__in=accepted, state__in=WORKED_ON).values_list("job_id", flat=True))
    last_on = max(max(job.arrive_on for job in accepted), works_on) + FURTHEST
    off = statutory_holidays.days_off(works_on, last_on, zone.key)
    own: dict[int, dict[date, int]] = {job.pk: {} for job in accepted}
    taken: dict[int, dict[date, int]] = {job.resource_id: {} for job in accepted}
    rows = SampleDay.objects.filter(resource_id__in=taken, day__lte=last_on).filter(Q(day__gte=works_on) | Q(job__in=accepted))
    for job_id, resource_id, day, samples in rows.values_list("job_id", "resource_id", "day", "samples"):
        taken[resource_id][day] = taken[resource_id].get(day, 0) + samples
        if job_id in own:
            own[job_id][day] = samples
    found = {}
    for job in accepted:
        day = _next_workday(max(works_on, (job.promised_on or works_on) + _DAY), off)
        days = taken[job.resource_id]
        if job.pk not in begun and any(one < works_on for one in own[job.pk]):
            for one, samples in own[job.pk].items():
                days[one] -= samples
            capacity = job.resource.test_item.daily_capacity or None
            anew = promise(max(job.arrive_on, works_on), 0, job.sample_count, capacity, days, lambda one: is_workday(one, *off))
            for one, samples in anew.days if anew else ():
                days[one] = days.get(one, 0) + samples
            day = max(day, anew.promised_on) if anew else day
        found[job.pk] = day
    return found


def _next_workday(day: date, off: tuple[Collection[date], Collection[date]]) -> date:
    while not is_workday(day, *off):
        day += _DAY
    return day
