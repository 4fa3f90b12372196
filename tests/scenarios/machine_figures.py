"""What people see of money before they press, in the machine: it is what they then pay, or they are told other figures."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, F, OuterRef, Q, Subquery
from hypothesis.stateful import invariant

from billing.settlement.fee_figures import if_cancelled
from billing.settlement.models import Charge, Quote
from billing.settlement.services import quotes
from booking.models import Reservation, ReservationChange
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import Actor
from config.kernel.errors import Refusal

Figures = tuple[int | None, int | None]


class SeenFigures:
    """Part of ``LabMachine``."""

    shown: dict[int, Figures]
    attempt: Any
    actor: Any
    person_of: Any
    key: Any
    now: Any

    def start_of_figures(self) -> None:
        self.shown = {}

    def look(self, actor: Actor, asked: ReservationRequest) -> ExpectedFigures:
        """What the form would show; where it shows only why there is no price, nothing."""
        try:
            seen = quotes.preview(
                actor,
                asked.instrument_id,
                asked.organisation_id,
                asked.during,
                self.now,
                asked.service_mode,
                asked.research_project,
            )
        except Refusal:
            return NOTHING_EXPECTED
        return ExpectedFigures(seen.assessment.payable_now_fen, seen.assessment.final_cost_fen)

    def book_as_shown(self, actor: Actor, asked: ReservationRequest) -> None:
        made = reservations.reserve(actor, asked, self.now, idempotency_key=self.key())
        self.shown[made.reservation_id] = (asked.expected.payable_now_fen, asked.expected.final_cost_fen)

    def to_cancel(self, row: Reservation, who: Actor, yes: bool, slot: tuple[int, int, int]) -> None:
        seen_fen = if_cancelled(who, row, self.now).fee_fen

        def cancel() -> None:
            assert transitions.cancel(who, row.pk, self.now, "Changed plans", seen_fen).fee_fen == seen_fen

        self.attempt("cancel", cancel)

    def to_accept_the_figures(self, row: Reservation, who: Actor, yes: bool, slot: tuple[int, int, int]) -> None:
        """Those that came up when the lab wanted to approve."""
        last = Quote.objects.filter(reservation=row).latest("revision")
        seen = ExpectedFigures(last.payable_now_fen, last.final_cost_fen)
        customer = self.actor(self.person_of(row))
        self.attempt("accept the figures", lambda: quotes.accept_quote(customer, row.pk, self.now, seen))

    @invariant()
    def the_first_quote_is_what_was_shown(self) -> None:
        kept = Quote.objects.filter(revision=1, reservation_id__in=self.shown)
        found = {pk: (first, last) for pk, first, last in kept.values_list("reservation_id", "payable_now_fen", "final_cost_fen")}
        assert found == self.shown

    @invariant()
    def nobody_pays_more_than_was_accepted_for_no_more_use(self) -> None:
        """Of use that lasted no longer than what was quoted last, neither now nor in the end."""
        within = Charge.objects.filter(
            reservation__imported=False,
            reservation__session__late_entered=False,
            reservation__session__billable_starts_at__gte=F("reservation__session__booked_starts_at"),
            reservation__session__billable_ends_at__lte=F("reservation__session__booked_ends_at"),
        )
        accepted = Quote.objects.filter(reservation=OuterRef("reservation"), accepted_at__isnull=False).order_by("-revision")
        paid = within.annotate(
            now=Subquery(accepted.values("payable_now_fen")[:1]), end=Subquery(accepted.values("final_cost_fen")[:1])
        )
        assert not paid.filter(payable_now_fen__gt=F("now")).exists()
        assert not paid.filter(final_cost_fen__gt=F("end")).exists()

    @invariant()
    def no_approval_costs_more_than_was_asked_for(self) -> None:
        """What the lab says yes to as it was asked for. Whoever moves sees figures of their own for that."""
        asked = Quote.objects.filter(reservation=OuterRef("reservation"), revision=1, held_at=None)
        moved = ReservationChange.objects.filter(reservation=OuterRef("reservation"))
        approved = Quote.objects.filter(~Exists(moved), revision=2, held_at__isnull=False).annotate(
            now=Subquery(asked.values("payable_now_fen")), end=Subquery(asked.values("final_cost_fen"))
        )
        assert not approved.filter(Q(payable_now_fen__gt=F("now")) | Q(final_cost_fen__gt=F("end"))).exists()
