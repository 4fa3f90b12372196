"""The figures of limits that documents leave to the administrator, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from billing import wording
from billing.ledger.rules.money import yuan
from billing.subsidy.budgets import OpenFigure
from billing.subsidy.figure_models import CapFigure


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One limit: ``now`` is what counts, ``waiting`` what a second person has to decide, ``past`` what was decided, a sentence each."""

    figure: OpenFigure
    name: str
    now: str
    waiting: tuple[CapFigure, ...]
    past: tuple[str, ...]


def figure_rows(figures: Sequence[OpenFigure]) -> list[FigureRow]:
    """A row for each limit and year."""
    return [
        FigureRow(
            each,
            figure_name(each.cap.per.value, each.cap.payer, each.year),
            _now(each),
            each.waiting,
            tuple(_past(one) for one in each.history if one.state != CapFigure.State.ASKED),
        )
        for each in figures
    ]


def figure_name(per: str, payer: str, year: int | None) -> str:
    """What the limit is called, with its year."""
    word = wording.cap_word(per, payer)
    return word if year is None else _("%(limit)s, %(year)s") % {"limit": word, "year": year}


def _now(figure: OpenFigure) -> str:
    if figure.set_fen is not None:
        return f"¥{yuan(figure.set_fen)}"
    if figure.cap.limit_fen is not None:
        return _("¥%(amount)s, by the document") % {"amount": yuan(figure.cap.limit_fen)}
    return _("Not set: nothing is given") if figure.cap.refuse_when_unset else _("Not set: no limit")


def _past(figure: CapFigure) -> str:
    shown = {
        "amount": yuan(figure.limit_fen),
        "asked_by": figure.asked_by,
        "decided_by": figure.decided_by,
        "reason": figure.reason,
        "answer": figure.answer,
    }
    if figure.state == CapFigure.State.SET:
        return _("¥%(amount)s set by %(decided_by)s, asked for by %(asked_by)s: %(reason)s") % shown
    return _("¥%(amount)s not set by %(decided_by)s (%(answer)s), asked for by %(asked_by)s: %(reason)s") % shown
