"""A sample job under a commission: it is priced by what both sides agreed there, not by the lab's list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from billing.ordering.models import CommissionSampleJob, CommissionSheet, QuotationLine
from billing.ordering.rules.lines import LineKind
from billing.ordering.rules.sheets import SheetEvent, SheetState, next_state
from billing.pricing.rules.samples import UNITS, UNITS_OF_TIME, SamplePrice, quantity_of, sample_price_from_json
from billing.settlement import contracts
from billing.settlement.contracts import Contract
from billing.settlement.services import sample_money
from booking.models import SampleJob
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.rules.enquiries import Side
from booking.rules.samples import JobState
from booking.sample_ports import AgreedPrice
from booking.services import sample_news, sample_spending
from booking.services.enquiry_sides import require_on
from booking.services.sample_writing import lock_job
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole

_WITHOUT_WORK = (JobState.REFUSED, JobState.CANCELLED, JobState.FAILED)
_BY_NUMBER = [unit for unit in UNITS if unit not in UNITS_OF_TIME]


@whole
def link(
    actor: Actor, sheet_id: int, job_id: int, now: datetime, expected: ExpectedFigures = NOTHING_EXPECTED
) -> CommissionSampleJob:
    """Put a job that the lab has not answered yet under a commission of the same two sides, at the unit price agreed there.

    The customer does so, and accepts the figures that follow with it: ``expected`` are those it saw. Raises NotFound, Forbidden (on a
    fund card ``card.not_your_spending``), Refusal ``commission.illegal_transition``, ``commission.other_parties``,
    ``commission.linked_already``, ``samples.too_late_for_commission``, ``samples.not_on_the_sheet``, ``samples.line_per_element``,
    ``samples.beyond_the_line``, Conflict
    ``billing.figures_differ`` (``expected`` are others, or nothing was seen and the job would be dearer).
    """
    sheet = _locked_sheet(actor, sheet_id)
    job = lock_job(actor, job_id)
    require_on(actor, Side.CUSTOMER, job.organisation_id, job.lab_id)
    sample_spending.require_paying(job, actor, now)
    _require_takes(sheet, job)
    if CommissionSampleJob.objects.filter(sample_job=job).exists():
        raise Refusal.of("commission.linked_already", "sheet")
    if job.state != JobState.ASKED:
        raise Refusal.of("samples.too_late_for_commission", "sheet")
    asked_at = sample_price_from_json(job.quotes.latest("revision").inputs["price"])
    line = _line(sheet, job, counts_elements=asked_at.unit == "element")
    made = _keep(sheet, job, line, actor, now)
    sample_money.requote(job, SamplePrice(line.unit, line.unit_price_fen), actor, now, expected)
    named = sheet.number or sheet.title
    sample_news.tell_lab(job, "linked", now, sheet=named)
    if job.requested_by_id != actor.user_id:
        sample_news.tell_customer(job, "linked", now, sheet=named)
    return made


@dataclass
class UnderSheet:
    """Samples that are sent under a commission at once: also of a test whose list price counts no samples, or is given on request
    (``booking.sample_ports.SampleOrder``)."""

    key: int
    _found: tuple[CommissionSheet, QuotationLine] | None = None

    def price_of(self, job: SampleJob, actor: Actor) -> AgreedPrice:
        """The unit price of the sheet's line. Raises NotFound, Refusal ``commission.*``, ``samples.*`` as ``link``."""
        sheet = _locked_sheet(actor, self.key)
        _require_takes(sheet, job)
        line = _line(sheet, job, counts_elements=True)
        self._found = sheet, line
        return AgreedPrice(line.unit, line.unit_price_fen, sheet.number or "", sheet.in_force_at)

    def keep(self, job: SampleJob, actor: Actor, now: datetime) -> None:
        """Write the link, once its price was asked for."""
        if self._found is not None:
            sheet, line = self._found
            _keep(sheet, job, line, actor, now)


def price_under(actor: Actor, sheet_id: int, resource_id: int, customer_id: int) -> tuple[SamplePrice, Contract | None]:
    """What a commission of the customer says one unit of a test costs, to look at, and the contract that it is once it is in force.

    Raises NotFound, Refusal ``samples.not_on_the_sheet``.
    """
    sheet = get_visible(CommissionSheet.objects.filter(organisation_id=customer_id), actor, pk=sheet_id)
    line = lines_for(resource_id).filter(quotation__sheet=sheet).order_by("position").first()
    if line is None:
        raise Refusal.of("samples.not_on_the_sheet", "sheet")
    return SamplePrice(line.unit, line.unit_price_fen), contracts.signed((sheet.number, sheet.in_force_at))


def _locked_sheet(actor: Actor, sheet_id: int) -> CommissionSheet:
    rows = CommissionSheet.objects.select_for_update(of=("self",), no_key=True).select_related("quotation")
    return get_visible(rows, actor, pk=sheet_id)


def _require_takes(sheet: CommissionSheet, job: SampleJob) -> None:
    next_state(SheetState(sheet.state), SheetEvent.LINK)
    if (job.organisation_id, job.lab_id) != (sheet.organisation_id, sheet.lab_id):
        raise Refusal.of("commission.other_parties", "sheet")


def _keep(sheet: CommissionSheet, job: SampleJob, line: QuotationLine, actor: Actor, now: datetime) -> CommissionSampleJob:
    made = CommissionSampleJob.objects.create(sheet=sheet, sample_job=job, linked_by_id=actor.person_id, linked_at=now)
    after = {"sample_job": job.reference, "unit": line.unit, "unit_price_fen": line.unit_price_fen}
    audit.record(actor, "commission.link_samples", sheet, now, after=after)
    return made


def _line(sheet: CommissionSheet, job: SampleJob, *, counts_elements: bool) -> QuotationLine:
    """The first line that prices the job, with room for it beside the jobs that hang on the sheet already; ``counts_elements``: the
    customer was asked for the elements of each sample."""
    lines = list(lines_for(job.resource_id).filter(quotation__sheet=sheet).order_by("position"))
    if not lines:
        raise Refusal.of("samples.not_on_the_sheet", "sheet")
    line = next((each for each in lines if counts_elements or each.unit != "element"), None)
    if line is None:
        raise Refusal.of("samples.line_per_element", "sheet")
    others = SampleJob.objects.filter(commission__sheet=sheet, resource_id=job.resource_id).exclude(state__in=_WITHOUT_WORK)
    taken = sum(quantity_of(line.unit, *each) for each in others.values_list("sample_count", "elements"))
    if taken + quantity_of(line.unit, job.sample_count, job.elements) > line.quantity:
        left = max(line.quantity - taken, Decimal(0))
        raise Refusal.of("samples.beyond_the_line", "sheet", quantity=_plain(line.quantity), left=_plain(left))
    return line


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"


def lines_for(resource_id: int) -> QuerySet[QuotationLine]:
    """Lines of quotations that price a test item by number."""
    return QuotationLine.objects.filter(kind=LineKind.TEST.value, resource_id=resource_id, unit__in=_BY_NUMBER)
