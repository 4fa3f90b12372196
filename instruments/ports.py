"""What the registry tells those above it, who register at start-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

CalendarListener = Callable[[Sequence[int]], None]
_listeners: list[CalendarListener] = []


def register_calendar_listener(listener: CalendarListener) -> None:
    """Have ``listener`` called with the ids of calendars whose openings or closures changed, inside that transaction."""
    if listener not in _listeners:
        _listeners.append(listener)


def calendar_changed(calendar_ids: Sequence[int]) -> None:
    """Say that openings or closures of these calendars changed; part of the caller's transaction."""
    for listener in _listeners:
        listener(calendar_ids)
