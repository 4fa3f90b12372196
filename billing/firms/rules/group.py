"""The group a firm belongs to: who controls whom, on a day; and whether somebody would come to control itself.

Source: the caps per actual controller and year, and the related-party exclusions of the voucher measures (design, domain.md 2.5:
"same actual controller summed for caps").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

MOST_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Tie:
    """``firm`` is controlled by (or affiliated with) ``party`` from ``since`` to ``until`` (included; None: open). ``order``: of two
    that hold on a day the later one counts, then the one declared later."""

    firm: str
    party: str
    since: date
    until: date | None
    order: int

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


def controller_of(ties: Iterable[Tie], firm: str, on: date) -> str:
    """The actual controller of ``firm`` on a day: the end of the chain, the firm itself when nobody controls it."""
    above = _above(ties, on)
    seen = [firm]
    while (upper := above.get(seen[-1])) is not None and upper not in seen:
        seen.append(upper)
    return seen[-1]


def group_of(ties: Sequence[Tie], firm: str, on: date) -> frozenset[str]:
    """Everybody under the same actual controller on a day, the firm and the controller included."""
    head = controller_of(ties, firm, on)
    members = {tie.firm for tie in ties} | {tie.party for tie in ties} | {firm}
    return frozenset(one for one in members if controller_of(ties, one, on) == head)


def circle(ties: Sequence[Tie], new: Tie) -> tuple[str, ...]:
    """The chain through which ``new`` would let its firm control itself, from the firm to the firm; empty when there is none.

    Looked at on the first day of ``new`` and on every later day on which another control begins while it holds.
    """
    days = {new.since, *(tie.since for tie in ties if tie.since > new.since and new.holds(tie.since))}
    for day in sorted(days):
        above = _above(ties, day) | {new.firm: new.party}
        chain = [new.firm, new.party]
        while chain[-1] != new.firm and (upper := above.get(chain[-1])) is not None and len(chain) < MOST_STEPS:
            chain.append(upper)
        if chain[-1] == new.firm:
            return tuple(chain)
    return ()


def _above(ties: Iterable[Tie], on: date) -> dict[str, str]:
    """Who stands directly above whom on a day."""
    chosen: dict[str, Tie] = {}
    for tie in ties:
        before = chosen.get(tie.firm)
        if tie.holds(on) and (before is None or (before.since, before.order) < (tie.since, tie.order)):
            chosen[tie.firm] = tie
    return {firm: tie.party for firm, tie in chosen.items()}
