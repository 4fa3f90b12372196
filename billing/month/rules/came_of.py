"""What became of settlement statements, in amounts: treasuries pay claims, and a claim may be of several statements. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from billing.claims.rules.totals import split_like


@dataclass(frozen=True, slots=True)
class CameOf:
    """Of a statement, in fen: as it was issued; what of it was taken back since; what treasuries paid of it, whatever came back later; what
    they were to pay, did not, and stands on no list again."""

    issued_fen: int
    taken_back_fen: int = 0
    paid_fen: int = 0
    failed_fen: int = 0


@dataclass(frozen=True, slots=True)
class ClaimSums:
    """A claim: what it claims of each statement (by id; 0: of none yet), and what of all of it was paid and failed (fen)."""

    claimed: Mapping[int, int]
    paid_fen: int
    failed_fen: int


def came_of(issued: Mapping[int, int], taken_back: Mapping[int, int], claims: Iterable[ClaimSums]) -> dict[int, CameOf]:
    """By statement. What a claim was paid, less what was taken off it, is shared between its statements in proportion, each fen once."""
    found = {pk: CameOf(fen, taken_back.get(pk, 0)) for pk, fen in issued.items()}
    for claim in claims:
        shares = {str(pk): fen for pk, fen in sorted(claim.claimed.items())}
        paid, failed = split_like(claim.paid_fen, shares), split_like(claim.failed_fen, shares)
        for pk in claim.claimed.keys() & found.keys():
            before = found[pk]
            found[pk] = replace(before, paid_fen=before.paid_fen + paid[str(pk)], failed_fen=before.failed_fen + failed[str(pk)])
    return found
