"""The demo's sites, instruments, opening hours, prices and booking policies."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from billing.pricing.models import PriceVersion
from booking.services import policies
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Actor, Role
from config.nation.shape import codes_of
from instruments.models import Instrument, InstrumentStatus, Organisation, Site
from instruments.services import registry, schedule_store

WORKDAYS = (0, 1, 2, 3, 4)
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
POLICIES = (
    {"granularity_minutes": 30, "min_minutes": 60, "max_minutes": 480, "notice_minutes": 120, "horizon_days": 60},
    {"granularity_minutes": 60, "min_minutes": 60, "max_minutes": 600, "notice_minutes": 1440, "horizon_days": 90},
    {"granularity_minutes": 15, "min_minutes": 30, "max_minutes": 240, "notice_minutes": 60, "horizon_days": 30},
)


#: The printed accounts can play a whole session now: this instrument is always open and asks for no notice.
HANDS_ON = 0
AT_ANY_TIME = {"granularity_minutes": 15, "min_minutes": 30, "max_minutes": 480, "notice_minutes": 0, "horizon_days": 60}


def stock(people: People, dice: random.Random, first_day: date, now: datetime) -> list[Instrument]:
    """At least 120 instruments over the owners; most can be booked, some are under repair, some have no price yet."""
    stocked: list[Instrument] = []
    for owner, each in zip(people.owners, words("owners"), strict=True):
        site = registry.create_site(
            people.actor(owner, Role.LAB_MANAGER),
            owner.pk,
            registry.SiteFields(
                name=each["site_zh"], name_en=each["site_en"], region_code=each["region"], address=each["site_zh"]
            ),
            now,
        )
        templates = [one for one in words("instruments") if one["kind"] in each["kinds"]]
        chosen = templates if len(templates) <= 12 else dice.sample(templates, 12)
        with schedule_store.changing([]):
            for number, template in enumerate(chosen + chosen[: max(0, 8 - len(chosen))]):
                stocked.append(_instrument(people, owner, site, template, len(stocked), number, first_day, now))
    return stocked


def _instrument(
    people: People,
    owner: Organisation,
    site: Site,
    template: dict[str, Any],
    serial: int,
    number: int,
    first_day: date,
    now: datetime,
) -> Instrument:
    manager = people.actor(owner, Role.LAB_MANAGER)
    status = InstrumentStatus.UNDER_REPAIR if serial % 29 == 28 else InstrumentStatus.NORMAL
    fields = registry.InstrumentFields(
        inner_id=f"{owner.pk:02d}-{number + 1:03d}",
        name=template["zh"],
        name_en=template["en"],
        class_code=template["code"],
        model=f"DM-{template['technique'][:3].upper()}-{100 + serial}",
        manufacturer="Demo Instruments",
        original_value_fen=template["value"] * 100,
        commissioned_on=date(2016 + serial % 9, 1 + serial % 12, 1 + serial % 27),
        technique=template["technique"],
        technique_codes=codes_of(template["technique"]),
        description=template["use_zh"],
        description_en=template["use_en"],
        service_modes=("self_operated", "assisted", "commissioned")[: 1 + serial % 3],
        status=status,
        contact_name=manager.name,
        contact_email=f"lab-{owner.pk}@demo.jishi.example",
        contact_phone=f"0971-55{serial:05d}",
    )
    instrument = registry.create_instrument(manager, site.pk, fields, now)
    _open(manager, instrument, serial, first_day, now)
    policy = AT_ANY_TIME if serial == HANDS_ON else POLICIES[serial % len(POLICIES)]
    policies.say(
        manager,
        policies.Scope(owner.pk, instrument_id=instrument.pk),
        {"approval_required": serial % 5 != 4, **policy},
        now,
    )
    if serial % 41 != 40:
        PriceVersion.objects.create(
            instrument=instrument,
            effective_from=first_day - timedelta(days=30),
            document=price_document(template["rate"], peak=serial % 3 == 0, fees=takes_fees(serial)),
            published_at=now,
            published_by_id=people.actor(owner, Role.OWNER_FINANCE).user_id,
        )
    return instrument


def _open(manager: Actor, instrument: Instrument, serial: int, first_day: date, now: datetime) -> None:
    """Workdays 08:30 to 18:00, some also at weekends; a few round the clock on workdays."""
    always = serial == HANDS_ON
    weekdays = EVERY_DAY if always or serial % 4 == 1 else WORKDAYS
    opens, closes = (time(0, 0), time(0, 0)) if always or serial % 17 == 16 else (time(8, 30), time(18, 0))
    windows = [registry.WeeklyWindow(weekday, opens, closes) for weekday in weekdays]
    registry.set_weekly_hours(manager, instrument.pk, windows, first_day - timedelta(days=60), now)


def takes_fees(serial: int) -> bool:
    """Whether unused time of an instrument costs something: of every third one."""
    return serial % 3 == 2


def price_document(rate: int, *, peak: bool, fees: bool = False) -> dict[str, Any]:
    """A price schedule around ``rate`` yuan per hour for small firms, with a working-hours peak band or without, and with fees for time
    that is given back late or not used."""
    document: dict[str, Any] = {
        "format": 1,
        "currency": "CNY",
        "rates": {
            "inside": str(rate // 2),
            "academic": str(rate * 3 // 4),
            "firm_sme": str(rate),
            "firm_large": str(rate * 5 // 4),
            "team": str(rate * 9 // 10),
        },
        "bands": [],
        "minimum": {"minutes": 60, "amount": "0"},
        "rounding": {"step": "fen", "mode": "half_up"},
    }
    if peak:
        document["bands"] = [{"code": "peak", "weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "12:00", "ratio": "1.2"}]
    if fees:
        document["fees"] = {"late_cancel": {"share": "0.5", "at_most": "500"}, "no_show": {"share": "1", "at_most": "1000"}}
    return document
