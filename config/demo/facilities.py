"""The demo's large facility with its sheet, and its two core instruments, which share a calendar."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from billing.pricing.models import PriceVersion
from booking.services import calendar_sharing, policies
from config.demo.organisations import People
from config.demo.registry import POLICIES, WORKDAYS, price_document
from config.demo.source import words
from config.kernel.access import Actor, Role
from config.nation.shape import codes_of
from instruments.models import Instrument, Organisation, Site
from instruments.services import instrument_details, registry

#: A lab that is neither the printed accounts' own nor one whose changes are looked at first.
OWNER = 2


def found(people: People, now: datetime) -> int:
    """Write them before anything is booked; returns how many instruments came. They are in no other part of the demo's story."""
    told, lab = words("facilities"), people.owners[OWNER]
    manager = people.actor(lab, Role.LAB_MANAGER)
    site = Site.objects.filter(organisation=lab).earliest("pk")
    finance = people.actor(lab, Role.OWNER_FINANCE)
    facility = _instrument(manager, finance, lab, site, told["facility"], now)
    sheet = told["sheet"] | {"accepted_on": date.fromisoformat(told["sheet"]["accepted_on"])}
    instrument_details.set_facility(manager, facility.pk, sheet, now)
    belongs = {"affiliation": "facility", "affiliation_name": facility.inner_id}
    first, second = (
        registry.update_instrument(manager, _instrument(manager, finance, lab, site, one, now).pk, belongs, now)
        for one in told["sharing"]
    )
    calendar_sharing.share(manager, second.pk, first.pk, now)
    return 3


def _instrument(manager: Actor, finance: Actor, lab: Organisation, site: Site, told: dict[str, Any], now: datetime) -> Instrument:
    """One that is open on workdays, with a price and the first rules of booking."""
    fields = registry.InstrumentFields(
        inner_id=told["number"],
        name=told["zh"],
        name_en=told["en"],
        class_code=told["code"],
        model=told["model"],
        manufacturer="Demo Instruments",
        original_value_fen=told["value"] * 100,
        commissioned_on=date.fromisoformat(told["since"]),
        technique=told["technique"],
        technique_codes=codes_of(told["technique"]),
        description=told["use_zh"],
        description_en=told["use_en"],
        service_modes=("assisted", "commissioned"),
        contact_name=manager.name,
        contact_email=f"lab-{lab.pk}@demo.jishi.example",
    )
    instrument = registry.create_instrument(manager, site.pk, fields, now)
    windows = [registry.WeeklyWindow(weekday, time(8, 30), time(18)) for weekday in WORKDAYS]
    registry.set_weekly_hours(manager, instrument.pk, windows, now.date(), now)
    policies.say(manager, policies.Scope(lab.pk, instrument_id=instrument.pk), {"approval_required": True, **POLICIES[0]}, now)
    PriceVersion.objects.create(
        instrument=instrument,
        effective_from=now.date(),
        document=price_document(told["rate"], peak=False),
        published_at=now,
        published_by_id=finance.user_id,
    )
    return instrument
