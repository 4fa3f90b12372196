"""Suggestions come while one types, in every script, and forgive slips; they show what is public and nothing else."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from instruments.models import SearchTerm
from instruments.queries import Suggestions, mend, suggest
from instruments.services import registry, vocabulary
from tests.instruments.registry.conftest import OPERATOR
from tests.instruments.search.conftest import ICP_ZH, Stock

pytestmark = pytest.mark.django_db
PLASMA_ZH = "\u7b49\u79bb\u5b50\u4f53"
PLASMA_MISTYPED_ZH = "\u7b49\u79bb\u7d2b\u4f53"
PLASMA_OTHER_SOUND_ZH = "\u7b49\u79bb\u5927\u4f53"


@pytest.fixture
def words(stock: Stock) -> Stock:
    vocabulary.rebuild_vocabulary()
    return stock


def terms(found: Suggestions) -> set[tuple[str, str]]:
    return {(kind, one.term) for kind, group in found.groups.items() for one in group}


@pytest.mark.parametrize(
    ("typed", "kind", "term"),
    [
        ("diffr", "instrument", "X-ray diffractometer"),
        (PLASMA_ZH, "instrument", ICP_ZH),
        ("dgohdl", "instrument", ICP_ZH),
        ("dianganou", "instrument", ICP_ZH),
        ("lithium and", "test_item", "Lithium and magnesium in brine"),
        ("nexion-20", "model", "NexION-2000"),
        ("salt l", "owner", "Salt Lake University"),
        ("XRD", "technique", "X\u5c04\u7ebf\u884d\u5c04"),
        ("Li", "element", "\u9502 Li"),
    ],
)
def test_a_few_letters_are_enough(words: Stock, typed: str, kind: str, term: str) -> None:
    assert (kind, term) in terms(suggest(typed))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("difractometer", "diffractometer"),
        ("spectromter", "spectrometer"),
        ("difractom", "diffractometer"),
        ("x-ray diffractomter", "x ray diffractometer"),
        (PLASMA_MISTYPED_ZH, PLASMA_ZH),
        (PLASMA_OTHER_SOUND_ZH, PLASMA_ZH),
    ],
)
def test_slips_are_mended(words: Stock, typed: str, meant: str) -> None:
    assert mend(typed) == meant
    found = suggest(typed)
    assert found.did_you_mean == meant
    assert found.total


def test_what_is_known_is_not_mended(words: Stock) -> None:
    for text in ("diffractometer", "XRD", ICP_ZH, "qqqqqqqq", "Li", ""):
        assert mend(text) == ""


@pytest.mark.parametrize("typed", ["'", "\\", "%", "&|!", "\0", "x" * 100_000, "\u4eea" * 100_000, "\U0001f52c"])
def test_hostile_letters_get_an_answer(words: Stock, typed: str) -> None:
    assert isinstance(suggest(typed), Suggestions)


def test_drafts_are_not_suggested_and_terms_go_with_their_things(words: Stock, now: datetime) -> None:
    registry.set_published(OPERATOR, words.furnace.pk, False, now)
    vocabulary.rebuild_vocabulary()
    assert terms(suggest("muffle")) == set()
    assert not SearchTerm.objects.filter(folded__contains="muffle").exists()


def test_a_second_rebuild_writes_nothing(words: Stock) -> None:
    before = {(term.pk, term.kind, term.folded, term.weight) for term in SearchTerm.objects.all()}
    vocabulary.rebuild_vocabulary()
    assert {(term.pk, term.kind, term.folded, term.weight) for term in SearchTerm.objects.all()} == before
    assert vocabulary.catalogue_mark() == vocabulary.catalogue_mark()


def test_a_suggestion_costs_one_statement(words: Stock) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert suggest("i").total >= 3
    assert len(captured) == 1
