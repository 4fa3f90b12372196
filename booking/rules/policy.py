"""What a lab asks of a reservation, and which of it a request breaks.

All lengths are minutes of elapsed time (never wall-clock difference); the grid and the horizon are wall time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from booking.rules.auto_approval import AutoApproval
from booking.rules.grid import grid_point_from, grid_point_until, is_on_grid
from booking.rules.quota import Quota
from booking.rules.usage import BillableBasis, BillableRule
from booking.rules.week_time import WeekTime, lies_within, parts_within
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import local_day, to_wall

_DAY_MINUTES = 24 * 60
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class BookingPolicy:
    """A lab's rules for booking one calendar.

    * ``granularity_minutes``: step of the grid on which reservations start and end, 1 to 1440, from local midnight.
    * ``min_minutes``, ``max_minutes``: shortest and longest reservation, both allowed.
    * ``notice_minutes``: how long before its start a reservation must be asked for.
    * ``horizon_days``: how many local days after today a reservation may start (0 = today only).
    * ``buffer_before_minutes``, ``buffer_after_minutes``: kept free of others around a reservation.
    * ``approval_required``: whether a request waits for the lab; ``pending_blocks``: whether it keeps others out
      while it waits.
    * ``cancel_notice_minutes``: a cancellation later than this before the start is late.
    * ``horizons``: (audience, days) for groups of customers that may book less far ahead than ``horizon_days``.
    * ``quotas``: what one person or organisation may book; ``peak`` are the times that quotas for peak hours count.
    * ``cool_off_minutes``: kept between two bookings of one person on the same instrument.
    * ``unlimited``: times in which quotas, cool-off, and longest length do not count for what lies in them wholly.
    * ``licence_needed``: operating it, there or from elsewhere, needs a licence; ``assisted_licence_needed``: being assisted needs one
      for that; ``licensed_times``: times that need one for off-hours (``booking.rules.licensing``).
    * ``no_show_grace_minutes``: how long the lab waits; ``late_may_use``: whether who comes later may still use the rest;
      ``early_start_minutes``: how long before its start a session may begin when the time is free.
    * ``billable_basis`` and ``billable_round_up_minutes``: what is charged of a session; ``agree_after_days``: when use that the
      customer says nothing about counts as agreed.
    * ``answer_minutes``: how soon the lab promises to answer a request; ``hold_minutes``: how long a time is kept for who fills the form.
    * ``auto_approval``: which requests count at once although the lab approves requests (None: none of them).

    Raises Refusal with every reason (``policy.*``, ``field`` naming the field) for a policy that nothing can satisfy.
    """

    granularity_minutes: int
    min_minutes: int
    max_minutes: int
    notice_minutes: int
    horizon_days: int
    buffer_before_minutes: int
    buffer_after_minutes: int
    approval_required: bool
    pending_blocks: bool
    cancel_notice_minutes: int
    no_show_grace_minutes: int = 30
    horizons: tuple[tuple[str, int], ...] = ()
    quotas: tuple[Quota, ...] = ()
    cool_off_minutes: int = 0
    peak: tuple[WeekTime, ...] = ()
    unlimited: tuple[WeekTime, ...] = ()
    licence_needed: bool = False
    assisted_licence_needed: bool = False
    licensed_times: tuple[WeekTime, ...] = ()
    late_may_use: bool = True
    early_start_minutes: int = 60
    billable_basis: BillableBasis = BillableBasis.BOOKED
    billable_round_up_minutes: int = 1
    agree_after_days: int = 7
    answer_minutes: int = 1440
    hold_minutes: int = 8
    auto_approval: AutoApproval | None = None

    def __post_init__(self) -> None:
        values = [(name, getattr(self, name)) for name in self.__slots__]
        reasons = [Reason("policy.negative", {"minimum": 0}, name) for name, value in values if type(value) is int and value < 0]
        if not 1 <= self.granularity_minutes <= _DAY_MINUTES:
            limits = {"minimum": 1, "maximum": _DAY_MINUTES}
            reasons.append(Reason("policy.granularity_out_of_range", limits, "granularity_minutes"))
        elif self.max_minutes < self.shortest_on_grid_minutes:
            fitting = {"shortest_minutes": self.shortest_on_grid_minutes}
            reasons.append(Reason("policy.no_length_fits", fitting, "max_minutes"))
        Refusal.raise_any(reasons)

    @property
    def shortest_on_grid_minutes(self) -> int:
        """The shortest allowed length that is a whole number of steps, in minutes."""
        return max(1, ceil(self.min_minutes / self.granularity_minutes)) * self.granularity_minutes

    @property
    def billable_rule(self) -> BillableRule:
        """What is charged of a session, and to how many minutes it is rounded."""
        return BillableRule(self.billable_basis, self.billable_round_up_minutes)

    @property
    def request_blocks(self) -> bool:
        """Whether a request keeps others out; also one that waits for somebody else than the lab, where the lab asks for no approval."""
        return self.pending_blocks or not self.approval_required

    def earliest_start(self, now: datetime) -> datetime:
        """The first instant at which a reservation asked for ``now`` may start."""
        return now + timedelta(minutes=self.notice_minutes)

    def horizon(self, zone: ZoneInfo, now: datetime) -> datetime:
        """The end of the last local day on which a reservation may start; a start must lie before it."""
        return self.horizon_of("", zone, now)

    def horizon_of(self, audience: str, zone: ZoneInfo, now: datetime) -> datetime:
        """As ``horizon``, for an audience that may book less far ahead."""
        days = min(dict(self.horizons).get(audience, self.horizon_days), self.horizon_days)
        return local_day(to_wall(now, zone).date() + timedelta(days=days), zone).ends_at

    def may_last(self, minutes: int) -> bool:
        """Whether a reservation may be so long at some time: longer than the longest only where some times know none, and between two
        points of the grid, which begins anew every midnight. On a day whose clock changes the grid has other lengths too."""
        on_grid = minutes % self.granularity_minutes == 0 or _DAY_MINUTES % self.granularity_minutes != 0
        return on_grid and self.min_minutes <= minutes and (minutes <= self.max_minutes or bool(self.unlimited))

    def where_so_long(self, duration: timedelta, free: Sequence[TimeRange], zone: ZoneInfo) -> Sequence[TimeRange]:
        """What of ``free`` a reservation of that length may lie in, as far as the longest length says: all of it, or only what lies in
        ``unlimited``."""
        if duration <= timedelta(minutes=self.max_minutes) or not free:
            return free
        hull = TimeRange(min(one.starts_at for one in free), max(one.ends_at for one in free))
        parts = parts_within(self.unlimited, hull, zone)
        return [room for one in free for part in parts if (room := one.intersect(part)) is not None]

    def nearest_length(self, minutes: int) -> int:
        """The shortest allowed length of at least so many minutes, else the longest that there is."""
        step = self.granularity_minutes
        return min(max(-(-minutes // step) * step, self.shortest_on_grid_minutes), self.max_minutes // step * step)

    def occupied(self, requested: TimeRange) -> TimeRange:
        """What ``requested`` takes of the calendar, buffers included."""
        return requested.widened(timedelta(minutes=self.buffer_before_minutes), timedelta(minutes=self.buffer_after_minutes))


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule of the policy: a cheap question, and a reason that says what would satisfy it."""

    is_broken: Callable[[BookingPolicy, TimeRange, ZoneInfo, datetime], bool]
    reason: Callable[[BookingPolicy, TimeRange, ZoneInfo, datetime], Reason]


