"""Who assists in a session: somebody who works then and has nothing else; and when there is anybody at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from booking.rules.policy import BookingPolicy
from booking.rules.slots import Slot, free_ranges
from config.kernel.time_range import TimeRange, subtract

#: The mode of service in which somebody of the lab sits beside the user (``Instrument.ServiceMode``).
ASSISTED = "assisted"


NOBODY_ASSISTS = "booking.nobody_assists"


def meant_mode(asked: str, offered: Sequence[str]) -> str:
    """The mode of service that somebody means who named ``asked`` or none: the only one that there is."""
    return asked or (offered[0] if len(offered) == 1 else "")


@dataclass(frozen=True, slots=True)
class Helper:
    """Somebody who may assist on an instrument, as far as was looked.

    ``works``: the hours of work (None: whenever the instrument is open); ``busy``: sessions, buffers included, and absences;
    ``week_minutes``: how long the person assists in the week that is asked about.
    """

    id: int
    calendar_id: int
    person_id: int
    name: str = ""
    works: tuple[TimeRange, ...] | None = None
    busy: tuple[TimeRange, ...] = ()
    week_minutes: int = 0

    def is_free(self, occupied: TimeRange) -> bool:
        return not any(one.overlaps(occupied) for one in self.busy)

    def can(self, during: TimeRange, occupied: TimeRange) -> bool:
        """Whether the person works all of ``during`` and has nothing in ``occupied``, which is that with its buffers."""
        at_work = self.works is None or any(one.contains(during) for one in self.works)
        return at_work and self.is_free(occupied)


def in_turn(helpers: Iterable[Helper], during: TimeRange, occupied: TimeRange, kept_id: int | None = None) -> list[Helper]:
    """Those who can, in the order in which they are asked: who has the session already (``kept_id``), then who assists least in that
    week, then by id."""
    able = [one for one in helpers if one.can(during, occupied)]
    return sorted(able, key=lambda one: (one.id != kept_id, one.week_minutes, one.id))


def free_with(
    helpers: Sequence[Helper], opening: Sequence[TimeRange], busy: Sequence[TimeRange], policy: BookingPolicy, now: datetime
) -> list[TimeRange]:
    """``free_ranges`` in which one and the same of ``helpers`` can assist from start to end; sorted, none within another, but they may
    overlap: two people who follow each other make no session of both their times."""
    found: set[TimeRange] = set()
    for one in helpers:
        opened = opening if one.works is None else subtract(opening, subtract(opening, one.works))
        found.update(free_ranges(opened, [*busy, *one.busy], policy, now))
    kept: list[TimeRange] = []
    for each in sorted(found, key=lambda whole: (whole.starts_at, -whole.ends_at.timestamp())):
        if not kept or each.ends_at > kept[-1].ends_at:
            kept.append(each)
    return kept


def with_reason(rows: Iterable[Slot], alone: Sequence[TimeRange]) -> list[Slot]:
    """Rows of a day as ``free_with`` left them; those that nobody has booked say that nobody assists. ``alone``: when the instrument
    itself is free."""
    return [
        replace(row, why=NOBODY_ASSISTS)
        if row.why == "booking.taken" and any(whole.contains(row.range) for whole in alone)
        else row
        for row in rows
    ]
