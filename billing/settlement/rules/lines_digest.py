"""What somebody looks at before a document is issued: totals, and the digest of its lines. Pure.

Number and sum of lines alone do not see two changes that cancel each other out: one charge less, another one of the same amount more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from billing.ledger.rules.documents import sha256_of


def digest_of(lines: Iterable[tuple[str, int, int]]) -> str:
    """SHA-256 of (kind, id, amount in fen) of each line, in whatever order they come."""
    return sha256_of({"lines": [list(line) for line in sorted(lines)]})


@dataclass(frozen=True, slots=True)
class Expected:
    """What somebody looked at before a document is issued: its control totals, and the digest of its lines (empty: not compared)."""

    line_count: int
    total_fen: int
    lines_sha256: str = ""

    def payload(self) -> dict[str, Any]:
        """As it stands among what a form asks for."""
        digest = {"lines_sha256": self.lines_sha256} if self.lines_sha256 else {}
        return {"lines": self.line_count, "total_fen": self.total_fen} | digest

    def surprise(self, real: Expected) -> str:
        """In what the document would be another one now: ``figures``, ``lines``, or nothing."""
        if (self.line_count, self.total_fen) != (real.line_count, real.total_fen):
            return "figures"
        return "lines" if self.lines_sha256 not in ("", real.lines_sha256) else ""
