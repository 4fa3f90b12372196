"""The schedule of an instrument's time at a price that two sides agreed on, made from the published one."""

from __future__ import annotations

from decimal import Decimal

from billing.ledger.rules.documents import Document

#: What a published schedule says beside its price of time, and what an agreed price leaves as it is.
_STAYS = ("currency", "rounding", "classes", "tax", "fees", "addons")
#: How long a unit is and how it is counted, where the agreement counts the same units.
_OF_THE_UNIT = ("unit_minutes", "step_minutes")


def agreed_document(published: Document, unit: str, unit_price_fen: int) -> Document:
    """A schedule (``billing.pricing.rules.schedule``) by which every unit of time costs ``unit_price_fen``, at any hour and to whoever the
    classes of the published one name: without its bands, steps, minimum, setting up and operator, which the agreed price stands for.

    Tax, fees for time left unused, add-ons and rounding stay as published.
    """
    price = str(Decimal(unit_price_fen).scaleb(-2))
    made = {name: published[name] for name in _STAYS if name in published}
    if published.get("unit", "hour") == unit:
        made |= {name: published[name] for name in _OF_THE_UNIT if name in published}
    return {"format": 2, "unit": unit, "rates": dict.fromkeys(published["rates"], price), **made}
