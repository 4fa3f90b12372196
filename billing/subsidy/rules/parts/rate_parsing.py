"""Reading a rate of any kind, and what is wrong with one that the schema cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import Rounding, parse_yuan
from billing.subsidy.rules.fact_fields import FactField, FactKind, fact_field
from billing.subsidy.rules.parts.conditions import condition_faults, fact_fault, parse_condition
from billing.subsidy.rules.parts.exact import parse_exact
from billing.subsidy.rules.parts.rate import Bracket, Brackets, ExPostRate, FlatRate, MarginalTiers, Rate, Tier
from billing.subsidy.rules.parts.rate_choice import BestOfRate, Case, CasesRate, ChosenRate, Level, StackedRate
from billing.subsidy.rules.parts.rate_fixed import FaceValueRate, FixedRate, PerUnitRate, UnitTier, VouchersRate

Piece = Mapping[str, Any]
_MINUTES_PER_HOUR = 60
#: Kinds of rate for a base that is a quantity; the others need an amount, ``fixed`` takes either.
_OF_QUANTITY = frozenset({"per_unit", "fixed"})
_OF_EITHER = frozenset({"fixed", "cases", "best_of"})
#: What is given once, however many lines a claim has.
_ONCE_PER_CLAIM = frozenset({"fixed", "face_value", "vouchers"})


def parse_rate(document: Piece, basis: str) -> Rate:
    """The rate that a valid piece of a document describes. ``basis`` is the fact of the programme's date basis."""
    return _PARSERS[document["type"]](document, basis)


def _tiers(document: Piece, _basis: str) -> Rate:
    tiers = []
    start = 0
    for tier in document["tiers"]:
        end = parse_yuan(tier["up_to"]) if "up_to" in tier else None
        tiers.append(Tier(start, end, parse_exact(tier["rate"]), tier["rate"]))
        start = end or 0
    return MarginalTiers(document["clause"], tuple(tiers), _named(document.get("continues")))


def _brackets(document: Piece, _basis: str) -> Rate:
    brackets = (
        Bracket(
            parse_yuan(each["up_to"]) if "up_to" in each else None,
            parse_exact(each["rate"]) if "rate" in each else None,
            each.get("rate", ""),
            parse_yuan(each.get("amount", 0)),
        )
        for each in document["brackets"]
    )
    return Brackets(document["clause"], tuple(brackets))


def _per_unit(document: Piece, _basis: str) -> Rate:
    pieces = document.get("tiers") or [{"amount": document["amount"]}]
    tiers = []
    start = 0
    for piece in pieces:
        end = piece.get("up_to")
        tiers.append(UnitTier(start, end, parse_yuan(piece["amount"])))
        start = end or 0
    part_units = document.get("part_units", "exact")
    before = _named(document.get("continues"))
    per = _MINUTES_PER_HOUR if before is not None and before.path.endswith("minutes") else 1
    rounding = None if part_units == "exact" else Rounding(part_units)
    return PerUnitRate(document["clause"], tuple(tiers), rounding, before, per)


def _nested(document: Any, clause: str, basis: str) -> Rate:
    if isinstance(document, str):
        return FlatRate(clause, parse_exact(document), document)
    return parse_rate({"clause": clause, **document}, basis)


def _cases(document: Piece, basis: str) -> tuple[Case, ...]:
    return tuple(
        Case(
            parse_condition(each["when"], basis),
            each["says"],
            _nested(each["rate"], each.get("clause", document["clause"]), basis),
        )
        for each in document["cases"]
    )


def _cases_rate(document: Piece, basis: str) -> Rate:
    otherwise = document.get("otherwise")
    clause = document["clause"]
    return CasesRate(clause, _cases(document, basis), None if otherwise is None else _nested(otherwise, clause, basis))


def _chosen(document: Piece, _basis: str) -> Rate:
    return ChosenRate(
        document["clause"], Decimal(document.get("at_least", "0")), Decimal(document["at_most"]), document["when_not_chosen"]
    )


