"""What people who pay with a fund card do in the machine: Ma books on Gao's cards, Gao answers, Li keeps the cards."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import F, OuterRef, Subquery
from hypothesis.stateful import invariant

from billing.cards import services as cards
from billing.cards.services import CardFacts
from billing.settlement.models import Quote
from booking.models import LeaderApproval, Reservation
from booking.services import leader_answers
from config.kernel.access import Actor
from instruments.models import FundCard
from tests.spending import VALID, Spenders

BUDGETS = (1_000_00, 400_00, 3_000_00, None)
#: Above which Gao is asked: an hour costs 200 yuan.
THRESHOLDS = (500_00, None, 100_00)
ENDS = (VALID[1], VALID[1], date(2026, 11, 25))


class Cards:
    """``spenders`` are there before the machine starts. Part of ``LabMachine``."""

    spenders: Spenders
    attempt: Any
    actor: Any
    now: Any

    def card_of(self, who: str, place: int = 0) -> int | None:
        """What somebody pays with: Ma with a fund card, firms with nothing of that kind."""
        found = list(FundCard.objects.order_by("pk").values_list("pk", flat=True))
        return found[place % len(found)] if who == "ma" and found else None

    def the_keeper_of_cards(self, place: int, which: int, closes: bool) -> None:
        """Li opens another card, changes one, closes it or opens it again."""
        keeper, group = self.actor("li"), self.spenders.salt.pk
        terms = CardFacts(f"NSF-{place}", "Brine", VALID[0], ENDS[which % 3], BUDGETS[which % 4], THRESHOLDS[which % 3])
        card = FundCard.objects.order_by("pk")[place % FundCard.objects.count()]
        if which < 3:
            self.attempt("open a card", lambda: cards.open_card(keeper, group, terms, self.now))
        elif which < 8:
            self.attempt("change a card", lambda: cards.change_card(keeper, card.pk, terms, self.now))
        else:
            self.attempt("close a card", lambda: cards.set_card_closed(keeper, card.pk, closes, self.now))

    def to_hear_the_leader(self, row: Reservation | None, who: Actor, yes: bool, slot: tuple[int, int, int]) -> None:
        """Gao answers about this one, or about whatever waits longest."""
        waits = LeaderApproval.objects.filter(state="waiting").order_by("pk")
        asked = (waits.filter(reservation=row).first() if row else None) or waits.first()
        if asked is None:
            return
        gao = self.actor("gao")
        if yes:
            self.attempt("leader agrees", lambda: leader_answers.agree(gao, asked.pk, self.now))
        else:
            self.attempt("leader declines", lambda: leader_answers.decline(gao, asked.pk, self.now, "Not this year"))

    def to_change_the_card(self, row: Reservation, who: Actor, yes: bool, slot: tuple[int, int, int]) -> None:
        if row.fund_card_id is None:
            return
        card = self.card_of("ma", slot[1])
        self.attempt("choose a card", lambda: leader_answers.choose_card(self.actor("ma"), row.pk, card, self.now))

    @invariant()
    def nothing_is_used_before_the_leader_agreed(self) -> None:
        waits = LeaderApproval.objects.filter(state="waiting", reservation__state__in=["approved", "in_use"])
        assert not waits.exists()

    @invariant()
    def a_leaders_yes_covers_what_was_quoted_then(self) -> None:
        """What became dearer than the leader agreed to waits for another yes."""
        held = Quote.objects.filter(held_at__isnull=False, reservation__state__in=["approved", "in_use"])
        last = held.filter(revision=Subquery(_LAST_HELD)).filter(reservation__leader_approval__state="approved")
        assert not last.filter(payable_now_fen__gt=F("reservation__leader_approval__asked_fen")).exists()


_LAST_HELD = (
    Quote.objects.filter(reservation=OuterRef("reservation"), held_at__isnull=False).order_by("-revision").values("revision")[:1]
)
