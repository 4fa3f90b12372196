"""The lowest price of an hour that a price schedule offers to the public."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from billing.ledger.rules.documents import Document
from billing.ledger.rules.money import parse_yuan
from billing.pricing.rules.customer_class import INSIDE


def lowest_public_fen(document: Document) -> int | None:
    """Fen per hour over every band and every customer class but the owner's own people; None when only those have a price.

    ``document`` is a valid price schedule.
    """
    standard = _lowest(document["rates"])
    if standard is None:
        return None
    found = [Decimal(standard)]
    for band in document.get("bands", []):
        own = _lowest(band["rates"]) if "rates" in band else None
        found.append(Decimal(standard) * Decimal(band["ratio"]) if own is None else Decimal(own))
    return int(min(found).to_integral_value(ROUND_HALF_UP))


def _lowest(rates: Document) -> int | None:
    return min((parse_yuan(amount) for name, amount in rates.items() if name != INSIDE), default=None)
