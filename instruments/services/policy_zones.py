"""Zones of policies that no division code stands for: added, renamed, ended by the operator; never deleted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments import rules
from instruments.models import PolicyZone
from instruments.queries import codes
from instruments.queries.divisions import ended_reason
from instruments.rules.registry_values import clean_text, region_code
from instruments.services.instrument_changes import jsonable

SLUG_LENGTH = 50  # what an organisation's list of zones takes
_NAME_LENGTH = 200
_SHIPPED = Path(rules.__file__).with_name("data") / "policy_zones.json"


@dataclass(frozen=True, slots=True)
class ZoneFields:
    """A zone: the division it lies in (six digits or nothing), and the local days ``[valid_from, valid_to)`` on which it holds."""

    name: str
    name_en: str = ""
    region_code: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


@whole
def create_zone(actor: Actor, slug: str, fields: ZoneFields, now: datetime) -> PolicyZone:
    """A new zone; its slug is what organisations and programmes name and never changes. Raises Forbidden, Refusal ``zone.*``."""
    actor.require(Role.OPERATOR)
    values, reasons = _clean(fields, now)
    Refusal.raise_any([*_slug_reasons(slug), *reasons])
    zone = PolicyZone.objects.create(slug=slug, **values)
    audit.record(actor, "zone.create", zone, now, after={"slug": slug} | jsonable(values))
    return zone


@whole
def update_zone(actor: Actor, zone_id: int, fields: ZoneFields, now: datetime) -> PolicyZone:
    """Change everything but the slug; nothing is written when nothing differs. Raises as ``create_zone``, NotFound."""
    actor.require(Role.OPERATOR)
    zone = get_visible(PolicyZone.objects.select_for_update(), actor, pk=zone_id)
    values, reasons = _clean(fields, now, zone.region_code)
    Refusal.raise_any(reasons)
    before = {name: getattr(zone, name) for name in values if getattr(zone, name) != values[name]}
    if before:
        for name, value in values.items():
            setattr(zone, name, value)
        zone.save()
        after = {name: values[name] for name in before}
        audit.record(actor, "zone.update", zone, now, before=jsonable(before), after=jsonable(after))
    return zone


def seed_zones(actor: Actor, now: datetime) -> None:
    """The shipped examples, where nobody has made a zone yet."""
    if not PolicyZone.objects.exists():
        for zone in json.loads(_SHIPPED.read_text(encoding="utf-8"))["zones"]:
            slug = zone.pop("slug")
            create_zone(actor, slug, ZoneFields(**zone), now)


def _slug_reasons(slug: str) -> list[Reason]:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) or len(slug) > SLUG_LENGTH:
        return [Reason("zone.slug_invalid", {"maximum": SLUG_LENGTH}, "slug")]
    if PolicyZone.objects.filter(slug=slug).exists():
        return [Reason("zone.slug_taken", {"slug": slug}, "slug")]
    return []


def _clean(fields: ZoneFields, now: datetime, kept_region: str = "") -> tuple[dict[str, Any], list[Reason]]:
    """The clean values, and every reason against them; the division that is kept may have ended."""
    reasons: list[Reason] = []
    values: dict[str, Any] = {"valid_from": fields.valid_from, "valid_to": fields.valid_to}
    for name in ("name", "name_en"):
        try:
            values[name] = clean_text(getattr(fields, name), _NAME_LENGTH, name)
        except Refusal as refusal:
            reasons += refusal.reasons
    if not fields.name.strip():
        reasons.append(Reason("zone.name_needed", {}, "name"))
    try:
        values["region_code"] = region_code(fields.region_code)
        if values["region_code"] and codes.entry_of("gbt2260", values["region_code"], timezone.localdate(now)) is None:
            reasons.append(Reason("codes.division_unknown", {"text": values["region_code"]}, "region_code"))
        if values["region_code"] != kept_region and (ended := ended_reason(values["region_code"])) is not None:
            reasons.append(ended)
    except Refusal as refusal:
        reasons += refusal.reasons
    if fields.valid_from and fields.valid_to and fields.valid_from >= fields.valid_to:
        reasons.append(Reason("zone.ends_before_it_begins", {}, "valid_to"))
    return values, reasons
