"""When what was found can be had, and what it costs the one who reads: lines of a card, and the way to *Find a time*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.settlement import offers as settlement
from billing.settlement import sample_finding
from billing.settlement.sample_finding import PricedItem
from billing.settlement.time_finding import Customer, PricedTime
from config.kernel.access import Actor
from config.kernel.messages import duration_words
from frontend import display
from frontend.booking_form import BookingForm
from frontend.hours_text import hours_text
from frontend.presenters.times import budget_words
from frontend.time_form import TimeForm
from instruments.models import CatalogueEntry
from instruments.queries import SearchResult
from instruments.queries.promises import total_fen
from instruments.rules.asking import Asking, days_meant


@dataclass(frozen=True, slots=True)
class OfferLines:
    """What a card says: ``free_at`` an instant with its ``zone`` and where it is asked for, or ``promised_on`` a local day; ``cost`` in
    words, empty without a price; ``budgets``: what would pay for it and has little left. An empty offer says nothing."""

    free_at: datetime | None = None
    zone: str = ""
    address: str = ""
    promised_on: date | None = None
    cost: str = ""
    budgets: tuple[str, ...] = ()

    @property
    def free_words(self) -> str:
        """The instant in its zone, as text."""
        if self.free_at is None:
            return ""
        local = display.in_zone(self.free_at, self.zone)
        label = display.zone_label(self.free_at, self.zone)
        return f"{display.moment_words(local)} {label}".strip()


NO_OFFER = OfferLines()


def offers_of(
    actor: Actor, entries: Sequence[CatalogueEntry], asked: Asking, customer: Customer, now: datetime, *, next_days: str = ""
) -> dict[int, OfferLines]:
    """What each entry's card says, by the entry's id: the same queries however many entries. ``next_days`` is the filter of free time,
    which counts from now on and stands above the words."""
    today = _today(now)
    meant = None if next_days else days_meant(asked.when, today)
    not_before = _midnight(today + timedelta(days=meant[0])) if meant is not None else now
    priced = customer.known or asked.duration_minutes is not None
    found = settlement.offers_of(actor, entries, asked.duration_minutes, customer, not_before, now, priced=priced)
    items = sample_finding.items_of(
        entries,
        asked.samples or 1,
        customer,
        now,
        priced=customer.known and asked.samples is not None,
        elements=asked.elements,
    )
    return {
        each.pk: _item_lines(items[each.pk], asked) if each.pk in items else _lines(each, found.get(each.pk), asked, customer)
        for each in entries
    }


def find_a_time(result: SearchResult, now: datetime) -> str:
    """The address of *Find a time* with everything that was understood and chosen here; empty where nothing can be booked by time."""
    search, asked = result.search, result.asked
    if search.kind not in ("", "instrument"):
        return ""
    first_on, last_on = _days(search.next_free, asked, _today(now))
    form = TimeForm(
        text=search.text,
        hours=hours_text(asked.duration_minutes) if asked.duration_minutes else "",
        samples=str(asked.samples or ""),
        first_on=first_on,
        last_on=last_on,
        region_code=search.region_code,
        place=asked.region_code if result.elsewhere else "",
        sort="nearest" if result.elsewhere else "",
        technique=search.technique,
        class_code=search.class_code,
        zone=search.zone,
        owner=search.owner,
        service_mode=search.service_mode,
        no_training=search.training == "no",
    )
    return reverse("find_a_time") + form.query().removesuffix("?")


def _days(next_days: str, asked: Asking, today: date) -> tuple[str, str]:
    """The first and the last day that are meant, as typed; empty where nobody said."""
    meant = (0, int(next_days)) if next_days else days_meant(asked.when, today)
    if meant is None:
        return "", ""
    return (today + timedelta(days=meant[0])).isoformat(), (today + timedelta(days=meant[1] - 1)).isoformat()


def _item_lines(item: PricedItem, asked: Asking) -> OfferLines:
    address = reverse("resource_detail", args=[item.resource.pk])
    if asked.samples:
        address += f"?samples={asked.samples}" + (f"&elements={asked.elements}" if asked.elements > 1 else "")
    budgets = tuple(budget_words(item.nearly_used_up))
    return OfferLines(
        promised_on=item.promised_on, address=address, cost=_samples_cost(item, asked.samples, asked.elements), budgets=budgets
    )


def _lines(entry: CatalogueEntry, offer: PricedTime | None, asked: Asking, customer: Customer) -> OfferLines:
    if offer is None or entry.instrument is None:
        return NO_OFFER
    during, zone = offer.found.during, offer.found.context.zone
    own = "" if customer.assumed else str(customer.organisation.pk)
    typed = BookingForm(organisation=own).at(during, zone)
    address = f"{reverse('instrument_detail', args=[entry.instrument.pk])}?{typed.query()}#booking-panel"
    budgets = tuple(budget_words(offer.nearly_used_up))
    return OfferLines(during.starts_at, zone.key, address, cost=_cost(offer, asked, customer), budgets=budgets)


def _cost(offer: PricedTime, asked: Asking, customer: Customer) -> str:
    """What the time costs the reader; for a visitor the list price of the length that was asked for."""
    figures = offer.assessment
    if figures is None:
        return ""
    length = duration_words(offer.found.during.seconds // 60)
    if not customer.known:
        return _("%(length)s: list price %(amount)s") % {"length": length, "amount": display.yuan(figures.gross_fen)}
    return _("%(length)s: final cost for you %(amount)s") % {"length": length, "amount": display.yuan(figures.final_cost_fen)}


def _samples_cost(item: PricedItem, samples: int | None, elements: int) -> str:
    """What so many samples cost the reader, else the lowest public price of them."""
    if not samples:
        return ""
    if item.assessment is not None:
        params = {
            "length": samples_words(item.entry.price_unit, samples, elements),
            "amount": display.yuan(item.assessment.final_cost_fen),
        }
        return _("%(length)s: final cost for you %(amount)s") % params
    total = total_fen(item.entry, samples)
    if total is None:
        return ""
    words = ngettext("%(count)s sample from %(amount)s", "%(count)s samples from %(amount)s", samples)
    return words % {"count": samples, "amount": display.yuan(total)}


def samples_words(unit: str, samples: int, elements: int) -> str:
    """For what the figures of a test item are, by the unit of its price."""
    said = ngettext("%(count)s sample", "%(count)s samples", samples) % {"count": samples}
    if unit != "element":
        return said
    if elements == 1:
        return _("%(samples)s, one element each") % {"samples": said}
    return _("%(samples)s, %(elements)s elements each") % {"samples": said, "elements": elements}


def _today(now: datetime) -> date:
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), ZoneInfo(settings.TIME_ZONE))
