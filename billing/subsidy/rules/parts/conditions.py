"""The one language of conditions: a fact, an operator and a value; joined by ``all``, ``any`` and ``not``.

Gates, cases of a rate, uplifts, payers, caps and sides all use it, so that a rule nobody foresaw can be written down. A condition
answers yes, no, or that it cannot be told because a fact is missing (``if_unknown`` settles that where the rule's author wants to).
Amounts are yuan in the document and fen here; days are ISO text there and dates here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Protocol

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import EXACT, parse_yuan
from billing.subsidy.rules.fact_fields import FIELDS, FactField, FactKind, fact_field
from billing.subsidy.rules.facts import Facts, Label, Listing
from billing.subsidy.rules.parts.days import add_months, in_window
from billing.subsidy.rules.parts.values import VALUE_KINDS, value_fault, window_faults
from instruments.rules.regions import division_prefix

Document = Mapping[str, Any]
_DIVISION = re.compile("[0-9]{1,6}")


class Condition(Protocol):
    """``holds`` answers True, False, or None when it cannot be told; the facts that were missing are added to ``unknown``."""

    def holds(self, facts: Facts, unknown: list[str]) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts, unknown: list[str]) -> bool | None:
        answers = [part.holds(facts, unknown) for part in self.parts]
        return False if False in answers else (None if None in answers else True)


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts, unknown: list[str]) -> bool | None:
        answers = [part.holds(facts, unknown) for part in self.parts]
        return True if True in answers else (None if None in answers else False)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition

    def holds(self, facts: Facts, unknown: list[str]) -> bool | None:
        answer = self.part.holds(facts, unknown)
        return None if answer is None else not answer


@dataclass(frozen=True, slots=True)
class Test:
    """One fact under every operator named beside it. A list that is not given is empty; anything else not given is unknown."""

    fact: FactField
    tests: tuple[Callable[[Any, Facts, list[str]], bool | None], ...]
    if_unknown: bool | None

    def holds(self, facts: Facts, unknown: list[str]) -> bool | None:
        value = self.fact.read(facts)
        missing: list[str] = []
        if value is None:
            answer: bool | None = None
            missing.append(self.fact.path)
        else:
            answers = [test(value, facts, missing) for test in self.tests]
            answer = False if False in answers else (None if None in answers else True)
        if answer is None and self.if_unknown is not None:
            return self.if_unknown
        if answer is None:
            unknown += missing
        return answer


@dataclass(frozen=True, slots=True)
class Known:
    """Whether a fact is known at all."""

    fact: FactField
    wanted: bool

    def holds(self, facts: Facts, unknown: list[str]) -> bool | None:
        return (self.fact.read(facts) not in (None, (), frozenset())) is self.wanted


def parse_condition(document: Document, basis: str) -> Condition:
    """The condition that a valid piece of a document describes. ``basis`` is the fact of the programme's date basis."""
    if "all" in document:
        return All(tuple(parse_condition(each, basis) for each in document["all"]))
    if "any" in document:
        return Some(tuple(parse_condition(each, basis) for each in document["any"]))
    if "not" in document:
        return Not(parse_condition(document["not"], basis))
    fact = _field(document["fact"])
    if "known" in document:
        return Known(fact, document["known"])
    operators = [name for name in document if name in OPERATORS]
    tests = tuple(OPERATORS[name].make(document[name], fact, basis) for name in operators)
    if_unknown = {"yes": True, "no": False}.get(document.get("if_unknown", ""))
    return Test(fact, tests, if_unknown)


def facts_named(document: Any) -> set[str]:
    """The paths of all facts that a condition looks at."""
    if isinstance(document, list):
        return {path for each in document for path in facts_named(each)}
    if not isinstance(document, Mapping):
        return set()
    own = {document["fact"]} if isinstance(document.get("fact"), str) else set()
    return own | {path for value in document.values() for path in facts_named(value)}


def _field(path: str) -> FactField:
    found = fact_field(path)
    if found is None:
        raise ValueError(f"there is no fact {path!r}")
    return found


Check = Callable[[Any, Facts, list[str]], bool | None]
_SCALARS = VALUE_KINDS
_ORDERED = frozenset({FactKind.NUMBER, FactKind.MONEY, FactKind.DAY, FactKind.SHARE, FactKind.OPEN})
_TEXT = frozenset({FactKind.TEXT, FactKind.OPEN})


