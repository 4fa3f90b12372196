"""The money of sample jobs as people read it; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from billing.settlement.models import Charge, Quote
from booking.models import SampleJob
from booking.rules.samples import JobState
from config.kernel.access import Actor, visible_to


@dataclass(frozen=True, slots=True)
class SampleFigures:
    """Gross, to pay now and in the end, in fen, with agreed extra charges. ``waits``: new figures wait for the customer's yes."""

    gross_fen: int
    payable_now_fen: int
    final_cost_fen: int
    estimate: bool
    charged: bool
    waits: bool = False


@dataclass(frozen=True, slots=True)
class SampleMoneyOf:
    """Everything about the money of one job: the quote that was accepted last, one that waits for a yes while the lab has not taken the
    job, the charge."""

    quote: Quote | None
    waiting: Quote | None
    charge: Charge | None

    def figures(self, extra_fen: int) -> SampleFigures | None:
        """What was charged, or what was accepted last with ``extra_fen``, agreed beyond it."""
        if self.charge is not None:
            return _figures(self.charge, 0, charged=True)
        if self.quote is None:
            return None
        return replace(_figures(self.quote, extra_fen, charged=False), waits=self.waiting is not None)

    @property
    def waiting_figures(self) -> SampleFigures | None:
        """What waits for the customer's yes."""
        return replace(_figures(self.waiting, 0, charged=False), waits=True) if self.waiting is not None else None


def figures_of(actor: Actor, jobs: Iterable[SampleJob], extra_fen: dict[int, int] | None = None) -> dict[int, SampleFigures]:
    """The figures of jobs that the actor may see, by id, in two queries however many; ``extra_fen`` was agreed beyond the quotes."""
    states = {job.pk: job.state for job in jobs}
    ids = list(states)
    found: dict[int, SampleFigures] = {}
    defer = ("inputs", "result")
    for quote in visible_to(Quote.objects.filter(sample_job_id__in=ids), actor).defer(*defer).order_by("revision"):
        pk = quote.sample_job_id or 0
        if quote.accepted_at is not None:
            found[pk] = _figures(quote, (extra_fen or {}).get(pk, 0), charged=False)
        elif pk in found and states[pk] == JobState.ASKED:
            found[pk] = replace(found[pk], waits=True)
    for charge in visible_to(Charge.objects.filter(sample_job_id__in=ids), actor).defer(*defer):
        found[charge.sample_job_id or 0] = _figures(charge, 0, charged=True)
    return found


def money_of(actor: Actor, job: SampleJob) -> SampleMoneyOf:
    """Quotes and charge of one job that the actor may see."""
    quotes = list(visible_to(Quote.objects.filter(sample_job=job), actor).order_by("revision"))
    accepted = [quote for quote in quotes if quote.accepted_at is not None]
    waiting = quotes[-1] if quotes and quotes[-1].accepted_at is None and job.state == JobState.ASKED else None
    charge = visible_to(Charge.objects.filter(sample_job=job), actor).first()
    return SampleMoneyOf(accepted[-1] if accepted else None, waiting, charge)


def _figures(row: Quote | Charge, extra_fen: int, *, charged: bool) -> SampleFigures:
    return SampleFigures(
        row.gross_fen + extra_fen, row.payable_now_fen + extra_fen, row.final_cost_fen + extra_fen, row.estimate, charged
    )
