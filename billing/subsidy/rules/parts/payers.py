"""Payers: who pays which part of an amount, and who takes the fen that rounding leaves.

Fixed shares, one after the other (a lender first), by the levels of a stacked rate, and another split for each of several cases.
A payer that matches what another one gives is in ``payers_match``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from billing.ledger.rules.documents import Fault
from billing.ledger.rules.money import Rounding, round_fen, split_whole, whole_weights
from billing.subsidy.rules.fact_fields import FactField, FactKind, fact_field
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.parts.conditions import Condition, condition_faults, fact_fault, parse_condition
from billing.subsidy.rules.parts.exact import Exact, parse_exact, times
from billing.subsidy.rules.parts.payers_match import Match, match_faults, parse_match
from billing.subsidy.rules.parts.rate import Rate
from billing.subsidy.rules.parts.rate_choice import StackedRate
from billing.subsidy.rules.parts.rounding import parse_step

#: What is left for a payer under its own caps (fen), None where nothing limits it.
RoomOf = Callable[[str], int | None]
Piece = Mapping[str, Any]


class Splitting(Protocol):
    """Divides an amount over payers; what it returns sums to the amount, or to less where no payer has more money."""

    @property
    def clause(self) -> str: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def parts(self, total_fen: int, facts: Facts, room_of: RoomOf) -> dict[str, int]: ...


@dataclass(frozen=True, slots=True)
class Payers:
    """The payers with their shares (sum 1), and the same proportions in whole numbers (``weights``).

    ``rest``: place of the payer who takes what the others leave, each of them rounded to whole steps with ``rounding``;
    None: largest remainder over all.
    """

    clause: str
    names: tuple[str, ...]
    shares: tuple[Exact, ...]
    weights: tuple[int, ...]
    rest: int | None
    rounding: Rounding
    step_fen: int

    def parts(self, total_fen: int, facts: Facts, room_of: RoomOf) -> dict[str, int]:
        """The amount of each payer in fen; they sum to ``total_fen`` exactly."""
        return dict(zip(self.names, self.split(total_fen), strict=True))

    def split(self, total_fen: int) -> tuple[int, ...]:
        """The amount of each payer in fen, in the order of ``names``; they sum to ``total_fen`` exactly."""
        if self.rest is None:
            return split_whole(total_fen, self.weights)
        left = total_fen
        parts = []
        for place, share in enumerate(self.shares):
            if place == self.rest:
                parts.append(0)
                continue
            part = min(left, round_fen(times(total_fen, share), self.rounding, self.step_fen))
            parts.append(part)
            left -= part
        parts[self.rest] = left
        return tuple(parts)


@dataclass(frozen=True, slots=True)
class InOrder:
    """One payer after the other: each pays up to what its own caps leave and, where named, up to an amount; the next pays the rest.

    What nobody can pay is not paid.
    """

    clause: str
    names: tuple[str, ...]
    up_to: tuple[FactField | None, ...]

    def parts(self, total_fen: int, facts: Facts, room_of: RoomOf) -> dict[str, int]:
        """The amount of each payer in fen."""
        left = total_fen
        found = {}
        for name, field in zip(self.names, self.up_to, strict=True):
            part = left
            if field is not None:
                part = min(part, field.read(facts) or 0)
            room = room_of(name)
            part = part if room is None else min(part, room)
            found[name] = part
            left -= part
        return found


@dataclass(frozen=True, slots=True)
class ByLevel:
    """Each level of a stacked rate pays in the proportion of its rate; left-over fen go one each to the largest remainders."""

    clause: str
    names: tuple[str, ...]
    rate: StackedRate

    def parts(self, total_fen: int, facts: Facts, room_of: RoomOf) -> dict[str, int]:
        """The amount of each level that pays, in fen; nil for the others."""
        paying = [level for level in self.rate.paying(facts) if level.rate]
        found = dict.fromkeys(self.names, 0)
        if paying:
            split = split_whole(total_fen, whole_weights([level.rate for level in paying]))
            found |= dict(zip((level.payer for level in paying), split, strict=True))
        return found


@dataclass(frozen=True, slots=True)
class PayerCases:
    """Another split for each case: the first whose condition holds, otherwise ``otherwise``."""

    clause: str
    cases: tuple[tuple[Condition, Splitting], ...]
    otherwise: Splitting

    @property
    def names(self) -> tuple[str, ...]:
        every = [name for _, split in self.cases for name in split.names] + list(self.otherwise.names)
        return tuple(dict.fromkeys(every))

    def parts(self, total_fen: int, facts: Facts, room_of: RoomOf) -> dict[str, int]:
        """The amounts of the payers of the case that holds, in fen; nil for the others, so that every award names all payers."""
        chosen = next((split for when, split in self.cases if when.holds(facts, [])), self.otherwise)
        return dict.fromkeys(self.names, 0) | chosen.parts(total_fen, facts, room_of)


AnyPayers = Payers | InOrder | ByLevel | PayerCases | Match


def parse_payers(document: Piece, rate: Rate, basis: str) -> AnyPayers:
    """The payers that a valid piece of a document describes; ``rate`` is the programme's, for those who pay by its levels."""
    return parse_match(document, basis) if document["rule"] == "match" else _splitting(document, rate, basis)


