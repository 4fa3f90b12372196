"""Every field and every code of the schemas has a word in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation

from billing.subsidy.rules.shape import Kind, Shape, programme_shape
from frontend.presenters.programme_form import parts
from frontend.programme_labels import LABELS, choice_word

PLAIN = frozenset({"true", "false"})


def places(shape: Shape, key: str = "", seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, Shape]]:
    """Every field below a place, recursion left out."""
    yield key, shape
    if shape.definition and shape.definition in seen:
        return
    below = seen | {shape.definition}
    if shape.kind is Kind.GROUP:
        for name, each in shape.fields.items():
            yield from places(each, name, below)
    elif shape.kind in (Kind.LIST, Kind.MAP):
        yield from places(shape.item, key, below)
    elif shape.kind is Kind.VARIANT:
        for code in shape.options:
            group = shape.variant(code)
            assert group is not None
            yield from places(group, key, below)
    elif shape.kind is Kind.EITHER:
        for each in shape.forms.values():
            yield from places(each, key, below)


ALL = list(places(programme_shape()))


def test_every_field_has_a_label():
    assert sorted({key for key, _shape in ALL if key and key not in LABELS}) == []


@pytest.mark.parametrize("language", ["zh-hans"])
def test_every_code_has_a_word(language):
    with translation.override(language):
        missing = {
            (key, code)
            for key, shape in ALL
            if shape.kind in (Kind.CHOICE, Kind.SEVERAL, Kind.VARIANT)
            for code in shape.options
            if choice_word("type" if shape.kind is Kind.VARIANT else key, code) == code
        }
    assert missing == set()


def test_every_field_of_the_document_stands_in_one_part_of_the_editor():
    shown = [key for _title, keys in parts().values() for key in keys]
    assert sorted(shown) == sorted(programme_shape().fields)
