"""A trial of a rule that asks whoever books goes by what was answered, and knows nothing where nobody was asked."""

from __future__ import annotations

from typing import Any

import pytest

from billing.settlement.models import Award
from booking.models import Reservation
from tests.billing.sandbox.test_parts import commissioned, trial
from tests.billing.services.conftest import Life
from tests.billing.settlement.test_questions import LICENSED, YES, answered, asks, licensed, needs
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


def test_a_trial_counts_the_persons_who_were_answered(cast: Any, published: Any) -> None:
    clause = licensed()["rate"]["clause"]
    per_person = {"type": "per_unit", "clause": clause, "amount": "5"}
    question = [asks("quantities.persons", "number")]
    document = licensed() | {"base": {"quantity": "persons", "clause": clause}, "rate": per_person, "asks": question, "gates": []}
    version = published(document)
    life = Life(cast)
    life.whole(slot_of(9, 11), said=answered(quantities__persons=3))
    life.whole(slot_of(13, 15), said=answered(quantities__persons=4))
    life.whole(slot_of(15, 17))
    assert Award.objects.count() == 2
    assert trial(cast, version)["totals"]["tried"]["cost_fen"] == 35_00


@pytest.mark.parametrize("how", ["silent", "choice"])
def test_each_of_two_that_are_held_against_each_other_is_told_the_answers_to_its_own_questions(
    cast: Any, published: Any, how: str
) -> None:
    asking = licensed()
    published(asking)
    life = Life(cast)
    life.whole(slot_of(9, 11), said=answered(other__licensed=True, service__listed=True))
    listed = needs("service.listed", **{"is": True})
    other = {name: value for name, value in asking.items() if name != "asks"} | {"code": "ZZ-1", "version": "2"}
    if how == "choice":
        choices = [{"value": each, "says": LICENSED} for each in ("a", "b")]
        other |= {
            "asks": [asks("other.licensed", "choice", choices=choices)],
            "gates": [needs("other.licensed", **{"is": "a"})],
        }
    against = published(other)
    tried = published(
        asking | {"code": "ZZ-2", "gates": [*asking["gates"], listed], "asks": [*asking["asks"], asks("service.listed")]}
    )
    totals = trial(cast, tried, against_id=against.pk)["totals"]
    assert totals["tried"]["cost_fen"] == 320_00 and totals["against"]["cost_fen"] == 0
    only = published(asking | {"code": "ZZ-3", "gates": [listed], "asks": asking["asks"]})
    assert trial(cast, only, against_id=tried.pk)["totals"]["tried"]["cost_fen"] == 0
