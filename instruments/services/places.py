"""Changing an owner's place: its names, street, division, zone and coordinates, for its managers and the operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.kernel.access import Actor
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Instrument, Site
from instruments.queries.divisions import is_division
from instruments.rules.coordinates import coordinates
from instruments.services import catalogue, schedule_store
from instruments.services.instrument_changes import require_manager
from instruments.services.registry import SiteFields, clean_site


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
    ``place.coordinate_*``, ``place.zone_kept`` (opening hours there are kept in the old zone). Nothing is written when nothing differs.
    """
    site = Site.objects.select_for_update().filter(pk=site_id).first()
    if site is None:
        raise NotFound.of("access.not_found", model="site")
    require_manager(actor, site.organisation_id)
    values = _cleaned(site, place)
    before = {name: getattr(site, name) for name in values if getattr(site, name) != values[name]}
    if not before:
        return site
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
    if (code := values.get("region_code")) and not is_division(code):
        reasons.append(Reason("place.division_unknown", {"code": code}, "region_code"))
    named = Site.objects.filter(organisation_id=site.organisation_id, name=values.get("name", "")).exclude(pk=site.pk)
    if named.exists():
        reasons.append(Reason("site.name_taken", {"name": values["name"]}, "name"))
    if values.get("time_zone", site.time_zone) != site.time_zone and _has_hours(site):
        reasons.append(Reason("place.zone_kept", {"zone": site.time_zone}, "time_zone"))
    Refusal.raise_any(reasons)
    return values


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
