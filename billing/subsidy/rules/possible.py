"""What a condition can come to for a booking, whatever that is like, where some facts are known of none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.parts.conditions import OPERATORS, facts_named, parse_condition
from billing.subsidy.rules.with_claim import assumed

Piece = Mapping[str, Any]
Answers = frozenset[bool | None]
Never = Callable[[str], bool]
EITHER: Answers = frozenset({True, False})
NOTHING: Mapping[str, int] = {}


def named_in(when: Any) -> set[str]:
    """The paths of all facts that a condition looks at, those days among them on which a label has to be valid or a list is looked at
    first."""
    if isinstance(when, Sequence) and not isinstance(when, str):
        return {path for each in when for path in named_in(each)}
    if not isinstance(when, Mapping):
        return set()
    days = [*when.get("has_label", {}).get("valid_on", ()), *when.get("free_on", {}).get("days", ())[:1]]
    return facts_named(when) | {path for value in when.values() for path in named_in(value)} | set(days)


def answers(when: Piece, basis: str, never: Never, expects: Mapping[str, int] = NOTHING) -> Answers:
    """Every answer that is possible: yes, no, and None for what cannot be told. ``never``: whether a fact is known of no booking;
    ``expects``: amounts (fen) that are the same for every booking until its claim."""
    if "not" in when:
        return frozenset(None if each is None else not each for each in answers(when["not"], basis, never, expects))
    if "all" in when or "any" in when:
        parts: Sequence[Piece] = when["all"] if "all" in when else when["any"]
        decides = "any" in when
        found: Answers = frozenset({not decides})
        for part in parts:
            found = frozenset(_joined(one, other, decides) for one in found for other in answers(part, basis, never, expects))
        return found
    if when["fact"] in expects and named_in(when) == {when["fact"]}:
        return frozenset({parse_condition(when, basis).holds(assumed(Facts(), expects), [])})
    if never(when["fact"]):
        return frozenset({parse_condition(when, basis).holds(Facts(), [])})
    if not any(map(never, named_in(when))):
        return EITHER
    untold: Answers = frozenset({{"yes": True, "no": False}.get(when.get("if_unknown", ""))})
    alone = "has_label" not in when and sum(name in OPERATORS for name in when) == 1
    return untold if alone else untold | {False}


def _joined(one: bool | None, other: bool | None, decides: bool) -> bool | None:
    """Two answers of which one that is ``decides`` settles the whole."""
    if decides in (one, other):
        return decides
    return None if None in (one, other) else not decides
