"""The ledger as rows for people."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from billing import sources
from billing.ledger.books import Sums
from billing.ledger.models import Account, Transfer
from billing.ledger.rules.accounting import COLUMNS, FIGURES, Entry, EntryLine, lines
from billing.ledger.wording import ACCOUNTS, KINDS, reason_word
from billing.papers.check_models import BookCheck
from billing.papers.kinds import kinds
from billing.settlement.exports import plain_cell
from billing.sources import Place
from config.kernel.access import Actor
from config.kernel.errors import Reason
from config.kernel.messages import reason_sentence

Word = Promise | str
#: Accounts without a limit, beside those of ``billing.ledger.wording``.
OPEN_ACCOUNTS: Mapping[str, Word] = {
    "receivable": pgettext_lazy("ledger account", "Owed by a customer"),
    "revenue": pgettext_lazy("ledger account", "Billed"),
    "write_off": pgettext_lazy("ledger account", "Lost: written off"),
    "allowance": pgettext_lazy("ledger account", "Given up of what is owed"),
    "cash": pgettext_lazy("ledger account", "Money in"),
    "unassigned": pgettext_lazy("ledger account", "Free money"),
    "treasury": pgettext_lazy("ledger account", "Treasury"),
    "limits": pgettext_lazy("ledger account", "Where limits come from"),
    "awarded": pgettext_lazy("ledger account", "Subsidy given"),
    "fund_card": pgettext_lazy("ledger account", "Fund card"),
    "card_income": pgettext_lazy("ledger account", "Paid from fund cards"),
    "partner": pgettext_lazy("ledger account", "Partner region"),
    "prepaid": pgettext_lazy("ledger account", "A customer's prepaid money"),
    "prepaid_due": pgettext_lazy("ledger account", "Paid from prepaid money"),
    "spending_limit": pgettext_lazy("ledger account", "Spending limit of a member"),
    "elsewhere": pgettext_lazy("ledger account", "Received elsewhere"),
}
MOVES: Mapping[str, Word] = {**KINDS, "move": pgettext_lazy("movement", "Posted")}
#: What caused a posting, by the type of its source.
SOURCES: Mapping[str, Word] = {
    "account": pgettext_lazy("cause of a posting", "Account"),
    "allocation": pgettext_lazy("cause of a posting", "Money given to a bill"),
    "announcement": pgettext_lazy("cause of a posting", "Announcement of vouchers"),
    "award_reversal": pgettext_lazy("cause of a posting", "Subsidy that went back"),
    "bill": pgettext_lazy("cause of a posting", "Bill"),
    "cap_figure": pgettext_lazy("cause of a posting", "Figure of a limit"),
    "charge": pgettext_lazy("cause of a posting", "Charged use"),
    "claim": pgettext_lazy("cause of a posting", "Claim"),
    "credit_note": pgettext_lazy("cause of a posting", "Credit note"),
    "fund_card": pgettext_lazy("cause of a posting", "Fund card"),
    "held_back": pgettext_lazy("cause of a posting", "Left out of a month"),
    "opening_balance": pgettext_lazy("cause of a posting", "Opening balance"),
    "partner_region": pgettext_lazy("cause of a posting", "Partner region"),
    "payment": pgettext_lazy("cause of a posting", "Payment"),
    "payout": pgettext_lazy("cause of a posting", "Payout of a list"),
    "repayment": pgettext_lazy("cause of a posting", "Claw-back paid back"),
    "surplus_refund": pgettext_lazy("cause of a posting", "Money that came too much, sent back"),
    "prepaid": pgettext_lazy("cause of a posting", "Prepaid money"),
    "refund": pgettext_lazy("cause of a posting", "Refund of a payment"),
    "reservation": pgettext_lazy("cause of a posting", "Booking"),
    "sample_job": pgettext_lazy("cause of a posting", "Sample job"),
    "spending_limit": pgettext_lazy("cause of a posting", "Spending limit"),
    "top_up": pgettext_lazy("cause of a posting", "Top-up"),
    "voucher_application": pgettext_lazy("cause of a posting", "Application for a voucher"),
    "write_off": pgettext_lazy("cause of a posting", "Write-off of a bill"),
}


def account_word(kind: str) -> Word:
    """What an account of a kind is called; a kind of a programme's own keeps its code."""
    return OPEN_ACCOUNTS.get(kind) or ACCOUNTS.get(kind, kind)


