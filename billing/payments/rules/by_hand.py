"""Money that finance writes down by hand: what is checked, and whether it may be money that a bank's list brought too. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

#: Within so many days the same amount may be the same money: a cheque or a card payment reaches the bank later than it was taken.
NEAR_DAYS = 7
#: A shorter reference says nothing: it stands in many remarks.
LEAST_REFERENCE = 4
#: As much as a page lets anybody type.
MOST_FEN = 10**17
NO_LETTER = "[^0-9a-z一-鿿]+"


class Way(StrEnum):
    """How the money came: in cash, at a card terminal, by cheque, or to an account whose lists are not taken in (another bank's slip)."""

    CASH = "cash"
    CARD = "card"
    CHEQUE = "cheque"
    SLIP = "slip"


@dataclass(frozen=True, slots=True)
class Money:
    """Money as it is compared: amount (fen), day, and every text in which its reference may stand."""

    amount_fen: int
    on: date
    texts: tuple[str, ...]


def plain(text: str) -> str:
    """A reference as it is compared: small letters and digits alone, full width made plain."""
    return re.sub(NO_LETTER, "", unicodedata.normalize("NFKC", text).casefold())


def names(reference: str) -> bool:
    """Whether a reference, as it is compared, is long enough to say something where it stands."""
    return len(reference) >= LEAST_REFERENCE


def maybe_same(reference: str, amount_fen: int, on: date, other: Money) -> bool:
    """Whether money written down by hand under a reference may be ``other``: the reference stands there, or it is the same amount within
    a few days. A person says."""
    wanted = plain(reference)
    named = names(wanted) and any(wanted in plain(text) for text in other.texts)
    return named or (amount_fen == other.amount_fen and abs((on - other.on).days) <= NEAR_DAYS)
