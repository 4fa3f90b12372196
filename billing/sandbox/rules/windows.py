"""Up to which days services are claimed together: the windows for claims that a programme names, or all of a period at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

_CLAIMED = "service.claim_on"
_EVERY_YEAR = len("MM-DD")


def batch_ends(document: Mapping[str, Any], first_on: date, last_on: date) -> tuple[date, ...]:
    """The last days of the windows in which services of these days can be claimed, in order; the last one is not before ``last_on``.

    Nothing where the document's windows do not say it: none for the day of the claim, several rules for it, or windows that end before
    the period does.
    """
    named = [each["any_of"] for each in document["validity"].get("windows", ()) if each["date"] == _CLAIMED and "any_of" in each]
    if len(named) != 1:
        return ()
    ends = sorted({end for window in named[0] for end in _ends(window, first_on, last_on) if end >= first_on})
    through = next((place for place, end in enumerate(ends) if end >= last_on), None)
    return () if through is None else tuple(ends[: through + 1])


def _ends(window: Mapping[str, str], first_on: date, last_on: date) -> Iterator[date]:
    """One window that is written out, or the same one of every year around the period."""
    if len(window["to"]) > _EVERY_YEAR:
        yield date.fromisoformat(window["to"])
        return
    for year in range(first_on.year - 1, last_on.year + 2):
        yield _day_of(year, window["to"])


def _day_of(year: int, day: str) -> date:
    """The day of a year; where that has no 29 February, the day before it."""
    try:
        return date.fromisoformat(f"{year}-{day}")
    except ValueError:
        return date(year, 2, 28)
