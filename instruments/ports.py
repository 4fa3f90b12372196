"""What the registry asks of prices. Billing implements it and registers it at start-up; without it nothing starts.

A test item's price belongs to billing (it is versioned and feeds the engine); the registry only sets it with an import and shows the
lowest one in its catalogue. Both happen inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    def public_from(self, resource_ids: Sequence[int], now: datetime) -> Mapping[int, ListPrice]:
        """The lowest price that anybody pays at an instant; items without a price are left out."""

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
