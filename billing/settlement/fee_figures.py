"""Fees for unused time as pages and API show them: what would be taken, what was, and what of it fell away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.pricing.rules.steps import Step
from billing.settlement import reservation_figures
from billing.settlement.fee_models import BookingFee, FeeRelief
from billing.settlement.models import Quote
from billing.settlement.rules import fees as rules
from billing.settlement.services import fees
from booking.models import Reservation
from booking.rules.leaving import Fault
from booking.rules.states import Action
from booking.services import transitions
from booking.services.context import policy_for
from config.kernel.access import Actor, visible_to


@dataclass(frozen=True, slots=True)
class IfCancelled:
    """What giving the time back now would do. ``late``: it counts as the customer's fault; ``free_until``: until when it does not;
    ``released_fen``: subsidy that is held and goes back. ``steps``: the working of the fee (0: none)."""

    late: bool
    fee_fen: int
    free_until: datetime
    notice_minutes: int
    released_fen: int
    steps: tuple[Step, ...]
    later_fee_fen: int
    """What it costs after ``free_until``, in fen."""


@dataclass(frozen=True, slots=True)
class FeeState:
    """A fee with its counter entries, the first one first; ``left_fen`` is what is still to pay. ``steps``: its working."""

    fee: BookingFee
    reliefs: Sequence[FeeRelief]
    steps: tuple[Step, ...]

    @property
    def fallen_fen(self) -> int:
        return sum(relief.amount_fen for relief in self.reliefs)

    @property
    def left_fen(self) -> int:
        return self.fee.payable_now_fen - self.fallen_fen


def if_cancelled(actor: Actor, reservation: Reservation, now: datetime) -> IfCancelled:
    """For a reservation that the actor may see, with instrument, its policy and site, and customer; as ``transitions.cancel`` would do."""
    fault = transitions.fault_in(reservation, Action.CANCEL, actor, now)
    quote = Quote.objects.filter(reservation=reservation, accepted_at__isnull=False).order_by("-revision").first()
    foreseen = fees.foresee(quote, fault, now)
    notice = policy_for(reservation.instrument).cancel_notice_minutes
    if quote is not None and fees.TERMS in quote.inputs:
        notice = min(notice, quote.inputs[fees.TERMS]["notice_minutes"])
    return IfCancelled(
        late=fault is not None,
        fee_fen=foreseen.priced.fee_fen,
        free_until=rules.free_until(reservation.starts_at, notice),
        notice_minutes=notice,
        released_fen=reservation_figures.held_fen(reservation),
        steps=foreseen.priced.steps,
        later_fee_fen=fees.foresee(quote, Fault.LATE_CANCEL, reservation.starts_at).priced.fee_fen,
    )


def fee_of(actor: Actor, reservation: Reservation) -> FeeState | None:
    """The fee of one reservation that the actor may see, in two queries; None where there is none."""
    fee = visible_to(BookingFee.objects.filter(reservation=reservation), actor).first()
    if fee is None:
        return None
    reliefs = visible_to(FeeRelief.objects.filter(fee=fee), actor).order_by("pk")
    return FeeState(fee, list(reliefs), tuple(Step(**step) for step in fee.result["steps"]))
