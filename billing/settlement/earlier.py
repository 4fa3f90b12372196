"""What came before a service, as far as the rules of programmes ask: what its papers took already, what was counted in a year, what was
spent over months, and what its owner earned in the year before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from billing.settlement import counted, incomes, once, spent
from billing.subsidy.rules.facts import Paper


@dataclass(frozen=True, slots=True)
class Earlier:
    """``taken``: the classes that project and invoice took; ``counts``: what came before, by subject. Whoever plays bookings through in
    turn adds to both in memory. ``spent``: what customers spent, and ``incomes``: what owners earned, to which nothing that is only
    promised adds."""

    taken: once.Taken = field(default_factory=dict)
    counts: counted.Counts = field(default_factory=dict)
    spent: spent.Known = field(default_factory=dict)
    incomes: incomes.Known = field(default_factory=dict)


def known(
    papers: Iterable[Paper],
    subjects: Iterable[str],
    spending: Iterable[spent.Asked] = (),
    earning: Iterable[incomes.Asked] = (),
    but_for: tuple[str, int] | None = None,
) -> Earlier:
    """At most four queries, none where nothing is asked; the source ``but_for`` (type, id) itself does not count."""
    return Earlier(once.known(papers, but_for), counted.known(subjects, but_for), spent.known(spending), incomes.known(earning))
