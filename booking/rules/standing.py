"""What the rules of a lab ask of the person and the organisation that book: what they have booked, and what they may operate.

``booking.rules.policy`` looks at the time alone; this looks at who asks. Each rule is a small class that answers with a reason, which
says what would satisfy it, or with none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from booking.rules.licensing import OF_TRAINING, licences_needed
from booking.rules.policy import BookingPolicy
from booking.rules.quota import OF_SAMPLES, Booked, Period, Quota, period_around, quota_reason
from booking.rules.training import with_implied
from booking.rules.week_time import lies_within
from config.kernel.errors import Reason
from config.kernel.time_range import TimeRange

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, and by whom. ``booked`` is the range with person, organisation and instrument. ``attended``: somebody was named
    to assist there, so that whoever is assisted has them beside them."""

    booked: Booked
    audience: str
    service_mode: str
    zone: ZoneInfo
    now: datetime
    attended: bool = False

    @property
    def during(self) -> TimeRange:
        return self.booked.during


@dataclass(frozen=True, slots=True)
class Standing:
    """``others``: what the person or the organisation has booked of the lab's instruments, without what is asked for. ``licences``: the
    levels that the person holds for the instrument at that time. ``measures``: what stands against the person or organisation there."""

    others: Sequence[Booked] = ()
    licences: frozenset[str] = frozenset()
    measures: Sequence[Reason] = ()


class Rule(Protocol):
    """One question to a policy, about who asks."""

    def reason(self, policy: BookingPolicy, asked: Asked, standing: Standing) -> Reason | None:
        """The reason against it, or None."""


class HorizonOfAudience:
    """Groups of customers that may book less far ahead than the others."""

    def reason(self, policy: BookingPolicy, asked: Asked, standing: Standing) -> Reason | None:
        days = dict(policy.horizons).get(asked.audience)
        if days is None or days >= policy.horizon_days:
            return None
        last = policy.horizon_of(asked.audience, asked.zone, asked.now)
        if asked.during.starts_at < last:
            return None
        latest = (last - _MOMENT).astimezone(asked.zone).isoformat()
        return Reason("booking.beyond_horizon", {"latest": latest, "horizon_days": days}, "starts_at")


@dataclass(frozen=True, slots=True)
class WithinQuota:
    """One quota of the policy."""

    quota: Quota

    def reason(self, policy: BookingPolicy, asked: Asked, standing: Standing) -> Reason | None:
        if lies_within(policy.unlimited, asked.during, asked.zone):
            return None
        return quota_reason(self.quota, standing.others, asked.booked, policy.peak, asked.zone, asked.now)


class CoolOff:
    """The same person leaves time for others between two bookings of one instrument."""

    def reason(self, policy: BookingPolicy, asked: Asked, standing: Standing) -> Reason | None:
        if not policy.cool_off_minutes or lies_within(policy.unlimited, asked.during, asked.zone):
            return None
        gap = timedelta(minutes=policy.cool_off_minutes)
        kept = asked.during.widened(gap, gap)
        near = [
            one.during
            for one in standing.others
            if one.person_id == asked.booked.person_id
            and one.instrument_id == asked.booked.instrument_id
            and one.during.overlaps(kept)
        ]
        if not near:
            return None
        params = {
            "cool_off_minutes": policy.cool_off_minutes,
            "other_at": near[0].starts_at.astimezone(asked.zone).isoformat(),
            "from_at": (max(one.ends_at for one in near) + gap).astimezone(asked.zone).isoformat(),
        }
        return Reason("booking.cool_off", params, "starts_at")


class Licensed:
    """Operating an instrument or being at it needs a licence where the lab says so, and at some times one for off-hours."""

    def reason(self, policy: BookingPolicy, asked: Asked, standing: Standing) -> Reason | None:
        needed = licences_needed(policy, asked.service_mode, asked.during, asked.zone, attended=asked.attended)
        held = with_implied(standing.licences) if needed else frozenset()
        return next((reason for level, reason in needed.items() if level not in held), None)


def reasons_against(policy: BookingPolicy, asked: Asked, standing: Standing) -> list[Reason]:
    """Every rule about who asks that is broken, and the measures that stand."""
    rules: list[Rule] = [HorizonOfAudience(), *map(WithinQuota, policy.quotas), CoolOff(), Licensed()]
    found = [rule.reason(policy, asked, standing) for rule in rules]
    return [*standing.measures, *(reason for reason in found if reason is not None)]


def looks_at(policy: BookingPolicy, asked: Asked) -> TimeRange | None:
    """The time in which the others' starts matter for the rules, or None when no rule asks for them."""
    spans = [_span(quota.period, asked) for quota in policy.quotas if quota.measure not in OF_SAMPLES]
    if policy.cool_off_minutes:
        day = timedelta(days=31)  # a booking may be this long, and its start is what is looked up
        gap = timedelta(minutes=policy.cool_off_minutes)
        spans.append(asked.during.widened(gap + day, gap))
    if not spans:
        return None
    return TimeRange(min(one.starts_at for one in spans), max(one.ends_at for one in spans))


def _span(period: Period, asked: Asked) -> TimeRange:
    first, after = period_around(period, asked.during.starts_at, asked.zone, asked.now)
    return TimeRange(first, after or max(asked.now, asked.during.starts_at) + timedelta(days=800))


#: What the lab's staff may allow all the same, with a reason: rules of its own, never what the calendar or the past says.
OVERRIDABLE = frozenset(
    {
        "booking.too_soon",
        "booking.beyond_horizon",
        "booking.too_short",
        "booking.too_long",
        "booking.off_grid",
        "booking.end_off_grid",
        "booking.cool_off",
        *OF_TRAINING,
    }
)


def may_be_overridden(reason: Reason) -> bool:
    """Whether the lab's staff may book in spite of it."""
    return reason.code in OVERRIDABLE or reason.code.startswith(("quota.", "measure."))


def only_own_rules(reasons: Collection[Reason]) -> bool:
    """Whether something stands against a time and all of it is rules of the lab's own, which its staff may pass over."""
    return bool(reasons) and all(map(may_be_overridden, reasons))
