"""What a booking says of the service: as its page shows it, how it is corrected there, and what was corrected in its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise

from billing.settlement.offered import Offered, percent_of_share
from billing.settlement.services import quotes
from billing.settlement.services.assessing import SERVICE_KIND
from booking import ports
from booking.models import Reservation
from booking.queries.service_facts import corrections_of
from booking.rules.service_facts import Said, ServiceFacts, direction_of, fund_source_of
from booking.service_wording import DIRECTIONS, corrected, fund_source_names
from booking.services import service_facts
from config.kernel.access import Actor
from config.kernel.errors import Conflict, Refusal
from frontend.presenters.choices import ChoicesView, choices_view, told_rows

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


def facts_panel(
    actor: Actor, reservation: Reservation, now: datetime, refusal: Refusal | None, typed: Mapping[str, str]
) -> FactsPanel:
    """For who sees the booking; ``typed``: what was sent, where it was refused."""
    said = reservation.service_facts
    may = service_facts.may_correct(actor, reservation, now)
    shown = _figures(refusal) if isinstance(refusal, Conflict) else None
    found = quotes.offered_to(reservation.quotes.order_by("-revision").first())
    return FactsPanel(
        said=said,
        direction=DIRECTIONS[direction_of(said.service_direction, reservation.organisation.kind)],
        direction_said=bool(said.service_direction),
        source=dict(fund_source_names())[fund_source_of(said.fund_source, said.research_project)],
        source_said=bool(said.fund_source),
        may_correct=may,
        decided=may and ports.money().decided_by_facts(reservation),
        figures=shown,
        told=told_rows(said.said, found, SERVICE_KIND),
        choices=_choices(found, said.said, typed if refusal is not None else {}),
    )


def _choices(found: Offered, said: Said, typed: Mapping[str, str]) -> ChoicesView | None:
    kind, settlement = (typed.get(name, getattr(said, name)) for name in ("service_kind", "settlement"))
    return choices_view(found, Said(kind, settlement), typed.get("rate", percent_of_share(said.rate)), SERVICE_KIND)


def _figures(conflict: Conflict) -> dict[str, int] | None:
    """What it would cost by what was typed, where that is why it was refused."""
    if conflict.reasons[0].code not in ("facts.dearer", "billing.figures_differ"):
        return None
    return {name: conflict.extra[name] for name in ("payable_now_fen", "final_cost_fen")}


def corrections(reservation: Reservation) -> dict[datetime, str]:
    """When what was corrected, in words for the history."""
    found = corrections_of(reservation)
    return {at: "; ".join(corrected(name, *texts) for name, texts in one.items()) for at, one in found.items()}
