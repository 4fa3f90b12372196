"""One invoice and one project once per exclusive class: what took a programme of a class already."""

from __future__ import annotations

import unicodedata

from billing.settlement.opening_models import SubsidisedItem

REFERENCE_LENGTH = 200


def reference_of(text: str) -> str:
    """A number or name as it is compared: without differences of width, case or blanks."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())[:REFERENCE_LENGTH]


def subsidised_classes(kind: str, text: str) -> frozenset[str]:
    """The exclusive classes of which an invoice or a project (``kind``) took a programme already; one query."""
    rows = SubsidisedItem.objects.filter(kind=kind, reference=reference_of(text))
    return frozenset(rows.values_list("exclusive_class", flat=True))