def _splitting(document: Piece, rate: Rate, basis: str) -> Any:
    rule, clause = document["rule"], document["clause"]
    if rule == "in_order":
        return InOrder(
            clause,
            tuple(each["payer"] for each in document["order"]),
            tuple(_named(each.get("up_to")) for each in document["order"]),
        )
    if rule == "by_level" and isinstance(rate, StackedRate):
        return ByLevel(clause, tuple(level.payer for level in rate.levels), rate)
    if rule == "cases":
        cases = tuple(
            (parse_condition(each["when"], basis), _splitting({"clause": clause, **each["payers"]}, rate, basis))
            for each in document["cases"]
        )
        return PayerCases(clause, cases, _splitting({"clause": clause, **document["otherwise"]}, rate, basis))
    return _fixed(document)


def _named(path: str | None) -> FactField | None:
    return None if path is None else fact_field(path)


def _fixed(document: Piece) -> Payers:
    names = tuple(each["payer"] for each in document["shares"])
    by_rest = document["rule"] == "named_rest"
    shares = tuple(parse_exact(each["share"]) for each in document["shares"])
    return Payers(
        clause=document["clause"],
        names=names,
        shares=shares,
        weights=whole_weights(shares),
        rest=names.index(document["rest"]) if by_rest else None,
        rounding=Rounding(document.get("rounding", Rounding.DOWN)),
        step_fen=parse_step(document.get("step", "fen")),
    )


def payer_names(document: Piece, rate: Piece) -> list[str]:
    """Every payer that a piece of a document names; ``rate`` is the document's, for those who pay by its levels."""
    rule = document["rule"]
    if rule == "match":
        return [document["lead"], *(each["payer"] for each in document["matches"])]
    if rule == "in_order":
        return [each["payer"] for each in document["order"]]
    if rule == "by_level":
        return [each["payer"] for each in rate.get("levels", ())]
    if rule == "cases":
        pieces = [each["payers"] for each in document["cases"]] + [document["otherwise"]]
        return list(dict.fromkeys(name for piece in pieces for name in payer_names(piece, rate)))
    return [each["payer"] for each in document["shares"]]


def payer_faults(document: Piece, rate: Piece, path: str = "$.payers") -> list[Fault]:
    """What the schema cannot say: payers are different, shares sum to 1, the rest goes to one of them, conditions make sense."""
    rule = document["rule"]
    if rule == "match":
        return match_faults(document, path)
    if rule == "by_level":
        wrong = rate["type"] != "stacked"
        return [Fault(f"{path}.rule", "'by_level' needs a rate of type 'stacked'")] if wrong else []
    if rule == "cases":
        faults = payer_faults(document["otherwise"], rate, f"{path}.otherwise")
        for place, each in enumerate(document["cases"]):
            where = f"{path}.cases[{place}]"
            faults += condition_faults(each["when"], f"{where}.when")
            faults += payer_faults(each["payers"], rate, f"{where}.payers")
        return faults
    faults = []
    names = payer_names(document, rate)
    list_name = "order" if rule == "in_order" else "shares"
    if len(set(names)) != len(names):
        faults.append(Fault(f"{path}.{list_name}", "a payer is named twice"))
    if rule == "in_order":
        for place, each in enumerate(document["order"]):
            field = fact_field(each["up_to"]) if "up_to" in each else None
            if "up_to" in each and (field is None or field.kind is not FactKind.MONEY):
                faults.append(fact_fault(each["up_to"], f"{path}.order[{place}].up_to"))
        return faults
    if sum(Fraction(each["share"]) for each in document["shares"]) != 1:
        faults.append(Fault(f"{path}.shares", "the shares must sum to 1"))
    if rule == "named_rest" and document["rest"] not in names:
        faults.append(Fault(f"{path}.rest", f"{document['rest']!r} is not one of the payers"))
    return faults
