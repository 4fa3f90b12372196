"""A trial of a rule that asks whoever books goes by what was answered, and knows nothing where nobody was asked."""

from __future__ import annotations

from typing import Any

from booking.models import Reservation
from tests.billing.sandbox.test_parts import commissioned, trial
from tests.billing.services.conftest import Life
from tests.billing.settlement.test_questions import YES, answered, asks, licensed, needs
from tests.billing.vouchers.conftest import published
from tests.conftest import slot_of

__all__ = ["published"]


def test_a_trial_plays_what_was_answered_with_each_booking_and_refuses_where_nobody_answered(cast: Any, published: Any) -> None:
    version = published(licensed())
    life = Life(cast)
    life.whole(slot_of(9, 11), said=YES)
    life.whole(slot_of(13, 15), said=answered(other__licensed=False))
    life.whole(slot_of(15, 17))
    commissioned(cast, answers=YES.answers)
    result = trial(cast, version)
    assert [part["cost_fen"] for part in result["parts"]] == [320_00, 96_00]
    assert ["subsidy.unmet.fact_missing:other.licensed", 1] in result["refused"]


def test_a_trial_of_another_question_knows_the_answer_only_where_it_was_given(cast: Any, published: Any) -> None:
    asking = licensed()
    published(asking)
    Life(cast).whole(slot_of(9, 11), said=answered(other__licensed=True, service__listed=True))
    gates = [needs("service.listed", **{"is": True})]
    listed = published(asking | {"code": "ZZ-1", "gates": gates, "asks": [asks("service.listed")]})
    silent = published(asking | {"code": "ZZ-2", "gates": asking["gates"], "asks": [asks("service.listed")]})
    assert trial(cast, listed)["totals"]["tried"]["cost_fen"] == 320_00
    assert trial(cast, silent)["totals"]["tried"]["cost_fen"] == 0
    assert Reservation.objects.get().answers
