"""A limit counts what begins in its days, also what was moved there; what was moved out of them leaves it."""

from __future__ import annotations

from billing.ledger.models import Account
from billing.prepaid.accounts import limit_key
from billing.prepaid.services import setting
from billing.prepaid.services.setting import LimitFacts
from booking.services import changes, transitions
from booking.services.changes import ChangeRequest
from tests.billing.bills.conftest import wrong
from tests.billing.prepaid.test_prepaid import HOLDS, ask
from tests.conftest import slot_of


def test_a_booking_that_moves_into_the_days_of_a_limit_is_counted_and_one_that_moves_out_is_not(cast, programmes):
    first, second = slot_of(9, 12), slot_of(9, 12, 1)

    def limit(during):
        day = during.starts_at.date()
        facts = LimitFacts(cast.users["lin"].pk, "", 1000_00, day, day)
        return limit_key(setting.set_limit(cast.actor("zhao"), cast.firm.pk, facts, cast.now).pk)

    keys = [limit(first), limit(second)]

    def held():
        return [sum(Account.objects.filter(key=key).values_list("held_fen", flat=True)) for key in keys]

    def move(during, key):
        made = changes.change(cast.actor("lin"), ChangeRequest(pk, during), cast.now, idempotency_key=key)
        if made.state != "made":
            changes.accept(cast.actor("wang"), made.change_id, cast.now)

    pk = ask(cast, first)
    assert held() == [HOLDS, 0]
    move(second, "there")
    assert held() == [0, HOLDS]
    transitions.approve(cast.actor("wang"), pk, cast.now)
    move(first, "back")
    assert held() == [HOLDS, 0] and wrong() == {}
