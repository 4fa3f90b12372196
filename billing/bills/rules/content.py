"""The content of a bill and of a credit note: everything that their PDF and XLSX show, as language-neutral JSON, assembled purely.

Amounts are ints of fen, instants local ISO texts with their offset, days local ISO dates. Codes stay codes; the documents put them into
words. The content of an issued document never changes; both files are made from it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

from billing.ledger.rules.money import Rounding, amount_in_capitals, round_fen
from billing.ordering.rules.content import Party

FORMAT = 1
Json = dict[str, Any]


class LineOf(StrEnum):
    """What a line is charged for."""

    SESSION = "session"
    SAMPLE_JOB = "sample_job"
    FEE = "fee"


class Tax(StrEnum):
    """What a bill says of tax: how much the fees contain, where the prices of its lines name a rate; otherwise that they do not show it
    apart. The VAT invoice does either way."""

    NOT_SHOWN = "not_shown"
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Deduction:
    """What a programme pays at once."""

    programme: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class LineTax:
    """The tax that the fee of a line contains, as its price was worked out: ``rate`` (``"0.06"`` is six per cent)."""

    rate: str
    tax_fen: int


@dataclass(frozen=True, slots=True)
class BillLine:
    """One charge. ``starts_at``/``ends_at`` are local to ``zone``; ``quantity`` with ``unit`` says how much (hours, samples).
    ``fee_kind``: why unused time costs something. ``relieved_fen`` of a fee had fallen away when the bill was issued.
    ``purchase_order``: the customer's own number for it (empty: none)."""

    of: LineOf
    source_id: int
    place_id: int
    reference: str
    subject: str
    subject_en: str
    inner_id: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    quantity: str
    unit: str
    charged_on: date
    gross_fen: int
    deductions: tuple[Deduction, ...]
    relieved_fen: int
    amount_fen: int
    fee_kind: str = ""
    purchase_order: str = ""
    tax: LineTax | None = None

    def as_json(self, position: int, *, prior: bool) -> Json:
        """``prior``: the use ended before the month of the bill."""
        return {
            "position": position,
            "of": self.of.value,
            "source": self.source_id,
            "place": self.place_id,
            "reference": self.reference,
            "subject": {"name": self.subject, "name_en": self.subject_en, "inner_id": self.inner_id},
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
            "zone": self.zone,
            "quantity": self.quantity,
            "unit": self.unit,
            "charged_on": self.charged_on.isoformat(),
            "gross_fen": self.gross_fen,
            "deductions": [{"programme": each.programme, "amount_fen": each.amount_fen} for each in self.deductions],
            "relieved_fen": self.relieved_fen,
            "amount_fen": self.amount_fen,
            "fee_kind": self.fee_kind,
            "prior_period": prior,
            **({"purchase_order": self.purchase_order} if self.purchase_order else {}),
            **({"tax": asdict(self.tax)} if self.tax is not None else {}),
        }


class Inconsistent(ValueError):
    """Raised when a charge does not add up: nothing may be issued from it."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the lines: both sides as they are now (the owner with its bank), the last day up to which charges are taken,
    the day of issue and the one on which payment is due. ``reviewer``: who released what ``maker`` made, empty where nobody else did."""

    owner: Party
    customer: Party
    until_on: date
    made_on: date
    due_on: date
    maker: str
    reviewer: str = ""


def assemble(heading: Heading, lines: Sequence[BillLine]) -> Json:
    """A bill without number and payment reference. Raises Inconsistent when a line is not what its parts give."""
    for line in lines:
        if line.amount_fen != line.gross_fen - sum(each.amount_fen for each in line.deductions) - line.relieved_fen:
            raise Inconsistent(f"{line.reference}: {line.amount_fen} fen")
    total = sum(line.amount_fen for line in lines)
    month = heading.until_on.replace(day=1)
    return {
        "format": FORMAT,
        "kind": "bill",
        "number": "",
        "payment_reference": "",
        "made_on": heading.made_on.isoformat(),
        "period": {
            "first_day": min((line.charged_on for line in lines), default=heading.until_on).isoformat(),
            "last_day": heading.until_on.isoformat(),
        },
        "due_on": heading.due_on.isoformat(),
        "owner": asdict(heading.owner),
        "customer": asdict(heading.customer),
        "lines": [line.as_json(place, prior=line.ends_at.date() < month) for place, line in enumerate(lines, start=1)],
        "tax": (Tax.SHOWN if any(line.tax is not None for line in lines) else Tax.NOT_SHOWN).value,
        "totals": {
            "lines": len(lines),
            "gross_fen": sum(line.gross_fen for line in lines),
            "deducted_fen": sum(each.amount_fen for line in lines for each in line.deductions),
            "relieved_fen": sum(line.relieved_fen for line in lines),
            "total_fen": total,
            "capitals": amount_in_capitals(total, currency=True),
        },
        "maker": heading.maker,
        **({"reviewer": heading.reviewer} if heading.reviewer else {}),
    }


