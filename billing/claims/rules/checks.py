"""What is looked at by itself beside every claim. A check that fails stops nobody: it says where to look. Clean claims may pass
together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from billing.claims.rules.review import FILES, Asked


class CheckCode(StrEnum):
    """What is looked at, in the order in which it is shown."""

    EVIDENCE = "evidence"
    FILE_TWICE = "file_twice"
    INVOICE = "invoice"
    INVOICE_TWICE = "invoice_twice"
    INVOICE_RECORDED = "invoice_recorded"
    INVOICE_BILL = "invoice_bill"
    INVOICE_COUNTS = "invoice_counts"
    INVOICE_TOTAL = "invoice_total"
    INVOICE_BUYER = "invoice_buyer"
    WINDOW = "window"
    VALIDITY = "validity"
    YEAR = "year"
    DAYS = "days"
    ELIGIBLE = "eligible"
    BANK = "bank"
    ACCOUNT = "account"
    RELATED = "related"
    CREDIT = "credit"
    LEDGER = "ledger"
    HELD = "held"
    OBJECTION = "objection"


#: What a payee has to declare of a line before it is handed in, beside what ``Asked`` names.
DECLARATION = "declaration"
#: 20 digits of an electronic invoice, or code (10 or 12) and number (8) of a paper one.
_INVOICE = re.compile(r"^[0-9]{18}(?:[0-9]{2})?$")


@dataclass(frozen=True, slots=True)
class InvoiceSeen:
    """What is known of the invoice whose number a line says, as it was recorded: whether it is that of the bill of the service, something
    of it counts after red-letter ones, that is not below what is owed of its bill, and it is made out to the customer."""

    of_bill: bool
    counts: bool
    covers: bool
    to_customer: bool


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """What is looked at of a line that counts. ``used_elsewhere``: its invoice stands in another claim; ``in_ledger``: the accounts were
    charged what the award says; ``related``: the firm and the provider belong together, as far as is known; ``held_back``: finance
    lets no document take it. ``counts_on``: the date by which the award was counted; ``other_year``: the invoice that was recorded, or the
    claim, is of another year of the programme, which goes by its date; ``listed``: the programme would not pay the customer today;
    ``days_off``: the days of claim and invoice are not as it asks, or not known; ``lost``: eligible when it was used, not on those days;
    ``undeclared``: it asks for something that its payee has not declared; ``invoice``: what was recorded of its invoice, None where
    nothing was."""

    position: int
    service_on: date
    counts_on: date
    valid_from: date
    valid_until: date
    invoice_number: str
    used_elsewhere: bool
    in_ledger: bool
    related: bool
    held_back: bool = False
    other_year: bool = False
    listed: bool = False
    days_off: bool = False
    lost: bool = False
    undeclared: bool = False
    invoice: InvoiceSeen | None = None


@dataclass(frozen=True, slots=True)
class ShownPaper:
    """A paper of the platform that shows what is asked of some lines (``positions``), as a file with the claim would: ``kind`` is a value
    of ``Asked``, ``sha256`` its fingerprint."""

    kind: str
    name: str
    sha256: str
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FileTwice:
    """A file behind a claim that shows something else, too: ``positions`` are the lines here that it is of (none: it was added to the
    claim), ``claims`` the other claims (none: it is of several lines here). ``sha256`` names what is the same."""

    name: str
    sha256: str
    positions: tuple[int, ...]
    claims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CheckInput:
    """A claim as it is looked at. ``files``: kinds of evidence that were added; ``papers``: what the platform has itself;
    ``handed_in_on`` None while it is not handed in; ``account_changed``: the bank account is another one than it was handed in with;
    ``twice``: files behind it that show something else, too."""

    asks: Sequence[Asked]
    files: frozenset[str]
    has_bank_account: bool
    from_on: date
    until_on: date
    opens_on: date
    closes_on: date
    handed_in_on: date | None
    open_objections: int
    lines: Sequence[CheckedLine]
    account_changed: bool = False
    papers: Sequence[ShownPaper] = ()
    twice: Sequence[FileTwice] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One look: ``positions`` are the lines that it is about, ``missing`` what is not there, ``files`` those that are used twice."""

    code: CheckCode
    ok: bool
    positions: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()
    files: tuple[FileTwice, ...] = ()


def is_invoice_number(text: str) -> bool:
    """Whether a text has the form of an invoice's number: 20 digits, or those of code and number of a paper one."""
    return bool(_INVOICE.match(text))


def references_of(number: str) -> frozenset[str]:
    """What an invoice with this number may be called where it was used: of old paper also the number without its code."""
    is_paper = len(number) == 18 or number.startswith("0")
    return frozenset({number, number[-8:]} if is_paper else {number})


