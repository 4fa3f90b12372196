"""What the registry asks of the floors above, and tells them. They register at start-up.

A listener is called inside the transaction of the change that it wants to hear of. The prices of test items are billing's (they are
versioned and feed the engine); the registry sets them with an import and shows the lowest in its catalogue. Without an
implementation nothing starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from config.kernel.access import Actor


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What one ``unit`` of a test item costs, in fen; None is a price on request."""

    amount_fen: int | None
    unit: str


class SamplePricePort(Protocol):
    """Prices of test items, by the id of their resource."""

    def public_from(self, resource_ids: Sequence[int], on: date) -> Mapping[int, ListPrice]:
        """The lowest price that anybody pays on a local day; items without a price are left out."""

    def set_list_prices(
        self, actor: Actor, prices: Mapping[int, ListPrice], on: date, now: datetime
    ) -> Mapping[int, ListPrice | None]:
        """Publish the prices that differ from those in force; returns what those were (None: there was none)."""


_registered: list[SamplePricePort] = []


def register_sample_prices(port: SamplePricePort) -> None:
    """Called once by billing's AppConfig."""
    _registered[:] = [port]


def sample_prices() -> SamplePricePort:
    """The registered port. Raises RuntimeError when billing is missing."""
    if not _registered:
        raise RuntimeError("no implementation of instruments.ports.SamplePricePort is registered")
    return _registered[0]


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
