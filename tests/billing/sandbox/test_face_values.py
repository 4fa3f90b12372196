"""What a trial is told of vouchers is what is told when people book: the face value of the one used first, and how many there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from billing.settlement.models import Award, Charge
from billing.subsidy.models import ProgrammeVersion
from tests.billing.sandbox.test_parts import trial
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, Desk, published
from tests.billing.vouchers.test_face_value import certify, desk_of, face_document, startup_document, told
from tests.conftest import Cast, slot_of

__all__ = ["desk_of", "published"]
pytestmark = pytest.mark.django_db
DeskOf = Callable[[dict[str, Any]], Desk]


def version_of(desk: Desk) -> ProgrammeVersion:
    return ProgrammeVersion.objects.get(programme__code=desk.code)


def given() -> list[int]:
    return [each.deducted_fen for each in Charge.objects.order_by("pk")]


def test_the_shipped_start_up_voucher_gives_in_a_trial_what_it_gave(cast: Cast, desk_of: DeskOf) -> None:
    certify(cast)
    desk, life = desk_of(startup_document()), Life(cast)
    desk.issued(500_00)
    for slot in (slot_of(9, 11), slot_of(12, 13)):
        life.whole(slot)
    assert given() == [500_00, 0]
    result = trial(cast, version_of(desk))
    assert result["totals"]["tried"]["cost_fen"] == 500_00 and result["refused"] == []
    assert result["steps"]["cap_up"]["cost_fen"] == 600_00 and result["steps"]["cap_down"]["cost_fen"] == 400_00


def test_the_voucher_that_has_something_left_is_told_and_not_one_that_is_used_up(cast: Cast, desk_of: DeskOf) -> None:
    """200.00 are used up by the first session; the second one, of 400.00, may take the 300.00 that the other is worth."""
    desk, life = desk_of(face_document()), Life(cast)
    desk.issued(300_00, life_days=30)
    desk.issued(200_00, life_days=10)
    for slot in (slot_of(9, 10), slot_of(12, 13)):
        life.whole(slot)
    assert [told(each, "amounts") for each in Charge.objects.order_by("pk")] == [
        {"face_value": "200.00"},
        {"face_value": "300.00"},
    ]
    assert given() == [200_00, 300_00]
    result = trial(cast, version_of(desk))
    assert (result["totals"]["tried"]["cost_fen"], result["vouchers"]["tried"]["drawn_fen"]) == (500_00, 500_00)


@pytest.mark.parametrize("least", [1, 2, 3])
def test_those_that_have_something_left_are_counted(cast: Cast, desk_of: DeskOf, least: int) -> None:
    document = face_document()
    says = {"zh": "张数", "en": "So many vouchers"}
    when = {"fact": "quantities.vouchers", "at_least": least}
    document["gates"].append({"type": "condition", "clause": document["gates"][0]["clause"], "says": says, "when": when})
    desk, life = desk_of(document), Life(cast)
    desk.issued(300_00, life_days=30)
    desk.issued(200_00, life_days=10)
    for slot in (slot_of(9, 10), slot_of(12, 13)):
        life.whole(slot)
    assert given() == {1: [200_00, 300_00], 2: [200_00, 0], 3: [0, 0]}[least]
    assert trial(cast, version_of(desk))["totals"]["tried"]["cost_fen"] == sum(given())


def test_a_code_without_vouchers_is_told_none_and_says_which_fact_is_missing(cast: Cast, desk_of: DeskOf) -> None:
    desk, life = desk_of(face_document()), Life(cast)
    life.whole(slot_of(9, 10))
    result = trial(cast, version_of(desk))
    assert result["totals"]["tried"]["cost_fen"] == 0 and not Award.objects.exists()
    assert result["refused"] == [["subsidy.unmet.fact_missing:amounts.face_value", 1]]
    assert result["vouchers"]["tried"]["count"] == 0 and version_of(desk).programme.code == CODE
