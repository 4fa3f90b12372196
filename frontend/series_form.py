"""What somebody typed to repeat a time, or to change a series: kept as text, read as a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import get_args

from django.http import QueryDict

from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.rules.series import FREQUENCIES, MOST, Scope, SeriesRule
from booking.services.series import Pick
from booking.services.series_changes import Outcome, Seen, Step
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange
from frontend.booking_form import BookingForm, figures_of, read_day, read_id, read_range
from instruments.rules.recurrence import Frequency

ENDS = ("count", "until")
USUAL_COUNT = "4"


@dataclass(frozen=True, slots=True)
class SeriesForm:
    """``booking`` is the first time and what all share; ``ends`` says which of ``count`` and ``until`` is meant."""

    booking: BookingForm
    frequency: str = "weekly"
    every: str = "1"
    weekdays: tuple[str, ...] = ()
    ends: str = "count"
    count: str = USUAL_COUNT
    until: str = ""

    @classmethod
    def read(cls, data: QueryDict) -> SeriesForm:
        """From the query or the body of a request."""
        ends = data.get("ends", "")
        frequency = data.get("frequency", "")
        return cls(
            BookingForm.read(data),
            frequency if frequency in FREQUENCIES else FREQUENCIES[0],
            str(data.get("every", "1")).strip(),
            tuple(day for day in dict.fromkeys(data.getlist("weekday")) if day in tuple("0123456")),
            ends if ends in ENDS else ENDS[0],
            str(data.get("count", USUAL_COUNT)).strip(),
            str(data.get("until", "")).strip(),
        )

    def with_weekday(self) -> SeriesForm:
        """With the first time's weekday ticked where none is."""
        day = read_day(self.booking.on)
        return self if self.weekdays or day is None else replace(self, weekdays=(str(day.weekday()),))

    def rule(self) -> SeriesRule:
        """Raises Refusal with every field that cannot be read, and as ``SeriesRule``."""
        reasons: list[Reason] = []
        walls: tuple[datetime, datetime] | None = None
        try:
            walls = self.booking.walls()
        except Refusal as refusal:
            reasons += refusal.reasons
        every, count, until = _number(self.every), _number(self.count), read_day(self.until)
        if every is None:
            reasons.append(Reason("policy.out_of_range", {"minimum": 1, "maximum": 52}, "every"))
        if self.ends == "count" and count is None:
            reasons.append(Reason("policy.out_of_range", {"minimum": 1, "maximum": MOST}, "count"))
        if self.ends == "until" and until is None:
            reasons.append(Reason("booking.day_unreadable", {}, "until"))
        if reasons or walls is None or every is None:
            raise Refusal(*reasons)
        frequency: Frequency = next(one for one in get_args(Frequency) if one == self.frequency)
        weekdays = tuple(int(day) for day in self.weekdays) if frequency == "weekly" else ()
        by_count = self.ends == "count"
        return SeriesRule(*walls, frequency, every, weekdays, count if by_count else None, None if by_count else until)


def _number(text: str) -> int | None:
    """A whole number above zero."""
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 5 and int(text) else None


def pick_value(
    ordinal: int, during: TimeRange, expected: ExpectedFigures = NOTHING_EXPECTED, addons_fen: int | None = None
) -> str:
    """A time of the report as the value of its tick."""
    figures = ("" if one is None else str(one) for one in (expected.payable_now_fen, expected.final_cost_fen, addons_fen))
    return "|".join([str(ordinal), during.starts_at.isoformat(), during.ends_at.isoformat(), *figures])


def read_picks(values: Sequence[str]) -> list[Pick]:
    """The ticks that can be read, each time of the series once (the last that was ticked)."""
    found: dict[int, Pick] = {}
    for value in values[: 2 * MOST]:
        parts = value.split("|")
        if len(parts) != 6:
            continue
        if (during := read_range(f"{parts[1]}/{parts[2]}")) is None:
            continue
        addons_fen = figures_of(parts[5], "").payable_now_fen
        found[read_id(parts[0])] = Pick(read_id(parts[0]), during, figures_of(parts[3], parts[4]), addons_fen)
    return [found[ordinal] for ordinal in sorted(found)]


@dataclass(frozen=True, slots=True)
class SeriesChangeForm:
    """What to do with a series; ``booking`` is the new time of the ``anchor``-th."""

    booking: BookingForm
    step: Step
    scope: Scope
    anchor: int
    reason: str = ""

    @classmethod
    def read(cls, data: QueryDict) -> SeriesChangeForm:
        """From the query or the body of a request; what is unknown is as it is usual."""
        step, scope = data.get("step", ""), data.get("scope", "")
        return cls(
            BookingForm.read(data),
            Step(step) if step in list(Step) else Step.CANCEL,
            Scope(scope) if scope in list(Scope) else Scope.FOLLOWING,
            read_id(data.get("anchor", "")),
            " ".join(data.get("reason", "").replace("\x00", "").split())[:300],
        )


def seen_value(ordinal: int, outcome: Outcome, expected: ExpectedFigures) -> str:
    """A row of the report as the value of its tick."""
    figures = ("" if one is None else str(one) for one in (expected.payable_now_fen, expected.final_cost_fen))
    return "|".join([str(ordinal), str(outcome), *figures])


def read_seen(values: Sequence[str]) -> dict[int, Seen]:
    """The ticks that can be read, by ordinal."""
    rows = [value.split("|") for value in values[: 2 * MOST]]
    return {read_id(row[0]): Seen(row[1], figures_of(row[2], row[3])) for row in rows if len(row) == 4}
