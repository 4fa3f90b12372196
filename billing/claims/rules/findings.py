"""Of which lines of a claim comes back what was found to be paid too much. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def spread(amount_fen: int, left: Mapping[int, int]) -> dict[int, int]:
    """Line -> what comes back of it: of the first line of which as much is left, else of one after the other. ``left``: line -> what is
    left of it; where all lines together hold less than the amount, all of that."""
    whole = next((line for line in sorted(left) if left[line] >= amount_fen), None)
    if whole is not None:
        return {whole: amount_fen}
    found, open_fen = {}, amount_fen
    for line in sorted(left):
        part = min(open_fen, left[line])
        if part > 0:
            found[line] = part
            open_fen -= part
    return found
