"""What is left under the caps of a worked example: of a pool that was divided, and of single pieces of work of the second side."""

from __future__ import annotations

from typing import Any

from billing.subsidy.rules import check_examples
from tests.billing.rules.builders import cap, facts_of, programme_document

SAYS = {"zh": "条件", "en": "Condition"}


def passes(document: dict[str, Any], **example: Any) -> bool:
    [result] = check_examples(document | {"examples": [{"title": "x", **example}]})
    return result.passed


def test_of_a_divided_pool_what_all_parts_together_leave_is_left() -> None:
    """150.50 yuan for 200 of two firms in whole yuan; what a person claims is none of its business."""
    firms = {"when": {"fact": "applicant.kind", "is": "firm"}, "says": SAYS}
    fund = cap("fund", "pool", {"configured": True, "default": "150.50"}, divided="pro_rata", **firms)
    document = programme_document(
        rate={"type": "flat", "clause": "1", "rate": "1"},
        rounding={"step": "yuan", "mode": "down", "clause": "1"},
        caps=[fund],
    )
    claims = [
        {"id": name, "facts": facts_of(fee, kind)}
        for name, kind, fee in (("a", "firm", 100), ("b", "firm", 100), ("c", "person", 30))
    ]
    expect = {"total": 180, "claims": {"a": 75, "b": 75, "c": 30}}
    assert passes(document, claims=claims, expect=expect | {"left": {"fund": "0.50"}})
    assert not passes(document, claims=claims, expect=expect | {"left": {"fund": "0.51"}})


def test_the_lines_of_the_second_side_count_under_its_own_caps() -> None:
    """Of 1,000 yuan the first side pays 500, by two payers, and the second 100: 50 of them by the city, within 60 for each piece."""
    shares = {
        "rule": "largest_remainder",
        "clause": "1",
        "shares": [{"payer": "province", "share": "0.5"}, {"payer": "city", "share": "0.5"}],
    }
    beside = {"mode": "paid_beside", "form": "yearly_reward", "payee": "provider", "clause": "1"}
    second = {
        "id": "second",
        "settlement": beside,
        "rate": {"type": "flat", "clause": "1", "rate": "0.1"},
        "caps": [cap("once", "session", 60, payer="city")],
    }
    document = programme_document(payers=shares, sides=[{"id": "first"}, second])
    assert passes(document, facts=facts_of(1000), expect={"total": 600, "left": {"once": 10}})
    assert not passes(document, facts=facts_of(1000), expect={"total": 600, "left": {"once": 60}})
