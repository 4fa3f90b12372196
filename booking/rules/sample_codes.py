"""The code on a sample's label: eight characters that cannot be mistaken for each other, and one that finds a mistyped one."""

from __future__ import annotations

import unicodedata

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 characters, a prime number: every single wrong character and every two that changed places are found."""
BODY_LENGTH = 8
_PLACE = {character: place for place, character in enumerate(ALPHABET)}


def with_check(body: str) -> str:
    """``body`` (eight characters of ``ALPHABET``) and its check character."""
    return body + _check(body)


def shown(code: str) -> str:
    """In groups, as it stands on the label: ``7K3M-Q9RT-H``."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


def read(text: str) -> str | None:
    """The code that somebody typed (small letters, full-width ones, spaces and hyphens are fine); None for one that cannot be right."""
    plain = "".join(character for character in unicodedata.normalize("NFKC", text).upper() if character not in " -_.\t")
    if len(plain) != BODY_LENGTH + 1 or any(character not in _PLACE for character in plain):
        return None
    return plain if _check(plain[:BODY_LENGTH]) == plain[BODY_LENGTH] else None


def _check(body: str) -> str:
    total = sum(weight * _PLACE[character] for weight, character in enumerate(body, start=2))
    return ALPHABET[total % len(ALPHABET)]
