"""Which programmes are told of the vouchers behind their limits: those that look, where vouchers are issued for a limit."""

from __future__ import annotations

from typing import Any

import pytest

from billing.subsidy.rules import voucher_facts
from billing.subsidy.rules.voucher_facts import COUNT, FACE_VALUE
from billing.subsidy.rules.without_effect import warnings_of
from tests.billing.rules.builders import cap, load, programme_document

FACE = {"type": "face_value", "own_share": "0", "clause": "1"}
OWN_FACE = FACE | {"amount": "50"}
COUNTED = {"type": "vouchers", "face_value": 10, "most": 3, "co_funded_share": "0", "own_money": 0, "clause": "1"}
ISSUED = cap("voucher", "voucher", {"configured": True, "when_unset": "no_limit"})
QUOTA = cap("quota", "unit_total", {"configured": True, "when_unset": "refuse"})


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"rate": FACE, "caps": [ISSUED]}, {FACE_VALUE}),
        ({"rate": FACE, "caps": [QUOTA]}, {FACE_VALUE}),
        ({"rate": FACE, "caps": [cap("total", "unit_total", "50")]}, set()),
        ({"rate": FACE}, set()),
        ({"rate": OWN_FACE, "caps": [ISSUED]}, set()),
        ({"rate": COUNTED, "caps": [ISSUED]}, {COUNT}),
        ({"caps": [ISSUED]}, set()),
        (
            {"gates": [{"type": "condition", "clause": "1", "when": {"fact": FACE_VALUE, "at_least": 5}}], "caps": [ISSUED]},
            {FACE_VALUE},
        ),
        (
            {
                "rate": {
                    "type": "cases",
                    "clause": "1",
                    "cases": [{"when": {"fact": COUNT, "above": 1}, "rate": OWN_FACE}],
                    "otherwise": FACE,
                },
                "caps": [ISSUED],
            },
            {FACE_VALUE, COUNT},
        ),
    ],
)
def test_a_document_asks_for_what_it_looks_at(changes: dict[str, Any], paths: set[str]) -> None:
    assert voucher_facts.asked(programme_document(**changes)) == paths


def test_a_limit_of_a_side_counts_too() -> None:
    document = programme_document(rate=FACE)
    document["sides"] = [{"id": "a", "caps": [ISSUED]}, {"id": "b"}]
    assert voucher_facts.asked(document) == {FACE_VALUE}


def test_the_shipped_start_up_voucher_has_nothing_to_warn_of() -> None:
    document = load("GS-ZY-2016-STARTUP")
    assert voucher_facts.asked(document) == {FACE_VALUE}
    assert [each.path for each in warnings_of(document)] == []


@pytest.mark.parametrize("rate", [FACE, COUNTED])
def test_what_is_told_is_no_warning_and_what_is_not_is_one(rate: dict[str, Any]) -> None:
    assert [each.path for each in warnings_of(programme_document(rate=rate, caps=[ISSUED]))] == []
    assert [(each.path, each.code) for each in warnings_of(programme_document(rate=rate))] == [
        ("$.rate", "programme.warning.refuses")
    ]
