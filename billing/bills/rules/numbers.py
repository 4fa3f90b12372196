"""The numbers of bills (``ZD-2026-000123``) and credit notes (``HZ-2026-000007``), one series without gaps per owner and year, and the
payment reference that the customer writes on the transfer."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

REFERENCE_LETTERS = "JS"
_MODULUS = 97
_PLACE_DIGITS = 6
#: An owner of one digit, the year, the place and the check digits.
_LEAST_DIGITS = 1 + 2 + _PLACE_DIGITS + 2
#: What looks like a reference in a remark: the letters, then digits that people may have grouped.
_REFERENCE = re.compile(rf"{REFERENCE_LETTERS}[ \-_.:]?((?:[0-9][ \-]?){{11,30}})")


class Series(StrEnum):
    """The letters of a document's number."""

    BILL = "ZD"
    CREDIT_NOTE = "HZ"


def series_key(series: Series, owner_id: int, year: int) -> str:
    """The series in which an owner's documents of a (local) year are numbered."""
    return f"{series.value}/{owner_id}/{year}"


def document_number(series: Series, year: int, place: int) -> str:
    """The number at ``place`` (from 1). Raises ValueError for a place below one."""
    if place < 1:
        raise ValueError("a series begins with one")
    return f"{series.value}-{year}-{place:0{_PLACE_DIGITS}d}"


def payment_reference(owner_id: int, year: int, place: int) -> str:
    """What stands on the transfer of one bill: letters, owner, year, place, and two check digits (ISO 7064, mod 97-10), so that a digit
    mistyped or two exchanged never name another bill."""
    digits = f"{owner_id}{year % 100:02d}{place:0{_PLACE_DIGITS}d}"
    return f"{REFERENCE_LETTERS}{digits}{check_digits(digits)}"


def references_in(remark: str) -> tuple[str, ...]:
    """Every valid reference in a remark, in the order of the remark; width, case, blanks and hyphens do not matter."""
    plain = unicodedata.normalize("NFKC", remark).upper()
    found = []
    for match in _REFERENCE.finditer(plain):
        digits = _checked(match[1])
        if digits:
            found.append(REFERENCE_LETTERS + digits)
    return tuple(dict.fromkeys(found))


def _checked(written: str) -> str:
    """The digits of a reference: all that is written, else the longest part up to a blank or hyphen that holds (other figures follow it);
    empty: none does."""
    ends = [len(written), *(at for at in range(len(written) - 1, 0, -1) if written[at] in " -")]
    for end in ends:
        digits = re.sub(r"[^0-9]", "", written[:end])
        if len(digits) >= _LEAST_DIGITS and check_digits(digits[:-2]) == digits[-2:]:
            return digits
    return ""


def check_digits(digits: str) -> str:
    """The two digits (ISO 7064, mod 97-10) that go behind others; empty behind none."""
    return f"{98 - int(digits) * 100 % _MODULUS:02d}" if digits else ""