@dataclass(frozen=True, slots=True)
class AccountRow:
    account: Account
    word: Word
    sums: Sums


def account_rows(rows: Sequence[Account], sums: Mapping[int, Sums]) -> list[AccountRow]:
    """Accounts of a list with their sums of a period."""
    return [AccountRow(row, account_word(row.kind), sums[row.pk]) for row in rows]


@dataclass(frozen=True, slots=True)
class PostingRow:
    """A posting on one account. ``balance_fen``: debits less credits of the account after it; ``source``: what caused it, in words, and
    ``url`` where its reader may read that."""

    transfer: Transfer
    at: datetime
    what: Word
    why: Word
    against: Account
    against_word: Word
    debit_fen: int
    credit_fen: int
    balance_fen: int
    source: str
    url: str


def posting_rows(actor: Actor, account: Account, postings: Sequence[Transfer], opening_fen: int) -> list[PostingRow]:
    """The postings of a page, from the balance before the first of them on; one query per type of source."""
    places = sources.places(actor, ((each.source_type, each.source_id) for each in postings))
    found, balance = [], opening_fen
    for each in postings:
        debited = each.debit_id == account.pk
        against = each.credit if debited else each.debit
        balance += each.amount_fen if debited else -each.amount_fen
        source, url = _source(each, places.get((each.source_type, each.source_id)))
        found.append(
            PostingRow(
                each, each.at, MOVES[each.kind], reason_word(each.reason, each.source_type), against, account_word(against.kind),
                each.amount_fen if debited else 0, 0 if debited else each.amount_fen, balance, source, url,
            )
        )  # fmt: skip
    return found


def _source(posting: Transfer, place: Place | None) -> tuple[str, str]:
    """What caused a posting, in words, and its address ("" for who may not see it)."""
    word = SOURCES.get(posting.source_type, posting.source_type)
    if place is None:
        return f"{word} {posting.source_id}", ""
    return f"{word} {place.number}", reverse(place.name, args=[] if place.pk is None else [place.pk])


def fault_sentences(check: BookCheck) -> list[str]:
    """What a check found, in the reader's language."""
    found = []
    for code, params in (check.outcome or {}).get("faults", []):
        kind = kinds().get(params.get("kind", ""))
        found.append(reason_sentence(Reason(code, {**params, "kind": kind.word} if kind else params)))
    return found


class _Echo:
    """A file that hands every line on."""

    def write(self, text: str) -> str:
        return text


def entries_csv(entries: Iterable[Entry], columns: Sequence[str], codes: Mapping[str, str] | None = None) -> Iterator[str]:
    """The double-entry lines of a period as CSV with a byte order mark, line by line; texts begin no formula."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(columns)
    for line in lines(entries, codes):
        yield writer.writerow([_cell(name, line) for name in columns])


def _cell(name: str, line: EntryLine) -> str:
    text = COLUMNS[name](line)
    return text if name in FIGURES else plain_cell(text)


def entries_json(entries: Iterable[Entry], columns: Sequence[str], codes: Mapping[str, str] | None = None) -> Iterator[str]:
    """The same as one JSON document, streamed: the lines, then how many and the two sums in fen, which are equal."""
    yield '{"lines":['
    count = debit = credit = 0
    for line in lines(entries, codes):
        row: dict[str, Any] = {name: COLUMNS[name](line) for name in columns}
        yield ("," if count else "") + json.dumps(row, ensure_ascii=False)
        count, debit, credit = count + 1, debit + line.debit_fen, credit + line.credit_fen
    yield f'],"count":{count},"debit_fen":{debit},"credit_fen":{credit}}}'


def column_help() -> str:
    """Which columns can be had, for the form."""
    return _("Separated by commas, in the order you want: %(columns)s. Empty: all.") % {"columns": ", ".join(COLUMNS)}
