"""An assessment as rows for people: the four numbers, what each programme gives or why not, and every step with its clause.

Live quotes (``of_preview``) and frozen ones (``of_frozen``, for a Quote or a Charge) come out in the same shape, which
``frontend/templates/billing/_steps.html`` prints. Everything is in the language that is active when it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext

from billing import wording
from billing.pricing.rules.schedule import PriceSchedule
from billing.pricing.rules.steps import Step
from billing.settlement.frozen import read as read_frozen
from billing.settlement.models import FrozenAssessment
from billing.settlement.services.basis_day import Otherwise
from billing.settlement.services.quotes import QuotePreview
from billing.settlement.services.still_eligible import Lost
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.for_customers import for_customers
from billing.subsidy.rules.outcome import Award, Outcome, SettlementMode
from billing.subsidy.rules.parts.caps import Cap
from billing.subsidy.rules.programme import Programme
from booking.models import Reservation
from config.kernel.date_wording import date_words
from frontend.display import yuan
from frontend.presenters.price_lines import Line, price_lines
from instruments.rules.spending import is_in_house

#: Parts of the working that test a condition: there is no running amount to show beside them yet.
_WITHOUT_AMOUNT = frozenset({"gate"})
#: Steps that say nothing where no programme is tried.
_OF_SUBSIDIES = frozenset({"session.step.payable_now", "session.step.final_cost"})


@dataclass(frozen=True, slots=True)
class StepRow:
    """One line of the working. ``amount_fen`` is the running amount after it, None where there is none."""

    sentence: str
    amount_fen: int | None
    clause: str = ""
    clause_text: str = ""


@dataclass(frozen=True, slots=True)
class PayerRow:
    name: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class LeftRow:
    """A limit and what the award leaves of it."""

    name: str
    left_fen: int


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What one programme says. ``awarded`` false: ``reasons`` hold every one. ``cut_by`` names the limits that cut the amount, ``left``
    what is left of each when the figures were made. ``goes_by``: the date that counts, where it comes after the service and may fall
    into another year. ``conditions``: what has to hold of days that have not come, or nothing is paid. ``depends_on``: in words what nobody
    told and without which it cannot be said whether there is a subsidy. ``unset``: limits of which nobody has set the figure, so that
    nothing is given yet to who is eligible. ``several_ways``: it gives in more than one way of settlement, and ``mode`` is the first;
    ``unsure_cost``: what it takes off the customer's cost is an estimate."""

    code: str
    version: str
    name: str
    awarded: bool
    mode: str = ""
    mode_word: str = ""
    payee_word: str = ""
    total_fen: int = 0
    estimate: bool = False
    cut_by: tuple[str, ...] = ()
    payers: tuple[PayerRow, ...] = ()
    reasons: tuple[StepRow, ...] = ()
    steps: tuple[StepRow, ...] = ()
    several_ways: bool = False
    unsure_cost: bool = False
    deducted_fen: int = 0
    refunded_fen: int = 0
    beside_fen: int = 0
    goes_by: str = ""
    left: tuple[LeftRow, ...] = ()
    conditions: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()

    @property
    def unset_words(self) -> str:
        return wording.several(self.unset)

    @property
    def depends_on_words(self) -> str:
        return wording.several(self.depends_on)


@dataclass(frozen=True, slots=True)
class TaxRow:
    """The tax of a price: part of it where ``included``, otherwise a line of it beside the others."""

    words: str
    amount_fen: int
    included: bool


@dataclass(frozen=True, slots=True)
class AssessmentRows:
    """The four numbers (fen) and their working. payable_now = gross - deducted; final_cost = payable_now - refunded. ``lines`` with a tax
    that is added make the gross.

    ``internal``: an owner's own people use its own instrument and no programme was tried, so there is one number only.
    """

    gross_fen: int
    deducted_fen: int
    refunded_fen: int
    payable_now_fen: int
    final_cost_fen: int
    estimate: bool
    customer_class: str
    outcomes: tuple[OutcomeRow, ...]
    steps: tuple[StepRow, ...]
    lines: tuple[Line, ...] = ()
    tax: TaxRow | None = None
    internal: bool = False

    @property
    def awards(self) -> tuple[OutcomeRow, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.awarded)

    @property
    def refusals(self) -> tuple[OutcomeRow, ...]:
        return tuple(outcome for outcome in self.outcomes if not outcome.awarded)


def of_preview(preview: QuotePreview, *, in_house: bool = False) -> AssessmentRows:
    """The rows of a live quote; ``in_house``: for an owner's own people."""
    programmes = [version.programme for version in preview.prepared.versions]
    return present(preview.assessment, programmes, preview.prepared.inputs.schedule, in_house=in_house)


def of_reservation(reservation: Reservation, frozen: FrozenAssessment, *, whole: bool = False) -> AssessmentRows:
    """As ``of_frozen`` for a reservation's Quote or Charge."""
    in_house = is_in_house(reservation.organisation_id, reservation.instrument.organisation_id)
    return of_frozen(frozen, in_house=in_house, whole=whole)


def of_frozen(frozen: FrozenAssessment, *, in_house: bool = False, whole: bool = False) -> AssessmentRows:
    """The rows of a Quote or a Charge, from what was frozen then; ``in_house``: of an owner's own people; ``whole`` as in ``present``."""
    found = read_frozen(frozen)
    return present(found.assessment, found.programmes, found.schedule, in_house=in_house, whole=whole)


