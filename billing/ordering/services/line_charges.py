"""Other lines of a commission in force (a translation, travel, special consumables): charged as extras of a session or of a sample job
under it. Both sides signed for them, so nobody is asked again; each up to its quantity, wherever it is charged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.ordering import charged
from billing.ordering.models import CommissionCharge, CommissionSheet, QuotationLine
from billing.ordering.rules.lines import DESCRIPTION_LENGTH, parse_quantity, part_fen, shown_quantity
from billing.ordering.rules.sheets import SheetEvent, SheetState, next_state
from billing.settlement.extra_models import SessionExtra
from billing.settlement.services import session_extras
from booking.models import SampleExtra
from booking.rules.enquiries import Side
from booking.services import sample_extras
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole


@dataclass(frozen=True, slots=True)
class Part:
    """So much (a decimal text, as in a quotation) of the line at ``position``, charged with a session or with a sample job: one of them."""

    position: int
    quantity: str
    reservation_id: int | None = None
    sample_job_id: int | None = None


@whole
def charge(actor: Actor, sheet_id: int, part: Part, now: datetime) -> CommissionCharge:
    """The lab charges a part of a line, at the price that was agreed.

    Raises NotFound, Forbidden, Refusal ``commission.illegal_transition``, ``commission.not_under_it``, ``commission.line_unknown``,
    ``commission.line_quantity``, ``commission.line_used_up``, ``commission.line_costs_nothing``, ``commission.signed_by_you``, and what
    ``session_extras.enter_ordered`` or ``sample_extras.enter_ordered`` raises.
    """
    rows = CommissionSheet.objects.select_for_update(of=("self",), no_key=True)
    sheet = get_visible(rows, actor, pk=sheet_id)
    actor.require_in(sheet.lab_id, Role.LAB_MANAGER)
    next_state(SheetState(sheet.state), SheetEvent.CHARGE)
    if not charged.is_under(sheet, part.reservation_id, part.sample_job_id):
        raise Refusal.of("commission.not_under_it")
    lines = {each.line.position: each for each in charged.other_lines(sheet)}
    if part.position not in lines:
        raise Refusal.of("commission.line_unknown", "line", known=sorted(lines))
    line, taken = lines[part.position].line, lines[part.position].charged
    quantity = _quantity(part, line, taken)
    amount_fen = part_fen(taken, quantity, line.unit_price_fen)
    if not amount_fen:
        raise Refusal.of("commission.line_costs_nothing", "line")
    extra = _entered(actor, sheet, part, _Priced(line, quantity, amount_fen), now)
    on = {"session_extra": extra} if isinstance(extra, SessionExtra) else {"sample_extra": extra}
    made = CommissionCharge.objects.create(
        sheet=sheet, line=line, quantity=quantity, charged_by_id=actor.person_id, charged_at=now, **on
    )
    after = {"position": line.position, "quantity": shown_quantity(quantity), "amount_fen": amount_fen}
    audit.record(actor, "commission.charge", sheet, now, after=after)
    return made


@dataclass(frozen=True, slots=True)
class _Priced:
    line: QuotationLine
    quantity: Decimal
    amount_fen: int

    @property
    def words(self) -> str:
        """What the customer reads; a quantity that is no whole number stands with it, as an extra counts whole ones."""
        count = f" × {shown_quantity(self.quantity)}"
        return f"{self.line.description[: DESCRIPTION_LENGTH - len(count)]}{count}"


def _quantity(part: Part, line: QuotationLine, taken: Decimal) -> Decimal:
    quantity = parse_quantity(part.quantity)
    if quantity is None:
        raise Refusal.of("commission.line_quantity", "quantity")
    if quantity > line.quantity - taken:
        shown = {"quantity": shown_quantity(line.quantity), "left": shown_quantity(line.quantity - taken)}
        raise Refusal.of("commission.line_used_up", "quantity", **shown)
    return quantity


def _entered(actor: Actor, sheet: CommissionSheet, part: Part, priced: _Priced, now: datetime) -> SessionExtra | SampleExtra:
    """The extra. The consent is the customer's signature: its person, its time."""
    consent = sheet.signatures.get(side=Side.CUSTOMER)
    if consent.signed_by_id == actor.user_id:
        raise Refusal.of("commission.signed_by_you")
    number, by_id, at = sheet.number or "", consent.signed_by_id, consent.signed_at
    line, quantity = priced.line, priced.quantity
    if part.sample_job_id is not None:
        words = line.description if quantity == 1 else priced.words
        job = sample_extras.Ordered(words, priced.amount_fen, number, by_id, at)
        return sample_extras.enter_ordered(actor, part.sample_job_id, job, now)
    counted = quantity == quantity.to_integral_value()
    words, count, rate_fen = (
        (line.description, int(quantity), line.unit_price_fen) if counted else (priced.words, 1, priced.amount_fen)
    )
    session = session_extras.Ordered(words, count, rate_fen, number, by_id, at)
    return session_extras.enter_ordered(actor, part.reservation_id or 0, session, now)
