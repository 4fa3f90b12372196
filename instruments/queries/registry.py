"""What one instrument looks like."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.time_range import TimeRange, merge
from instruments.models import Instrument, Organisation, Site
from instruments.rules.audience import audience_of
from instruments.rules.opening import CalendarRules, open_ranges
from instruments.services import schedule_store
from instruments.services.instrument_changes import manages
from instruments.services.opening_hours import KEPT_DAYS
from instruments.services.weekly_hours import WeeklyWindow, weekly_windows


def instrument_for(actor: Actor, instrument_id: int) -> Instrument:
    """The instrument with organisation, site, photo and, of a facility, its record. Raises NotFound for a foreign one."""
    return get_visible(Instrument.objects.select_related("organisation", "site", "photo", "facility"), actor, pk=instrument_id)


def may_manage(actor: Actor, instrument: Instrument) -> bool:
    """Whether the actor may change it."""
    return manages(actor, instrument.organisation_id)


def sites_of(actor: Actor, organisation_id: int) -> QuerySet[Site]:
    """The owner's places that the actor may see, by name."""
    return visible_to(Site.objects.all(), actor).filter(organisation_id=organisation_id).order_by("name", "pk")


def site_for(actor: Actor, site_id: int) -> Site:
    """One place with its owner. Raises NotFound."""
    return get_visible(Site.objects.select_related("organisation"), actor, pk=site_id)


def calendar_of(instrument: Instrument) -> tuple[schedule_store.StoredEntry, ...]:
    """The openings and closures of an instrument that the actor was already given: one query."""
    return schedule_store.stored_entries_by_calendar([instrument.calendar_id])[instrument.calendar_id]


def stored_calendar(instrument: Instrument, now: datetime | None = None) -> schedule_store.StoredCalendar:
    """All that is stored of the calendar of an instrument that the actor was already given: one query.

    With ``now`` also what was removed lately and can be brought back.
    """
    since = now - timedelta(days=KEPT_DAYS) if now is not None else None
    return schedule_store.stored_calendars([instrument.calendar_id], removed_since=since)[instrument.calendar_id]


def rules_of(instrument: Instrument) -> CalendarRules:
    """All that decides when an instrument that the actor was already given is open: one query."""
    return schedule_store.rules_by_calendar([instrument.calendar_id])[instrument.calendar_id]


def audiences_for(actor: Actor, owner_id: int, customer_id: int | None = None) -> tuple[str, ...]:
    """To which audiences of an owner's instruments the customer, or without one each organisation of the actor, belongs."""
    customers = actor.organisations() if customer_id is None else frozenset({customer_id})
    kinds = Organisation.objects.filter(pk__in=customers).order_by("name_pinyin", "pk").values_list("pk", "kind")
    return tuple(dict.fromkeys(audience_of(kind, is_owner=pk == owner_id) for pk, kind in kinds))


def opening_for(actor: Actor, instrument_id: int, window: TimeRange) -> list[TimeRange]:
    """When it is open within ``window`` for one of the actor's organisations (for nobody's: when it is open to everybody).

    Bookings are not taken off. Raises NotFound.
    """
    instrument = instrument_for(actor, instrument_id)
    rules, zone = rules_of(instrument), ZoneInfo(instrument.site.time_zone)
    audiences = audiences_for(actor, instrument.organisation_id) if rules.depends_on_audience else ()
    return merge(one for audience in audiences or (None,) for one in open_ranges(rules, zone, window, audience))


def hours_on(stored: Sequence[schedule_store.StoredEntry], local_day: date) -> list[WeeklyWindow]:
    """The weekly windows that are valid on a local day, by weekday and hour."""
    return weekly_windows(stored, local_day)
