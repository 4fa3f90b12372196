"""One name for whoever a declaration is about, on the platform or not, so that sister firms meet at the same controller. Of organisations
on the platform ``billing.firms.loading`` says it."""

from __future__ import annotations

import hashlib
import re
import unicodedata

PERSON_MARK = re.compile(r"[0-9A-Z]{4}")


def person_key(name: str, mark: str) -> str:
    """Of a natural person, from the name and the last four characters of the identity document: a digest, because keys go into frozen
    facts that others read."""
    text = f"{unicodedata.normalize('NFKC', name).strip()}:{mark.strip().upper()}"
    return f"person:{hashlib.sha256(text.encode()).hexdigest()[:32]}"
