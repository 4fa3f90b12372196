"""The digest of the lines of a document that is not issued yet. Pure.

Number and sum of lines alone do not see two changes that cancel each other out: one charge less, another one of the same amount more.
"""

from __future__ import annotations

from collections.abc import Iterable

from billing.ledger.rules.documents import sha256_of


def digest_of(lines: Iterable[tuple[str, int, int]]) -> str:
    """SHA-256 of (kind, id, amount in fen) of each line, in whatever order they come."""
    return sha256_of({"lines": [list(line) for line in sorted(lines)]})
