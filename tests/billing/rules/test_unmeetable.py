"""A gate that no booking can meet is said to whoever writes the document; whatever a booking may meet is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from billing.firms.loading import APPLICANT_KIND
from billing.settlement.services.assessing import SERVICE_KIND, TESTING_KIND
from billing.subsidy.rules.checking import check
from billing.subsidy.rules.fact_fields import FIELDS
from billing.subsidy.rules.unmeetable import APPLICANT_KINDS, NEVER_KNOWN, SERVICE_KINDS, unmeetable
from booking.rules.service_facts import PUBLIC_KINDS
from tests.billing.rules.builders import cap, load, programme_document

GUIDE = Path(__file__).parents[3] / "docs" / "programmes.md"
LISTED = {"fact": "service.listed", "is": True}
KNOWN = {"fact": "applicant.staff", "at_most": 50}


def condition(when: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "condition", "clause": "1", "when": when, "says": {"zh": "条件", "en": "Condition"}, **more}


def blocked(*gates: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    checked = check(programme_document(gates=list(gates)))
    assert checked.flaws == ()
    found = [(each.path, tuple(each.facts)) for each in unmeetable(programme_document(gates=list(gates)))]
    told = [each for each in checked.warnings if each.code == "programme.warning.unmeetable"]
    assert [(each.path, tuple(each.params["facts"])) for each in told] == found
    return found


@pytest.mark.parametrize(
    "gate",
    [
        condition(KNOWN),
        condition({"any": [LISTED, KNOWN]}),
        condition({"not": {"all": [LISTED, KNOWN]}}),
        condition(LISTED | {"if_unknown": "yes"}),
        condition({"not": LISTED | {"if_unknown": "no"}}),
        condition({"all": [KNOWN, LISTED | {"if_unknown": "yes"}]}),
        condition({"fact": "amounts.fee", "at_most": {"fact": "amounts.lender"}, "if_unknown": "yes"}),
        condition({"not": {"fact": "amounts.fee", "at_most": {"fact": "amounts.lender"}, "if_unknown": "no"}}),
        condition({"fact": "service.listed", "known": False}),
        condition(LISTED, applies_to=["person"]),
        condition({"fact": "service.purpose", "any_of": ["research"]}),
        condition({"fact": "applicant.founded_on", "known": True}),
        condition({"fact": "provider.certified", "is": True}),
        condition({"fact": "amounts.tax", "at_least": "1"}),
        condition({"fact": "service.contract_number", "known": True}),
        condition(
            {"all": [{"fact": f"quantities.{name}", "at_least": 1} for name in ("sessions", "days", "runs", "elements", "units")]}
        ),
        condition({"fact": "applicant.net_assets", "at_least": "1000000"}),
        condition({"not": {"fact": "amounts.fee", "at_least": "5", "at_most": {"fact": "amounts.lender"}}}),
        condition({"fact": "applicant.credit_listings", "free_on": {"days": ["service.service_on", "service.payment_on"]}}),
        {"type": "minimum_spend", "clause": "1", "of": "paid", "amount": "100"},
        {"type": "minimum_spend", "clause": "1", "of": "fee", "amount": "100", "months": 12, "with_this": True},
        {"type": "minimum_spend", "clause": "1", "of": "lender", "amount": "100", "months": 12, "with_this": False},
        {"type": "service_kind", "clause": "1", "any_of": ["testing", "certification"]},
        {"type": "service_kind", "clause": "1", "none_of": ["certification"]},
        {"type": "applicant_kind", "clause": "1", "any_of": ["team", "person"]},
        {"type": "any_of", "clause": "1", "alternatives": [[condition(LISTED)], [condition(KNOWN)]]},
    ],
)
def test_what_a_booking_may_meet_is_no_warning(gate: dict[str, Any]) -> None:
    assert blocked(gate) == []


@pytest.mark.parametrize(
    ("gate", "facts"),
    [
        (condition(LISTED), ("service.listed",)),
        (condition(LISTED | {"if_unknown": "no"}), ("service.listed",)),
        (condition({"all": [KNOWN, LISTED]}), ("service.listed",)),
        (condition({"not": {"any": [LISTED, KNOWN]}}), ("service.listed",)),
        (condition({"not": LISTED}), ("service.listed",)),
        (condition({"fact": "service.listed", "known": True}), ("service.listed",)),
        (condition({"fact": "other.petaflops", "at_least": 3}), ("other.petaflops",)),
        (condition({"not": {"fact": "amounts.fee", "at_most": {"fact": "amounts.lender"}}}), ("amounts.lender",)),
        (
            condition({"fact": "applicant.credit_listings", "free_on": {"days": ["service.payment_on"]}}),
            ("service.payment_on",),
        ),
        (
            condition({"fact": "applicant.labels", "has_label": {"any_of": ["gazelle"], "valid_on": ["service.payment_on"]}}),
            ("service.payment_on",),
        ),
        (condition({"fact": "amounts.fee", "at_most": {"fact": "amounts.lender"}}), ("amounts.lender",)),
        (condition({"fact": "service.listed", "is": True}, applies_to=["firm", "person"]), ("service.listed",)),
        ({"type": "minimum_spend", "clause": "1", "of": "lender", "amount": "100"}, ("amounts.lender",)),
        ({"type": "service_kind", "clause": "1", "any_of": ["telecom_billing"]}, ("service.kind",)),
        ({"type": "applicant_kind", "clause": "1", "any_of": ["person"]}, ("applicant.kind",)),
        (
            {
                "type": "any_of",
                "clause": "1",
                "alternatives": [[condition(LISTED)], [condition({"fact": "service.project_evidence", "is": True})]],
            },
            ("service.listed", "service.project_evidence"),
        ),
    ],
)
def test_a_gate_that_no_booking_can_meet_is_told_with_its_facts(gate: dict[str, Any], facts: tuple[str, ...]) -> None:
    assert blocked(condition(KNOWN), gate) == [("$.gates[1]", facts)]


@pytest.mark.parametrize("per", ["order", "contract"])
def test_a_programme_that_limits_contracts_may_ask_for_one(per: str) -> None:
    gates = [condition({"fact": "service.contract_number", "known": True}), condition(LISTED)]
    document = programme_document(gates=gates, caps=[cap("own", per, "100")])
    assert [each.path for each in unmeetable(document)] == ["$.gates[1]"]


def test_the_gates_of_a_side_are_looked_at_too() -> None:
    document = programme_document(gates=[condition(KNOWN)])
    document["sides"] = [{"id": "a", "gates": [condition(LISTED)]}, {"id": "b"}]
    assert [each.path for each in unmeetable(document)] == ["$.sides[0].gates[0]"]


def test_what_is_never_known_is_a_fact_and_what_there_is_here_is_what_the_platform_says() -> None:
    assert FIELDS.keys() >= NEVER_KNOWN
    assert {SERVICE_KIND, TESTING_KIND, *PUBLIC_KINDS} == SERVICE_KINDS and set(APPLICANT_KIND.values()) == APPLICANT_KINDS


def test_the_guide_names_every_fact_that_is_never_known_and_no_other() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    [said] = re.findall(r"so that only examples have it: (.*?)\. A gate that", text, re.DOTALL)
    named = set()
    for piece in said.split(";"):
        group, colon, names = piece.partition(":")
        words = re.findall(r"`([a-z_.]+)`", names if colon else piece)
        named |= {f"{re.findall('`([a-z]+)`', group)[0]}.{name}" for name in words} if colon else set(words)
    assert named - {"other", "other_amounts"} == NEVER_KNOWN


def test_a_shipped_document_asks_for_what_its_gates_wait_for() -> None:
    asking = load("JS-2020-USER")
    assert unmeetable(asking) == []
    del asking["asks"]
    assert [(each.path, each.facts) for each in unmeetable(asking)] == [("$.gates[4]", ("service.project_evidence",))]
    assert unmeetable(load("HN-2018")) == []
