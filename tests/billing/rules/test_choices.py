"""What a document leaves to whoever books, read from its rules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billing.subsidy.rules import Facts
from billing.subsidy.rules.choices import NO_CHOICES, choices_of, with_settlement
from tests.billing.rules.builders import facts_of, programme_document


def chosen(least: str, most: str, when_not_chosen: str = "refuse") -> dict[str, Any]:
    return {"type": "chosen", "clause": "1", "at_least": least, "at_most": most, "when_not_chosen": when_not_chosen}


def test_the_range_of_rates_reaches_from_the_least_to_the_greatest_of_all() -> None:
    case = {"when": {"fact": "applicant.kind", "is": "firm"}, "rate": chosen("0.2", "0.3")}
    rates = {"type": "cases", "clause": "1", "cases": [case], "otherwise": chosen("0.1", "0.5", "zero")}
    found = choices_of(programme_document(rate=rates)).rate
    assert found is not None and (found.lowest, found.highest, found.needed) == (Decimal("0.1"), Decimal("0.5"), False)
    only = choices_of(programme_document(rate=chosen("0.1", "0.5"))).rate
    assert only is not None and only.needed
    assert choices_of(programme_document(examples=[{"facts": facts_of(), "rate": chosen("0.1", "0.5")}])) == NO_CHOICES


def test_a_way_of_settlement_is_as_if_chosen_and_an_empty_one_is_none() -> None:
    asked = with_settlement(Facts(), "refund")
    assert asked.more.request.settlement == "refund"
    assert with_settlement(asked, "").more.request.settlement is None
