"""The code on a paper: sixteen signs of an alphabet without look-alikes, in groups of four. Eighty bits: nobody guesses one."""

from __future__ import annotations

import re
import unicodedata

#: Crockford's base 32: no I, L, O, U.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
RANDOM_BYTES = 10
_GROUP = 4
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_CODE = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")


def code_of(random: bytes) -> str:
    """The code (without hyphens) of ten random bytes. Raises ValueError for another number of bytes."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a code is made of {RANDOM_BYTES} bytes")
    number = int.from_bytes(random)
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(LENGTH)))


def shown(code: str) -> str:
    """A code as it is printed: ``7K3M-9QXA-2B4C-D5E6``."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def read(typed: str) -> str:
    """The code that a person typed, whatever width, case, blanks and hyphens; look-alikes are read as what they look like. Empty: it is
    none."""
    plain = re.sub(r"[\s\-–—_.]", "", unicodedata.normalize("NFKC", typed)).upper().translate(_READ_AS)
    return plain if _CODE.fullmatch(plain) else ""
