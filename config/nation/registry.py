"""Zones, owners, places, calendars with opening hours, instruments, booking policies and prices of the synthetic country."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schedule.models import Calendar, Event, Rule

from billing.pricing.models import PriceVersion
from booking.models import InstrumentPolicy
from config.demo.registry import price_document
from config.kernel.access import Role
from config.kernel.copying import after_ids, copy_rows
from config.nation.shape import Dice, Template, source
from instruments.models import CalendarEntry, Instrument, Membership, Organisation, PolicyZone, Site, User
from instruments.rules.recurrence import Recurrence, format_recurrence
from instruments.rules.wall_time import start_instant
from instruments.services import search_tokens

PER_OWNER = 60
#: One owner of so many sits in a zone of its province.
OWNERS_PER_ZONE = 12
FIRMS = 200
#: The id of the person who answers for all laboratories.
ANSWERS = 2
MODELS = 10_000
#: The share of instruments whose name ends with a model number: without them a country would have a few hundred names only.
NAMED_BY_MODEL = 0.6
_MONDAY = date(2025, 1, 6)
#: Weekdays, first hour and minute, last hour and minute (24 is midnight), and how many of a hundred are open so.
HOURS = (
    ((0, 1, 2, 3, 4), (8, 30), (18, 0), 50),
    ((0, 1, 2, 3, 4), (9, 0), (17, 0), 20),
    ((0, 1, 2, 3, 4, 5, 6), (8, 30), (18, 0), 18),
    ((0, 1, 2, 3, 4, 5, 6), (0, 0), (24, 0), 12),
)
#: Granularity, shortest, longest, notice (minutes), horizon (days), buffers, approval needed.
POLICIES = (
    (30, 60, 480, 120, 60, 0, 0, True),
    (60, 60, 600, 1440, 90, 0, 0, True),
    (15, 30, 240, 0, 30, 0, 15, False),
    (30, 60, 480, 60, 60, 0, 0, False),
)


@dataclass(frozen=True, slots=True)
class Made:
    """One instrument of the country, as far as others need to know it. ``hours`` is a place in ``HOURS``, None for never open;
    ``own`` is what its lab adds to the name, where it does."""

    id: int
    site: int
    template: Template
    hours: int | None
    own: str


def write(count: int, seed: int, now: datetime) -> list[Made]:
    """Everything but reservations; returns the instruments. The tables must be empty.

    What is copied is made without asking the database: nothing else can be said on a connection while a COPY runs.
    """
    dice = Dice(seed)
    owners = max(1, count // PER_OWNER)
    places = [dice.county() for _ in range(owners)]
    copy_rows(PolicyZone, _zones(), now)
    copy_rows(Organisation, _organisations(places, now), now)
    copy_rows(Site, _sites(places), now)
    copy_rows(User, _people(now), now)
    copy_rows(Membership, [_membership(owners + 1, now)], now)
    made = [_instrument(dice, number, owners) for number in range(1, count + 1)]
    copy_rows(Calendar, ({"id": one.id, "name": one.template.name, "slug": f"nation-{one.id}"} for one in made), now)
    _open(made, now)
    copy_rows(Instrument, (_instrument_row(one, now) for one in made), now)
    copy_rows(InstrumentPolicy, (_policy_row(one) for one in made if one.hours is not None), now)
    documents = {(rate, peak): price_document(rate, peak=peak) for rate in range(100, 2001, 25) for peak in (False, True)}
    copy_rows(PriceVersion, (_price_row(one, documents, now) for one in made if one.id % 20), now)
    for model in (
        PolicyZone,
        Organisation,
        Site,
        User,
        Membership,
        Calendar,
        Event,
        Rule,
        CalendarEntry,
        Instrument,
        InstrumentPolicy,
        PriceVersion,
    ):
        after_ids(model)
    return made


def _zone_of(division: str) -> str:
    """The slug of the zone of the province of a division."""
    return f"zone-{division[:2]}"


def _zones() -> Iterator[dict[str, Any]]:
    """A zone of a policy in each province."""
    words = source()
    for number, one in enumerate(words["provinces"], 1):
        yield {
            "id": number, "slug": _zone_of(one["code"]), "name": f"{words['zone_zh']} {number}",
            "name_en": f"{words['zone_en']} {number}", "region_code": one["code"],
        }  # fmt: skip


def _organisations(places: list[str], now: datetime) -> Iterator[dict[str, Any]]:
    """Owners first (ids from 1), then firms that use them."""
    words = source()
    for number, place in enumerate(places, 1):
        name = f"{words['owner_zh']} {number}"
        yield {
            "id": number, "kind": "owner", "status": "verified", "verified_at": now, "name": name, "name_key": name,
            "name_en": f"{words['owner_en']} {number}", "region_code": place, "quality_grade": "ABC"[number % 3], "created_at": now,
            "policy_zones": [_zone_of(place)] if number % OWNERS_PER_ZONE == 0 else [],
        }  # fmt: skip
    for number in range(1, FIRMS + 1):
        name = f"{words['firm_zh']} {number}"
        yield {
            "id": len(places) + number, "kind": "firm", "status": "verified", "verified_at": now, "name": name, "name_key": name,
            "name_en": f"{words['firm_en']} {number}", "region_code": places[number % len(places)], "staff_count": 5 * number,
            "annual_revenue_fen": number * 50_000_000, "created_at": now,
        }  # fmt: skip


def _sites(places: list[str]) -> Iterator[dict[str, Any]]:
    words = source()
    for number, place in enumerate(places, 1):
        zone = "Asia/Urumqi" if place.startswith("65") else "Asia/Shanghai"
        yield {
            "id": number, "organisation_id": number, "name": words["site_zh"], "name_en": words["site_en"], "time_zone": zone,
            "region_code": place,
        }  # fmt: skip


def _people(now: datetime) -> Iterator[dict[str, Any]]:
    """One researcher, who asked for everything, and one person who answered everything."""
    usual = {"password": "!", "language": "en", "date_joined": now}
    yield {"id": 1, "email": "nation@jishi.example", "full_name": "Nation"} | usual
    yield {"id": ANSWERS, "email": "labs@jishi.example", "full_name": "Laboratories"} | usual


def _membership(firm: int, now: datetime) -> dict[str, Any]:
    return {"id": 1, "user_id": 1, "organisation_id": firm, "role": Role.RESEARCHER.value, "created_at": now}


def _instrument(dice: Dice, number: int, owners: int) -> Made:
    lot = dice.random.randrange(100)
    hours = None
    if dice.random.random() < 0.85:
        for place, (*_, share) in enumerate(HOURS):
            if lot < share:
                hours = place
                break
            lot -= share
    site = min(int(dice.random.paretovariate(1.2) * owners / 40) % owners, owners - 1) + 1
    own = f" {_model(dice.random.randrange(MODELS))}" if dice.random.random() < NAMED_BY_MODEL else ""
    return Made(number, site, dice.template(), hours, own)


def _instrument_row(one: Made, now: datetime) -> dict[str, Any]:
    template = one.template
    return {
        "id": one.id,
        "organisation_id": one.site,
        "site_id": one.site,
        "calendar_id": one.id,
        "inner_id": f"N-{one.id:06d}",
        "name": template.name + one.own,
        "name_en": template.name_en + one.own,
        "name_pinyin": search_tokens.sort_key(template.name + one.own),
        "class_code": template.class_code,
        "model": _model(one.id),
        "manufacturer": "Example Instruments",
        "technique": template.technique,
        "technique_codes": list(template.technique_codes),
        "service_modes": ["self_operated", "assisted", "commissioned"][: 1 + one.id % 3],
        "training_needed": one.id % 5 == 0,
        "status": "under_repair" if one.id % 31 == 0 else "normal",
        "created_at": now,
        "updated_at": now,
    }


def _model(number: int) -> str:
    """One of ``MODELS`` model numbers: two letters and up to four digits."""
    return f"{'QXZJMA'[number % 6]}{'XLRT'[number % 4]}-{number % MODELS * 37 % 9973}"


def _policy_row(one: Made) -> dict[str, Any]:
    step, shortest, longest, notice, horizon, before, after, approval = POLICIES[one.id % len(POLICIES)]
    return {
        "id": one.id, "instrument_id": one.id, "granularity_minutes": step, "min_minutes": shortest, "max_minutes": longest,
        "notice_minutes": notice, "horizon_days": horizon, "buffer_before_minutes": before, "buffer_after_minutes": after,
        "approval_required": approval,
    }  # fmt: skip


def _price_row(one: Made, documents: dict[tuple[int, bool], dict[str, Any]], now: datetime) -> dict[str, Any]:
    rate = min(2000, max(100, round(one.template.rate / 25) * 25 + 25 * (one.id % 5)))
    return {
        "id": one.id, "instrument_id": one.id, "effective_from": date(2025, 1, 1), "document": documents[rate, one.id % 3 == 0],
        "published_at": now,
    }  # fmt: skip


def _open(made: list[Made], now: datetime) -> None:
    """Weekly opening hours as the registry stores them: an event, its rule, and our entry."""
    rules: dict[tuple[int, ...], int] = {}
    rows = []
    for weekdays in dict.fromkeys(hours[0] for hours in HOURS):
        frequency, params = format_recurrence(Recurrence("weekly", weekdays=weekdays))
        rules[weekdays] = len(rules) + 1
        rows.append({"id": rules[weekdays], "name": "weekly", "description": params, "frequency": frequency, "params": params})
    copy_rows(Rule, rows, now)
    spans = [(rules[weekdays], *_span(opens, closes)) for weekdays, opens, closes, _ in HOURS]

    def events() -> Iterator[dict[str, Any]]:
        for one in made:
            if one.hours is not None:
                rule, starts_at, ends_at = spans[one.hours]
                yield {
                    "id": one.id,
                    "calendar_id": one.id,
                    "title": "opening",
                    "start": starts_at,
                    "end": ends_at,
                    "rule_id": rule,
                }

    entries = (
        {"id": one.id, "event_id": one.id, "calendar_id": one.id, "kind": "opening", "time_zone": "Asia/Shanghai"}
        for one in made
        if one.hours is not None
    )
    copy_rows(Event, events(), now)
    copy_rows(CalendarEntry, entries, now)


def _span(opens: tuple[int, int], closes: tuple[int, int]) -> tuple[datetime, datetime]:
    """The first opening in Shanghai's wall time, as instants."""
    zone = ZoneInfo("Asia/Shanghai")
    midnight = datetime.combine(_MONDAY, datetime.min.time())
    starts = midnight + timedelta(hours=opens[0], minutes=opens[1])
    ends = midnight + timedelta(hours=closes[0], minutes=closes[1])
    return start_instant(starts, zone), start_instant(ends, zone)
