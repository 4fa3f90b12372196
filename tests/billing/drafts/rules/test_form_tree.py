"""Any document comes through its form unharmed, parts are moved, and every fault has a place and a sentence."""

from __future__ import annotations

import copy
import json

import pytest
from django.utils import translation

from billing.subsidy.drafts import template_names
from billing.subsidy.rules import checking, shape
from billing.subsidy.rules.checking import check
from billing.subsidy.rules.form_moves import VERBS, moved, put, value_at
from billing.subsidy.rules.form_tree import ABSENT, TOP, Node, read, tree
from billing.subsidy.rules.shape import Kind, definition_of, programme_shape
from config.kernel.messages import sentence
from tests.conftest import programme_document

SHAPE = programme_shape()


class Sent(dict):
    """What a browser sends of a tree of fields."""

    def getlist(self, name):
        value = self.get(name, [])
        return value if isinstance(value, list) else [value]

    def fill(self, node: Node) -> None:
        name, kind = node.name, node.kind
        if kind is Kind.RAW:
            self[f"{name}/@raw"] = node.text
        elif kind is Kind.EITHER:
            self[f"{name}/@form"] = self[f"{name}/@form_was"] = node.text
            self.fill(node.children[0])
        elif kind in (Kind.GROUP, Kind.VARIANT):
            if node.there:
                self[f"{name}/@there"] = "1"
            if kind is Kind.VARIANT:
                self[f"{name}/{node.shape.field}"] = self[f"{name}/@was"] = node.text
            for child in node.children:
                self.fill(child)
        elif kind in (Kind.LIST, Kind.MAP):
            self[f"{name}/@count"] = str(len(node.children))
            for child in node.children:
                if kind is Kind.MAP:
                    self[f"{child.name}/@key"] = child.place.key
                self.fill(child)
        elif kind is Kind.SEVERAL:
            self[name] = list(node.chosen)
        elif kind is not Kind.FIXED:
            self[name] = node.text


def sent(document) -> Sent:
    made = Sent()
    for child in tree(SHAPE, document, TOP).children:
        made.fill(child)
    return made


def kinds(node: Node):
    yield node
    for child in node.children:
        yield from kinds(child)


@pytest.mark.parametrize("code", template_names())
def test_every_shipped_document_comes_through_its_form_unharmed(code):
    document = programme_document(code)
    assert read(SHAPE, sent(document), "", document) == document


@pytest.mark.parametrize("code", template_names())
def test_no_part_of_a_shipped_document_has_to_be_written_as_json(code):
    found = [
        node.place.path for node in kinds(tree(SHAPE, programme_document(code), TOP)) if node.kind is Kind.RAW and node.there
    ]
    assert found == []


@pytest.mark.parametrize(
    "change",
    [
        {"rate": 5}, {"caps": {"a": 1}}, {"gates": ["x", None, 3]}, {"validity": []}, {"name": {"zh": 1, "fr": "x"}},
        {"synthetic": "yes"}, {"examples": [{"facts": {"applicant": {"kind": ["firm"]}}}]}, {"clauses": [[[]]]}, {"payers": None},
        {"evidence": {"grade": 1.5}}, {"caps": [{"limit": {"configured": "x"}}]}, {"gates": [{"type": "unknown", "x": {"y": 1}}]},
    ],
)  # fmt: skip
def test_what_the_form_cannot_show_is_neither_lost_nor_mended(change):
    document = programme_document("DEMO-QH-V") | change
    made = tree(SHAPE, document, TOP)
    assert read(SHAPE, sent(document), "", document) == document or made.kind is Kind.RAW


def test_an_empty_form_is_an_empty_document_and_names_everything_that_is_needed():
    flaws = check({}).flaws
    assert {"$.code", "$.validity", "$.examples"} <= {flaw.path for flaw in flaws}
    assert {flaw.code for flaw in flaws} == {"programme.flaw.required"}


