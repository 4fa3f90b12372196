"""A proposed change of a test item, an accession, a data set or a work of literature, field by field in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from frontend.presenters.record import Difference
from frontend.resource_forms import form_class
from instruments.field_wording import NO, YES
from instruments.models import ResourceChange
from instruments.resource_wording import DARWIN_CORE_NAMES, MCPD_NAMES
from instruments.rules.instrument_review import clashes
from instruments.rules.text_diff import differences
from instruments.services.resource_reviews import current_values

Word = Promise | str


def change_differences(change: ResourceChange) -> list[Difference]:
    """What a proposal makes different, descriptor by descriptor where there are any; clashes with what has changed meanwhile."""
    there = current_values(change.resource, change.values)
    clashing = set(clashes(change.base, there, change.values)) if change.state in ("draft", "submitted") else set()
    found = []
    for name, label, before, after, now_there in field_words(change.resource.kind, change.base, change.values, there):
        if before != after:
            clash = now_there if name in clashing else ""
            found.append(Difference(name, label, before, after, differences(before, after), clash, name in clashing))
    return found


def field_words(
    kind: str, before: Mapping[str, Any], after: Mapping[str, Any], there: Mapping[str, Any]
) -> Iterator[tuple[str, Word, str, str, str]]:
    """Of each field that either side names: its name and label, what stood there, what comes and what stands there now, descriptor by
    descriptor."""
    labels = labels_of(kind)
    for name in {**before, **after}:
        sides = [side.get(name) for side in (before, after, there)]
        if name != "descriptors":
            was, becomes, stands = (words_of(side) for side in sides)
            yield name, labels.get(name, name), was, becomes, stands
            continue
        for key in sorted({key for side in sides[:2] for key in side or {}}):
            was, becomes, stands = (words_of((side or {}).get(key)) for side in sides)
            yield name, labels.get(key, key), was, becomes, stands


def labels_of(kind: str) -> dict[str, Word]:
    """What the fields of a kind are called in the owner's form, the descriptors of both standards among them."""
    if kind == "germplasm":
        own: dict[str, Word] = {**DARWIN_CORE_NAMES, **MCPD_NAMES}
        return {**_of_form(kind, "mcpd"), **own}
    return _of_form(kind, "") | {"qualifications": _("Qualifications"), "region_code": _("Division")}


def _of_form(kind: str, standard: str) -> dict[str, Word]:
    fields = form_class(kind, standard).base_fields
    return {name: field.label or name for name, field in fields.items()}


def words_of(value: Any) -> str:
    """A value as plain text, one entry of a list a line; nothing is an empty text."""
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, bool):
        return str(YES if value else NO)
    if isinstance(value, list):
        return "\n".join(words_of(each) for each in value)
    if isinstance(value, dict):
        return " ".join(words_of(each) for each in value.values() if each not in (None, ""))
    return str(value)
