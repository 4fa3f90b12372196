"""What a statement says since format 2 beside its older fields, in the words of the active language. A field stands on the paper also where
there is nothing to say yet: then it says that. Contents of format 1 have none of it, so their papers keep their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import ngettext, pgettext

from billing import wording
from billing.settlement import lines
from billing.settlement.captions import Caption

Content = Mapping[str, Any]
#: More invoices than this are counted; each stands with its line among the papers.
NAMED = 3


def says(content: Content) -> bool:
    """Whether a content is of the format that says it."""
    return int(content["format"]) >= 2


def facts(content: Content, words: Mapping[str, Caption]) -> list[tuple[Caption, str]]:
    """Each field with its caption."""
    if not says(content):
        return []
    return [
        (words["budget_item"], budget_item(content)),
        (words["external_invoice"], _invoices(content)),
        (words["edition"], _edition(content["edition"])),
        (words["batch"], _batches(content["publicity"]["batches"])),
        (words["publicity"], _publicity(content)),
    ]


def budget_item(content: Content) -> str:
    """As the programme names it."""
    item = content["programme"].get("budget_item")
    return wording.document_text(item) if item else pgettext("statement", "The programme names none")


def _invoices(content: Content) -> str:
    papers = [line.get("papers", {}) for line in content["lines"]]
    numbers = list(dict.fromkeys(each["number"] for found in papers for each in found.get("invoices", ())))
    if not numbers:
        return pgettext("statement", "To be issued, or not recorded at issue")
    if len(numbers) <= NAMED:
        return "; ".join(numbers)
    said = ngettext("%(count)s invoice, named with its lines", "%(count)s invoices, named with their lines", len(numbers))
    return said % {"count": len(numbers)}


def _edition(edition: Mapping[str, Any]) -> str:
    none = pgettext("edition of a paper", "none")
    named = {name: edition[name] or none for name in ("replaces", "replaced_by")}
    said = pgettext("edition of a paper", "%(number)s; replaces: %(replaces)s; replaced by: %(replaced_by)s")
    return said % {"number": edition["number"], **named}


def _batches(batches: list[Mapping[str, str]]) -> str:
    if not batches:
        return pgettext("statement", "None open at issue")
    said = pgettext("batch of a statement", "%(number)s (handed in %(opens_on)s to %(closes_on)s)")
    return "; ".join(said % each for each in batches)


def _publicity(content: Content) -> str:
    """What was public at issue with its outcome, else where it will be and for how long."""
    papers = [line["papers"]["publicity"] for line in content["lines"] if "publicity" in line.get("papers", {})]
    known = list(dict.fromkeys(lines.public_words(each) for each in papers))
    plan = content["publicity"]
    said = pgettext("publicity of a statement", "Not public at issue. After review with its batch for %(days)s days: %(at)s")
    return "; ".join(known) if known else said % plan
