"""What differs between two documents is told to who approves, whichever field it is, also where no sentence speaks of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import translation

from billing.subsidy import drafts
from frontend.presenters.programme_text import changes, sentences
from tests.billing.rules.builders import load, programme_document
from tests.frontend.acting import words
from tests.programmes import put_in_force

pytestmark = pytest.mark.django_db
Json = dict[str, Any]
CONDITION: Json = {
    "type": "condition",
    "clause": "1",
    "says": {"zh": "职工少于100人", "en": "Fewer than 100 staff"},
    "when": {"fact": "applicant.staff", "below": 100},
}


def leaves(node: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else None
    if inside is None:
        yield at
    else:
        for key, value in inside:
            yield from leaves(value, (*at, key))


def changed(document: Json, at: tuple[str | int, ...]) -> Json:
    found = copy.deepcopy(document)
    holder: Any = found
    for key in at[:-1]:
        holder = holder[key]
    old = holder[at[-1]]
    holder[at[-1]] = (not old) if isinstance(old, bool) else old + 1 if isinstance(old, int) else f"{old}7"
    return found


@pytest.mark.parametrize("code", ["HN-2018", "DEMO-QH-V", "YRD-2020"])
def test_a_change_of_any_field_is_told(code: str) -> None:
    document = load(code)
    silent = [at for at in leaves(document) if at[0] != "format" and not changes(document, changed(document, at))]
    assert silent == []


@pytest.mark.parametrize(
    ("change", "place", "before", "now"),
    [
        (lambda gate: gate["when"].update(below=1000), "Conditions 1 › When › Below", "100", "1000"),
        (lambda gate: gate["when"].update(if_unknown="yes"), "Conditions 1 › When › While it is not known", "", "Counts as met"),
        (lambda gate: gate.update(clause="2"), "Conditions 1 › Clause", "1", "2"),
    ],
)
def test_what_a_condition_tests_behind_its_words_is_told_with_its_place(
    change: Callable[[Json], None], place: str, before: str, now: str
) -> None:
    old = programme_document(gates=[copy.deepcopy(CONDITION)])
    new = copy.deepcopy(old)
    change(new["gates"][0])
    with translation.override("en"):
        [found] = changes(old, new)
    assert (found.before, found.now) == ((), ())
    assert [(field.place, field.before, field.now) for field in found.fields] == [(place, before, now)]


def test_an_item_that_only_moved_down_is_no_change_of_its_fields() -> None:
    old = programme_document(gates=[CONDITION])
    new = programme_document(gates=[{"type": "applicant_kind", "any_of": ["firm"], "clause": "1"}, CONDITION])
    with translation.override("en"):
        [found] = changes(old, new)
    assert [(field.place, field.before) for field in found.fields] == [("Conditions 1", "")]


def test_documents_that_say_the_same_have_no_difference() -> None:
    assert changes(load("HN-2018"), load("HN-2018")) == []


def test_a_sentence_has_what_its_conditions_test() -> None:
    with translation.override("en"):
        [found] = [each for each in sentences(programme_document(gates=[CONDITION])) if each.part == "gates"]
    assert "Fewer than 100 staff" in found.text and len(found.tests) == 1 and "below 100" in found.tests[0]


def test_the_page_of_a_draft_shows_the_fields_that_no_sentence_tells(as_: Any, cast: Any) -> None:
    document = load("DEMO-QH-V")
    put_in_force(cast.actor("chen"), cast.actor("sun"), document, cast.now)
    other = copy.deepcopy(document) | {"version": "2030.1"}
    other["gates"][0]["clause"] = next(each["id"] for each in other["clauses"] if each["id"] != other["gates"][0]["clause"])
    draft = drafts.start(cast.actor("chen"), other, cast.now)
    text = words(as_("chen").get(f"/programmes/drafts/{draft.pk}/"))
    assert "1 field" in text and "› Clause" in text and "both say the same" not in text
