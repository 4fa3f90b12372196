"""What the facts of the national service record are called."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy

from booking.rules.service_facts import fund_sources

Word = str | Promise

DIRECTIONS: Mapping[str, Word] = {
    "research": pgettext_lazy("what a service is for", "Scientific research"),
    "development": pgettext_lazy("what a service is for", "Technical development"),
    "teaching": pgettext_lazy("what a service is for", "Teaching"),
    "other": pgettext_lazy("what a service is for", "Other"),
}


def fund_source_names() -> list[tuple[str, str]]:
    """Code and name in the reader's language, in the order of the list."""
    english = (get_language() or "").startswith("en")
    return [(each.code, each.name_en if english else each.name) for each in fund_sources()]
