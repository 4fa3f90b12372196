"""Whether what an office gives is a sale of the provider to it, of which there is a VAT invoice. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any


class Invoiced(StrEnum):
    """No sale, so no invoice; one is asked for; payment lists wait for it too."""

    NONE = ""
    ASKED = "asked"
    BEFORE_PAYMENT = "before_payment"


def settlement_invoice(settlement: Mapping[str, Any]) -> Invoiced:
    """What a settlement says of the provider's invoice to the office; what is bought month by month is a sale without saying."""
    if settlement["mode"] != "paid_beside":
        return Invoiced.NONE
    bought = Invoiced.ASKED if settlement["form"] == "monthly_purchase" else Invoiced.NONE
    return Invoiced(settlement.get("vat_invoice", bought))


def invoiced(document: Mapping[str, Any], mode: str) -> Invoiced:
    """What a programme's document says of the invoice for what is settled in one way."""
    return next((settlement_invoice(each) for each in _settlements(document) if each["mode"] == mode), Invoiced.NONE)


def _settlements(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Those of its sides, and its own."""
    for side in document.get("sides", ()):
        if "settlement" in side:
            yield side["settlement"]
    if "settlement" in document:
        yield document["settlement"]
