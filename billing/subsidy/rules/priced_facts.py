"""Facts that follow from the price of a service: its tax, and what it counts. They are told, and kept with the figures, only where a
programme looks at them.

Which ones are told stands frozen with the candidate: what was worked out before any of them was told replays without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from billing.ledger.rules.documents import Document
from billing.pricing.rules.pricing import LineKind, PricedSession, UnitLine
from billing.pricing.rules.samples import UNITS, PricedSamples
from billing.pricing.rules.schedule import DAY
from billing.pricing.rules.tax import tax_told

OF_THE_PRICE = frozenset(
    {
        "amounts.tax",
        "quantities.sessions",
        "quantities.days",
        "quantities.runs",
        "quantities.elements",
        "quantities.units",
    }
)
#: What a commissioned test is priced by, where a fact counts just that.
_COUNTED_AS = {"element": "quantities.elements", "run": "quantities.runs", "day": "quantities.days"}
#: Parts of a document that are no rules.
_NO_RULES = frozenset({"examples", "clauses", "says", "name", "issuer", "open_points"})


def asked(document: Document) -> frozenset[str]:
    """Which of these facts a document names, by its path or as rules name amounts and quantities."""
    return named(document, OF_THE_PRICE)


def named(document: Document, paths: Iterable[str]) -> frozenset[str]:
    """Which of some facts the rules of a document name, by their paths or as amounts and quantities are named there."""
    texts = set(_texts(document))
    return frozenset(path for path in paths if path in texts or path.partition(".")[2] in texts)


def told(priced: PricedSession | PricedSamples, minutes: int | None) -> dict[str, int]:
    """The facts of a price, by path; ``minutes`` of a session. One that does not come with such a price is not there."""
    found: dict[str, int] = {}
    tax = tax_told((step.key, step.params) for step in priced.steps)
    if tax is not None:
        found["amounts.tax"] = tax.amount_fen
    return found | (_of_session(priced, minutes) if isinstance(priced, PricedSession) else _of_samples(priced))


def _of_session(priced: PricedSession, minutes: int | None) -> dict[str, int]:
    """One session, or none where nothing is charged for its time; started days where the price is one for a day."""
    found = {"quantities.sessions": 1 if minutes else 0}
    daily = [line for line in priced.lines if isinstance(line, UnitLine) and line.kind is LineKind.TIME and line.unit == DAY]
    if daily:
        found["quantities.days"] = -(-sum(line.seconds for line in daily) // daily[0].unit_seconds)
    return found


def _of_samples(priced: PricedSamples) -> dict[str, int]:
    """What the price counts, whatever that is, and under its own name."""
    counted = [line for line in priced.lines if line.unit in UNITS]
    if not counted:
        return {}
    quantity = sum(line.quantity for line in counted)
    own = _COUNTED_AS.get(counted[0].unit)
    return {"quantities.units": quantity} | ({own: quantity} if own else {})


def _texts(rules: Any) -> Iterator[str]:
    if isinstance(rules, str):
        yield rules
    elif isinstance(rules, Mapping):
        for name, value in rules.items():
            if name not in _NO_RULES:
                yield from _texts(value)
    elif isinstance(rules, list):
        for each in rules:
            yield from _texts(each)
