"""The guard before prices change: which changes are large enough that a person says yes to each."""

from __future__ import annotations

from enum import StrEnum


class Jump(StrEnum):
    """Why a change is asked about: it more than doubles, it more than halves, a price goes, or one comes where none was asked."""

    UP = "up"
    DOWN = "down"
    TO_REQUEST = "to_request"
    FROM_REQUEST = "from_request"


#: A new price beyond so many times the old one, or below one part in so many, is large.
LARGE = 2


def jump(was_fen: int | None, becomes_fen: int | None) -> Jump | None:
    """Whether a change of a price (None: on request) is a large one."""
    if was_fen == becomes_fen:
        return None
    if becomes_fen is None:
        return Jump.TO_REQUEST
    if was_fen is None:
        return Jump.FROM_REQUEST
    if becomes_fen > was_fen * LARGE:
        return Jump.UP
    return Jump.DOWN if becomes_fen * LARGE < was_fen else None
