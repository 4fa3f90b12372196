"""Test items beside the free times: rows with the promised day and the reader's cost, ways out when there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.settlement.sample_finding import PricedItem, PricedItems
from billing.settlement.time_finding import Customer
from frontend.presenters.instruments import place_name
from frontend.presenters.offers import samples_words
from frontend.presenters.search import price_words
from frontend.presenters.times import FILTERS, NEARNESS, Badge, Link, answer_badge, budget_badges
from frontend.templatetags.jishi import bilingual
from frontend.time_form import TimeForm
from instruments.queries.promises import ItemSearch

#: The field of the page that holds a filter of test items, where it is called otherwise.
_FIELDS = {"region": "region_code"}


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A test item. ``price`` stands where it has no figures; ``note`` says what the figures are for; ``send_url`` leads to the form, empty
    where samples cannot be sent without asking first."""

    priced: PricedItem
    name: str
    owner: str
    place: str
    distance: Promise | str
    badges: list[Badge]
    url: str
    send_url: str
    price: str
    note: str

    @property
    def promised_on(self) -> date | None:
        return self.priced.promised_on


@dataclass(frozen=True, slots=True)
class NoItems:
    """``blocking`` stands in the way most, ``ways`` lead round it; ``elsewhere`` are the nearest ones where the place alone does;
    ``saved_query`` is the search that can be kept with mail."""

    blocking: str
    ways: list[Link]
    elsewhere: list[ItemRow]
    saved_query: str


@dataclass(frozen=True, slots=True)
class ItemsView:
    """``more`` further ones fit, all of which are at ``all_url``; ``nothing`` instead of rows."""

    rows: list[ItemRow]
    notes: list[str]
    more: int
    all_url: str
    nothing: NoItems | None = None


def items_view(form: TimeForm, search: ItemSearch, found: PricedItems, customer: Customer, nothing: NoItems | None) -> ItemsView:
    """The rows and what stands around them."""
    notes = []
    if found.total > found.compared and form.sort != "nearest":
        words = _("Compared were the %(count)s test items with the shortest turnaround. Narrow the search to compare others.")
        notes.append(words % {"count": found.compared})
    return ItemsView(
        rows=[item_row(each, search, customer) for each in found.rows],
        notes=notes,
        more=found.total - len(found.rows),
        all_url=f"{reverse('search')}?{saved_query(form, search)}",
        nothing=nothing,
    )


def item_row(priced: PricedItem, search: ItemSearch, customer: Customer) -> ItemRow:
    """One row."""
    entry, resource = priced.entry, priced.resource
    counts = priced.assessment is not None
    asked = (
        {"samples": search.samples}
        | ({"elements": search.elements} if search.elements > 1 else {})
        | ({} if customer.assumed else {"organisation": customer.organisation.pk})
    )
    query = urlencode(asked)
    return ItemRow(
        priced=priced,
        name=bilingual(resource),
        owner=bilingual(resource.organisation),
        place=place_name(entry.region_code),
        distance=NEARNESS[priced.nearness],
        badges=[*([answer_badge(priced.answer_hours)] if counts else []), *budget_badges(priced.nearly_used_up)],
        url=f"{reverse('resource_detail', args=[resource.pk])}?{query}",
        send_url=f"{reverse('sample_create', args=[resource.pk])}?{query}" if counts else "",
        price=price_words(entry) or _("On request"),
        note=samples_words(entry.price_unit, search.samples, search.elements) if counts else "",
    )


def no_items(
    form: TimeForm, search: ItemSearch, without: Sequence[tuple[str, int]], elsewhere: Sequence[PricedItem], customer: Customer
) -> NoItems:
    """Ways to something, from how many there are without each filter."""
    return NoItems(
        blocking=str(FILTERS[_FIELDS.get(without[0][0], without[0][0])]) if without else "",
        ways=[_way(form, name, count) for name, count in without],
        elsewhere=[replace(item_row(each, search, customer), distance="") for each in elsewhere],
        saved_query=saved_query(form, search),
    )


def saved_query(form: TimeForm, search: ItemSearch) -> str:
    """The same search on the page of results."""
    values = {
        "q": search.text,
        "kind": "test_item",
        "technique": search.technique,
        "region_code": form.region_code,
        "zone": search.zone,
        "owner": search.owner or "",
    }
    return urlencode({name: value for name, value in values.items() if value})


def _way(form: TimeForm, name: str, count: int) -> Link:
    field = _FIELDS.get(name, name)
    note = ngettext("%(count)s test item", "%(count)s test items", count) % {"count": count}
    return Link(_("Leave out: %(filter)s") % {"filter": FILTERS[field]}, form.query(**{field: "", "show": ""}), note=note)