def broken_rules(policy: BookingPolicy, requested: TimeRange, zone: ZoneInfo, now: datetime) -> list[Reason]:
    """Every rule that ``requested`` (without buffers) breaks, each saying what would satisfy it.

    Instants in the parameters are ISO 8601 with the site's offset. Codes: ``booking.in_the_past`` (earliest),
    ``booking.too_soon`` (earliest, notice_minutes), ``booking.beyond_horizon`` (latest, horizon_days),
    ``booking.too_short`` (min_minutes, minutes), ``booking.too_long`` (max_minutes, minutes), ``booking.off_grid`` and
    ``booking.end_off_grid`` (before, after, granularity_minutes). Opening hours and other reservations are not asked.
    """
    return [rule.reason(policy, requested, zone, now) for rule in _RULES if rule.is_broken(policy, requested, zone, now)]


def satisfies(policy: BookingPolicy, requested: TimeRange, zone: ZoneInfo, now: datetime) -> bool:
    """Whether ``requested`` breaks no rule; the same answer as empty ``broken_rules``, without building reasons."""
    return not any(rule.is_broken(policy, requested, zone, now) for rule in _RULES)


def free_until(starts_at: datetime, notice_minutes: int) -> datetime:
    """Until when a booking may be given back without being late, this instant included."""
    return starts_at - timedelta(minutes=notice_minutes)