def present(
    assessment: Assessment,
    programmes: Sequence[Programme],
    schedule: PriceSchedule | None,
    *,
    in_house: bool = False,
    whole: bool = False,
) -> AssessmentRows:
    """The rows of an assessment of ``programmes`` (in the order they were tried) at the prices of ``schedule``, as the customer sees them;
    ``whole``: as the lab does, with what programmes of several sides pay to the owner.

    A commissioned test has no schedule.
    """
    own = for_customers(assessment.outcomes, programmes)
    unsure = [isinstance(each, Award) and each.estimate for each in own]
    shown = assessment.outcomes if whole else own
    bands = {band.code: band.name for band in schedule.bands} if schedule is not None else {}
    internal = in_house and not programmes
    return AssessmentRows(
        gross_fen=assessment.gross_fen,
        deducted_fen=assessment.deducted_fen,
        refunded_fen=assessment.refunded_fen,
        payable_now_fen=assessment.payable_now_fen,
        final_cost_fen=assessment.final_cost_fen,
        estimate=any(unsure),
        customer_class=wording.class_word(assessment.priced.customer_class, schedule.class_names if schedule is not None else {}),
        outcomes=tuple(
            replace(outcome_row(each, programme), unsure_cost=own_unsure)
            for each, programme, own_unsure in zip(shown, programmes, unsure, strict=True)
        ),
        steps=tuple(_step(step, {}, bands) for step in assessment.steps if not (internal and step.key in _OF_SUBSIDIES)),
        lines=price_lines(assessment.priced, schedule),
        tax=TaxRow(wording.tax_word(told), told.amount_fen, told.included) if (told := assessment.tax) is not None else None,
        internal=internal,
    )


@dataclass(frozen=True, slots=True)
class LostRow:
    """A programme that was promised and is not paid, with every reason in words."""

    name: str
    promised_fen: int
    reasons: tuple[str, ...]


def lost_rows(lost: Sequence[Lost]) -> list[LostRow]:
    """What the customer was no longer eligible for when the service was charged."""
    return [
        LostRow(
            each.programme, each.promised_fen, tuple(wording.step_sentence(one["code"], one["params"]) for one in each.reasons)
        )
        for each in lost
    ]


def otherwise_rows(otherwise: Sequence[Otherwise]) -> list[str]:
    """Which date counted, and what it changed, a sentence for each programme."""
    return [
        gettext(
            "%(programme)s goes by the %(basis)s. It was expected on the day of the service and counts from the day of the charge,"
            " %(on)s: %(given)s instead of %(promised)s."
        )
        % {
            "programme": each.programme,
            "basis": wording.date_basis_word(each.basis),
            "on": date_words(each.on),
            "given": yuan(each.given_fen),
            "promised": yuan(each.promised_fen),
        }
        for each in otherwise
    ]


#: Dates that are not known before the service and may lie in another year.
_LATER = ("invoice", "claim")


#: Steps about days that have not come, whose being as asked is a condition, and about what the claim will say.
STILL_OPEN = frozenset(
    {"subsidy.step.window_open", "subsidy.step.lifetime_open", "subsidy.step.lifetime_after", "subsidy.step.declared_later"}
)


def outcome_row(outcome: Outcome, programme: Programme) -> OutcomeRow:
    """What one programme says, in words."""
    clauses = {clause.id: wording.document_text({"zh": clause.zh, "en": clause.en}) for clause in programme.clauses.values()}
    name = wording.document_text(programme.name)
    steps = tuple(_step(step, clauses, {}) for step in outcome.steps)
    if not isinstance(outcome, Award):
        reasons = tuple(
            StepRow(wording.step_sentence(each.code, each.params), None, each.clause, clauses.get(each.clause, ""))
            for each in outcome.reasons
        )
        return OutcomeRow(outcome.programme, outcome.version, name, awarded=False, reasons=reasons, steps=steps)
    caps = {cap.id: cap for cap in programme.caps}
    return OutcomeRow(
        code=outcome.programme,
        version=outcome.version,
        name=name,
        awarded=True,
        mode=outcome.mode.value,
        mode_word=wording.mode_word(outcome.mode.value),
        payee_word=wording.payee_word(outcome.payee.value),
        total_fen=outcome.total_fen,
        estimate=outcome.estimate,
        cut_by=tuple(cap_name(caps[cap_id]) for cap_id in outcome.binding_caps),
        payers=_payers(outcome),
        steps=steps,
        several_ways=len({side.mode for side in outcome.sides or ()}) > 1,
        deducted_fen=outcome.given_fen(SettlementMode.DEDUCTED_NOW),
        refunded_fen=outcome.given_fen(SettlementMode.REFUNDED_LATER),
        beside_fen=outcome.given_fen(SettlementMode.PAID_BESIDE),
        goes_by=wording.date_basis_word(basis) if (basis := programme.validity.date_basis) in _LATER else "",
        left=tuple(LeftRow(cap_name(cap), outcome.left_after[cap.id]) for cap in programme.caps if cap.id in outcome.left_after),
        conditions=tuple(
            dict.fromkeys(row.sentence for row, step in zip(steps, outcome.steps, strict=True) if step.key in STILL_OPEN)
        ),
    )


def _payers(award: Award) -> tuple[PayerRow, ...]:
    """Who pays how much; of several those who pay nothing are left out."""
    paying = [line for line in award.lines if line.amount_fen] or award.lines
    return tuple(PayerRow(wording.payer_word(line.payer), line.amount_fen) for line in paying)


def cap_name(cap: Cap) -> str:
    """What a limit is called."""
    return wording.cap_word(cap.per.value, cap.payer)


def _step(step: Step, clauses: Mapping[str, str], bands: wording.BandNames) -> StepRow:
    return StepRow(
        sentence=wording.step_sentence(step.key, step.params, bands),
        amount_fen=None if step.part in _WITHOUT_AMOUNT else step.amount_fen,
        clause=step.clause,
        clause_text=clauses.get(step.clause, ""),
    )
