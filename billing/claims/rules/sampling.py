"""Which settled claims are looked at again: drawn so that anybody who has the same claims and the same seed draws the same. Pure; whole
numbers and SHA-256 only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from billing.ledger.rules.documents import sha256_of
from config.kernel.errors import Reason

#: More than this is not looked at by people.
MOST_DRAWN = 1000
MOST_CLAIMS = 100_000
SEED_LENGTH = 100
#: Digits and what stands between them: no name, which would have to be erased one day and then nobody could draw again.
_SEED = re.compile(r"[0-9][0-9 .,:;/+-]*", re.ASCII)


class Method(StrEnum):
    """``random``: every claim with the same chance. ``amount``: every yuan with the same chance, so that what is large is likelier, and
    what is as large as the step from one chosen yuan to the next is certain."""

    RANDOM = "random"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Settled:
    """A claim of which all was paid; ``amount_fen`` is above nil."""

    id: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How to draw: ``size`` claims, or a ``share`` of them in hundredths (rounded up); one of the two."""

    method: Method
    seed: str
    size: int | None = None
    share: int | None = None


def plan_faults(plan: Plan) -> list[Reason]:
    """What is wrong with a plan by itself."""
    found = []
    if not plan.seed:
        found.append(Reason("recheck.seed_missing", {}, "seed"))
    elif len(plan.seed) > SEED_LENGTH:
        found.append(Reason("recheck.seed_too_long", {"most": SEED_LENGTH}, "seed"))
    elif not _SEED.fullmatch(plan.seed):
        found.append(Reason("recheck.seed_signs", {}, "seed"))
    if (plan.size is None) == (plan.share is None):
        found.append(Reason("recheck.size_or_share", {}, "size"))
    elif plan.size is not None and not 1 <= plan.size <= MOST_DRAWN:
        found.append(Reason("recheck.size", {"most": MOST_DRAWN}, "size"))
    elif plan.share is not None and not 1 <= plan.share <= 100:
        found.append(Reason("recheck.share", {}, "share"))
    return found


def drawn_count(plan: Plan, claims: int) -> int:
    """How many of so many claims are drawn; all where more are asked for than there are."""
    if plan.share is not None:
        return -(-claims * plan.share // 100)
    return min(plan.size or 0, claims)


def draw(claims: Sequence[Settled], plan: Plan) -> list[Settled]:
    """The claims to look at, in the order in which they were drawn. The order in which ``claims`` come makes no difference.

    ``random``: those whose SHA-256 of seed and id is smallest. ``amount``: systematically by amount, in that same order: from a start that
    the seed chooses within the first step, every step's fen; what is at least a step is taken first, and the step found anew for the rest.
    """
    shuffled = sorted(claims, key=lambda each: (_hash(plan.seed, str(each.id)), each.id))
    count = drawn_count(plan, len(shuffled))
    if plan.method is Method.RANDOM:
        return shuffled[:count]
    certain: list[Settled] = []
    rest = shuffled
    while len(certain) < count:
        wanted, total = count - len(certain), sum(each.amount_fen for each in rest)
        large = [each for each in rest if each.amount_fen * wanted >= total][:wanted]
        if not large:
            return certain + _systematic(rest, wanted, plan.seed)
        certain += large
        taken = {each.id for each in large}
        rest = [each for each in rest if each.id not in taken]
    return certain


def _systematic(claims: Sequence[Settled], wanted: int, seed: str) -> list[Settled]:
    """One claim for each of ``wanted`` points a step apart on the line of all their amounts; none is as large as a step, so they differ.
    Positions are multiplied by ``wanted``, so that a step is a whole number."""
    step = sum(each.amount_fen for each in claims)
    point = _hash(seed, "start") % step
    found, passed = [], 0
    for each in claims:
        passed += each.amount_fen * wanted
        if point < passed:
            found.append(each)
            point += step
    return found


def _hash(seed: str, what: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\n{what}".encode()).digest())


def fingerprint(claims: Sequence[Settled]) -> str:
    """The SHA-256 of what was drawn from: ids and amounts, by id."""
    return sha256_of({"claims": sorted([each.id, each.amount_fen] for each in claims)})
