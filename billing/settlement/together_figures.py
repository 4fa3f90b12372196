"""What several instruments cost together: each by the engine of a quote, in the order in which they would be booked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing.settlement.offered import NOTHING, Offered, offered_of_all
from billing.settlement.orders import ASKED_NOW
from billing.settlement.series_figures import Figures, beside_of, hold_in_memory
from billing.settlement.services import assessing
from billing.settlement.services.assessing import Session
from billing.settlement.services.session_extras import NOTHING_BESIDE, Beside
from booking.services import together
from booking.services.together import Bundle, BundleReport, PlaceRow
from config.kernel.access import Actor
from config.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class PricedPlace:
    """An instrument of the report with its figures (None: the lab has no price for the customer then), and what is used besides it."""

    row: PlaceRow
    figures: Figures | None
    beside: Beside = NOTHING_BESIDE

    @property
    def is_possible(self) -> bool:
        return self.row.verdict.is_free and self.figures is not None and not self.beside.faults


@dataclass(frozen=True, slots=True)
class PricedBundle:
    """``total`` is of all that have a price."""

    report: BundleReport
    rows: list[PricedPlace]
    total: Figures
    choices: Offered = NOTHING
    """What can be chosen under the programmes of any of the places."""

    @property
    def addons_fen(self) -> int:
        """What is used besides all that have a price; beside the figures, without subsidy."""
        return sum(one.beside.amount_fen for one in self.rows if one.figures is not None)

    @property
    def is_possible(self) -> bool:
        """Whether all can be had and have a price."""
        return all(one.is_possible for one in self.rows)


def report(actor: Actor, bundle: Bundle, now: datetime) -> PricedBundle:
    """``booking.services.together.report`` with figures: three more queries. Where a lab approves nothing its subsidy is held at once, so
    that the next one finds less. Raises as that."""
    found = together.report(actor, bundle, now)
    rows = {row.place.instrument_id: row for row in found.rows}
    order = [rows[context.instrument.pk] for context in together.in_order(row.context for row in found.rows)]
    project = bundle.research_project.strip()
    of_all = (project, actor.user_id, bundle.service_direction, bundle.said, ASKED_NOW)
    sessions = [Session(row.context.instrument, row.place.during, row.place.service_mode, *of_all) for row in order]
    plans, known = assessing.plan_many(sessions, found.customer, now)
    figures: dict[int, Figures] = {}
    besides: dict[int, Beside] = {}
    for row, plan in zip(order, plans, strict=True):
        if plan is None:
            continue
        besides[row.place.instrument_id] = beside_of(plan, row.place.addons.chosen)
        prepared = plan.with_balances(known)
        try:
            assessment = prepared.inputs.assess()
        except Refusal:  # the lab has no price for such customers
            continue
        figures[row.place.instrument_id] = Figures.of(assessment, prepared.inputs.schedule)
        if not row.context.policy.approval_required:
            hold_in_memory(prepared, assessment, known)
    priced = [PricedPlace(row, figures.get(pk := row.place.instrument_id), besides.get(pk, NOTHING_BESIDE)) for row in found.rows]
    choices = offered_of_all((version.programme, plan.facts) for plan in plans if plan for version in plan.versions)
    return PricedBundle(found, priced, Figures.sum(list(figures.values())), choices)
