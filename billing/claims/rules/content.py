"""What the documents of claims say, as language-neutral JSON, assembled purely and frozen with their fingerprint.

Amounts are ints of fen, days ISO texts; codes stay codes. The redemption form (兑付申请表) is what a payee hands in, the payment list
(拨付明细表) what the treasury pays, the notice (追回通知) what has to come back, the publicity what everybody may read: no account, no
address, no contact is in it, and a natural person's name is masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from billing.ledger.rules.money import amount_in_capitals

FORMAT = 1
Json = dict[str, Any]
#: Kinds of payee that are firms and institutions; of everybody else the name is masked where the public reads it.
PUBLIC_KINDS = frozenset({"firm", "owner", "government"})


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch is called on paper; ``budget_item`` as the programme says it, None where it does not."""

    number: str
    programme: str
    name: Mapping[str, str]
    version: str
    mode: str
    fund_year: int
    from_on: date
    until_on: date
    office: str
    budget_item: Mapping[str, str] | None = None

    def as_json(self) -> Json:
        return {
            "number": self.number,
            "programme": self.programme,
            "name": dict(self.name),
            "version": self.version,
            "mode": self.mode,
            "fund_year": self.fund_year,
            "first_day": self.from_on.isoformat(),
            "last_day": self.until_on.isoformat(),
            "office": self.office,
            **({"budget_item": dict(self.budget_item)} if self.budget_item is not None else {}),
        }


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid, as it stands at issue, with where to."""

    name: str
    name_en: str
    kind: str
    code: str
    bank_name: str = ""
    bank_account_name: str = ""
    bank_account_number: str = ""

    def as_json(self) -> Json:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Repay:
    """By when and how what a notice says is paid back; ``due_on`` is None where nothing is payable yet, the office's account empty where it
    has said none."""

    due_on: date | None
    reference: str
    bank_name: str = ""
    bank_account_name: str = ""
    bank_account_number: str = ""

    def as_json(self) -> Json:
        due_on = self.due_on.isoformat() if self.due_on is not None else ""
        return {name: getattr(self, name) for name in self.__slots__} | {"due_on": due_on}


@dataclass(frozen=True, slots=True)
class FormLine:
    """A line of a claim on paper. ``award`` and ``charge`` are what it rests on; ``clawback`` the number of a notice."""

    position: int
    kind: str
    award: int
    charge: int
    inputs_sha256: str
    service_on: date
    reference: str
    subject: str
    other: str
    gross_fen: int
    amount_fen: int
    payers: Sequence[Mapping[str, Any]]
    invoice_number: str = ""
    clawback: str = ""

    def as_json(self) -> Json:
        found = {name: getattr(self, name) for name in self.__slots__}
        return {**found, "service_on": self.service_on.isoformat(), "payers": [dict(each) for each in self.payers]}


@dataclass(frozen=True, slots=True)
class ListLine:
    """A line of a payment list: what of a claim its payer pays. ``account_changed``: to another bank account than the
    claim was handed in with; said only where it is so.
    ``publicity``: the days on which the claim was public and what came of them (``services.papers.publicity_of``), None where it was not.
    ``invoices``: number and day of the payee's VAT invoices to the office, where what is claimed is bought.
    """

    position: int
    claim: str
    payee: Payee
    amount_fen: int
    of_claim_fen: int
    account_changed: bool = False
    publicity: Mapping[str, Any] | None = None
    invoices: Sequence[Mapping[str, str]] = ()

    def as_json(self, payer: str) -> Json:
        return {
            "position": self.position,
            "claim": self.claim,
            "payee": self.payee.as_json(),
            "amount_fen": self.amount_fen,
            "of_claim_fen": self.of_claim_fen,
            "payers": by_payer({payer: self.amount_fen}),
            **({"account_changed": True} if self.account_changed else {}),
            **({"publicity": dict(self.publicity)} if self.publicity is not None else {}),
            **({"invoices": [dict(each) for each in self.invoices]} if self.invoices else {}),
        }


@dataclass(frozen=True, slots=True)
class SurplusLine:
    """What came too much for a claw-back and goes back to its payee with a payment list, beside what the list pays."""

    notice: str
    payee: Payee
    amount_fen: int

    def as_json(self) -> Json:
        return {"notice": self.notice, "payee": self.payee.as_json(), "amount_fen": self.amount_fen}


def by_payer(amounts: Mapping[str, int]) -> list[Json]:
    """Amounts by payer in the order in which they were named."""
    return [{"payer": payer, "amount_fen": amount} for payer, amount in amounts.items()]


def sum_by_payer(lines: Iterable[Sequence[Mapping[str, Any]]]) -> dict[str, int]:
    """The sums of several lines' parts, by payer."""
    found: dict[str, int] = {}
    for parts in lines:
        for each in parts:
            found[each["payer"]] = found.get(each["payer"], 0) + each["amount_fen"]
    return found


