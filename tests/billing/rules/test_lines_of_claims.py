"""A claim that is worked out line by line: what goes on from line to line, and what counts once for the claim."""

from __future__ import annotations

from typing import Any

import pytest

from billing.subsidy.rules import Award, evaluate, parse_facts, parse_programme
from tests.billing.rules.builders import facts_of, programme_document

TIERS = {
    "type": "tiers",
    "tiers": [{"up_to": 10_000, "rate": "0.5"}, {"rate": "0.2"}],
    "continues": "before.fee",
    "clause": "1",
}
ALWAYS = {"fact": "service.service_on", "known": True}
NEVER = {"fact": "service.service_on", "known": False}
SAYS = {"zh": "条件", "en": "Condition"}


def awarded(lines: list[str], fee: str, more: dict[str, Any] | None = None, **rules: Any) -> int:
    """What comes of a claim of these lines, in fen."""
    rounding = {"step": "yuan", "mode": "down", "per": "line", "clause": "1"}
    programme = parse_programme(programme_document(**{"rounding": rounding, **rules}))
    facts = facts_of(fee, **(more or {}))
    facts["amounts"]["lines"] = lines
    found = evaluate(programme, parse_facts(facts), {})
    assert isinstance(found, Award), found.reasons
    return found.total_fen


CHOSEN = [
    TIERS,
    {"type": "cases", "clause": "1", "cases": [{"when": ALWAYS, "says": SAYS, "rate": TIERS}]},
    {"type": "cases", "clause": "1", "cases": [{"when": NEVER, "says": SAYS, "rate": "0.9"}], "otherwise": TIERS},
    {"type": "best_of", "clause": "1", "cases": [{"when": ALWAYS, "says": SAYS, "rate": TIERS}]},
]


@pytest.mark.parametrize("rate", CHOSEN, ids=["tiers", "a case", "otherwise", "best of"])
def test_tiers_that_continue_go_on_from_line_to_line(rate: dict[str, Any]) -> None:
    """9,000 before: 1,000 x 50 % + 0.90 x 20 % = 500.18, 500; then 2,000 x 20 % = 400."""
    assert awarded(["1000.90", "2000"], "3000.90", {"before": {"fee": 9000}}, rate=rate) == 900_00


def test_other_tiers_begin_anew_with_each_line() -> None:
    """Twice 10,000 x 50 % + 2,000 x 20 %."""
    once = {name: value for name, value in TIERS.items() if name != "continues"}
    assert awarded(["12000", "12000"], "24000", {"before": {"fee": 9000}}, rate=once) == 10_800_00


HALF = {"type": "flat", "rate": "0.5", "clause": "1"}


@pytest.mark.parametrize(
    ("piece", "yuan"),
    [
        ({"type": "asked_limit"}, 90),
        ({"type": "deduct", "of": "amounts.other_subsidies"}, 109),
        ({"type": "bonus", "amount": 30, "only_with_subsidy": True}, 179),
        ({"type": "least_award", "amount": 100}, 149),
        ({"type": "rate_limit", "rate": "0.4", "of": "amounts.fee"}, 120),
        ({"type": "rate_limit", "rate": "0.4", "counting": ["amounts.other_subsidies"]}, 80),
        ({"type": "rate_limit", "rate": "0.4"}, 119),
        ({"type": "uplift", "points": "0.1"}, 179),
    ],
)
def test_what_is_for_a_claim_counts_once_and_a_share_for_each_line(piece: dict[str, Any], yuan: int) -> None:
    """Lines of 101, 99 and 100 at 50 % are 50.5, 49.5 and 50: whole yuan 149. At 40 % they are 40.4, 39.6 and 40: 119; at 60 % 60.6, 59.4
    and 60: 179. Asked for are 90, others gave 40.
    """
    amounts = {"amounts": {"asked": "90" if piece["type"] == "asked_limit" else "300", "other_subsidies": "40"}}
    assert awarded(["101", "99", "100"], "300", amounts, rate=HALF, adjustments=[{**piece, "clause": "1"}]) == yuan * 100


def test_what_follows_changes_the_sum_and_is_rounded_again() -> None:
    """50.5 and 50.5 are 50 each, 100; less 1 are 99, of which 90 % are 89.1: whole yuan 89."""
    pieces = [
        {"type": "deduct", "of": "amounts.other_subsidies", "clause": "1"},
        {"type": "factor", "factor": "0.9", "clause": "1"},
    ]
    assert awarded(["101", "101"], "202", {"amounts": {"other_subsidies": "1"}}, rate=HALF, adjustments=pieces) == 89_00
