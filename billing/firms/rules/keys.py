"""One name for whoever a declaration is about, on the platform or not, so that sister firms meet at the same controller."""

from __future__ import annotations

import re
import unicodedata

PERSON_MARK = re.compile(r"[0-9A-Z]{4}")


def organisation_key(uscc: str, organisation_id: int) -> str:
    """Of an organisation: its unified social credit code, else its number here (a team, a firm from abroad)."""
    return f"uscc:{uscc}" if uscc else f"org:{organisation_id}"


def person_key(name: str, mark: str) -> str:
    """Of a natural person: the name and the last four characters of the identity document, which the platform does not keep whole."""
    return f"person:{unicodedata.normalize('NFKC', name).strip()}:{mark.strip().upper()}"
