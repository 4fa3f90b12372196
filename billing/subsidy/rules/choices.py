"""What a programme lets whoever books choose: the way of settlement, with its own words, and a rate within a range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from billing.subsidy.rules.facts import Facts

if TYPE_CHECKING:
    from billing.subsidy.rules.programme import Programme

SETTLEMENT = "request.settlement"
KIND = "service.kind"
_VALUES = ("is", "is_not", "any_of", "none_of")


@dataclass(frozen=True, slots=True)
class RateRange:
    """The least and the greatest rate that can be chosen. ``needed``: without one there is nothing."""

    lowest: Decimal
    highest: Decimal
    needed: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """``settlements``: the ways that rules ask for, in the order of the document; ``rate``: None where none can be chosen;
    ``looks_at_kind``: some rule looks at the kind of the service."""

    settlements: tuple[str, ...] = ()
    rate: RateRange | None = None
    looks_at_kind: bool = False


NO_CHOICES = Choices()


def choices_of(document: Mapping[str, Any], of_user: Sequence[Mapping[str, Any]] | None = None) -> Choices:
    """What the rules of a document leave to whoever books; its worked examples are none. ``of_user``: where both sides claim, the documents
    of the sides that are the user's, whose rates alone are asked."""
    pieces = list(_pieces([value for name, value in document.items() if name != "examples"]))
    named = [value for each in pieces if each.get("fact") == SETTLEMENT for name in _VALUES for value in _several(each.get(name))]
    rates = [each for each in (pieces if of_user is None else _pieces(list(of_user))) if each.get("type") == "chosen"]
    kinds = any(each.get("fact") == KIND or each.get("type") == "service_kind" for each in pieces)
    return Choices(tuple(dict.fromkeys(named)), _range(rates), kinds)


def with_settlement(facts: Facts, settlement: str) -> Facts:
    """The facts as if this way had been chosen (empty: none)."""
    return replace(facts, more=replace(facts.more, request=replace(facts.more.request, settlement=settlement or None)))


def words_of(programme: Programme, facts: Facts, settlement: str) -> list[Mapping[str, str]]:
    """The programme's own words (zh, en) of the sides that are for this way of settlement and not for every one."""
    asked = with_settlement(facts, settlement)
    sides = programme.document.get("sides", ())
    return [
        written["says"]
        for written, side in zip(sides, programme.sides, strict=True)
        if side.when is not None and SETTLEMENT in str(written["when"]) and side.when.holds(asked, [])
    ]


def _range(rates: list[Mapping[str, Any]]) -> RateRange | None:
    if not rates:
        return None
    lowest = min(Decimal(each.get("at_least", "0")) for each in rates)
    highest = max(Decimal(each["at_most"]) for each in rates)
    return RateRange(lowest, highest, all(each["when_not_chosen"] == "refuse" for each in rates))


def _several(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [each for each in value or () if isinstance(each, str)]


def _pieces(piece: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(piece, Mapping):
        yield piece
        for value in piece.values():
            yield from _pieces(value)
    elif isinstance(piece, list):
        for each in piece:
            yield from _pieces(each)
