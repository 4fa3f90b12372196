"""What booking asks of money. Billing implements it and registers it at start-up; without it nothing starts.

Every call happens inside the transaction of the transition itself, after the calendar row is locked, so money and time agree or
neither changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from booking.models import Reservation, UsageSession
from booking.rules.leaving import Fault
from booking.rules.service_facts import ServiceFacts
from booking.rules.states import Action
from config.kernel.access import Actor
from config.kernel.errors import Reason


@dataclass(frozen=True, slots=True)
class FiguresChanged:
    """The money that was quoted is no longer there: the customer has to accept ``quote_revision`` first."""

    quote_revision: int


@dataclass(frozen=True, slots=True)
class ExpectedFigures:
    """What the customer saw when pressing the button, in fen; None skips the comparison (API callers that sent none).

    ``exact``: the customer presses it now, and any other figure is a surprise; otherwise somebody else acts on it later, and only what is
    dearer is.
    """

    payable_now_fen: int | None = None
    final_cost_fen: int | None = None
    exact: bool = True

    @property
    def complete(self) -> bool:
        return self.payable_now_fen is not None and self.final_cost_fen is not None


NOTHING_EXPECTED = ExpectedFigures()


@dataclass(frozen=True, slots=True)
class Leaving:
    """How a time was left unused. ``fault``: the customer's, for which the lab may take a fee; ``seen_fee_fen``: what the customer saw
    before giving it back (None: nobody was shown anything)."""

    fault: Fault | None = None
    seen_fee_fen: int | None = None


NO_FAULT = Leaving()


@dataclass(frozen=True, slots=True)
class Addons:
    """What the customer wants to use besides the time: pairs of an add-on of the price (its code) and how many. ``seen_fen``: what all of
    it comes to, as the customer saw it; None: it saw no figure."""

    chosen: tuple[tuple[str, int], ...] = ()
    seen_fen: int | None = None


NO_ADDONS = Addons()


class MoneyPort(Protocol):
    """What happens to money when a reservation moves. Each may raise a kernel Refusal, which undoes the whole."""

    def on_request(
        self,
        reservation: Reservation,
        actor: Actor,
        expected: ExpectedFigures,
        now: datetime,
        *,
        charged: bool = True,
        addons: Addons = NO_ADDONS,
        accepted: bool = True,
    ) -> None:
        """Pin the quote the customer saw, and the ``addons`` that it chose. Not ``charged``: its use will cost nothing, so that no
        subsidy is promised for it either. Not ``accepted``: the customer has not said yes yet, and until then nothing is kept of its
        money and nothing is approved."""

    def on_approve(self, reservation: Reservation, actor: Actor, now: datetime) -> FiguresChanged | None:
        """Hold the money, or say that the figures changed (then nothing is approved)."""

    def on_release(self, reservation: Reservation, actor: Actor, reason: str, now: datetime, leaving: Leaving = NO_FAULT) -> int:
        """Void what is held: the reservation was cancelled, rejected, missed, or it expired. Charges the fee for a fault of the
        customer's and returns it in fen (0: none); a higher one than was seen is refused."""

    def on_come_late(self, reservation: Reservation, actor: Actor, now: datetime) -> FiguresChanged | None:
        """Who was marked as missing has come and uses the rest: a fee for it falls away, and the money is held as at an approval."""

    def on_move(
        self,
        reservation: Reservation,
        actor: Actor,
        expected: ExpectedFigures,
        now: datetime,
        wished_at: datetime | None = None,
    ) -> FiguresChanged | None:
        """Quote the new time, and hold its money instead of the old one's where there is some.

        ``actor`` accepts the ``expected`` figures for the customer; where none are named, nothing may become dearer than what was
        accepted before, nor the fees for leaving it unused (then nothing moves). ``wished_at``: when the customer's side wished for it
        (None: the lab did); too late to give the old time back for nothing, what that would cost stays with the new one.
        """

    def on_correct(
        self, reservation: Reservation, before: ServiceFacts, actor: Actor, expected: ExpectedFigures, now: datetime
    ) -> None:
        """What the customer says of the service was corrected from ``before`` to what the reservation says now.

        What subsidies are decided by is corrected of a request alone, for which nothing is held or kept: it is quoted anew, and nothing
        becomes dearer than what was accepted, or than the ``expected`` figures that the customer saw. Raises Refusal, Conflict.
        """

    def decided_by_facts(self, reservation: Reservation) -> bool:
        """Whether money is held or kept for it already, so that what subsidies were decided by stays."""

    def free_until(self, reservation: Reservation) -> datetime | None:
        """Until when the customer may give the time back without being late, by what stands in its quote or by the lab's rules of now,
        whichever is milder; what was moved too late is late already. None where the quote says nothing of it: the rules judge."""

    def on_progress(self, reservation: Reservation, action: Action, actor: Actor, now: datetime) -> None:
        """The use began, ended, or is talked about: what is held stays held. Raises Refusal when nothing holds it."""

    def on_extend(self, reservation: Reservation, actor: Actor, expected: ExpectedFigures, now: datetime) -> None:
        """Hold the money for the longer time that ``reservation`` has now, in place of what was held; refuse other figures than
        the customer saw."""

    def reasons_against(self, asked: Sequence[Reservation], now: datetime) -> list[tuple[Reason, ...]]:
        """Why each of these could not be quoted (there is no price for it); none: it could. They are not stored yet and come with
        instrument, site, owner and customer; nothing is written."""

    def payable_now_fen(self, reservation: Reservation) -> int:
        """What the customer would pay by the quote that was accepted last and the extras that it agreed to: what its fund card is asked
        for."""

    def on_card_changed(self, reservation: Reservation, actor: Actor, now: datetime) -> None:
        """``reservation`` is paid from another fund card from now on: what the old one holds comes back, the new one holds it."""

    def quality_counts(self, reservation: Reservation) -> bool:
        """Whether money that is held for the reservation depends on the quality grade of its service."""

    def on_agree(self, reservation: Reservation, session: UsageSession, actor: Actor, now: datetime) -> None:
        """Make the charge of an agreed session (its billable range; none: nothing is charged), post what is due, void the rest."""

    def on_agree_many(self, agreed: Sequence[tuple[Reservation, UsageSession]], actor: Actor, now: datetime) -> list[bool]:
        """What ``on_agree`` does for each of many, all locked; False: nothing was written for it, it is to be agreed by itself. What stops
        the writing stops all."""


_registered: list[MoneyPort] = []


def register_money(port: MoneyPort) -> None:
    """Called once by billing's AppConfig."""
    _registered[:] = [port]


def is_registered() -> bool:
    return bool(_registered)


def money() -> MoneyPort:
    """The registered port. Raises RuntimeError when billing is missing: a reservation without money is never silent."""
    if not _registered:
        raise RuntimeError("no implementation of booking.ports.MoneyPort is registered")
    return _registered[0]