@dataclass(frozen=True, slots=True)
class TaxRow:
    """What the lines of one rate contain, in fen: ``net_fen`` + ``tax_fen`` = ``gross_fen``."""

    rate: str
    gross_fen: int
    tax_fen: int

    @property
    def net_fen(self) -> int:
        return self.gross_fen - self.tax_fen


def tax_rows(content: Mapping[str, Any]) -> tuple[TaxRow, ...]:
    """The tax that the fees of a bill's lines contain, by rate (of a credit note: the fee that it credits; those of earlier releases say
    only that of the whole line); lines whose price names none are left out."""
    sums: dict[str, tuple[int, int]] = {}
    for line in content["lines"] if content["kind"] == "bill" else [content.get("credited", content["line"])]:
        if tax := line.get("tax"):
            gross, part = sums.get(tax["rate"], (0, 0))
            sums[tax["rate"]] = (gross + line["gross_fen"], part + tax["tax_fen"])
    return tuple(TaxRow(rate, *each) for rate, each in sorted(sums.items()))


def numbered(content: Json, number: str, payment_reference: str) -> Json:
    """A bill as issued."""
    return {**content, "number": number, "payment_reference": payment_reference}


@dataclass(frozen=True, slots=True)
class SubsidyBack:
    """A part of an award that goes back with a credit note; ``payers`` share it. ``claimed``: a statement holds the award already;
    ``handed_in``: a claim does that was handed in, so that a claw-back follows."""

    award_id: int
    programme: str
    amount_fen: int
    payers: tuple[tuple[str, int], ...]
    claimed: bool
    handed_in: bool = False


@dataclass(frozen=True, slots=True)
class CreditEffect:
    """What crediting a part of a bill's line does, in fen. ``amount_fen``: the customer owes less. ``unpaid_fen`` of it was not paid yet,
    ``freed_fen`` was: that money becomes free on its payments. ``subsidy`` goes back: (award id, programme, amount, whether it stands on
    a settlement statement already and is to be clawed back there). ``card_fen`` goes back to the fund card that paid the line."""

    amount_fen: int
    unpaid_fen: int
    freed_fen: int
    subsidy: tuple[SubsidyBack, ...]
    card_fen: int = 0

    @property
    def subsidy_fen(self) -> int:
        return sum(each.amount_fen for each in self.subsidy)


def credited_fee(line: Json, before_fen: int, amount_fen: int) -> Json | None:
    """The fee that a credit takes back with the tax in it, after ``before_fen`` of what the customer owes for the line was credited: the
    same share of both, so that the credits of a whole line add up to it to the fen. None where the price names no tax."""
    tax = line.get("tax")
    if tax is None:
        return None

    def taken(of_fen: int) -> int:
        first, last = (Fraction(of_fen * credited, line["amount_fen"]) for credited in (before_fen, before_fen + amount_fen))
        return round_fen(last, Rounding.HALF_UP) - round_fen(first, Rounding.HALF_UP)

    return {"gross_fen": taken(line["gross_fen"]), "tax": {"rate": tax["rate"], "tax_fen": taken(tax["tax_fen"])}}


def assemble_credit(
    bill: Json, line: Json, effect: CreditEffect, left_fen: int, reason_code: str, reason: str, made_on: date, maker: str
) -> Json:
    """A credit note without its number, from the frozen bill and the line of it that it credits; ``left_fen`` of the line was not credited
    before."""
    credited = credited_fee(line, line["amount_fen"] - left_fen, effect.amount_fen)
    return {
        "format": FORMAT,
        "kind": "credit_note",
        "number": "",
        "bill": bill["number"],
        "payment_reference": bill["payment_reference"],
        "made_on": made_on.isoformat(),
        "owner": bill["owner"],
        "customer": bill["customer"],
        "line": line,
        **({"credited": credited} if credited is not None else {}),
        "reason_code": reason_code,
        "reason": reason,
        "subsidy": [
            {
                "award": each.award_id,
                "programme": each.programme,
                "amount_fen": each.amount_fen,
                "payers": [{"payer": payer, "amount_fen": amount} for payer, amount in each.payers],
                "claimed": each.claimed or each.handed_in,
            }
            for each in effect.subsidy
        ],
        "totals": {
            "total_fen": effect.amount_fen,
            "subsidy_fen": effect.subsidy_fen,
            "capitals": amount_in_capitals(effect.amount_fen, currency=True),
            **({"card_fen": effect.card_fen} if effect.card_fen else {}),
        },
        "tax": bill["tax"],
        "maker": maker,
    }
