"""Deciding several requests with one press, of whatever kind: each by itself, and what cannot be decided says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from booking.rules.deciding import MOST_TOGETHER, Verdict
from booking.services.reject_reasons import Why
from config.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of them; ``refusal`` says why nothing did. ``rivals``: what became of the others that waited for its time."""

    pk: int
    refusal: Refusal | None = None
    rivals: tuple[Outcome, ...] = ()

    @property
    def declined(self) -> list[int]:
        """The ids of the others that were declined."""
        return [one.pk for one in self.rivals if one.refusal is None]

    @property
    def all(self) -> list[Outcome]:
        """It, and what became of the others."""
        return [self, *self.rivals]


def each_once(ids: Iterable[int], field: str) -> Sequence[int]:
    """What was chosen, in the order given. Raises Refusal ``decision.none_chosen``, ``decision.too_many``."""
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise Refusal.of("decision.none_chosen", field=field)
    if len(chosen) > MOST_TOGETHER:
        raise Refusal.of("decision.too_many", field=field, most=MOST_TOGETHER)
    return chosen


def require_why(verdict: Verdict, why: Why) -> None:
    """Raises Refusal ``booking.reason_missing`` where several are rejected without a reason."""
    if verdict is Verdict.REJECT and why.is_empty:
        raise Refusal.of("booking.reason_missing", field="reason")


def outcome_of(pk: int, act: Callable[[int], Outcome | None]) -> Outcome:
    """Do it with one of them; a refusal is what became of it."""
    try:
        return act(pk) or Outcome(pk)
    except Refusal as refusal:
        return Outcome(pk, refusal)
