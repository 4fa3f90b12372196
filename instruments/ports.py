"""What the national record asks of bookings and prices. Billing implements it and registers it at start-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class UseFacts:
    """An instrument's price in words (Chinese) and its use in a year: hours in all and for others, income from others in fen.

    Hours and income are None when nothing was counted.
    """

    fee_text: str = ""
    run_hours: Decimal | None = None
    service_hours: Decimal | None = None
    service_income_fen: int | None = None


class UsePort(Protocol):
    """Reads for many instruments at once, in a fixed number of queries."""

    def facts_of(self, instrument_ids: Sequence[int], on: date, year: int) -> Mapping[int, UseFacts]:
        """The price in force on the local day ``on`` and the use agreed in the calendar year; ids without any are left out."""


_registered: list[UsePort] = []


def register_use(port: UsePort) -> None:
    """Called once by billing's AppConfig."""
    _registered[:] = [port]


def use() -> UsePort:
    """The registered port. Raises RuntimeError when billing is missing."""
    if not _registered:
        raise RuntimeError("no implementation of instruments.ports.UsePort is registered")
    return _registered[0]