@pytest.mark.parametrize(
    "path, value, place, code",
    [
        (("caps", 0, "limit"), 0.5, "$.caps[0].limit", "programme.flaw.money"),
        (("rate", "rate"), "1.5", "$.rate.rate", "programme.flaw.share"),
        (("rate", "rate"), 0.4, "$.rate.rate", "programme.flaw.share"),
        (("kind",), "gift", "$.kind", "programme.flaw.choice"),
        (("validity", "first_day"), "1 January", "$.validity.first_day", "programme.flaw.day"),
        (("code",), "qh 1", "$.code", "programme.flaw.code"),
        (("caps", 0, "id"), "Year", "$.caps[0].id", "programme.flaw.id"),
        (("rounding", "step"), "0.5", "$.rounding.step", "programme.flaw.step"),
        (("year_starts",), "October", "$.year_starts", "programme.flaw.day_of_year"),
        (("validity", "first_day"), "2026-02-30", "$.validity.first_day", "programme.flaw.meaning"),
        (("caps", 0, "clause"), "99", "$.caps[0].clause", "programme.flaw.meaning"),
        (("synthetic",), "yes", "$.synthetic", "programme.flaw.kind"),
        (("clauses",), [], "$.clauses", "programme.flaw.few"),
        (("zzz",), 1, "$.zzz", "programme.flaw.unknown"),
    ],
)
def test_a_fault_names_its_field_and_its_kind(path, value, place, code):
    document = copy.deepcopy(programme_document("DEMO-QH-V"))
    at = document
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    found = {(flaw.path, flaw.code) for flaw in check(document).flaws}
    assert (place, code) in found, found


def patterns_of(schema):
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str) and definition_of(schema) not in checking._BY_FORM:
            yield schema["pattern"]
        for each in schema.values():
            yield from patterns_of(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from patterns_of(each)


def test_every_pattern_of_the_schemas_has_a_sentence_of_its_own_in_both_languages():
    folder = shape.PROGRAMME_SCHEMA.parent
    told = set()
    for path in folder.glob("*.schema.json"):
        for pattern in patterns_of(json.loads(path.read_text(encoding="utf-8"))):
            code = f"programme.flaw.{checking._BY_PATTERN[pattern]}"
            with translation.override("en"):
                english = sentence(code, {"found": "x"})
            with translation.override("zh-hans"):
                assert sentence(code, {"found": "x"}) != english and "x" in english
            told.add(code)
    assert len(told) > 8


def test_ten_thousand_tiers_are_told_once_not_ten_thousand_times():
    document = programme_document("DEMO-QH-V") | {"rate": {"type": "tiers", "clause": "5", "tiers": [{"rate": 5}] * 10_000}}
    assert 0 < len(check(document).flaws) <= 200


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", ["", "zzz", "caps/99", "caps/x", "rate/rate/rate", "examples/0/facts/zzz/1", "gates/-1"])
def test_moving_what_is_not_there_changes_nothing_but_what_it_may(verb, name):
    document = programme_document("DEMO-QH-V")
    assert moved(SHAPE, document, verb, name) == document


def test_a_move_leaves_the_document_it_was_given_alone():
    document = programme_document("DEMO-QH-V")
    changed = moved(SHAPE, document, "remove", "caps/0")
    assert len(changed["caps"]) == len(document["caps"]) - 1 and document == programme_document("DEMO-QH-V")


def test_a_place_is_read_and_written():
    document = programme_document("DEMO-QH-V")
    assert value_at(SHAPE, document, "caps/0/id")[1] == "per-order"
    assert value_at(SHAPE, document, "caps/99")[1] is ABSENT
    assert put(SHAPE, document, "caps/0/id", "other")["caps"][0]["id"] == "other"
    assert "id" not in put(SHAPE, document, "caps/0/id", ABSENT)["caps"][0]


def test_digits_in_quotes_are_a_text_where_both_may_stand():
    when = {"fact": "applicant.region_code", "any_of": ["630104", 7, True]}
    document = programme_document("DEMO-QH-V") | {"gates": [{"type": "condition", "clause": "1", "when": when}]}
    made = sent(document)
    assert read(SHAPE, made, "", document) == document
    assert read(SHAPE, made, "", {})["gates"][0]["when"] == when
