"""Fees for unused time as pages and API show them: what would be taken, what was, and what of it fell away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.pricing.rules.fees import NO_FEE
from billing.pricing.rules.schedule import PriceSchedule
from billing.pricing.rules.steps import Step
from billing.settlement import reservation_figures
from billing.settlement.fee_models import BookingFee, FeeRelief, ReliefCause
from billing.settlement.rules import fees as rules
from billing.settlement.services import fees
from billing.subsidy.rules.codec import steps_of
from booking.models import Reservation
from booking.rules.leaving import Fault
from booking.rules.policy import free_until
from booking.rules.states import Action, ReservationState
from booking.services import consents, transitions
from config.kernel.access import Actor, visible_to


class WhyFree(StrEnum):
    """The lab has not promised the time, gives it back itself, or the time cannot be used (no longer runs, or is closed then)."""

    NOT_PROMISED = "not_promised"
    BY_LAB = "by_lab"
    UNUSABLE = "unusable"


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
    why_free: WhyFree | None = None
    """Why it costs nothing now and does not become late at ``free_until`` either; None where it does, or is late already."""
    may_pay: bool = True
    """Whether the actor may take the fee on for whose booking it is (``consents.acts_for``)."""


@dataclass(frozen=True, slots=True)
class FeeState:
    """A fee with its counter entries, the first one first; ``left_fen`` is what is left of it, ``to_pay_fen`` what no
    card has paid of that. ``steps``: its working."""

    fee: BookingFee
    reliefs: Sequence[FeeRelief]
    steps: tuple[Step, ...]
    may_waive: bool = False
    """Whether the reader may waive what is left of it."""

    @property
    def fallen_fen(self) -> int:
        return sum(relief.amount_fen for relief in self.reliefs)

    @property
    def left_fen(self) -> int:
        return self.fee.payable_now_fen - self.fallen_fen

    @property
    def returned_fen(self) -> int:
        return sum(relief.returned_fen for relief in self.reliefs)

    @property
    def to_pay_fen(self) -> int:
        return rules.to_pay_fen(self.left_fen, self.fee.covered_fen, self.returned_fen)


def if_cancelled(actor: Actor, reservation: Reservation, now: datetime) -> IfCancelled:
    """For a reservation that the actor may see, with instrument, its policy and site, and customer; as ``transitions.cancel`` would do."""
    fault = transitions.fault_in(reservation, Action.CANCEL, actor, now)
    quote = fees.quote_of(reservation)
    foreseen, told = fees.foresee(quote, fault, now), fees.told_of(reservation, quote)
    fee_fen = foreseen.priced.fee_fen
    until = told.free_until or free_until(reservation.starts_at, told.notice_minutes)
    return IfCancelled(
        late=fault is not None,
        fee_fen=fee_fen,
        free_until=until,
        notice_minutes=told.notice_minutes,
        released_fen=reservation_figures.held_fen(reservation),
        steps=foreseen.priced.steps,
        later_fee_fen=fees.foresee(quote, Fault.LATE_CANCEL, reservation.starts_at).priced.fee_fen,
        why_free=_why_free(actor, reservation, is_late=fault is not None or now <= until),
        may_pay=not fee_fen or consents.acts_for(reservation, actor, now),
    )


def _why_free(actor: Actor, reservation: Reservation, *, is_late: bool) -> WhyFree | None:
    """``is_late``: it is late, or becomes so."""
    if transitions.for_the_lab(reservation, actor):
        return WhyFree.BY_LAB
    if reservation.state != ReservationState.APPROVED:
        return WhyFree.NOT_PROMISED
    return None if is_late else WhyFree.UNUSABLE


def stays_when_moved(reservation: Reservation, schedule: PriceSchedule, gross_fen: int, now: datetime) -> int | None:
    """What giving the time back will cost, in fen, when the customer moves it now to a time of ``gross_fen`` under ``schedule``, too late
    to give the old one back for nothing; None: it may be given back in time again."""
    quote = fees.quote_of(reservation)
    if quote is None or reservation.state == ReservationState.REQUESTED:
        return None
    terms = fees.terms(schedule, gross_fen, reservation, quote, now).get(fees.TERMS, {})
    if "starts_at" not in terms:
        return None
    kept = fees.thaw_schedule(terms)
    return rules.fees_on(kept, max(gross_fen, terms["fee_gross_fen"])).get(Fault.LATE_CANCEL, NO_FEE).fee_fen


def fee_of(actor: Actor, reservation: Reservation) -> FeeState | None:
    """The fee of one reservation that the actor may see, in two queries; None where there is none."""
    fee = visible_to(BookingFee.objects.filter(reservation=reservation), actor).first()
    if fee is None:
        return None
    reliefs = list(visible_to(FeeRelief.objects.filter(fee=fee), actor).order_by("pk"))
    left = fee.gross_fen > sum(one.amount_fen for one in reliefs) and all(one.cause != ReliefCause.WAIVED for one in reliefs)
    may_waive = left and transitions.for_the_lab(reservation, actor)
    return FeeState(fee, reliefs, steps_of(fee.result["steps"]), may_waive)