def _ex_post(document: Piece, _basis: str) -> Rate:
    decimals = document.get("decimals")
    return ExPostRate(
        document["clause"],
        Decimal(document["at_least"]),
        Decimal(document["at_most"]),
        decimals,
        Rounding(document.get("rounding", Rounding.DOWN)),
        document["assume"],
    )


def _face_value(document: Piece, _basis: str) -> Rate:
    face = document.get("amount")
    return FaceValueRate(document["clause"], None if face is None else parse_yuan(face), Decimal(document["own_share"]))


def _vouchers(document: Piece, _basis: str) -> Rate:
    return VouchersRate(
        document["clause"],
        parse_yuan(document["face_value"]),
        document["most"],
        Decimal(document["co_funded_share"]),
        parse_yuan(document["own_money"]),
    )


def _stacked(document: Piece, basis: str) -> Rate:
    levels = (
        Level(
            each["payer"],
            parse_exact(each["rate"]),
            each["rate"],
            parse_condition(each["when"], basis) if "when" in each else None,
            each.get("says", {}),
        )
        for each in document["levels"]
    )
    return StackedRate(document["clause"], tuple(levels))


def _named(path: str | None) -> FactField | None:
    return None if path is None else fact_field(path)


_PARSERS: dict[str, Callable[[Piece, str], Rate]] = {
    "flat": lambda piece, _basis: FlatRate(piece["clause"], parse_exact(piece["rate"]), piece["rate"]),
    "chosen": _chosen,
    "tiers": _tiers,
    "brackets": _brackets,
    "cases": _cases_rate,
    "best_of": lambda piece, basis: BestOfRate(piece["clause"], _cases(piece, basis)),
    "per_unit": _per_unit,
    "fixed": lambda piece, _basis: FixedRate(piece["clause"], parse_yuan(piece["amount"])),
    "face_value": _face_value,
    "vouchers": _vouchers,
    "ex_post": _ex_post,
    "stacked": _stacked,
}


# Faults -------------------------------------------------------------------------------------------------------------


def rate_faults(document: Piece, base: Piece, path: str = "$.rate") -> list[Fault]:
    """What the schema cannot say: tiers rise and only the last has no end, ranges are ranges, conditions make sense, and the kind of
    rate suits the kind of base."""
    kind = document["type"]
    faults = list(_FAULTS.get(kind, _none)(document, path))
    for nested, where in _nested_rates(document, path):
        faults += rate_faults(nested, base, where)
    of_quantity = "quantity" in base
    if kind not in _OF_EITHER and of_quantity != (kind in _OF_QUANTITY):
        needed = "an amount; write base.amount" if of_quantity else "a quantity; write base.quantity"
        faults.append(Fault(f"{path}.type", f"a rate of type '{kind}' needs a base that is {needed}"))
    return faults


def line_faults(rounding: Piece, rate: Piece, base: Piece) -> Iterator[Fault]:
    """A claim is worked out line by line only where each line has a share of its own."""
    if rounding.get("per") != "line":
        return
    if "quantity" in base:
        yield Fault("$.rounding.per", "lines are amounts, and the base is a quantity; write 'claim', or leave it out")
    for kind in sorted(_kinds(rate) & _ONCE_PER_CLAIM):
        yield Fault("$.rounding.per", f"a rate of type '{kind}' is given once for a claim; write 'claim', or leave it out")


def _kinds(rate: Piece) -> set[str]:
    return {rate["type"]}.union(*(_kinds(nested) for nested, _path in _nested_rates(rate, "")))


def _nested_rates(document: Piece, path: str) -> Iterator[tuple[Piece, str]]:
    named = [(each["rate"], f"{path}.cases[{place}].rate") for place, each in enumerate(document.get("cases", ()))]
    if "otherwise" in document:
        named.append((document["otherwise"], f"{path}.otherwise"))
    for rate, where in named:
        yield ({"type": "flat", "rate": rate}, where) if isinstance(rate, str) else (rate, where)


