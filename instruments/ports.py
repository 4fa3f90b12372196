"""What the floors above want to hear of: somebody registers at start-up, and is called inside the transaction of the change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

CalendarListener = Callable[[Sequence[int]], None]

_calendar_listeners: list[CalendarListener] = []


def register_calendar_listener(listener: CalendarListener) -> None:
    """``listener`` is called with the ids of calendars whose opening rules changed; registering it twice calls it once."""
    if listener not in _calendar_listeners:
        _calendar_listeners.append(listener)


def calendar_changed(calendar_ids: Sequence[int]) -> None:
    """Tell every listener that the stored opening rules of these calendars (or their zone) are different now.

    Called by ``services.schedule_store`` once for each group of changes, after the last of them, in the same transaction
    and with the calendars locked.
    """
    if calendar_ids:
        for listener in _calendar_listeners:
            listener(calendar_ids)
