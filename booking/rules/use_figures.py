"""What an instrument was open, booked and used for within a window, in whole seconds, and what of it counts as effective and external.

Effective hours are counted as in the table by which the ministry of education judges large instruments (2000, taken over by the annual
assessment of open sharing): the hours that getting it ready, measuring and putting it back needed. Getting ready and putting back are the
buffers that the booking kept; measuring is the time that was really used. External hours are those of them for other legal units than the
owner. Their share is 0 while nothing was used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from statistics import median

from config.kernel.time_range import TimeRange, merge, subtract


@dataclass(frozen=True, slots=True)
class Use:
    """A session that is over: ``measured`` is its actual time, ``needed`` the same with what came before and after it."""

    measured: TimeRange
    needed: TimeRange
    external: bool


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of one instrument; parts may reach out of the window and lie over each other.

    ``offered``: when it was open and not under maintenance. ``booked``: all that was approved, ``missed``: those of them that nobody
    came to, the time of each its own.
    """

    offered: Sequence[TimeRange] = ()
    booked: Sequence[TimeRange] = ()
    missed: Sequence[TimeRange] = ()
    uses: Sequence[Use] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """Time that is booked, open or used twice counts once. ``sessions`` and ``missed`` count what began within the window."""

    offered_seconds: int = 0
    booked_seconds: int = 0
    used_seconds: int = 0
    beside_seconds: int = 0
    """Used while it was not offered."""
    effective_seconds: int = 0
    external_seconds: int = 0
    sessions: int = 0
    external_sessions: int = 0
    bookings: int = 0
    missed: int = 0
    missed_seconds: int = 0

    @property
    def booked_percent(self) -> int | None:
        """Booked of offered time; may be more than 100; None where nothing was offered."""
        return percent(self.booked_seconds, self.offered_seconds)

    @property
    def used_percent(self) -> int | None:
        """Used of offered time; may be more than 100; None where nothing was offered."""
        return percent(self.used_seconds, self.offered_seconds)

    @property
    def external_percent(self) -> int:
        """External of effective time."""
        return percent(self.external_seconds, self.effective_seconds) or 0

    @property
    def missed_percent(self) -> int | None:
        """Of the bookings; None without any."""
        return percent(self.missed, self.bookings)


def percent(part: int, whole: int) -> int | None:
    """To the nearest percent, halves up; None of nothing."""
    return (part * 200 + whole) // (whole * 2) if whole else None


def figures_of(story: Story, window: TimeRange) -> Figures:
    """The figures of one instrument within a window."""
    offered, booked = within(story.offered, window), within(story.booked, window)
    used = within((one.measured for one in story.uses), window)
    began = [one for one in story.uses if _began(one.measured, window)]
    missed = [one for one in story.missed if _began(one, window)]
    return Figures(
        offered_seconds=seconds(offered),
        booked_seconds=seconds(booked),
        used_seconds=seconds(used),
        beside_seconds=seconds(subtract(used, offered)),
        effective_seconds=seconds(within((one.needed for one in story.uses), window)),
        external_seconds=seconds(within((one.needed for one in story.uses if one.external), window)),
        sessions=len(began),
        external_sessions=sum(one.external for one in began),
        bookings=sum(_began(one, window) for one in story.booked),
        missed=len(missed),
        missed_seconds=sum(one.seconds for one in missed),
    )


def together(figures: Iterable[Figures]) -> Figures:
    """The sums over several instruments."""
    rows = list(figures)
    return Figures(**{one.name: sum(getattr(row, one.name) for row in rows) for one in fields(Figures)})


def within(ranges: Iterable[TimeRange], window: TimeRange) -> list[TimeRange]:
    """The union of the parts within the window: sorted and disjoint."""
    return merge(
        part
        for one in ranges
        if (part := one if window.contains(one) else one.intersect(window)) is not None  # to cut costs more than to look
    )


def seconds(ranges: Iterable[TimeRange]) -> int:
    return sum(one.seconds for one in ranges)


def middle(minutes: Iterable[int]) -> int | None:
    """The median, of an even number the lower whole minute between the two in the middle; None of nothing."""
    found = list(minutes)
    return int(median(found)) if found else None


def _began(one: TimeRange, window: TimeRange) -> bool:
    return window.starts_at <= one.starts_at < window.ends_at
