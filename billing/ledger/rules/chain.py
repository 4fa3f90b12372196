"""The chain over the ledger: what a seal says of the transfers in it, and which of them are no longer what was sealed.

A transfer's digest is the SHA-256 of its canonical text; a link's is the SHA-256 of the link before it and the digests of its
transfers in order. Whoever knows the newest link (it is printed by ``manage.py verify_ledger`` and can be kept elsewhere) can tell
whether anything before it was changed, taken out or put in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

FIRST = "0" * 64
MARK_BYTES = 8


@dataclass(frozen=True, slots=True)
class Movement:
    """Everything a transfer says; ``at`` is an instant, ``amount_fen`` fen."""

    id: int
    kind: str
    debit_id: int
    credit_id: int
    amount_fen: int
    hold_id: int | None
    source_type: str
    source_id: int
    reason: str
    programme_version_id: int | None
    actor_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """``sha256`` of the link; ``marks`` are the first bytes of each transfer's digest, one after the other."""

    sha256: str
    marks: bytes


def digest(movement: Movement) -> bytes:
    """SHA-256 of the canonical text of one transfer."""
    values = [getattr(movement, name) for name in Movement.__slots__[:-1]]
    text = json.dumps([*values, movement.at.astimezone(UTC).isoformat()], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def link(previous_sha256: str, movements: Iterable[Movement]) -> Link:
    """The link that follows ``previous_sha256`` over these transfers, in their order."""
    whole = hashlib.sha256(previous_sha256.encode())
    marks = bytearray()
    for movement in movements:
        own = digest(movement)
        whole.update(own)
        marks += own[:MARK_BYTES]
    return Link(whole.hexdigest(), bytes(marks))


@dataclass(frozen=True, slots=True)
class Strays:
    """Transfers that differ from what was sealed: ``changed`` (or put in) ids, and how many are ``missing``."""

    changed: tuple[int, ...]
    missing: int


def strays(marks: bytes, movements: Sequence[Movement]) -> Strays:
    """Which transfers do not carry the mark they were sealed with. One that was taken out or put in shifts the marks; the others
    are still found."""
    sealed = [marks[place : place + MARK_BYTES] for place in range(0, len(marks), MARK_BYTES)]
    known = set(sealed)
    changed = tuple(movement.id for movement in movements if digest(movement)[:MARK_BYTES] not in known)
    return Strays(changed, max(0, len(sealed) - len(movements)))
