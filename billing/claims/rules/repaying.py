"""Paying back what a claw-back notice asks for: the reference on the transfer, by when, and what is still open. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from billing.bills.rules.numbers import check_digits
from billing.claims.rules.numbers import Series, number_at

#: So many days after the notice the money is back, or it is taken off the next claim.
DAYS = 30
_LETTERS = Series.CLAWBACK.value
_NUMBER = re.compile(rf"{_LETTERS}-(\d{{4}})-(\d{{6,}})")
#: A reference (letters, two digits of the year, the place and two check digits, which people may group) or the number of a notice.
_NAMED = re.compile(rf"{_LETTERS}[ \-_.:]?((?:[0-9][ \-]?){{10,14}})")


class NoticeState(StrEnum):
    """``settled``: all of it was paid back or taken off claims. ``ended``: nothing is asked back any more, for its claim was rejected or
    withdrawn, or its line left out."""

    OPEN = "open"
    PARTLY = "partly"
    SETTLED = "settled"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class NoticeStanding:
    """What has become of a notice, in fen: ``set_off_fen`` is taken off claims that were handed in, ``repaid_fen`` came back and was
    confirmed by a second person, ``waiting_fen`` waits for that. ``planned_fen`` stands on drafts of claims and is open still. ``ended``:
    nothing is asked back any more."""

    total_fen: int
    set_off_fen: int = 0
    repaid_fen: int = 0
    waiting_fen: int = 0
    planned_fen: int = 0
    ended: bool = False

    @property
    def open_fen(self) -> int:
        return 0 if self.ended else self.total_fen - self.set_off_fen - self.repaid_fen - self.waiting_fen

    @property
    def state(self) -> NoticeState:
        done = self.set_off_fen + self.repaid_fen
        if done >= self.total_fen:
            return NoticeState.SETTLED
        if self.ended:
            return NoticeState.ENDED
        return NoticeState.PARTLY if done else NoticeState.OPEN


def reference_of(number: str) -> str:
    """What stands on the transfer that pays a notice back. Raises ValueError for what is no number of a notice."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        raise ValueError(f"not the number of a notice: {number}")
    digits = f"{int(match[1]) % 100:02d}{match[2]}"
    return f"{_LETTERS}{digits}{check_digits(digits)}"


def due_on(issued_on: date) -> date:
    """By when the money of a notice of a local day is back."""
    return issued_on + timedelta(days=DAYS)


def numbers_in(remark: str) -> tuple[str, ...]:
    """The numbers of the notices that a remark names, by reference or by number, in its order; width, case, blanks and hyphens do not
    matter. A reference with a digit mistyped names none."""
    plain = unicodedata.normalize("NFKC", remark).upper()
    found = [f"{_LETTERS}-{match[1]}-{match[2]}" for match in _NUMBER.finditer(plain)]
    for match in _NAMED.finditer(_NUMBER.sub(" ", plain)):
        digits = re.sub(r"[^0-9]", "", match[1])
        if len(digits) >= 10 and check_digits(digits[:-2]) == digits[-2:] and int(digits[2:-2]):
            found.append(number_at(Series.CLAWBACK, 2000 + int(digits[:2]), int(digits[2:-2])))
    return tuple(dict.fromkeys(found))
