"""What whoever books can choose under the programmes that are tried, each way of settlement with the programme's words and its figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from billing.subsidy.rules.assess import Candidate
from billing.subsidy.rules.choices import NO_CHOICES, RateRange, with_settlement, words_of
from billing.subsidy.rules.codec import Inputs
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.sample_codec import SampleInputs


@dataclass(frozen=True, slots=True)
class Way:
    """A way of settlement that can be chosen (empty: none), the words (zh, en) of the sides that are for it, and what it would cost."""

    value: str
    says: tuple[Mapping[str, str], ...]
    payable_now_fen: int | None = None
    final_cost_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """``ways``: none where no programme asks; ``rate``: the range, None where none can be chosen; ``asks_kind``: a programme looks at the
    kind of the service."""

    ways: tuple[Way, ...] = ()
    rate: RateRange | None = None
    asks_kind: bool = False


NOTHING = Offered()


def offered(inputs: Inputs | SampleInputs) -> Offered:
    """What the candidates of a quote let choose, each way with its figures; nothing is read."""
    found = offered_by(inputs.candidates)
    ways = [(way, _assessed(inputs, way.value)) for way in found.ways]
    figures = (replace(way, payable_now_fen=each.payable_now_fen, final_cost_fen=each.final_cost_fen) for way, each in ways)
    return replace(found, ways=tuple(figures))


def offered_by(candidates: Sequence[Candidate]) -> Offered:
    """The same without figures."""
    choices = [each.programme.choices for each in candidates]
    values = list(dict.fromkeys(value for each in choices for value in each.settlements))
    ranges = [each.rate for each in choices if each.rate is not None]
    rate = None
    if ranges:
        lowest, highest = min(each.lowest for each in ranges), max(each.highest for each in ranges)
        rate = RateRange(lowest, highest, all(each.needed for each in ranges))
    ways = tuple(Way(value, _words(candidates, value)) for value in ["", *values] if values)
    return Offered(ways, rate, any(each.looks_at_kind for each in choices))


def offered_of_all(asked: Iterable[tuple[Programme, Facts]]) -> Offered:
    """The same for several times together."""
    return offered_by([Candidate(programme, facts, {}) for programme, facts in asked if programme.choices != NO_CHOICES])


def _words(candidates: Sequence[Candidate], value: str) -> tuple[Mapping[str, str], ...]:
    says = [words for each in candidates for words in words_of(each.programme, each.facts, value)]
    return tuple(words for place, words in enumerate(says) if words not in says[:place])


def _assessed(inputs: Inputs | SampleInputs, value: str) -> Any:
    chosen = tuple(replace(each, facts=with_settlement(each.facts, value)) for each in inputs.candidates)
    return replace(inputs, candidates=chosen).assess()


def share_of_percent(text: str) -> str:
    """A rate as programmes have it ("0.35") of one that is typed in per cent ("35"); what cannot be read stays as it is."""
    plain = text.strip().removesuffix("%").strip()
    if not plain or not plain.isascii() or not plain.replace(".", "", 1).isdigit() or len(plain) > 8:
        return text.strip()
    return f"{Decimal(plain) / 100:f}"


def percent_of_share(rate: str | Decimal) -> str:
    """The other way round: "0.35" is "35"."""
    return f"{(Decimal(rate) * 100).normalize():f}" if rate != "" else ""
