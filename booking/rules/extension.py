"""Until when a running session can go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from booking.rules.grid import grid_point_from, is_on_grid
from booking.rules.policy import BookingPolicy
from booking.rules.week_time import parts_within
from config.kernel.errors import Reason
from config.kernel.time_range import TimeRange

MOST_OFFERED = 8


@dataclass(frozen=True, slots=True)
class Room:
    """What lies behind a session: ``open_until`` the end of the opening hours it runs in, ``taken_from`` the next that takes the
    calendar (buffers included; None: nothing in sight)."""

    open_until: datetime
    taken_from: datetime | None


def free_until(booked: TimeRange, room: Room, policy: BookingPolicy, zone: ZoneInfo) -> datetime:
    """The latest end that opening hours, others and the longest booking allow; never before the booked end.

    In the policy's unlimited times (wall time of ``zone``) a session that lies in them wholly may be longer than the longest.
    """
    latest = _room_until(room, policy)
    longest = booked.starts_at + timedelta(minutes=policy.max_minutes)
    if latest > longest:
        unlimited = parts_within(policy.unlimited, TimeRange(booked.starts_at, latest), zone)
        longest = max([longest, *(one.ends_at for one in unlimited if one.starts_at == booked.starts_at)])
    return max(min(latest, longest), booked.ends_at)


def _room_until(room: Room, policy: BookingPolicy) -> datetime:
    if room.taken_from is None:
        return room.open_until
    return min(room.open_until, room.taken_from - timedelta(minutes=policy.buffer_after_minutes))


def offered_ends(booked: TimeRange, room: Room, policy: BookingPolicy, zone: ZoneInfo, now: datetime) -> list[datetime]:
    """The next ends on the lab's grid that are free, soonest first, eight at most. All lie after ``now``."""
    latest = free_until(booked, room, policy, zone)
    point = max(booked.ends_at, now) + timedelta(microseconds=1)
    ends: list[datetime] = []
    while len(ends) < MOST_OFFERED:
        point = grid_point_from(point, zone, policy.granularity_minutes)
        if point > latest:
            break
        ends.append(point)
        point += timedelta(microseconds=1)
    return ends


def extension_faults(
    booked: TimeRange, ends_at: datetime, room: Room, policy: BookingPolicy, zone: ZoneInfo, now: datetime
) -> list[Reason]:
    """Why the session cannot go on until ``ends_at``; each says what is free.

    Codes: ``booking.extension_not_later`` (ends_at), those of ``nothing_offered``, ``booking.extension_not_free`` (free_until_at),
    ``booking.extension_off_grid`` (granularity_minutes, next_at).
    """
    if ends_at <= max(booked.ends_at, now):
        return [Reason("booking.extension_not_later", {"ends_at": _iso(booked.ends_at, zone)}, "ends_at")]
    offered: Sequence[datetime] = offered_ends(booked, room, policy, zone, now)
    if not offered:
        return [nothing_offered(booked, room, policy, zone, now)]
    latest = free_until(booked, room, policy, zone)
    if ends_at > latest:
        return [Reason("booking.extension_not_free", {"free_until_at": _iso(latest, zone)}, "ends_at")]
    if not is_on_grid(ends_at, zone, policy.granularity_minutes):
        params = {"granularity_minutes": policy.granularity_minutes, "next_at": _iso(offered[0], zone)}
        return [Reason("booking.extension_off_grid", params, "ends_at")]
    return []


def nothing_offered(booked: TimeRange, room: Room, policy: BookingPolicy, zone: ZoneInfo, now: datetime) -> Reason:
    """Why ``offered_ends`` is empty: ``booking.extension_longest`` (longest_minutes) where the time is free and the session would be longer
    than the longest, else ``booking.extension_nothing_free``."""
    soonest = grid_point_from(max(booked.ends_at, now) + timedelta(microseconds=1), zone, policy.granularity_minutes)
    if soonest <= _room_until(room, policy):
        return Reason("booking.extension_longest", {"longest_minutes": policy.max_minutes}, "ends_at")
    return Reason("booking.extension_nothing_free", {}, "ends_at")


def room_after(booked: TimeRange, opening: Sequence[TimeRange], busy: Sequence[TimeRange]) -> Room:
    """The room behind a session: ``opening`` as it is for its customer, ``busy`` what others have (not its own occupancy)."""
    open_until = max((one.ends_at for one in opening if one.starts_at <= booked.ends_at <= one.ends_at), default=booked.ends_at)
    later = [one.starts_at for one in busy if one.ends_at > booked.ends_at]
    return Room(open_until, min(later, default=None))


def _iso(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).isoformat()
