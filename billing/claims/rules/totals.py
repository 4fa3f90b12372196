"""The identities of a batch: claims are their lines, the batch is its claims, and every award stands in the ledger. Pure; a service asks
before every change of a batch, ``check_invariants`` asks of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from billing.ledger.rules.money import split_largest_remainder


class LineKind(StrEnum):
    """``award``: what is claimed; ``clawback``: what is taken back of an earlier claim; ``batch_rule``: what a rule over the whole batch
    (a rate fixed afterwards, a pool divided in proportion) takes off an award's line."""

    AWARD = "award"
    CLAWBACK = "clawback"
    BATCH_RULE = "batch_rule"


class Standing(StrEnum):
    """``included`` counts. ``excluded`` does not count and is claimed nowhere else. ``postponed`` waits for a later batch. ``replaced``:
    another line says the same award anew, or the claim was withdrawn."""

    INCLUDED = "included"
    EXCLUDED = "excluded"
    POSTPONED = "postponed"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a claim with what the books say of its award. ``awarded_fen``: the award whole; ``ledger_fen``: what the pool's account
    was charged for it, None where the programme has no pool; ``credited_fen``: what had gone back by the time of the line."""

    id: int
    kind: LineKind
    standing: Standing
    amount_fen: int
    credited_fen: int = 0
    awarded_fen: int | None = None
    ledger_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim with the total that it says."""

    number: str
    total_fen: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """Control totals in fen: ``total_fen`` = awards + taken back + batch rules; left out lines stand beside."""

    claims: int
    lines: int
    awards_fen: int
    clawback_fen: int
    batch_rule_fen: int
    left_out_fen: int
    total_fen: int


def total_of(lines: Sequence[Line]) -> int:
    """What a claim comes to."""
    return sum(line.amount_fen for line in lines if line.standing is Standing.INCLUDED)


def totals(claims: Sequence[Claimed]) -> Totals:
    """The control totals of a batch, from its lines."""
    lines = [line for claim in claims for line in claim.lines]
    counted = [line for line in lines if line.standing is Standing.INCLUDED]
    by_kind: Mapping[LineKind, int] = {kind: sum(line.amount_fen for line in counted if line.kind is kind) for kind in LineKind}
    left_out = (Standing.EXCLUDED, Standing.POSTPONED)
    return Totals(
        claims=len(claims),
        lines=len(counted),
        awards_fen=by_kind[LineKind.AWARD],
        clawback_fen=by_kind[LineKind.CLAWBACK],
        batch_rule_fen=by_kind[LineKind.BATCH_RULE],
        left_out_fen=sum(line.amount_fen for line in lines if line.standing in left_out),
        total_fen=sum(by_kind.values()),
    )


def faults(claims: Sequence[Claimed]) -> list[str]:
    """Every identity that does not hold, for the log and the operator; none means the batch is proven."""
    found = []
    for claim in claims:
        said = total_of(claim.lines)
        if said != claim.total_fen:
            found.append(f"{claim.number}: says {claim.total_fen} fen, its lines {said}")
        if said < 0:
            found.append(f"{claim.number}: less than nothing")
        for line in claim.lines:
            found += [f"{claim.number}, line {line.id}: {fault}" for fault in _line_faults(line)]
    if totals(claims).total_fen != sum(claim.total_fen for claim in claims):
        found.append("the batch is not the sum of its claims")
    return found


def _line_faults(line: Line) -> list[str]:
    if line.kind is not LineKind.AWARD:
        return ["takes back less than nothing"] if line.amount_fen >= 0 else []
    found = []
    if line.awarded_fen is not None and line.amount_fen + line.credited_fen != line.awarded_fen:
        found.append(f"{line.amount_fen} and {line.credited_fen} gone back are not the award's {line.awarded_fen}")
    if line.ledger_fen is not None and line.awarded_fen is not None and line.ledger_fen != line.awarded_fen:
        found.append(f"awarded {line.awarded_fen}, posted {line.ledger_fen}")
    return found


def fitting(outstanding: Sequence[tuple[int, int]], room_fen: int) -> list[tuple[int, int]]:
    """Of what is to be clawed back (id, fen > 0) what fits into ``room_fen``, the oldest first; the rest waits for the next claim."""
    taken = []
    for key, amount in outstanding:
        part = min(amount, room_fen)
        if part > 0:
            taken.append((key, part))
            room_fen -= part
    return taken


def split_like(amount_fen: int, shares: Mapping[str, int]) -> dict[str, int]:
    """An amount between payers in the proportion of ``shares`` (fen; one below nil counts as nil), by largest remainder; the sum is the
    amount."""
    weights = [max(share, 0) for share in shares.values()]
    if not sum(weights):
        return dict.fromkeys(shares, 0)
    return dict(zip(shares, split_largest_remainder(amount_fen, weights), strict=True))
