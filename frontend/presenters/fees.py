"""Fees for unused time in words: what the price says of them, what one came to, and what of it fell away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import wording
from billing.ledger.rules.money import plain_yuan
from billing.pricing.rules.fees import FeeRule
from billing.pricing.rules.steps import Step
from billing.settlement.fee_figures import FeeState
from booking.rules.leaving import Fault
from config.kernel.messages import duration_words
from frontend import display
from frontend.presenters.assessment import StepRow

Word = Promise | str
_CAUSES: dict[str, Word] = {
    "taken_again": gettext_lazy("%(used)s of %(lost)s were used after all"),
    "came_late": gettext_lazy("Came late: the session is charged instead"),
    "waived": gettext_lazy("Waived by the lab: %(reason)s"),
}


@dataclass(frozen=True, slots=True)
class ReliefRow:
    words: str
    amount_fen: int
    at: datetime


@dataclass(frozen=True, slots=True)
class FeeView:
    """A fee for a page, in fen. ``left_fen``: what is left of it; ``covered_fen``: what a fund card paid at first, of which
    ``returned_fen`` went back to it; ``to_pay_fen``: what is still to pay."""

    kind_word: Word
    fee_fen: int
    left_fen: int
    covered_fen: int
    returned_fen: int
    to_pay_fen: int
    at: datetime
    steps: list[StepRow]
    reliefs: list[ReliefRow]
    may_waive: bool

    @property
    def left_yuan(self) -> str:
        """As it is typed."""
        return plain_yuan(self.left_fen)


def fee_view(state: FeeState | None) -> FeeView | None:
    if state is None:
        return None
    fee = state.fee
    reliefs = [
        ReliefRow(
            str(_CAUSES[one.cause])
            % {
                "used": duration_words(one.result["covered_seconds"] // 60),
                "lost": duration_words(one.result["lost_seconds"] // 60),
                "reason": one.reason,
            },
            one.amount_fen,
            one.created_at,
        )
        for one in state.reliefs
    ]
    return FeeView(
        wording.unused_word(fee.kind),
        fee.payable_now_fen,
        state.left_fen,
        fee.covered_fen,
        state.returned_fen,
        state.to_pay_fen,
        fee.created_at,
        step_rows(state.steps),
        reliefs,
        state.may_waive,
    )


def step_rows(steps: Iterable[Step]) -> list[StepRow]:
    """The working of a fee."""
    return [StepRow(wording.step_sentence(step.key, step.params), step.amount_fen) for step in steps]


def rule_words(rules: Mapping[Fault, FeeRule]) -> list[str]:
    """What a price says of unused time, a sentence for each kind."""
    return [_sentence(kind, rules[kind]) for kind in Fault if kind in rules]


def _sentence(kind: Fault, rule: FeeRule) -> str:
    if kind is Fault.LATE_CANCEL:
        said = _("Given back later than the lab asks for: %(rate)s of the price.")
    else:
        said = _("Who does not come pays %(rate)s of the price.")
    words = [said % {"rate": wording.percent(str(rule.share))}]
    if rule.at_least_fen:
        words.append(_("At least %(amount)s.") % {"amount": display.yuan(rule.at_least_fen)})
    if rule.at_most_fen is not None:
        words.append(_("At most %(amount)s.") % {"amount": display.yuan(rule.at_most_fen)})
    return " ".join(words)
