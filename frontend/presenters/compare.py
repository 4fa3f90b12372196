"""Things side by side: one row for each fact, with a mark where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from frontend.display import date_words
from frontend.presenters import instruments as naming
from frontend.presenters.offers import NO_OFFER, OfferLines
from frontend.presenters.search import compare_address, entry_address, place_of, price_words
from frontend.states import look_of
from frontend.templatetags.jishi import bilingual
from instruments.models import CatalogueEntry, TestItem
from instruments.queries import Compared
from instruments.queries.techniques import technique_name
from instruments.search_wording import KIND_NAMES, VALUE_NAMES

_ANALYTES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Column:
    """A thing that is compared: its name, its page and the comparison without it."""

    name: str
    address: str
    without: str


@dataclass(frozen=True, slots=True)
class Row:
    """A fact of each; ``differs`` when they are not all the same. A cell is a list of lines, empty when nothing is known."""

    title: Promise | str
    cells: list[list[str]]
    differs: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    columns: list[Column]
    rows: list[Row]
    room: int


def comparison(found: Sequence[Compared], most: int, offers: Mapping[int, OfferLines], search: str = "") -> Comparison:
    """The table of these things; facts that none of them has are left out. ``offers`` by the entries' ids; ``search`` is kept in the
    links."""
    ids = [one.entry.pk for one in found]
    columns = [
        Column(bilingual(one.entry), entry_address(one.entry), compare_address([pk for pk in ids if pk != one.entry.pk], search))
        for one in found
    ]
    rows = [_row(title, [list(filter(None, facts(one))) for one in found]) for title, facts in _facts(offers)]
    return Comparison(columns, [row for row in rows if any(row.cells)], most - len(found))


def _row(title: str, cells: list[list[str]]) -> Row:
    return Row(title, cells, any(cell != cells[0] for cell in cells))


def _facts(offers: Mapping[int, OfferLines]) -> list[tuple[str, Callable[[Compared], list[str]]]]:
    return [
        (_("What it is"), lambda one: [str(KIND_NAMES[one.entry.kind])]),
        (_("Owner"), lambda one: [bilingual(one.entry.organisation)]),
        (_("Place"), lambda one: [place_of(one.entry)]),
        (_("Running state"), lambda one: [str(look_of("instrument", one.entry.status).word)] if one.entry.status else []),
        (_("Price"), lambda one: [price_words(one.entry)]),
        (_("Subsidy"), lambda one: [_("Possible") if one.entry.subsidy_eligible else _("None in force")] if _priced(one) else []),
        (_("Next free"), lambda one: _next_free(one, offers.get(one.entry.pk, NO_OFFER))),
        (_("What it costs you"), lambda one: _cost(offers.get(one.entry.pk, NO_OFFER))),
        (_("Online booking"), lambda one: [_("Yes") if one.entry.bookable else _("No")] if _is_instrument(one) else []),
        (
            _("Approval"),
            lambda one: [_("By the lab") if one.entry.approval_needed else _("At once")] if one.entry.bookable else [],
        ),
        (
            _("Training"),
            lambda one: [_("Needed first") if one.entry.training_needed else _("Not needed")] if _is_instrument(one) else [],
        ),
        (_("Way of service"), lambda one: [str(mode) for mode in naming.mode_names(one.entry)]),
        (_("Class"), lambda one: [naming.class_name(one.entry.class_code)]),
        (_("Technique"), lambda one: [technique_name(code, naming.reader_language()) for code in one.entry.technique_codes]),
        (_("Manufacturer"), lambda one: [one.entry.instrument.manufacturer] if one.entry.instrument else []),
        (_("Model"), lambda one: [one.entry.instrument.model] if one.entry.instrument else []),
        (_("Technical indicators"), lambda one: [one.entry.instrument.technical_indicators] if one.entry.instrument else []),
        (_("Method"), lambda one: [item.method] if (item := _item(one.entry)) else []),
        (_("Standard"), lambda one: [item.standard] if (item := _item(one.entry)) else []),
        (_("Sample"), lambda one: [item.matrix] if (item := _item(one.entry)) else []),
        (_("Measured, with limit"), lambda one: _analytes(item) if (item := _item(one.entry)) else []),
        (_("Amount of sample"), lambda one: [item.sample_amount] if (item := _item(one.entry)) else []),
        (_("Turnaround"), lambda one: _turnaround(item) if (item := _item(one.entry)) else []),
        (_("Test items"), lambda one: [bilingual(item) for item in one.test_items]),
    ]


def _is_instrument(one: Compared) -> bool:
    return one.entry.instrument_id is not None


def _priced(one: Compared) -> bool:
    return one.entry.price_from_fen is not None


def _next_free(one: Compared, offer: OfferLines) -> list[str]:
    """The time itself, else within how many days; of a test item the day for which results are promised."""
    if offer.promised_on is not None:
        return [_("Results by %(day)s, if samples arrive today") % {"day": date_words(offer.promised_on)}]
    if offer.free_at is not None:
        return [offer.free_words]
    return [] if one.free_within is None else [str(VALUE_NAMES["next_free"][str(one.free_within)])]


def _cost(offer: OfferLines) -> list[str]:
    return [offer.cost, *offer.budgets]


def _item(entry: CatalogueEntry) -> TestItem | None:
    return getattr(entry.resource, "test_item", None) if entry.resource is not None else None


def _analytes(item: TestItem) -> list[str]:
    shown = item.analytes[:_ANALYTES_SHOWN]
    return [" ".join(filter(None, (one.get("name", ""), str(one.get("limit", "")), one.get("unit", "")))) for one in shown]


def _turnaround(item: TestItem) -> list[str]:
    days = item.turnaround_days
    return [] if days is None else [ngettext("%(count)s workday", "%(count)s workdays", days) % {"count": days}]