def _iso(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).isoformat()


def _past_reason(policy: BookingPolicy, requested: TimeRange, zone: ZoneInfo, now: datetime) -> Reason:
    earliest = grid_point_from(now, zone, policy.granularity_minutes)
    return Reason("booking.in_the_past", {"earliest": _iso(earliest, zone)}, "starts_at")


def _too_soon_reason(policy: BookingPolicy, requested: TimeRange, zone: ZoneInfo, now: datetime) -> Reason:
    earliest = grid_point_from(policy.earliest_start(now), zone, policy.granularity_minutes)
    params = {"earliest": _iso(earliest, zone), "notice_minutes": policy.notice_minutes}
    return Reason("booking.too_soon", params, "starts_at")


def _beyond_horizon_reason(policy: BookingPolicy, requested: TimeRange, zone: ZoneInfo, now: datetime) -> Reason:
    latest = grid_point_until(policy.horizon(zone, now) - _MOMENT, zone, policy.granularity_minutes)
    params = {"latest": _iso(latest, zone), "horizon_days": policy.horizon_days}
    return Reason("booking.beyond_horizon", params, "starts_at")


def _too_short_reason(policy: BookingPolicy, requested: TimeRange, zone: ZoneInfo, now: datetime) -> Reason:
    params = {"min_minutes": policy.min_minutes, "minutes": requested.seconds // 60}
    return Reason("booking.too_short", params, "ends_at")


def _too_long_reason(policy: BookingPolicy, requested: TimeRange, zone: ZoneInfo, now: datetime) -> Reason:
    params = {"max_minutes": policy.max_minutes, "minutes": -(-requested.seconds // 60)}
    return Reason("booking.too_long", params, "ends_at")


def _off_grid_reason(policy: BookingPolicy, requested: TimeRange, zone: ZoneInfo, now: datetime) -> Reason:
    return Reason("booking.off_grid", _nearest_points(policy, requested.starts_at, zone), "starts_at")


def _end_off_grid_reason(policy: BookingPolicy, requested: TimeRange, zone: ZoneInfo, now: datetime) -> Reason:
    return Reason("booking.end_off_grid", _nearest_points(policy, requested.ends_at, zone), "ends_at")


def _nearest_points(policy: BookingPolicy, instant: datetime, zone: ZoneInfo) -> dict[str, str | int]:
    step = policy.granularity_minutes
    return {
        "before": _iso(grid_point_until(instant, zone, step), zone),
        "after": _iso(grid_point_from(instant, zone, step), zone),
        "granularity_minutes": step,
    }


_RULES: tuple[_Rule, ...] = (
    _Rule(lambda policy, requested, zone, now: requested.starts_at < now, _past_reason),
    _Rule(
        lambda policy, requested, zone, now: policy.notice_minutes > 0 and requested.starts_at < policy.earliest_start(now),
        _too_soon_reason,
    ),
    _Rule(lambda policy, requested, zone, now: requested.starts_at >= policy.horizon(zone, now), _beyond_horizon_reason),
    _Rule(
        lambda policy, requested, zone, now: requested.duration < timedelta(minutes=policy.min_minutes),
        _too_short_reason,
    ),
    _Rule(
        lambda policy, requested, zone, now: (
            requested.duration > timedelta(minutes=policy.max_minutes) and not lies_within(policy.unlimited, requested, zone)
        ),
        _too_long_reason,
    ),
    _Rule(
        lambda policy, requested, zone, now: not is_on_grid(requested.starts_at, zone, policy.granularity_minutes),
        _off_grid_reason,
    ),
    _Rule(
        lambda policy, requested, zone, now: not is_on_grid(requested.ends_at, zone, policy.granularity_minutes),
        _end_off_grid_reason,
    ),
)
