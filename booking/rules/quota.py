"""How much a person, or everybody of an organisation, may book of a lab in a day, a week, a month, a year, or ahead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from booking.rules.documents import is_whole, parts_of, word_of, yes_or_no
from booking.rules.week_time import WeekTime, minutes_within
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import local_day, to_wall


class Subject(StrEnum):
    """Whose bookings are counted together."""

    PERSON = "person"
    ORGANISATION = "organisation"


class Measure(StrEnum):
    """The last two count what is sent to be tested (``booking.rules.sample_quota``), the others bookings."""

    MINUTES = "minutes"
    COUNT = "count"
    SAMPLES = "samples"
    JOBS = "jobs"


class Period(StrEnum):
    """``ahead`` is everything that has not begun yet; the others are local calendar periods, weeks from Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    AHEAD = "ahead"


OF_SAMPLES = frozenset({Measure.SAMPLES, Measure.JOBS})
#: So many minutes, bookings, samples or jobs one quota may allow.
MOST_OF_QUOTA = 1_000_000
#: The codes of the reasons: in a period, and ahead.
_CODES: Mapping[tuple[Subject, Measure], tuple[str, str]] = {
    (Subject.PERSON, Measure.MINUTES): ("quota.person_minutes", "quota.person_minutes_ahead"),
    (Subject.PERSON, Measure.COUNT): ("quota.person_count", "quota.person_count_ahead"),
    (Subject.ORGANISATION, Measure.MINUTES): ("quota.organisation_minutes", "quota.organisation_minutes_ahead"),
    (Subject.ORGANISATION, Measure.COUNT): ("quota.organisation_count", "quota.organisation_count_ahead"),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """Which instruments a quota counts: all of the lab's, those whose class code begins so, or one."""

    instrument_id: int | None = None
    class_code: str = ""

    def counts(self, instrument_id: int, class_code: str) -> bool:
        return instrument_id == self.instrument_id if self.instrument_id else class_code.startswith(self.class_code)


@dataclass(frozen=True, slots=True)
class Quota:
    """At most ``most`` minutes or bookings of ``counted`` instruments per ``period``; a booking counts where it starts.

    ``peak_only`` counts only what lies in the policy's peak times: minutes of it, or bookings that touch them. What counts samples or jobs
    is of the whole lab, and knows no peak times. Raises Refusal ``quota.most``, ``quota.samples_of_lab``.
    """

    subject: Subject
    measure: Measure
    period: Period
    most: int
    peak_only: bool = False
    counted: Counted = Counted()

    def __post_init__(self) -> None:
        if not is_whole(self.most) or not 0 < self.most <= MOST_OF_QUOTA:
            raise Refusal.of("quota.most", "most")
        if self.measure in OF_SAMPLES and (self.peak_only or self.counted != Counted()):
            raise Refusal.of("quota.samples_of_lab", "measure")

    def document(self) -> dict[str, Any]:
        """As ``read`` takes it; ``counted`` is what the layer is for that the quota stands in."""
        return {"subject": self.subject.value, "measure": self.measure.value, "period": self.period.value, "most": self.most,
                "peak_only": self.peak_only}  # fmt: skip

    @classmethod
    def read(cls, document: Any, counted: Counted = Counted()) -> Quota:
        """What somebody wrote. Raises Refusal ``quota.most`` and ``policy.*``."""
        needed = ("subject", "measure", "period", "most")
        parts = parts_of(document, (*needed, "peak_only"), needed)
        return cls(
            Subject(word_of(parts["subject"], list(Subject))),
            Measure(word_of(parts["measure"], list(Measure))),
            Period(word_of(parts["period"], list(Period))),
            parts["most"],
            yes_or_no(parts.get("peak_only", False)),
            counted,
        )

    def kept(self) -> dict[str, Any]:
        """As ``read_kept`` takes it: with what it counts."""
        return self.document() | {"instrument": self.counted.instrument_id, "class_code": self.counted.class_code}

    @classmethod
    def read_kept(cls, kept: Mapping[str, Any]) -> Quota:
        """What ``kept`` wrote."""
        counted = Counted(kept["instrument"], kept["class_code"])
        return cls.read({name: value for name, value in kept.items() if name not in ("instrument", "class_code")}, counted)


@dataclass(frozen=True, slots=True)
class Booked:
    """One booking of the person or of the organisation that takes time (or waits for it)."""

    during: TimeRange
    person_id: int | None
    organisation_id: int
    instrument_id: int
    class_code: str


def period_around(period: Period, instant: datetime, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime | None]:
    """The half-open period in which ``instant`` lies; what is ahead begins now and has no end."""
    if period is Period.AHEAD:
        return now, None
    first, after = local_period(period, to_wall(instant, zone).date())
    return local_day(first, zone).starts_at, local_day(after, zone).starts_at


def local_period(period: Period, day: date) -> tuple[date, date]:
    """The first day of a calendar period and the first after it; not for what is ahead."""
    if period is Period.DAY:
        return day, day + timedelta(days=1)
    if period is Period.WEEK:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    if period is Period.MONTH:
        first = day.replace(day=1)
        return first, (first + timedelta(days=32)).replace(day=1)
    return date(day.year, 1, 1), date(day.year + 1, 1, 1)


def weight(quota: Quota, during: TimeRange, peak: Iterable[WeekTime], zone: ZoneInfo) -> int:
    """What one booking adds to the quota: minutes, or one."""
    minutes = minutes_within(peak, during, zone) if quota.peak_only else -(-during.seconds // 60)
    return minutes if quota.measure is Measure.MINUTES else int(minutes > 0)


def used(quota: Quota, booked: Iterable[Booked], asked: Booked, peak: Iterable[WeekTime], zone: ZoneInfo, now: datetime) -> int:
    """What the others of the same subject take of the quota in the period of ``asked``."""
    first, after = period_around(quota.period, asked.during.starts_at, zone, now)
    windows = tuple(peak)
    return sum(
        weight(quota, one.during, windows, zone)
        for one in booked
        if first <= one.during.starts_at  # most lie outside, and this asks no function
        and (after is None or one.during.starts_at < after)
        and _same_subject(quota, one, asked)
        and quota.counted.counts(one.instrument_id, one.class_code)
    )


def _same_subject(quota: Quota, one: Booked, asked: Booked) -> bool:
    if quota.subject is Subject.PERSON:
        return one.person_id == asked.person_id
    return one.organisation_id == asked.organisation_id


def quota_reason(
    quota: Quota, booked: Iterable[Booked], asked: Booked, peak: Iterable[WeekTime], zone: ZoneInfo, now: datetime
) -> Reason | None:
    """The reason against ``asked`` when it would take more than the quota leaves.

    Code ``quota.person_minutes`` and so on (subject and measure; with ``_ahead`` for that period), with ``most``, ``used``, ``left``
    and ``wanted`` (``_minutes`` or ``_count``), ``quota_period`` (period, peak only) and ``again_at``: when the next period begins
    (ISO 8601 with the site's offset).
    """
    windows = tuple(peak)
    if quota.measure in OF_SAMPLES or not quota.counted.counts(asked.instrument_id, asked.class_code):
        return None
    wanted = weight(quota, asked.during, windows, zone)
    taken = used(quota, booked, asked, windows, zone, now)
    if taken + wanted <= quota.most or not wanted:
        return None
    _first, after = period_around(quota.period, asked.during.starts_at, zone, now)
    return _reason(quota, taken, wanted, after, zone)


def _reason(quota: Quota, taken: int, wanted: int, after: datetime | None, zone: ZoneInfo) -> Reason:
    unit = "minutes" if quota.measure is Measure.MINUTES else "count"
    figures = {"most": quota.most, "used": taken, "left": max(quota.most - taken, 0), "wanted": wanted}
    params: dict[str, Any] = {f"{name}_{unit}": value for name, value in figures.items()}
    params["quota_period"] = [quota.period.value, quota.peak_only]
    code, code_ahead = _CODES[quota.subject, quota.measure]
    if after is None:
        return Reason(code_ahead, params, "ends_at")
    return Reason(code, params | {"again_at": after.astimezone(zone).isoformat()}, "ends_at")


@dataclass(frozen=True, slots=True)
class Limits:
    """The quotas that hold for one booking, with the peak times and the zone of its instrument."""

    quotas: tuple[Quota, ...]
    peak: tuple[WeekTime, ...]
    zone: ZoneInfo


def beyond(booked: Iterable[tuple[int, Booked]], limits: Mapping[int, Limits], now: datetime) -> dict[int, list[Reason]]:
    """Which of many bookings take more than a quota leaves, by id, with the reasons of ``quota_reason``: each is counted with those that
    come before it. ``limits`` are of the bookings that are judged; the others only count."""
    kinds = {(quota, one.peak, one.zone) for one in limits.values() for quota in one.quotas if quota.measure not in OF_SAMPLES}
    totals: dict[tuple[Quota, tuple[WeekTime, ...], ZoneInfo, int | None, datetime], int] = defaultdict(int)
    found: dict[int, list[Reason]] = defaultdict(list)
    for pk, one in booked:
        own = limits.get(pk)
        for quota, peak, zone in kinds:
            if not quota.counted.counts(one.instrument_id, one.class_code):
                continue
            first, after = period_around(quota.period, one.during.starts_at, zone, now)
            wanted = weight(quota, one.during, peak, zone)
            if not wanted or one.during.starts_at < first:
                continue
            subject = one.person_id if quota.subject is Subject.PERSON else one.organisation_id
            of = (quota, peak, zone, subject, first)
            holds = own is not None and (own.peak, own.zone) == (peak, zone) and quota in own.quotas
            if holds and totals[of] + wanted > quota.most:
                found[pk].append(_reason(quota, totals[of], wanted, after, zone))
            totals[of] += wanted
    return dict(found)