@dataclass(frozen=True, slots=True)
class Operator:
    """How an operator is made for a fact, which kinds of fact it suits, and what is wrong with its value."""

    make: Callable[[Any, FactField, str], Check]
    suits: frozenset[FactKind]
    faults: Callable[[Any, FactField, str], list[Fault]]


def plain_value(value: Any, kind: FactKind) -> Any:
    """A value of the document as it stands in ``Facts``."""
    if kind is FactKind.MONEY:
        return parse_yuan(value)
    if kind is FactKind.DAY:
        return date.fromisoformat(value)
    if kind is FactKind.SHARE:
        return Decimal(value)
    return value


def _alike(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """For facts of an author's own: a text is never 7, and 1 is not true."""
    return lambda found, wanted: type(found) is type(wanted) and compare(found, wanted)


def _different(found: Any, wanted: Any) -> bool:
    return bool(found != wanted)


def _comparing(compare: Callable[[Any, Any], bool]) -> Callable[[Any, FactField, str], Check]:
    def make(value: Any, fact: FactField, _basis: str) -> Check:
        open_fact = fact.kind is FactKind.OPEN
        if not isinstance(value, Mapping):
            fixed = plain_value(value, fact.kind)
            test = _alike(compare) if open_fact and compare is not _different else compare
            return lambda found, _facts, _unknown: test(found, fixed)
        other = _field(value["fact"])
        times = Decimal(value["times"]) if "times" in value else None

        def check(found: Any, facts: Facts, unknown: list[str]) -> bool | None:
            wanted = other.read(facts)
            if wanted is None:
                unknown.append(other.path)
                return None
            if times is not None:
                wanted = EXACT.multiply(Decimal(wanted), times)
            return type(found) is type(wanted) and compare(found, wanted) if open_fact else compare(found, wanted)

        return check

    return make


def _among(inside: bool) -> Callable[[Any, FactField, str], Check]:
    def make(values: Sequence[Any], fact: FactField, _basis: str) -> Check:
        wanted = frozenset(plain_value(value, fact.kind) for value in values)
        return lambda found, _facts, _unknown: (found in wanted) is inside

    return make


def _starts_with(prefixes: Sequence[str], _fact: FactField, _basis: str) -> Check:
    wanted = tuple(prefixes)
    return lambda found, _facts, _unknown: str(found).startswith(wanted)


def _sharing(compare: Callable[[frozenset[str], frozenset[str]], bool]) -> Callable[[Any, FactField, str], Check]:
    def make(values: Sequence[str], _fact: FactField, _basis: str) -> Check:
        wanted = frozenset(values)
        return lambda found, _facts, _unknown: compare(found, wanted)

    return make


def _same_as(value: Mapping[str, Any], _fact: FactField, _basis: str) -> Check:
    other, digits = _field(value["fact"]), value.get("digits")

    def check(found: Any, facts: Facts, unknown: list[str]) -> bool | None:
        wanted = other.read(facts)
        if wanted is None:
            unknown.append(other.path)
            return None
        return bool(found[:digits] == wanted[:digits]) if digits else bool(found == wanted)

    return check


def _has_label(value: Mapping[str, Any], _fact: FactField, basis: str) -> Check:
    names, levels = frozenset(value["any_of"]), frozenset(value.get("levels", ()))
    days = [_field(path) for path in value.get("valid_on", [basis])]

    def check(labels: tuple[Label, ...], facts: Facts, unknown: list[str]) -> bool | None:
        right = [one for one in labels if one.label in names and (not levels or one.level in levels)]
        on = [day.read(facts) for day in days]
        if right and None in on:
            unknown += [day.path for day in days if day.read(facts) is None]
            return None
        return any(all(one.holds(day) for day in on) for one in right)

    return check


def _free_on(value: Mapping[str, Any], _fact: FactField, _basis: str) -> Check:
    lists, days = frozenset(value.get("lists", ())), [_field(path) for path in value["days"]]

    def check(listings: tuple[Listing, ...], facts: Facts, unknown: list[str]) -> bool | None:
        if days[0].read(facts) is None:
            unknown.append(days[0].path)
            return None
        on = [day for day in (each.read(facts) for each in days) if day is not None]
        against = [one for one in listings if not lists or one.list in lists]
        return not any(one.holds(day) for one in against for day in on)

    return check


def _within(windows: Sequence[Mapping[str, str]], _fact: FactField, _basis: str) -> Check:
    wanted = tuple((each["from"], each["to"]) for each in windows)
    return lambda found, _facts, _unknown: any(in_window(found, first, last) for first, last in wanted)


def _weekdays(wanted: Sequence[int], _fact: FactField, _basis: str) -> Check:
    days = frozenset(wanted)
    return lambda found, _facts, _unknown: found.isoweekday() in days


def _months_before(value: Mapping[str, Any], _fact: FactField, _basis: str) -> Check:
    other, months, included = _field(value["fact"]), value["months"], value["last_day"] == "included"

    def check(found: date, facts: Facts, unknown: list[str]) -> bool | None:
        on = other.read(facts)
        if on is None:
            unknown.append(other.path)
            return None
        end = add_months(found, months)
        return bool(found <= on and (on <= end if included else on < end))

    return check


# Faults -------------------------------------------------------------------------------------------------------------


def condition_faults(document: Document, path: str) -> list[Fault]:
    """What the schema cannot say about a condition: one shape, facts that exist, operators and values that suit them."""
    shapes = [name for name in ("all", "any", "not", "fact") if name in document]
    if len(shapes) != 1:
        return [Fault(path, "write exactly one of 'all', 'any', 'not' or 'fact'")]
    if shapes == ["not"]:
        return condition_faults(document["not"], f"{path}.not")
    if shapes != ["fact"]:
        name = shapes[0]
        return [fault for place, each in enumerate(document[name]) for fault in condition_faults(each, f"{path}.{name}[{place}]")]
    return _test_faults(document, path)


def _test_faults(document: Document, path: str) -> list[Fault]:
    fact = fact_field(document["fact"])
    if fact is None:
        return [fact_fault(document["fact"], f"{path}.fact")]
    named = [name for name in document if name not in ("fact", "if_unknown")]
    if not named:
        return [Fault(path, f"say what {fact.path} must be: one of {', '.join([*OPERATORS, 'known'])}")]
    faults = []
    for name in named:
        if name == "known":
            continue
        operator = OPERATORS.get(name)
        if operator is None:
            faults.append(Fault(f"{path}.{name}", "it belongs to another kind of condition; leave it out here"))
        elif fact.kind not in operator.suits:
            able = [one for one, other in OPERATORS.items() if fact.kind in other.suits]
            message = f"{fact.path} is {_A[fact.kind]}, which '{name}' cannot test; use one of {', '.join(able)}"
            faults.append(Fault(f"{path}.{name}", message))
        else:
            faults += operator.faults(document[name], fact, f"{path}.{name}")
    return faults


_A = {
    FactKind.TEXT: "a text",
    FactKind.NUMBER: "a whole number",
    FactKind.MONEY: "an amount",
    FactKind.DAY: "a day",
    FactKind.FLAG: "true or false",
    FactKind.TEXTS: "a list of texts",
    FactKind.LABELS: "a list of labels",
    FactKind.LISTINGS: "a list of entries",
    FactKind.SHARE: "a rate",
    FactKind.OPEN: "a fact of your own",
}


def fact_fault(path: str, where: str) -> Fault:
    """The fault of a fact that does not exist, with the one that was perhaps meant."""
    name = path.rpartition(".")[2]
    same = [each for each in FIELDS if each.rpartition(".")[2] == name]
    near = get_close_matches(path, same, cutoff=0) or get_close_matches(path, FIELDS)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return Fault(where, f"there is no fact {path!r}; {guess}docs/programmes.md lists them, and your own are named 'other.…'")


def _single(value: Any, fact: FactField, path: str) -> list[Fault]:
    if isinstance(value, Mapping):
        return _other_fact(value, fact, path)
    wrong = value_fault(value, fact)
    return [Fault(path, wrong)] if wrong else []


def _other_fact(value: Mapping[str, Any], fact: FactField, path: str) -> list[Fault]:
    other = fact_field(value["fact"])
    if other is None:
        return [fact_fault(value["fact"], f"{path}.fact")]
    if FactKind.OPEN not in (other.kind, fact.kind) and other.kind is not fact.kind:
        return [Fault(f"{path}.fact", f"{other.path} is {_A[other.kind]} and {fact.path} is {_A[fact.kind]}")]
    if "times" in value and fact.kind not in (FactKind.NUMBER, FactKind.MONEY):
        return [Fault(f"{path}.times", f"{fact.path} is {_A[fact.kind]}; only amounts and numbers can be multiplied")]
    return []


def _several(values: Any, fact: FactField, path: str) -> list[Fault]:
    if not isinstance(values, list):
        return [Fault(path, "write a list, even of one: [...]")]
    return [fault for place, value in enumerate(values) for fault in _single(value, fact, f"{path}[{place}]")]


def _no_faults(_value: Any, _fact: FactField, _path: str) -> list[Fault]:
    return []


def _prefixes(values: Sequence[str], fact: FactField, path: str) -> list[Fault]:
    if not fact.path.endswith(".region_code"):
        return []
    return [fault for place, code in enumerate(values) for fault in _prefix_faults(code, f"{path}[{place}]")]


def _prefix_faults(code: str, path: str) -> list[Fault]:
    if _DIVISION.fullmatch(code):
        return division_faults(code, path)
    return [Fault(path, f"{code!r} is not how a code of a division begins; write up to six digits, such as '63'")]


def division_faults(code: str, path: str) -> list[Fault]:
    """Divisions are matched by how their codes begin: 630100, written for all of Xining, would leave out every district of it."""
    prefix = division_prefix(code)
    if prefix == code:
        return []
    return [Fault(path, f"{code!r} ends in zeros, which no code within that division has; write {prefix!r}")]


def _fact_named(value: Mapping[str, Any], fact: FactField, path: str) -> list[Fault]:
    return _other_fact({"fact": value["fact"]}, fact, path)


def _days_named(name: str) -> Callable[[Any, FactField, str], list[Fault]]:
    def faults(value: Mapping[str, Any], _fact: FactField, path: str) -> list[Fault]:
        return [
            Fault(f"{path}.{name}[{place}]", f"{day!r} is not a fact that is a day, such as service.claim_on")
            for place, day in enumerate(value.get(name, ()))
            if not is_day_fact(day)
        ]

    return faults


def is_day_fact(path: str) -> bool:
    """Whether a path names a fact that is a day."""
    found = fact_field(path)
    return found is not None and found.kind is FactKind.DAY


def _windows(value: Any, _fact: FactField, path: str) -> list[Fault]:
    return [fault for place, each in enumerate(value) for fault in window_faults(each, f"{path}[{place}]")]


_TEXTS, _DAYS = frozenset({FactKind.TEXTS}), frozenset({FactKind.DAY})
OPERATORS: dict[str, Operator] = {
    "is": Operator(_comparing(lambda found, wanted: bool(found == wanted)), _SCALARS, _single),
    "is_not": Operator(_comparing(_different), _SCALARS, _single),
    "any_of": Operator(_among(inside=True), _SCALARS, _several),
    "none_of": Operator(_among(inside=False), _SCALARS, _several),
    "at_least": Operator(_comparing(lambda found, wanted: bool(found >= wanted)), _ORDERED, _single),
    "at_most": Operator(_comparing(lambda found, wanted: bool(found <= wanted)), _ORDERED, _single),
    "above": Operator(_comparing(lambda found, wanted: bool(found > wanted)), _ORDERED, _single),
    "below": Operator(_comparing(lambda found, wanted: bool(found < wanted)), _ORDERED, _single),
    "starts_with": Operator(_starts_with, _TEXT, _prefixes),
    "has_any": Operator(_sharing(lambda found, wanted: not found.isdisjoint(wanted)), _TEXTS, _no_faults),
    "has_all": Operator(_sharing(lambda found, wanted: wanted <= found), _TEXTS, _no_faults),
    "has_none": Operator(_sharing(lambda found, wanted: found.isdisjoint(wanted)), _TEXTS, _no_faults),
    "same_as": Operator(_same_as, _TEXT, _fact_named),
    "has_label": Operator(_has_label, frozenset({FactKind.LABELS}), _days_named("valid_on")),
    "free_on": Operator(_free_on, frozenset({FactKind.LISTINGS}), _days_named("days")),
    "within": Operator(_within, _DAYS, _windows),
    "weekdays": Operator(_weekdays, _DAYS, _no_faults),
    "months_before": Operator(_months_before, _DAYS, _fact_named),
}
