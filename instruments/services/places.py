"""Changing an owner's place: its names, street, division, zone and coordinates, for its managers and the operator."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.kernel.access import Actor
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Instrument, Resource, Site
from instruments.queries.divisions import ended_reason, is_division
from instruments.rules.coordinates import coordinates
from instruments.services import catalogue, schedule_store
from instruments.services.instrument_changes import needs_review, require_manager
from instruments.services.registry import SiteFields, clean_site

#: What is published of a place with everything that stands there, and what programmes ask about.
_LOOKED_AT = ("name", "name_en", "region_code", "latitude", "longitude")


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of a place; the coordinates as typed, in degrees, empty where nobody knows them."""

    fields: SiteFields
    latitude: str = ""
    longitude: str = ""


@whole
def update_site(actor: Actor, site_id: int, place: Place, now: datetime) -> Site:
    """Change a place. What hangs on it follows: the catalogue, and the days of its calendars.

    Raises NotFound, Forbidden, Refusal with every reason: those of ``registry.create_site``, ``place.division_unknown``,
    ``codes.division_ended`` or ``codes.division_replaced`` (a new one that holds no more), ``place.coordinate_*``,
    ``place.zone_kept`` (opening hours there are kept in the old zone),
    ``place.review_needed`` (something published stands there, and the operator looks at the owner's changes first). Nothing is
    written when nothing differs.
    """
    site = Site.objects.select_for_update(of=("self",)).select_related("organisation").filter(pk=site_id).first()
    if site is None:
        raise NotFound.of("access.not_found", model="site")
    require_manager(actor, site.organisation_id)
    values = _cleaned(site, place)
    before = {name: getattr(site, name) for name in values if getattr(site, name) != values[name]}
    if not before:
        return site
    _refuse_unreviewed(actor, site, before)
    after = {name: values[name] for name in before}
    for name, value in after.items():
        setattr(site, name, value)
    site.save(update_fields=list(after))
    _tell(site, now, zone_changed="time_zone" in after)
    audit.record(actor, "site.update", site, now, before=_written(before), after=_written(after))
    return site


def _cleaned(site: Site, place: Place) -> dict[str, Any]:
    reasons: list[Reason] = []
    values: dict[str, Any] = {}
    try:
        values = clean_site(place.fields)
    except Refusal as refusal:
        reasons += refusal.reasons
    try:
        values["latitude"], values["longitude"] = coordinates(place.latitude, place.longitude)
    except Refusal as refusal:
        reasons += refusal.reasons
    code = values.get("region_code", "")
    if code and not is_division(code):
        reasons.append(Reason("place.division_unknown", {"code": code}, "region_code"))
    if code != site.region_code and (ended := ended_reason(code)) is not None:
        reasons.append(ended)
    named = Site.objects.filter(organisation_id=site.organisation_id, name=values.get("name", "")).exclude(pk=site.pk)
    if named.exists():
        reasons.append(Reason("site.name_taken", {"name": values["name"]}, "name"))
    if values.get("time_zone", site.time_zone) != site.time_zone and _has_hours(site):
        reasons.append(Reason("place.zone_kept", {"zone": site.time_zone}, "time_zone"))
    Refusal.raise_any(reasons)
    return values


def _refuse_unreviewed(actor: Actor, site: Site, changed: Collection[str]) -> None:
    """Which place an instrument has is looked at first, and so is what the place says of it."""
    fields = [name for name in _LOOKED_AT if name in changed]
    if fields and needs_review(actor, site.organisation) and _shows_something(site):
        raise Refusal(*(Reason("place.review_needed", {}, name) for name in fields))


def _shows_something(site: Site) -> bool:
    tests = Resource.objects.filter(published=True, test_item__instruments__site=site)
    return Instrument.objects.filter(site=site, published=True).exists() or tests.exists()


def _has_hours(site: Site) -> bool:
    """Whether hours or closures are written down in the wall time of the place."""
    calendars = Instrument.objects.filter(site=site).values_list("calendar_id", flat=True)
    return any(schedule_store.stored_entries_by_calendar(calendars).values())


def _tell(site: Site, now: datetime, *, zone_changed: bool) -> None:
    rows = list(Instrument.objects.filter(site=site).values_list("pk", "calendar_id"))
    if zone_changed:
        calendars = sorted({calendar_id for _, calendar_id in rows})
        with schedule_store.changing(calendars):
            for calendar_id in calendars:
                schedule_store.tell_changed(calendar_id)
    catalogue.refresh_with_tests([pk for pk, _ in rows], now)


def _written(values: dict[str, Any]) -> dict[str, Any]:
    """As kept in the audit trail: coordinates as text."""
    return {name: value if value is None or isinstance(value, str) else str(value) for name, value in values.items()}