def _none(_document: Piece, _path: str) -> Iterator[Fault]:
    yield from ()


def _rising(pieces: Sequence[Piece], path: str, read: Callable[[Any], int]) -> Iterator[Fault]:
    reached = 0
    for place, piece in enumerate(pieces):
        where = f"{path}[{place}]"
        last = place == len(pieces) - 1
        if ("up_to" in piece) == last:
            yield Fault(where, "every tier but the last has 'up_to', the last has none")
            continue
        if last:
            return
        end = read(piece["up_to"])
        if end <= reached:
            yield Fault(f"{where}.up_to", "tiers must rise; write a larger figure than in the one before")
        reached = end


def _tier_faults(document: Piece, path: str) -> Iterator[Fault]:
    yield from _rising(document["tiers"], f"{path}.tiers", parse_yuan)
    yield from _continues(document, path, FactKind.MONEY)


def _continues(document: Piece, path: str, kind: FactKind) -> Iterator[Fault]:
    if "continues" in document:
        field = fact_field(document["continues"])
        if field is None:
            yield fact_fault(document["continues"], f"{path}.continues")
        elif field.kind is not kind:
            yield Fault(f"{path}.continues", f"{field.path} is not what the tiers count; use one of group 'before'")


def _bracket_faults(document: Piece, path: str) -> Iterator[Fault]:
    yield from _rising(document["brackets"], f"{path}.brackets", parse_yuan)
    for place, each in enumerate(document["brackets"]):
        if ("rate" in each) == ("amount" in each):
            yield Fault(f"{path}.brackets[{place}]", "write exactly one of 'rate' and 'amount'")


def _per_unit_faults(document: Piece, path: str) -> Iterator[Fault]:
    if ("tiers" in document) == ("amount" in document):
        yield Fault(path, "write exactly one of 'amount' and 'tiers'")
    yield from _rising(document.get("tiers", ()), f"{path}.tiers", int)
    yield from _continues(document, path, FactKind.NUMBER)


def _case_faults(document: Piece, path: str) -> Iterator[Fault]:
    for place, each in enumerate(document["cases"]):
        yield from condition_faults(each["when"], f"{path}.cases[{place}].when")


def _range_faults(document: Piece, path: str) -> Iterator[Fault]:
    low, high = Decimal(document.get("at_least", "0")), Decimal(document["at_most"])
    if low > high:
        yield Fault(f"{path}.at_least", f"it is above 'at_most' ({document['at_most']}); the range would be empty")


def _ex_post_faults(document: Piece, path: str) -> Iterator[Fault]:
    yield from _range_faults(document, path)
    if not Decimal(document["at_least"]) <= Decimal(document["assume"]) <= Decimal(document["at_most"]):
        yield Fault(f"{path}.assume", "the rate assumed lies outside the range; write one inside it")


def _level_faults(document: Piece, path: str) -> Iterator[Fault]:
    names = [each["payer"] for each in document["levels"]]
    for place, each in enumerate(document["levels"]):
        if each["payer"] in names[:place]:
            yield Fault(f"{path}.levels[{place}].payer", f"the level {each['payer']!r} is named twice")
        if "when" in each:
            yield from condition_faults(each["when"], f"{path}.levels[{place}].when")
            if "says" not in each:
                yield Fault(f"{path}.levels[{place}].says", 'a condition needs its words; write {"zh": …, "en": …}')
    if sum(Fraction(each["rate"]) for each in document["levels"]) > 1:
        yield Fault(f"{path}.levels", "the rates of all levels together are above 1 (100 %); lower them")


_FAULTS: dict[str, Callable[[Piece, str], Iterator[Fault]]] = {
    "tiers": _tier_faults,
    "brackets": _bracket_faults,
    "per_unit": _per_unit_faults,
    "cases": _case_faults,
    "best_of": _case_faults,
    "chosen": _range_faults,
    "ex_post": _ex_post_faults,
    "stacked": _level_faults,
}
