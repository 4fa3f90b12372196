"""Where a paper stands, for who holds it in the hand. Nothing personal: no party, no line, no person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Status(StrEnum):
    """``PENDING``: made, but not yet signed by everybody who has to. ``CREDITED_IN_PART``: the paper counts, less what
    was taken back since. ``ENDED``: an offer or a contract that was never or is no longer open."""

    PENDING = "pending"
    VALID = "valid"
    CREDITED_IN_PART = "credited_in_part"
    CREDITED = "credited"
    VOID = "void"
    REPLACED = "replaced"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is answered of one paper. ``total_fen`` None: the paper has no total; ``credited_fen`` of it was taken back, by the papers
    with these numbers (``credited_by``), where they are known. ``replaced_by``: the number of the paper that took its place, if one did."""

    number: str
    total_fen: int | None
    issued_on: date
    status: Status
    credited_fen: int = 0
    credited_by: tuple[str, ...] = ()
    replaced_by: str = ""


def after_credits(total_fen: int, credited_fen: int, *, void: bool = False) -> Status:
    """Where a paper over ``total_fen`` stands of which ``credited_fen`` was taken back."""
    if void:
        return Status.VOID
    if credited_fen <= 0:
        return Status.VALID
    return Status.CREDITED if credited_fen >= total_fen else Status.CREDITED_IN_PART
