"""What a booking says of the service: as its page shows it, how it is corrected there, and what was corrected in its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing import wording
from billing.settlement.offered import Asked, Offered, percent_of_share
from billing.settlement.services import later_questions, quotes
from billing.settlement.services.assessing import SERVICE_KIND
from billing.settlement.services.later_questions import Coming
from billing.subsidy.rules.parts.validity import APPROVAL
from booking import ports
from booking.models import Reservation
from booking.queries.service_facts import corrections_of
from booking.rules.answers import known_answers, typed_answers
from booking.rules.service_facts import Said, ServiceFacts, direction_of, fund_source_of
from booking.service_wording import DIRECTIONS, corrected, fund_source_names
from booking.services import service_facts
from config.kernel.access import Actor
from config.kernel.date_wording import date_words
from config.kernel.errors import Conflict, Refusal
from frontend.presenters.choices import (
    ChoicesView,
    QuestionRow,
    answer_rows,
    answer_word,
    choices_view,
    question_rows,
    told_rows,
)

Word = Promise | str


@dataclass(frozen=True, slots=True)
class FactsPanel:
    """``direction`` and ``source`` in words; ``direction_said``, ``source_said``: whether somebody said so, or the record will say it of
    itself. ``decided``: money is held by the research project and the direction, so that they stay. ``figures``: what it would cost by what
    was typed, which the customer may accept."""

    said: ServiceFacts
    direction: Word
    direction_said: bool
    source: str
    source_said: bool
    may_correct: bool
    decided: bool
    figures: Mapping[str, int] | None
    told: Sequence[tuple[Word, str]] = ()
    """What programmes were told, each with its name, in words."""
    choices: ChoicesView | None = None
    """What can be told to them instead."""
    later: Sequence[QuestionRow] = ()
    """What only later versions of them ask."""
    unanswered: Sequence[str] = ()
    """A sentence for each later version that lacks an answer."""


def facts_panel(
    actor: Actor, reservation: Reservation, now: datetime, refusal: Refusal | None, typed: Mapping[str, str]
) -> FactsPanel:
    """For who sees the booking; ``typed``: what was sent, where it was refused."""
    said = reservation.service_facts
    may = service_facts.may_correct(actor, reservation, now)
    shown = _figures(refusal) if isinstance(refusal, Conflict) else None
    quote = reservation.quotes.order_by("-revision").first()
    found = quotes.offered_to(quote)
    coming = later_questions.coming(quote, now) if service_facts.may_be_corrected(reservation) else ()
    decided = may and ports.money().decided_by_facts(reservation)
    all_later = later_questions.asked_once(coming)
    later = all_later if decided else _beside(all_later, found)
    typed_now = typed if refusal is not None else {}
    return FactsPanel(
        said=said,
        direction=DIRECTIONS[direction_of(said.service_direction, reservation.organisation.kind)],
        direction_said=bool(said.service_direction),
        source=dict(fund_source_names())[fund_source_of(said.fund_source, said.research_project)],
        source_said=bool(said.fund_source),
        may_correct=may,
        decided=decided,
        figures=shown,
        told=[*told_rows(said.said, found, SERVICE_KIND), *answer_rows(_beside(later, found), known_answers(said.answers))],
        choices=_choices(found, said.said, typed_now),
        later=question_rows(later, known_answers(typed_answers(typed_now) if typed_now else said.answers)),
        unanswered=[later_sentence(each, missing) for each in coming if (missing := each.unanswered(said.answers))],
    )


def later_sentence(version: Coming, missing: Sequence[Asked]) -> str:
    """What happens where a later version of a programme does not learn what it asks."""
    asks = _(
        "%(programme)s goes by the %(basis)s. From %(on)s on another version of it counts, which also asks: %(questions)s"
    ) % {
        "programme": wording.document_text(version.programme.name),
        "basis": wording.date_basis_word(version.basis),
        "on": date_words(version.from_on),
        "questions": " ".join(wording.several(wording.document_text(words) for words in each.says) for each in missing),
    }
    until = (
        _("Where this is not answered until the booking is approved, what needs the answer is not given.")
        if version.basis == APPROVAL
        else _("Where this is not answered until the use is agreed, what needs the answer is not given.")
    )
    return f"{asks} {until}"


def _beside(later: Sequence[Asked], found: Offered) -> Sequence[Asked]:
    """What the programmes of the quote do not ask themselves."""
    asked = {each.question.fact for each in found.asked}
    return [each for each in later if each.question.fact not in asked]


def _choices(found: Offered, said: Said, typed: Mapping[str, str]) -> ChoicesView | None:
    kind, settlement = (typed.get(name, getattr(said, name)) for name in ("service_kind", "settlement"))
    answers = typed_answers(typed) if typed else said.answers
    rate = typed.get("rate", percent_of_share(said.rate))
    return choices_view(found, Said(kind, settlement, answers=answers), rate, SERVICE_KIND)


def _figures(conflict: Conflict) -> dict[str, int] | None:
    """What it would cost by what was typed, where that is why it was refused."""
    if conflict.reasons[0].code not in ("facts.dearer", "billing.figures_differ"):
        return None
    return {name: conflict.extra[name] for name in ("payable_now_fen", "final_cost_fen")}


def corrections(reservation: Reservation, now: datetime) -> dict[datetime, str]:
    """When what was corrected, in words for the history."""
    found = corrections_of(reservation)
    asked: Sequence[Asked] = ()
    if any("answers" in one for one in found.values()):
        quote = reservation.quotes.order_by("-revision").first()
        offered = quotes.offered_to(quote)
        coming = later_questions.asked_once(later_questions.coming(quote, now))
        asked = [*offered.asked, *_beside(coming, offered)]
    return {at: "; ".join(_corrected(name, *texts, asked) for name, texts in one.items()) for at, one in found.items()}


def _corrected(name: str, before: str, after: str, asked: Sequence[Asked]) -> str:
    """What became of one of them; of the answers, those that are another, with their questions where they are still asked."""
    if name != "answers":
        return corrected(name, before, after)
    texts = known_answers(before), known_answers(after)
    lines = [
        _("%(name)s: %(before)s → %(after)s")
        % {
            "name": wording.several(wording.document_text(words) for words in each.says),
            "before": answer_word(each.question, texts[0]),
            "after": answer_word(each.question, texts[1]),
        }
        for each in asked
        if texts[0].get(each.question.fact) != texts[1].get(each.question.fact)
    ]
    return "; ".join(lines) or corrected(name, before, after)
