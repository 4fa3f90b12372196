"""What was ordered together: services of one order share a limit per order (ADR 53).

An order is the commission sheet that both sides have signed and under which a service stands; without one the series in which its time was
asked for, else the instruments that were asked for at once; else the service is an order of its own, which has no name.
"""

from __future__ import annotations

from billing.settlement.contracts import Contract
from booking.models import Reservation

ASKED_NOW = "asked"
"""What is asked for together and has no name yet, for figures that nobody stores."""


def asked_together(reservation: Reservation) -> str:
    """A name for what a reservation was asked for with; empty where it was asked for alone. No query."""
    if reservation.series_id is not None:
        return f"series:{reservation.series_id}"
    return "" if reservation.group_id is None else f"group:{reservation.group_id}"


def order_of(contract: Contract | None, together: str) -> str | None:
    """The order of a service under a contract, or asked for ``together`` with others (empty: with none); None for one of its own."""
    return together or None if contract is None else f"sheet:{contract.number}"
