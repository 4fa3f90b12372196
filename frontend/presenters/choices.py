"""What whoever books can choose under the programmes in force, in their own words, as a form shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing import wording
from billing.ledger.rules.money import yuan
from billing.settlement.offered import Asked, Offered, percent_of_share
from billing.subsidy.rules.choices import RateRange
from billing.subsidy.rules.questions import NO, YES, Kind, Question
from booking.rules.answers import BOX, known_answers
from booking.rules.service_facts import PUBLIC_KINDS, Said
from booking.service_wording import NAMES

TOLD = {name: NAMES[name] for name in Said._fields}
"""What each of ``Said`` is called."""


@dataclass(frozen=True, slots=True)
class WayRow:
    """A way of settlement with its words and, where they are known, what it would cost."""

    value: str
    words: str
    chosen: bool
    payable_now_fen: int | None = None
    final_cost_fen: int | None = None


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question of the programmes. ``name``: of its input, ``id`` the end of that input's; ``options``: code and word of each answer, of
    those that are no text; ``value``: what was answered; ``unfit``: it is no answer to this."""

    name: str
    id: str
    kind: str
    words: str
    hint: str
    options: Sequence[tuple[str, str]]
    value: str
    unfit: bool


@dataclass(frozen=True, slots=True)
class ChoicesView:
    """``kinds``: code and word of each kind of service, empty where nobody asks; ``kind``: the one that is said. ``rate``: as it was typed,
    in per cent, between ``lowest`` and ``highest`` (empty where none can be chosen)."""

    ways: Sequence[WayRow] = ()
    kinds: Sequence[tuple[str, str]] = ()
    kind: str = ""
    rate: str = ""
    lowest: str = ""
    highest: str = ""
    needed: bool = False
    questions: Sequence[QuestionRow] = ()


def choices_view(found: Offered, said: Said, typed_rate: str, ordinary: str, marked: str = "") -> ChoicesView | None:
    """None where nothing can be chosen. ``ordinary``: the kind of service where nobody says another; ``marked``: the kind that the lab has
    marked, so that there is nothing to say."""
    asks_kind = found.asks_kind and not marked
    if not (found.ways or found.rate or asks_kind or found.asked):
        return None
    rows = [
        WayRow(way.value, way_words(way.says, way.value), way.value == said.settlement, way.payable_now_fen, way.final_cost_fen)
        for way in found.ways
    ]
    kinds = kinds_of(ordinary) if asks_kind else ()
    questions = question_rows(found.asked, known_answers(said.answers))
    return ChoicesView(rows, kinds, said.service_kind, typed_rate, *_range(found.rate), questions)


def question_rows(asked: Sequence[Asked], answers: Mapping[str, str]) -> list[QuestionRow]:
    """The questions with what was answered, as a form asks them."""
    return [
        QuestionRow(
            name=BOX + each.question.fact,
            id=each.question.fact.replace(".", "-"),
            kind=each.question.kind.value,
            words=" ".join(wording.document_text(words) for words in each.says),
            hint=" ".join(wording.document_text(words) for words in each.hints),
            options=_options(each.question),
            value=(value := answers.get(each.question.fact, "")),
            unfit=bool(value) and each.question.value(value) is None,
        )
        for each in asked
    ]


def answer_rows(asked: Sequence[Asked], answers: Mapping[str, str]) -> list[tuple[Promise | str, str]]:
    """The questions with what was answered, in words."""
    return [
        (wording.several(wording.document_text(words) for words in each.says), answer_word(each.question, answers))
        for each in asked
    ]


def answer_word(question: Question, answers: Mapping[str, str]) -> str:
    """What was answered, in words."""
    text = answers.get(question.fact, "")
    if not text:
        return pgettext("a question of a programme", "not answered")
    if question.kind is Kind.AMOUNT and question.value(text) is not None:
        return f"¥{yuan(int(question.value(text) or 0))}"
    return dict(_options(question)).get(text, text)


def _options(question: Question) -> list[tuple[str, str]]:
    if question.kind is Kind.YES_NO:
        return [(YES, _("Yes")), (NO, _("No"))]
    return [(value, wording.document_text(words)) for value, words in question.choices]


def told_rows(said: Said, found: Offered, ordinary: str) -> list[tuple[Promise | str, str]]:
    """What was said, each with its name: the kind where somebody asks for it or it is no ordinary one, and what was chosen."""
    rows: list[tuple[Promise | str, str]] = []
    if said.service_kind or found.asks_kind:
        rows.append((TOLD["service_kind"], dict(kinds_of(ordinary)).get(said.service_kind, said.service_kind)))
    ways = {way.value: way_words(way.says, way.value) for way in found.ways}
    if said.settlement or ways:
        rows.append((TOLD["settlement"], ways.get(said.settlement, said.settlement)))
    if said.rate or found.rate:
        rows.append((TOLD["rate"], rate_words(said.rate) if said.rate else pgettext("a fact of a service", "not said")))
    return rows + answer_rows(found.asked, known_answers(said.answers))


def rate_words(rate: str) -> str:
    """A rate in per cent."""
    return _("%(percent)s %%") % {"percent": percent_of_share(rate)}


def kinds_of(ordinary: str) -> list[tuple[str, str]]:
    """Every kind that can be said, the ordinary one first."""
    words = _("Ordinary testing") if ordinary == "testing" else _("Ordinary use of the instrument")
    return [("", words), *((kind, str(wording.service_word(kind))) for kind in PUBLIC_KINDS)]


def way_words(says: Sequence[Mapping[str, str]], value: str) -> str:
    """The programmes' words of a way, or that nothing is for it."""
    words = wording.several(wording.document_text(each) for each in says)
    return words or (value if value else _("None of these ways: nothing is given by the programmes that ask for one"))


def _range(rate: RateRange | None) -> tuple[str, str, bool]:
    return ("", "", False) if rate is None else (percent_of_share(rate.lowest), percent_of_share(rate.highest), rate.needed)
