"""Double-entry lines for another accounting programme: every movement as a debit line and a credit line of one voucher."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from billing.ledger.rules.money import plain_yuan


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement. ``debit`` and ``credit`` are (key, kind, organisation) of the account; ``at`` is local."""

    voucher: int
    on: date
    at: datetime
    debit: tuple[str, str, str]
    credit: tuple[str, str, str]
    amount_fen: int
    kind: str
    reason: str
    source: str
    programme: str


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One side of a movement: (key, kind, organisation) of its account and of the other one; one of the amounts is nil."""

    entry: Entry
    account: tuple[str, str, str]
    against: tuple[str, str, str]
    debit_fen: int
    credit_fen: int
    account_code: str = ""
    against_code: str = ""


#: Every column that can be had, in the usual order.
COLUMNS: Mapping[str, Callable[[EntryLine], str]] = {
    "voucher": lambda line: str(line.entry.voucher),
    "date": lambda line: line.entry.on.isoformat(),
    "time": lambda line: line.entry.at.isoformat(timespec="seconds"),
    "account": lambda line: line.account[0],
    "account_code": lambda line: line.account_code,
    "account_kind": lambda line: line.account[1],
    "organisation": lambda line: line.account[2],
    "against": lambda line: line.against[0],
    "against_code": lambda line: line.against_code,
    "debit": lambda line: plain_yuan(line.debit_fen) if line.debit_fen else "",
    "credit": lambda line: plain_yuan(line.credit_fen) if line.credit_fen else "",
    "kind": lambda line: line.entry.kind,
    "reason": lambda line: line.entry.reason,
    "source": lambda line: line.entry.source,
    "programme": lambda line: line.entry.programme,
}
#: What has to be there, or the file says nothing.
NEEDED = frozenset({"voucher", "account", "debit", "credit"})
#: Columns of figures: a sign before our own digits is no formula.
FIGURES = frozenset({"voucher", "debit", "credit"})


class UnknownColumns(ValueError):
    """Raised for columns that do not exist or a set without what is needed; ``names`` are the wrong or missing ones."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(sorted(names))
        super().__init__(", ".join(self.names))


def chosen_columns(text: str) -> tuple[str, ...]:
    """The columns of a text like ``voucher,date,account,debit,credit``, in its order; empty: all. Raises UnknownColumns."""
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip())) or tuple(COLUMNS)
    if wrong := set(names) - set(COLUMNS):
        raise UnknownColumns(wrong)
    if missing := NEEDED - set(names):
        raise UnknownColumns(missing)
    return names


#: A code has at most so many characters, and so many lines say codes.
CODE_LENGTH, MOST_CODES, KEY_LENGTH = 40, 500, 200


class UnreadableCodes(ValueError):
    """Raised for the first line that is no ``account = code``; ``line`` is what it says."""

    def __init__(self, line: str) -> None:
        self.line = line[:100]
        super().__init__(self.line)


def read_codes(text: str) -> dict[str, str]:
    """Account codes as people type them, one ``account = code`` in a line: an account is called by its key, or by how keys begin
    (``receivable``, ``receivable:7``). Raises UnreadableCodes."""
    found: dict[str, str] = {}
    for line in text.replace("\x00", "").replace("＝", "=").splitlines():
        if not line.strip():
            continue
        account, sign, code = (part.strip() for part in line.partition("="))
        too_long = len(account) > KEY_LENGTH or len(code) > CODE_LENGTH
        if not sign or not account or not code or too_long or not (account + code).isprintable() or account in found:
            raise UnreadableCodes(line.strip())
        found[account] = code
        if len(found) > MOST_CODES:
            raise UnreadableCodes(line.strip())
    return found


def written_codes(codes: Mapping[str, str]) -> str:
    """The same as they are typed."""
    return "\n".join(f"{account} = {code}" for account, code in codes.items())


def code_of(codes: Mapping[str, str], key: str) -> str:
    """The code of the account with that key: of itself, else of the longest beginning, whole parts only; empty: it has none."""
    parts = key.split(":")
    beginnings = (":".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((codes[each] for each in beginnings if each in codes), "")


def lines(entries: Iterable[Entry], codes: Mapping[str, str] | None = None) -> Iterator[EntryLine]:
    """Two lines for each movement, the debit first; debits and credits balance by construction. ``codes``: what another programme calls
    the accounts."""
    for entry in entries:
        debit, credit = (code_of(codes or {}, side[0]) for side in (entry.debit, entry.credit))
        yield EntryLine(entry, entry.debit, entry.credit, entry.amount_fen, 0, debit, credit)
        yield EntryLine(entry, entry.credit, entry.debit, 0, entry.amount_fen, credit, debit)
