"""How many samples or sample jobs a person, or everybody of an organisation, may send to a lab in a day, a week, a month, a year, or ahead.

The same quotas as of bookings (``booking.rules.quota``), with measures of their own; they stand in what the lab says for all of its work.
A job counts on the local day on which its samples are expected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from booking.rules.quota import OF_SAMPLES, Measure, Period, Quota, Subject, local_period
from config.kernel.errors import Reason

_CODES = {Measure.SAMPLES: ("quota.samples", "quota.samples_ahead"), Measure.JOBS: ("quota.jobs", "quota.jobs_ahead")}
"""What a full quota is called, in a period and of all that is to come."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One job that was not called off: how many samples, whose, and when they are expected at the lab (its local day)."""

    samples: int
    person_id: int | None
    organisation_id: int
    arrive_on: date


def of_samples(quotas: Iterable[Quota]) -> tuple[Quota, ...]:
    """Those of the quotas that count what is sent."""
    return tuple(one for one in quotas if one.measure in OF_SAMPLES)


def looks_at(quotas: Iterable[Quota], asked: Sent, today: date) -> tuple[date, date | None] | None:
    """From which day on, and before which (None: all that come), others' jobs matter; None where no quota asks for them."""
    spans = [_span(quota, asked, today) for quota in quotas]
    if not spans:
        return None
    ends = [after for _first, after in spans]
    return min(first for first, _after in spans), None if None in ends else max(after for after in ends if after is not None)


def sample_quota_reasons(quotas: Iterable[Quota], others: Iterable[Sent], asked: Sent, today: date) -> list[Reason]:
    """Every quota of which ``asked`` would take more than it leaves: code ``quota.samples`` or ``quota.jobs`` (``_ahead`` for what is to
    come), with ``most_count``, ``used_count``, ``left_count``, ``quota_subject``, ``quota_period`` and ``again_on``, the first day of the
    next period."""
    known = tuple(others)
    found = (_reason(quota, known, asked, today) for quota in quotas)
    return [one for one in found if one is not None]


def _reason(quota: Quota, others: Iterable[Sent], asked: Sent, today: date) -> Reason | None:
    first, after = _span(quota, asked, today)
    counted = (
        one for one in others if _same(quota, one, asked) and first <= one.arrive_on and (after is None or one.arrive_on < after)
    )
    used = sum(_weight(quota, one) for one in counted)
    if used + _weight(quota, asked) <= quota.most:
        return None
    params: dict[str, Any] = {
        "most_count": quota.most,
        "used_count": used,
        "left_count": max(quota.most - used, 0),
        "quota_subject": quota.subject.value,
        "quota_period": [quota.period.value, False],
    }
    within, ahead = _CODES[quota.measure]
    if after is None:
        return Reason(ahead, params, "samples")
    return Reason(within, params | {"again_on": after.isoformat()}, "samples")


def _span(quota: Quota, asked: Sent, today: date) -> tuple[date, date | None]:
    if quota.period is Period.AHEAD:
        return today, None
    return local_period(quota.period, asked.arrive_on)


def _weight(quota: Quota, one: Sent) -> int:
    return one.samples if quota.measure is Measure.SAMPLES else 1


def _same(quota: Quota, one: Sent, asked: Sent) -> bool:
    if quota.subject is Subject.PERSON:
        return one.person_id == asked.person_id
    return one.organisation_id == asked.organisation_id
