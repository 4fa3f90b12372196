"""Opening hours in a registry file: so many hours a day become weekly windows, as the map declares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from config.kernel.errors import Refusal
from instruments.rules.registry_file import header_key

_WINDOW = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")
_KEYS = frozenset({"column", "windows", "weekdays"})


@dataclass(frozen=True, slots=True, order=True)
class DayWindow:
    """Open every week on ``weekday`` (0 is Monday); ``closes`` at or before ``opens`` is on the next day, as wall time."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class HoursPerDay:
    """The column that says how long it is open (its header key), and the windows of each value; no value means closed."""

    column: str
    windows: Mapping[str, tuple[DayWindow, ...]]


def hours_per_day(document: Any) -> HoursPerDay:
    """Check the key ``hours_per_day`` of a map: ``{"column": ..., "windows": {"10": "08:00-18:00"}, "weekdays": [1, 2]}``.

    ``weekdays`` count from 1 (Monday) to 7, all by default; 24:00 is the end of the day. Raises Refusal ``import.map_hours``.
    """
    if not isinstance(document, dict) or not set(document) <= _KEYS:
        raise Refusal.of("import.map_hours", "map")
    weekdays = document.get("weekdays", [1, 2, 3, 4, 5, 6, 7])
    column, windows = document.get("column"), document.get("windows")
    shapes = (
        isinstance(column, str) and bool(column.strip()),
        isinstance(windows, dict) and bool(windows),
        isinstance(weekdays, list) and bool(weekdays) and all(type(day) is int and 1 <= day <= 7 for day in weekdays),
    )
    if not isinstance(windows, dict) or not all(shapes):
        raise Refusal.of("import.map_hours", "map")
    return HoursPerDay(
        header_key(str(column)), {header_key(str(value)): _windows(text, weekdays) for value, text in windows.items()}
    )


def _windows(text: Any, weekdays: Sequence[int]) -> tuple[DayWindow, ...]:
    found = _WINDOW.fullmatch(text) if isinstance(text, str) else None
    if found is None or (found[3] == "24" and found[4] != "00"):
        raise Refusal.of("import.map_hours", "map")
    opens, closes = time(int(found[1]), int(found[2])), time(int(found[3]) % 24, int(found[4]))
    return tuple(DayWindow(day - 1, opens, closes) for day in sorted(set(weekdays)))