def look(claim: CheckInput) -> tuple[Check, ...]:
    """Every check of a claim, in order; those that a programme does not ask for are left out."""
    missing = _not_shown(claim)
    lacking = sorted({position for positions in missing.values() for position in positions})
    found = [Check(CheckCode.EVIDENCE, not missing, tuple(lacking), tuple(missing))]
    if claim.files or claim.papers or claim.twice:
        shared = sorted({position for each in claim.twice for position in each.positions})
        found.append(Check(CheckCode.FILE_TWICE, not claim.twice, tuple(shared), files=tuple(claim.twice)))
    if Asked.INVOICE_NUMBER in claim.asks:
        wrong = _where(claim, lambda line: not is_invoice_number(line.invoice_number))
        found.append(Check(CheckCode.INVOICE, not wrong, wrong))
    if any(line.invoice_number for line in claim.lines):
        twice = _where(claim, lambda line: line.used_elsewhere)
        found.append(Check(CheckCode.INVOICE_TWICE, not twice, twice))
        found += _recorded(claim)
    late = _where(claim, lambda line: not claim.from_on <= line.service_on <= claim.until_on)
    handed = claim.handed_in_on is None or claim.opens_on <= claim.handed_in_on <= claim.closes_on
    found.append(Check(CheckCode.WINDOW, not late and handed, late))
    invalid = _where(claim, lambda line: not line.valid_from <= line.counts_on <= line.valid_until)
    found.append(Check(CheckCode.VALIDITY, not invalid, invalid))
    if elsewhere := _where(claim, lambda line: line.other_year):
        found.append(Check(CheckCode.YEAR, ok=False, positions=elsewhere))
    if off_days := _where(claim, lambda line: line.days_off):
        found.append(Check(CheckCode.DAYS, ok=False, positions=off_days))
    if lost := _where(claim, lambda line: line.lost):
        found.append(Check(CheckCode.ELIGIBLE, ok=False, positions=lost))
    found.append(Check(CheckCode.BANK, claim.has_bank_account))
    if claim.account_changed:
        found.append(Check(CheckCode.ACCOUNT, ok=False))
    related = _where(claim, lambda line: line.related)
    found.append(Check(CheckCode.RELATED, not related, related))
    if bad := _where(claim, lambda line: line.listed):
        found.append(Check(CheckCode.CREDIT, ok=False, positions=bad))
    off = _where(claim, lambda line: not line.in_ledger)
    found.append(Check(CheckCode.LEDGER, not off, off))
    if withheld := _where(claim, lambda line: line.held_back):
        found.append(Check(CheckCode.HELD, ok=False, positions=withheld))
    if claim.open_objections:
        found.append(Check(CheckCode.OBJECTION, ok=False))
    return tuple(found)


def _recorded(claim: CheckInput) -> list[Check]:
    """Whether the invoices are those that were recorded here, and what those say."""
    unknown = _where(claim, lambda line: bool(line.invoice_number) and line.invoice is None)
    found = [Check(CheckCode.INVOICE_RECORDED, not unknown, unknown)]
    seen = [(line.position, line.invoice) for line in claim.lines if line.invoice is not None]
    for code, holds in _OF_INVOICE.items() if seen else ():
        wrong = tuple(position for position, invoice in seen if not holds(invoice))
        found.append(Check(code, not wrong, wrong))
    return found


#: What has to hold of an invoice that was recorded. The total of one that was taken back whole is nothing to look at besides.
_OF_INVOICE: Mapping[CheckCode, Callable[[InvoiceSeen], bool]] = {
    CheckCode.INVOICE_BILL: lambda invoice: invoice.of_bill,
    CheckCode.INVOICE_COUNTS: lambda invoice: invoice.counts,
    CheckCode.INVOICE_TOTAL: lambda invoice: invoice.covers or not invoice.counts,
    CheckCode.INVOICE_BUYER: lambda invoice: invoice.to_customer,
}


def is_clean(checks: Sequence[Check]) -> bool:
    """Whether nothing was found."""
    return all(check.ok for check in checks)


def to_complete(claim: CheckInput) -> Mapping[str, tuple[int, ...]]:
    """What its payee has to add before a claim can be handed in: what is asked -> the lines that lack it (none: the whole claim)."""
    found = _not_shown(claim)
    if Asked.BANK_ACCOUNT in claim.asks and not claim.has_bank_account:
        found[Asked.BANK_ACCOUNT.value] = ()
    if Asked.INVOICE_NUMBER in claim.asks and (wrong := _where(claim, lambda line: not is_invoice_number(line.invoice_number))):
        found[Asked.INVOICE_NUMBER.value] = wrong
    if undeclared := _where(claim, lambda line: line.undeclared):
        found[DECLARATION] = undeclared
    return found


def _not_shown(claim: CheckInput) -> dict[str, tuple[int, ...]]:
    """What is asked and shown by no file -> the lines that no paper shows it of either (none: no paper shows it of any line)."""
    found: dict[str, tuple[int, ...]] = {}
    for each in claim.asks:
        if each not in FILES or each.value in claim.files:
            continue
        shown = {position for paper in claim.papers if paper.kind == each.value for position in paper.positions}
        lacking = tuple(line.position for line in claim.lines if line.position not in shown)
        if lacking or not claim.lines:
            found[each.value] = lacking if shown else ()
    return found


def _where(claim: CheckInput, fails: Callable[[CheckedLine], bool]) -> tuple[int, ...]:
    return tuple(line.position for line in claim.lines if fails(line))
