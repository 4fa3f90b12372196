"""The content of a quotation and of a commission sheet: everything their PDFs show, as language-neutral JSON, assembled purely.

Amounts are ints of fen, quantities texts of decimals, days local ISO dates. Codes stay codes; the documents put them into words. The
content of a document that was sent or issued never changes; its PDF is made from it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from billing.ledger.rules.money import amount_in_capitals
from billing.ordering.rules.lines import PricedLine, shown_quantity, total_fen

FORMAT = 1
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation as it stood when the document was made. ``code`` identifies it under ``scheme``; ``contact`` is a person."""

    name: str
    name_en: str = ""
    scheme: str = ""
    code: str = ""
    address: str = ""
    contact: str = ""
    contact_email: str = ""
    bank_name: str = ""
    bank_account_name: str = ""
    bank_account_number: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the lines. ``subject`` is the question that it answers."""

    number: str
    title: str
    made_on: date
    lab: Party
    customer: Party
    subject: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What stands below the lines of a quotation."""

    tax_note: str
    terms: str
    valid_until: date


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the two sides agree on in a commission sheet. ``due_on`` is when the results are promised, None where it is left open."""

    confidentiality: str
    confidentiality_note: str
    report_form: str
    report_note: str
    sample_handling: str
    sample_note: str
    due_on: date | None


def quotation_content(heading: Heading, lines: Sequence[PricedLine], offer: Offer) -> Json:
    """A quotation as it is frozen when it is sent."""
    return {
        "format": FORMAT,
        "kind": "quotation",
        **_heading(heading),
        "lines": [_line(place, line) for place, line in enumerate(lines, start=1)],
        **_totals(total_fen(lines)),
        "tax_note": offer.tax_note,
        "terms": offer.terms,
        "valid_until": offer.valid_until.isoformat(),
    }


def sheet_content(heading: Heading, quotation: Json, terms: str, agreement: Agreement) -> Json:
    """A commission sheet as it is frozen when it is issued: the lines and the money are those of the accepted quotation."""
    agreed = asdict(agreement) | {"due_on": agreement.due_on.isoformat() if agreement.due_on else ""}
    return {
        "format": FORMAT,
        "kind": "commission",
        **_heading(heading),
        "quotation": quotation["number"],
        "lines": quotation["lines"],
        **_totals(quotation["total_fen"]),
        "tax_note": quotation["tax_note"],
        "terms": terms,
        **agreed,
    }


def _heading(heading: Heading) -> Json:
    return {
        "number": heading.number,
        "title": heading.title,
        "made_on": heading.made_on.isoformat(),
        "lab": asdict(heading.lab),
        "customer": asdict(heading.customer),
        "subject": heading.subject,
    }


def _totals(fen: int) -> Json:
    return {"total_fen": fen, "capitals": amount_in_capitals(fen, currency=True)}


def _line(place: int, line: PricedLine) -> Json:
    return {
        "position": place,
        "kind": line.kind.value,
        "subject": line.subject_name,
        "description": line.description,
        "quantity": shown_quantity(line.quantity),
        "unit": line.unit,
        "unit_price_fen": line.unit_price_fen,
        "amount_fen": line.amount_fen,
    }
