"""What a series costs: each time by the same engine as a quote, in the order in which they would be booked.

Where the lab asks for no approval each time holds its subsidy at once, so that the next one finds less; where it does, every request is
quoted from what is left now, and what would be left if all were approved is told beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from billing.ledger.models import Account
from billing.ledger.services import AccountSpec
from billing.pricing.rules.fees import NO_FEE
from billing.pricing.rules.schedule import PriceSchedule
from billing.settlement import counted, once
from billing.settlement.offered import NOTHING, Offered, offered_of_all
from billing.settlement.orders import ASKED_NOW
from billing.settlement.rules.fees import fees_on
from billing.settlement.services import assessing, moving
from billing.settlement.services.assessing import Plan, Prepared, Session
from billing.settlement.services.awarding import countings
from billing.settlement.services.session_extras import NOTHING_BESIDE, Beside, OnOffer, faults_of_choice
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.outcome import Award
from billing.vouchers.rules.backing import spread
from booking.models import Reservation
from booking.ports import ExpectedFigures
from booking.rules.leaving import Fault
from booking.services import series, series_changes
from booking.services.series import Pick, Report, Row, Wish
from booking.services.series_changes import ChangeRow, SeriesChange
from config.kernel.access import Actor
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange


@dataclass(frozen=True, slots=True)
class Figures:
    """In fen. ``late_cancel_fee_fen`` and ``no_show_fee_fen``: what not using the time would cost."""

    gross_fen: int
    payable_now_fen: int
    final_cost_fen: int
    estimate: bool
    late_cancel_fee_fen: int = 0
    no_show_fee_fen: int = 0

    @classmethod
    def of(cls, assessment: Assessment, schedule: PriceSchedule) -> Figures:
        fees = fees_on(schedule, assessment.gross_fen)
        late, missed = (fees.get(fault, NO_FEE).fee_fen for fault in (Fault.LATE_CANCEL, Fault.NO_SHOW))
        figures = assessment.gross_fen, assessment.payable_now_fen, assessment.final_cost_fen, assessment.estimate
        return cls(*figures, late, missed)

    @classmethod
    def sum(cls, several: Sequence[Figures]) -> Figures:
        names = ("gross_fen", "payable_now_fen", "final_cost_fen", "late_cancel_fee_fen", "no_show_fee_fen")
        sums = {name: sum(getattr(one, name) for one in several) for name in names}
        return cls(estimate=any(one.estimate for one in several), **sums)


@dataclass(frozen=True, slots=True)
class PricedRow:
    """A time of the report with its figures (None without a price then, and for a time that clocks jump over), and what is used besides
    it."""

    row: Row
    figures: Figures | None
    beside: Beside = NOTHING_BESIDE

    @property
    def is_possible(self) -> bool:
        """Whether it can be had as it is wanted."""
        return self.row.is_free and self.figures is not None and not self.beside.faults


@dataclass(frozen=True, slots=True)
class PricedReport:
    """``together``: what is wanted and can be had, as it would be quoted; ``if_all_approved``: the same when the subsidies of each are
    taken off for the next, where that is dearer (None: it is the same). ``offered``: the add-ons that any of the times has, each as the
    first of them has it; ``faults``: why none of them can be chosen so."""

    report: Report
    rows: list[PricedRow]
    together: Figures
    if_all_approved: Figures | None
    offered: Mapping[str, OnOffer]
    faults: tuple[Reason, ...]
    choices: Offered = NOTHING
    """What can be chosen under the programmes of any of the times."""

    @property
    def addons_fen(self) -> int:
        """What is used besides the times that are wanted and can be had; beside the figures, without subsidy."""
        return sum(one.beside.amount_fen for one in self.rows if one.row.wanted and one.is_possible)

    @property
    def is_possible(self) -> bool:
        """Whether everything that is wanted can be had and has a price, and anything is."""
        wanted = [one for one in self.rows if one.row.wanted]
        return self.report.is_possible and not self.faults and all(one.is_possible for one in wanted)

    def picks(self) -> list[Pick]:
        """What would be asked for, with the figures that are shown."""
        wanted = [one for one in self.rows if one.row.wanted]
        return [
            Pick(one.row.occurrence.ordinal, one.row.during, expected_of(one.figures), one.beside.amount_fen)
            for one in wanted
            if one.row.during is not None and not one.beside.faults
        ]


def expected_of(figures: Figures | None) -> ExpectedFigures:
    """What the customer saw."""
    return ExpectedFigures(figures.payable_now_fen, figures.final_cost_fen) if figures else ExpectedFigures()


def report(actor: Actor, wish: Wish, now: datetime, picks: Sequence[Pick] | None = None) -> PricedReport:
    """``booking.services.series.report`` with figures: three more queries however many times. Raises as that."""
    found = series.report(actor, wish, now, picks)
    instrument, project = found.context.instrument, wish.research_project.strip()
    times = [row.during for row in found.rows if row.during is not None]
    of_all = (wish.service_mode, project, actor.user_id, wish.service_direction, wish.said, ASKED_NOW)
    sessions = [Session(instrument, during, *of_all) for during in times]
    plans, known = assessing.plan_many(sessions, found.customer, now)
    by_ordinal = dict(zip((row.occurrence.ordinal for row in found.rows if row.during is not None), plans, strict=True))
    alone = {ordinal: assessed(plan, known) for ordinal, plan in by_ordinal.items()}
    offered, faults, besides = _besides(by_ordinal, wish.addons)
    booked = [ordinal for row in found.wanted if row.is_free and not besides[ordinal := row.occurrence.ordinal].faults]
    in_turn = _in_turn([by_ordinal[ordinal] for ordinal in booked], known)
    after_each_other = dict(zip(booked, in_turn, strict=True))
    quoted = alone if found.context.policy.approval_required else {**alone, **after_each_other}
    together = Figures.sum([figures for ordinal in booked if (figures := quoted[ordinal])])
    if_all = Figures.sum([figures for figures in in_turn if figures])
    rows = [
        PricedRow(row, quoted.get(ordinal := row.occurrence.ordinal), besides.get(ordinal, NOTHING_BESIDE)) for row in found.rows
    ]
    choices = offered_of_all((version.programme, plan.facts) for plan in plans if plan for version in plan.versions)
    return PricedReport(found, rows, together, if_all if if_all != together else None, offered, faults, choices)


def _besides(
    plans: Mapping[int, Plan | None], chosen: Sequence[tuple[str, int]]
) -> tuple[dict[str, OnOffer], tuple[Reason, ...], dict[int, Beside]]:
    """What any of the times offers, what is wrong with the choice everywhere, and what it is at each time. What is wrong everywhere is not
    said of each again."""
    besides = {ordinal: beside_of(plan, chosen) for ordinal, plan in plans.items()}
    offered: dict[str, OnOffer] = {}
    for one in besides.values():
        offered = {**one.offered, **offered}
    faults = tuple(faults_of_choice(offered, chosen))
    if faults:
        besides = {ordinal: replace(one, faults=()) for ordinal, one in besides.items()}
    return offered, faults, besides


def beside_of(plan: Plan | None, chosen: Sequence[tuple[str, int]]) -> Beside:
    """What is used besides a time; nothing without a price."""
    return Beside.of(plan.schedule, plan.customer_class, chosen) if plan is not None else NOTHING_BESIDE


def assessed(plan: Plan | None, known: dict[str, Account]) -> Figures | None:
    """The figures under the balances of ``known``; None without a price for the customer."""
    if plan is None:
        return None
    inputs = plan.with_balances(known).inputs
    try:
        return Figures.of(inputs.assess(), inputs.schedule)
    except Refusal:  # the lab has no price for such customers
        return None


def _in_turn(plans: Sequence[Plan | None], known: dict[str, Account]) -> list[Figures | None]:
    """Each as if the subsidies of those before it were held already; ``known`` is changed, nothing is stored."""
    found: list[Figures | None] = []
    for plan in plans:
        if plan is None:
            found.append(None)
            continue
        prepared = plan.with_balances(known)
        try:
            assessment = prepared.inputs.assess()
        except Refusal:
            found.append(None)
            continue
        hold_in_memory(prepared, assessment, known)
        found.append(Figures.of(assessment, prepared.inputs.schedule))
    return found


def hold_in_memory(prepared: Prepared, assessment: Assessment, known: dict[str, Account]) -> None:
    """What holding the awards would do to the accounts, in memory alone."""
    for version, outcome in zip(prepared.versions, assessment.outcomes, strict=True):
        if not isinstance(outcome, Award) or not any(outcome.draws.values()):
            continue
        for cap_id, amount in outcome.draws.items():
            purses = [_in_memory(spec, known) for spec in prepared.accounts[version.version_id, cap_id]]
            parts = spread(amount, [purse.promisable_fen for purse in purses])
            for purse, part in zip(purses, parts, strict=True):
                purse.held_fen += part
        key = assessing.counting_key(version, prepared.customer_id, outcome)
        counting = known.setdefault(key, Account(key=key, kind=assessing.AWARDED, limited=False))
        counting.is_awarded = counting.is_awarded_to_user = True  # type: ignore[attr-defined]
        once.take_in_memory(prepared.inputs.candidates[0].facts.service.paper, version, prepared.earlier.taken)
    counted.take_in_memory(countings(prepared, prepared.inputs, assessment.outcomes), prepared.earlier.counts)


def _in_memory(spec: AccountSpec, known: dict[str, Account]) -> Account:
    """An account as it is known, or as it would be opened."""
    limit = spec.limit_fen
    return known.setdefault(spec.key, Account(key=spec.key, kind=spec.kind, limited=limit is not None, granted_fen=limit or 0))


def report_change(actor: Actor, change: SeriesChange, now: datetime) -> list[ChangeRow]:
    """``booking.services.series_changes.report`` with what each moved time would cost. Raises as that."""

    def price(reservation: Reservation, during: TimeRange) -> ExpectedFigures:
        assessment = moving.preview(actor, reservation.pk, during, now).assessment
        return ExpectedFigures(assessment.payable_now_fen, assessment.final_cost_fen)

    return series_changes.report(actor, change, now, price)
