"""What the registry tells others: that the opening hours or closures of calendars changed.

Whoever keeps something that was derived from them registers a listener at start-up. It is called inside the transaction of the
change, so that both are written or neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

CalendarListener = Callable[[Sequence[int]], None]

_listeners: list[CalendarListener] = []


def register_calendar_listener(listener: CalendarListener) -> None:
    """Have ``listener`` called with the ids of calendars whose entries changed; registering again changes nothing."""
    if listener not in _listeners:
        _listeners.append(listener)


def calendar_changed(calendar_ids: Sequence[int]) -> None:
    """Say that stored entries of these calendars changed; called by every service that writes them."""
    for listener in _listeners:
        listener(calendar_ids)
