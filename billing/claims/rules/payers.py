"""What each treasury gives of a claim, and what of it waits: each pays its own share, from a payment list of its own. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from billing.claims.rules.totals import split_like


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a list that holds: ``paid_fen`` of it was paid (None: not known yet). ``payer`` is empty on lists from before they were
    made for each payer."""

    payer: str
    amount_fen: int
    paid_fen: int | None

    @property
    def held_fen(self) -> int:
        """What it takes of the claim."""
        return self.amount_fen if self.paid_fen is None else self.paid_fen


@dataclass(frozen=True, slots=True)
class Shared:
    """A claim's amount, the shares of its lines by payer (fen; what is taken back may put one below nil), and its lines on lists."""

    total_fen: int
    shares: Mapping[str, int]
    listed: Sequence[Listed] = ()


@dataclass(frozen=True, slots=True)
class PayerSum:
    """Of one payer, in fen: claimed, on lists of which nothing is recorded, and paid."""

    payer: str
    claimed_fen: int = 0
    listed_fen: int = 0
    paid_fen: int = 0


def due(claim: Shared) -> dict[str, int]:
    """What each payer gives of a claim; the sum is the claim. A share below nil is borne by the others."""
    return split_like(claim.total_fen, claim.shares)


def left(claim: Shared) -> dict[str, int]:
    """What of it stands on no list and is not paid, by payer."""
    return _less(due(claim), _by_payer(claim, lambda each: each.held_fen))


def sums(claims: Iterable[Shared]) -> list[PayerSum]:
    """The control totals of several claims by payer: what is claimed sums up to the claims."""
    found: dict[str, PayerSum] = {}
    for claim in claims:
        waiting = _by_payer(claim, lambda each: each.amount_fen if each.paid_fen is None else 0)
        paid = _by_payer(claim, lambda each: each.paid_fen or 0)
        for payer, amount in due(claim).items():
            old = found.get(payer, PayerSum(payer))
            found[payer] = PayerSum(
                payer,
                old.claimed_fen + amount,
                old.listed_fen + waiting.get(payer, 0),
                old.paid_fen + paid.get(payer, 0),
            )
    return list(found.values())


def _by_payer(claim: Shared, amount_of: Callable[[Listed], int]) -> dict[str, int]:
    """Amounts of lines by payer; those of no payer are summed and divided once, as what each of them owes is, and so never more."""
    found: dict[str, int] = {}
    for each in claim.listed:
        found[each.payer] = found.get(each.payer, 0) + amount_of(each)
    whole = found.pop("", 0)
    for payer, part in split_like(whole, due(claim)).items() if whole else ():
        found[payer] = found.get(payer, 0) + part
    return found


def _less(amounts: Mapping[str, int], taken: Mapping[str, int]) -> dict[str, int]:
    return {payer: amount - taken.get(payer, 0) for payer, amount in amounts.items()}
