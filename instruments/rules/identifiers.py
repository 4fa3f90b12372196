"""Identifiers of organisations as (scheme, value): the Chinese unified social credit code and its foreign peers.

The unified social credit code (GB 32100-2015, "USCC") has 18 characters: registering authority, kind, six digits of
administrative division, nine of organisation code (GB 11714, with a check character of its own) and a check character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from config.kernel.errors import Refusal

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_USCC_SHAPE = re.compile(rf"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ROR_SHAPE = re.compile(r"0[0-9a-hjkmnp-tv-z]{6}[0-9]{2}")
_ROR_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ROR_PREFIX = re.compile(r"\A(https?://)?(www\.)?ror\.org/")
_UKPRN_SHAPE = re.compile(r"1[0-9]{7}")
_FOREIGN_MAX_LENGTH = 64


class Scheme(StrEnum):
    USCC = "uscc"
    ROR = "ror"
    UK_UKPRN = "uk-ukprn"
    FOREIGN_REGISTRATION = "foreign-registration"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class OrganisationIdentifier:
    """An identifier in its normal form; ``value`` is empty exactly for scheme ``none``. Made by ``identify``."""

    scheme: Scheme
    value: str


def identify(scheme: Scheme, value: str) -> OrganisationIdentifier:
    """The identifier in normal form, so that equal identifiers are equal values.

    Raises Refusal ``identifier.invalid`` (field ``identifier``, parameter ``scheme``).
    """
    normal = _NORMALISE[scheme](value)
    if not _IS_VALID[scheme](normal):
        raise Refusal.of("identifier.invalid", "identifier", scheme=scheme.value)
    return OrganisationIdentifier(scheme, normal)


def normalise_uscc(text: str) -> str:
    """NFKC (full-width to plain), upper case, blanks around it removed; says nothing about validity."""
    return unicodedata.normalize("NFKC", text).strip().upper()


def is_valid_uscc(code: str) -> bool:
    """Whether a normalised code has the shape and both check characters (positions 17 and 18) of GB 32100-2015."""
    return (
        _USCC_SHAPE.fullmatch(code) is not None
        and code[16] == _organisation_check(code[8:16])
        and code[17] == _uscc_check(code[:17])
    )


def make_uscc(prefix8: str, organisation8: str) -> str:
    """A valid synthetic code for demonstrations: both check characters computed.

    ``prefix8`` is authority, kind and division ("91630100"); ``organisation8`` the organisation code without its
    check character. Raises ValueError when these cannot begin a code.
    """
    if len(prefix8) != 8 or _USCC_SHAPE.fullmatch(f"{prefix8}{organisation8}00") is None:
        raise ValueError("these parts cannot begin a unified social credit code")
    begun = prefix8 + organisation8 + _organisation_check(organisation8)
    return begun + _uscc_check(begun)


def _uscc_check(first17: str) -> str:
    return _USCC_ALPHABET[-_weighted(first17, _USCC_ALPHABET, _USCC_WEIGHTS) % 31]


def _organisation_check(first8: str) -> str:
    value = -_weighted(first8, _ORGANISATION_ALPHABET, _ORGANISATION_WEIGHTS) % 11
    return "X" if value == 10 else str(value)


def _weighted(text: str, alphabet: str, weights: Sequence[int]) -> int:
    return sum(alphabet.index(character) * weight for character, weight in zip(text, weights, strict=True))


def _normalise_ror(text: str) -> str:
    return _ROR_PREFIX.sub("", unicodedata.normalize("NFKC", text).strip().lower())


def _is_valid_ror(code: str) -> bool:
    """Shape and ISO 7064 mod 97-10 check digits over the base-32 number."""
    if _ROR_SHAPE.fullmatch(code) is None:
        return False
    number = 0
    for character in code[:7]:
        number = number * 32 + _ROR_ALPHABET.index(character)
    return int(code[7:]) == 98 - number * 100 % 97


def _normalise_plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


_NORMALISE: dict[Scheme, Callable[[str], str]] = {
    Scheme.USCC: normalise_uscc,
    Scheme.ROR: _normalise_ror,
    Scheme.UK_UKPRN: _normalise_plain,
    Scheme.FOREIGN_REGISTRATION: _normalise_plain,
    Scheme.NONE: _normalise_plain,
}

_IS_VALID: dict[Scheme, Callable[[str], bool]] = {
    Scheme.USCC: is_valid_uscc,
    Scheme.ROR: _is_valid_ror,
    Scheme.UK_UKPRN: lambda value: _UKPRN_SHAPE.fullmatch(value) is not None,
    Scheme.FOREIGN_REGISTRATION: lambda value: 0 < len(value) <= _FOREIGN_MAX_LENGTH and value.isprintable(),
    Scheme.NONE: lambda value: value == "",
}