def redemption_form(
    batch: Batch, payee: Payee, number: str, lines: Sequence[FormLine], evidence: Sequence[Json], maker: str, on: date
) -> Json:
    """A claim as it is handed in; ``evidence`` are its files, and the platform's own papers with the lines that they show, with their
    fingerprints."""
    total = sum(line.amount_fen for line in lines)
    return {
        "format": FORMAT,
        "kind": "redemption_form",
        "number": number,
        "made_on": on.isoformat(),
        "maker": maker,
        "batch": batch.as_json(),
        "payee": payee.as_json(),
        "lines": [line.as_json() for line in lines],
        "evidence": list(evidence),
        "totals": _totals(total, len(lines), sum_by_payer(line.payers for line in lines)),
    }


def payment_list(
    batch: Batch,
    number: str,
    payer: str,
    lines: Sequence[ListLine],
    maker: str,
    on: date,
    surplus: Sequence[SurplusLine] = (),
) -> Json:
    """What the treasury of ``payer`` is to pay; ``surplus`` goes to the same payees beside it and is no part of the total: it is their own
    money."""
    total = sum(line.amount_fen for line in lines)
    beside = sum(line.amount_fen for line in surplus)
    too_much = {"lines": [line.as_json() for line in surplus], "total_fen": beside, "transfer_fen": total + beside}
    return {
        "format": FORMAT,
        "kind": "payment_list",
        "number": number,
        "made_on": on.isoformat(),
        "maker": maker,
        "batch": batch.as_json(),
        "payer": payer,
        "lines": [line.as_json(payer) for line in lines],
        "totals": _totals(total, len(lines), {payer: total}),
        **({"surplus": too_much} if surplus else {}),
    }


def clawback_notice(
    batch: Batch,
    payee: Payee,
    number: str,
    line: FormLine,
    claim: str,
    cause: str,
    reason: str,
    maker: str,
    on: date,
    repay: Repay,
) -> Json:
    """What has to come back of an award that was claimed; ``line`` says it with an amount above nil."""
    return {
        "format": FORMAT,
        "kind": "clawback",
        "number": number,
        "made_on": on.isoformat(),
        "maker": maker,
        "batch": batch.as_json(),
        "payee": payee.as_json(),
        "claim": claim,
        "cause": cause,
        "reason": reason,
        "repay": repay.as_json(),
        "lines": [line.as_json()],
        "totals": _totals(line.amount_fen, 1, sum_by_payer([line.payers])),
    }


def publicity(batch: Batch, rows: Sequence[tuple[int, str, Payee, int]], from_on: date, until_on: date) -> Json:
    """What everybody may read: (claim id, claim number, payee, fen) of each claim."""
    return {
        "format": FORMAT,
        "kind": "publicity",
        "batch": batch.as_json(),
        "from_on": from_on.isoformat(),
        "until_on": until_on.isoformat(),
        "claims": [
            {"id": pk, "number": number, "payee": shown_name(payee.name, payee.kind), "amount_fen": amount}
            for pk, number, payee, amount in rows
        ],
        "totals": {"claims": len(rows), "total_fen": sum(amount for *_, amount in rows)},
    }


def shown_name(name: str, kind: str) -> str:
    """A payee's name as the public reads it: a firm's whole, of a team or a person only the first character."""
    return name if kind in PUBLIC_KINDS else f"{name[:1]}**"


def _totals(total_fen: int, lines: int, payers: Mapping[str, int]) -> Json:
    return {
        "lines": lines,
        "total_fen": total_fen,
        "payers": by_payer(payers),
        "capitals": amount_in_capitals(total_fen, currency=True),
    }
