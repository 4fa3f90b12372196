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
from billing.subsidy.rules.questions import Question
from billing.subsidy.rules.sample_codec import SampleInputs


@dataclass(frozen=True, slots=True)
class Way:
    """A way of settlement that can be chosen (empty: none), the words (zh, en) of the sides that are for it, and what it would cost."""

    value: str
    says: tuple[Mapping[str, str], ...]
    payable_now_fen: int | None = None
    final_cost_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of whoever books: ``question`` as the first programme asks it, with the answers of all; ``says`` and ``hints`` are the
    words (zh, en) of every programme that asks the same, each once."""

    question: Question
    says: tuple[Mapping[str, str], ...]
    hints: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Offered:
    """``ways``: none where no programme asks; ``rate``: the range, None where none can be chosen; ``asks_kind``: a programme looks at the
    kind of the service; ``asked``: the questions of the programmes."""

    ways: tuple[Way, ...] = ()
    rate: RateRange | None = None
    asks_kind: bool = False
    asked: tuple[Asked, ...] = ()


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
    asked = asked_by((each.programme, each.facts) for each in candidates)
    return Offered(ways, rate, any(each.looks_at_kind for each in choices), asked)


def asked_by(tried: Iterable[tuple[Programme, Facts]]) -> tuple[Asked, ...]:
    """What programmes ask that may be for whoever books, in their order: the same fact once, as the first of them asks it."""
    found: dict[str, Asked] = {}
    for each in (question for programme, facts in tried for question in programme.questions_for(facts)):
        before = found.get(each.fact)
        if before is None:
            found[each.fact] = Asked(each, (each.says,), (each.hint,) if each.hint else ())
        elif before.question.kind is each.kind:
            found[each.fact] = _together(before, each)
    return tuple(found.values())


def offers(programme: Programme) -> bool:
    """Whether a programme lets whoever books choose or asks them something."""
    return programme.choices != NO_CHOICES or bool(programme.asks)


def _together(before: Asked, other: Question) -> Asked:
    """Both as one question, with the words and the answers of both."""
    values = {value for value, _says in before.question.choices}
    more = tuple(choice for choice in other.choices if choice[0] not in values)
    says = before.says if other.says in before.says else (*before.says, other.says)
    hints = before.hints if not other.hint or other.hint in before.hints else (*before.hints, other.hint)
    return Asked(replace(before.question, choices=before.question.choices + more), says, hints)


def offered_of_all(asked: Iterable[tuple[Programme, Facts]]) -> Offered:
    """The same for several times together."""
    return offered_by([Candidate(programme, facts, {}) for programme, facts in asked if offers(programme)])


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
