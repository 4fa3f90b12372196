"""The facts: one name for each, the same in the schema, in the table of conditions and in the classes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from billing.ledger.rules.documents import DocumentError
from billing.subsidy.rules.fact_fields import FIELDS, fact_field
from billing.subsidy.rules.facts import Facts, facts_document, parse_facts
from tests.billing.rules.builders import PROGRAMMES

SCHEMA = json.loads((PROGRAMMES.parent / "schema" / "facts.schema.json").read_text(encoding="utf-8"))
ONE_OF_EACH: dict[str, Any] = {
    "array": ["a", "b"],
    "boolean": False,
    "integer": 7,
    "money": "12.34",
    "day": "2024-02-29",
    "labels": [
        {"label": "high_tech", "level": "national", "number": "GR1", "valid_from": "2023-01-01", "valid_to": "2025-12-31"}
    ],
    "listings": [{"list": "serious_default", "from": "2024-01-01"}, {"list": "late", "from": "2020-01-01", "to": "2020-12-31"}],
}


def value_of(name: str, schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if "enum" in schema.get("items", {}):
        return schema["items"]["enum"]
    if name == "lines":
        return ["1.50", "2.00"]
    if name == "spend":
        return [{"on": "2024-03-01", "amount": "5.00"}]
    if name in ("region_code", "rate"):
        return {"region_code": "630102", "rate": "0.35"}[name]
    kind = schema["$ref"].removeprefix("#/$defs/") if "$ref" in schema else schema["type"]
    return ONE_OF_EACH.get(kind, "some text")


def everything() -> dict[str, Any]:
    groups = {
        group: {name: value_of(name, each) for name, each in schema["properties"].items()}
        for group, schema in SCHEMA["properties"].items()
        if "properties" in schema
    }
    return groups | {"other": {"petaflops": 300, "advanced": True, "park": "north"}, "other_amounts": {"power": "3.50"}}


def test_facts_with_every_field_can_be_written_and_read_back() -> None:
    facts = parse_facts(everything())
    assert parse_facts(facts_document(facts)) == facts
    assert facts_document(facts) == everything()
    assert facts_document(Facts()) == {} and parse_facts({}) == Facts()


def test_every_fact_of_the_schema_can_be_named_in_a_condition_and_no_other() -> None:
    known = {f"{group}.{name}" for group, facts in everything().items() for name in facts if not group.startswith("other")}
    assert known - {"before.spend", "amounts.lines"} == set(FIELDS)


def test_every_named_fact_is_found_where_it_stands() -> None:
    facts = parse_facts(everything())
    assert [path for path, one in FIELDS.items() if one.read(facts) in (None, (), frozenset())] == []
    assert [path for path, one in FIELDS.items() if one.read(Facts()) not in (None, (), frozenset())] == []


def test_facts_of_a_name_of_ones_own_are_found() -> None:
    facts = parse_facts(everything())
    open_fact, amount, wrong = (fact_field(path) for path in ("other.petaflops", "other_amounts.power", "applicant.wealth"))
    assert open_fact is not None and open_fact.read(facts) == 300 and open_fact.read(Facts()) is None
    assert amount is not None and amount.read(facts) == 350
    assert wrong is None


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"applicant": {"founded_on": "2025-02-30"}}, "$.applicant.founded_on"),
        ({"applicant": {"labels": [{"label": "x", "valid_to": "2025-13-01"}]}}, "$.applicant.labels[0].valid_to"),
        ({"applicant": {"credit_listings": [{"list": "x", "from": "2025-06-31"}]}}, "$.applicant.credit_listings[0].from"),
        ({"before": {"spend": [{"on": "2025-02-29", "amount": 1}]}}, "$.before.spend[0].on"),
        ({"amounts": {"paid": 1.5}}, "$.amounts.paid"),
        ({"other": {"rate": 0.5}}, "$.other.rate"),
        ({"instrument": {"staff": 3}}, "$.instrument.staff"),
        ({"request": {"rate": "1.2"}}, "$.request.rate"),
    ],
)
def test_a_wrong_fact_is_told_with_its_path(document: dict[str, Any], path: str) -> None:
    with pytest.raises(DocumentError) as error:
        parse_facts(document)
    assert [fault.path for fault in error.value.faults] == [path]
