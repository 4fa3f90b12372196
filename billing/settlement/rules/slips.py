"""Internal charge slips: their numbers (``NB-2026-000123``, a series without gaps per owner and year), and what a card pays."""

from __future__ import annotations

LETTERS = "NB"


def series_key(owner_id: int, year: int) -> str:
    """The series in which an owner's slips of a (local) year are numbered."""
    return f"{LETTERS}/{owner_id}/{year}"


def slip_number(year: int, place: int) -> str:
    """The number at ``place`` (from 1). Raises ValueError for a place below one."""
    if place < 1:
        raise ValueError("a series begins with one")
    return f"{LETTERS}-{year}-{place:06d}"


def covered_fen(due_fen: int, held_fen: int, left_fen: int | None) -> int:
    """What a card pays of what is due: what is held for it, and beyond that what is left on the card (None: no limit)."""
    return due_fen if left_fen is None else min(due_fen, held_fen + left_fen)
