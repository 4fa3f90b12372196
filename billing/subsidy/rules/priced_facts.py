"""Facts that follow from the price of a service: its tax, what it counts, and what its owner earns by it from a customer outside. They are
told, and kept with the figures, only where a programme looks at them.

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
from billing.subsidy.rules.facts import NO_FACTS, Facts

TAX = "amounts.tax"
SESSIONS, UNITS_COUNTED = "quantities.sessions", "quantities.units"
EXTERNAL_INCOME, EXTERNAL_MINUTES = "amounts.external_income", "quantities.external_minutes"
#: What follows from who the customer is as well.
OF_OUTSIDE = frozenset({EXTERNAL_INCOME, EXTERNAL_MINUTES})
OF_THE_PRICE = OF_OUTSIDE | frozenset(
    {
        TAX,
        SESSIONS,
        "quantities.days",
        "quantities.runs",
        "quantities.elements",
        UNITS_COUNTED,
    }
)
#: What a commissioned test is priced by, where a fact counts just that.
COUNTED_AS = {"element": "quantities.elements", "run": "quantities.runs", "day": "quantities.days"}
#: Quantities that have another name as a base than as a fact.
_AS_BASE = {"external_machine_hours": EXTERNAL_MINUTES}
#: Parts of a document that are no rules.
_NO_RULES = frozenset({"examples", "clauses", "says", "name", "issuer", "open_points"})


def asked(document: Document) -> frozenset[str]:
    """Which of these facts a document names, by its path or as rules name amounts and quantities."""
    return named(document, OF_THE_PRICE)


def named(document: Document, paths: Iterable[str]) -> frozenset[str]:
    """Which of some facts the rules of a document name, by their paths or as amounts and quantities are named there."""
    texts = {_AS_BASE.get(text, text) for text in _texts(document)}
    return frozenset(path for path in paths if path in texts or path.partition(".")[2] in texts)


def told(priced: PricedSession | PricedSamples, minutes: int | None, facts: Facts = NO_FACTS) -> dict[str, int]:
    """The facts of a price, by path; ``minutes`` of a session; ``facts``: who both sides are, as far as they are
    known. One that does not come with such a price is not there."""
    tax = tax_told((step.key, step.params) for step in priced.steps)
    found = from_outside(facts, priced.gross_fen, tax.amount_fen if tax is not None else 0, minutes)
    if tax is not None:
        found[TAX] = tax.amount_fen
    return found | (_of_session(priced, minutes) if isinstance(priced, PricedSession) else _of_samples(priced))


def is_outside(facts: Facts) -> bool | None:
    """Whether the customer has another actual controller than the owner, where somebody whom nobody controls is their own; None where it is
    not known who both are."""
    customer, owner = facts.applicant.profile, facts.provider.profile
    heads = customer.controller or customer.id, owner.controller or owner.id
    return None if None in heads else heads[0] != heads[1]


def from_outside(facts: Facts, price_fen: int, tax_fen: int, minutes: int | None) -> dict[str, int]:
    """What the owner earns without the tax, and the minutes used, if the customer is one outside; nil of the owner's own people."""
    outside = is_outside(facts)
    if outside is None:
        return {}
    found = {EXTERNAL_INCOME: price_fen - tax_fen if outside else 0}
    return found if minutes is None else found | {EXTERNAL_MINUTES: minutes if outside else 0}


def _of_session(priced: PricedSession, minutes: int | None) -> dict[str, int]:
    """One session, or none where nothing is charged for its time; started days where the price is one for a day."""
    found = {SESSIONS: 1 if minutes else 0}
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
    own = COUNTED_AS.get(counted[0].unit)
    return {UNITS_COUNTED: quantity} | ({own: quantity} if own else {})


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
