"""What is agreed beside the time of a session on a fund card is asked of the card and of its leader as the time is, and stays kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.cards import services as cards
from billing.cards.accounts import card_key
from billing.ledger.models import Account
from billing.settlement.extra_models import SessionExtra
from billing.settlement.models import Quote
from billing.settlement.services import session_extras
from billing.settlement.services.session_extras import Ordered, Used
from booking.models import LeaderApproval, ReservationChange
from booking.ports import NOTHING_EXPECTED, Addons
from booking.rules.samples import ExtraEvent
from booking.services import changes, extending, transitions
from booking.services.changes import ChangeRequest
from config.kernel.errors import Refusal
from tests.billing.settlement.test_chosen_addons import publish_with_addons


def test_above_the_amount_that_asks_the_leader_the_leader_alone_agrees_and_an_extension_keeps_what_was_agreed(
    spenders, ask, slot
):
    cast, asked = spenders.cast, ask(slot(10, 11))
    wang, ma, at = cast.actor("wang"), cast.actor("ma"), asked.starts_at
    transitions.approve(wang, asked.pk, cast.now)
    transitions.check_in(wang, asked.pk, at)

    def held():
        return Account.objects.get(key=card_key(spenders.card.pk)).held_fen

    def enter(amount_fen):
        return session_extras.propose(wang, asked.pk, Used(1, words="gas", rate_fen=amount_fen), at).pk

    def refused(extra, who):
        with pytest.raises(Refusal) as caught:
            session_extras.answer(cast.actor(who), extra, ExtraEvent.AGREE, at)
        return [reason.code for reason in caught.value.reasons]

    session_extras.answer(ma, enter(50_00), ExtraEvent.AGREE, at)
    assert held() == 250_00
    extending.extend(ma, asked.pk, asked.ends_at + timedelta(hours=1), NOTHING_EXPECTED, at)
    assert held() == 450_00  # two hours, and the gas

    dear = enter(100_00)
    assert refused(dear, "ma") == ["card.leader_first"] and refused(dear, "tan") == ["booking.not_yours"] and held() == 450_00
    session_extras.answer(cast.actor("gao"), dear, ExtraEvent.AGREE, at)
    assert held() == 550_00
    with pytest.raises(Refusal, match="leader_first"):  # with the extras it costs more than the leader agreed to
        extending.extend(ma, asked.pk, asked.ends_at + timedelta(hours=2), NOTHING_EXPECTED, at)

    late = enter(1_00)
    cards.set_card_closed(cast.actor("li"), spenders.card.pk, True, at)
    assert refused(late, "gao") == ["card.closed"] and held() == 550_00


def test_what_a_signed_order_says_is_kept_on_the_card_at_once_and_waits_where_the_leader_agrees_to_so_much(spenders, ask, slot):
    cast, asked = spenders.cast, ask(slot(10, 11))
    wang, at = cast.actor("wang"), asked.starts_at
    transitions.approve(wang, asked.pk, cast.now)
    transitions.check_in(wang, asked.pk, at)

    def enter(amount_fen):
        said = Ordered("Report", 1, amount_fen, "WT-2026-000001", cast.users["gao"].pk, cast.now)
        return session_extras.enter_ordered(wang, asked.pk, said, at)

    def held():
        return Account.objects.get(key=card_key(spenders.card.pk)).held_fen

    agreed = enter(50_00)
    assert (agreed.state, agreed.answered_by_id, agreed.answered_at) == ("agreed", cast.users["gao"].pk, cast.now)
    assert held() == 250_00
    dear = enter(300_00)
    assert (dear.state, dear.answered_by_id) == ("proposed", None) and held() == 250_00
    with pytest.raises(Refusal, match="leader_first"):
        session_extras.answer(cast.actor("ma"), dear.pk, ExtraEvent.AGREE, at)
    session_extras.answer(cast.actor("gao"), dear.pk, ExtraEvent.AGREE, at)
    assert held() == 550_00


def test_what_is_chosen_when_booking_is_kept_on_the_card_from_asking_on_and_goes_back_when_it_is_not_wanted(spenders, ask, slot):
    cast = spenders.cast
    publish_with_addons(cast)
    asked = ask(slot(10, 11), addons=Addons((("cell", 2),)))
    wang, ma = cast.actor("wang"), cast.actor("ma")

    def held():
        return Account.objects.get(key=card_key(spenders.card.pk)).held_fen

    alone = Quote.objects.get().payable_now_fen
    assert held() == alone + 20_00
    transitions.approve(wang, asked.pk, cast.now)
    assert held() == alone + 20_00
    changes.change(ma, ChangeRequest(asked.pk, slot(14, 15)), cast.now, idempotency_key="move")
    changes.accept(wang, ReservationChange.objects.get().pk, cast.now)
    assert held() == alone + 20_00, "the new time keeps what was chosen"
    session_extras.answer(ma, SessionExtra.objects.get().pk, ExtraEvent.WITHDRAW, cast.now)
    assert held() == alone


def test_what_is_chosen_counts_for_what_asks_the_leader(spenders, ask, slot):
    publish_with_addons(spenders.cast)
    alone = ask(slot(10, 11))
    assert not LeaderApproval.objects.exists()
    dear = ask(slot(14, 15), addons=Addons((("cell", 40),)))
    assert LeaderApproval.objects.get().reservation_id == dear.pk != alone.pk
