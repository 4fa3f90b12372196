"""Who is there in a race: the cast, and a crowd of firms, people, tokens and instruments around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from config.kernel.access import Actor, Role
from config.kernel.services import tokens
from config.kernel.time_range import TimeRange
from instruments.queries import actor_for
from tests.conftest import PRICE, Cast, build_cast, programme_document

CLIENTS = 50
LABS = 10
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


@dataclass
class World:
    """``instruments`` are open 08:00 to 20:00 every day and cost small firms 400 yuan an hour. ``firms`` are small and verified,
    each with one researcher in ``people`` whose API key is in ``keys``; ``managers`` run the lab beside Wang."""

    cast: Cast
    instruments: list[Any]
    firms: list[Any]
    people: list[Any]
    managers: list[Any]
    keys: list[str]
    manager_keys: list[str]

    def person(self, place: int) -> Actor:
        return actor_for(self.people[place])

    def manager(self, place: int) -> Actor:
        return actor_for(self.managers[place])

    def slot(self, hour: float, hours: float = 2, *, day: int = 0) -> TimeRange:
        """Of the third day from the cast's now, in Shanghai's wall time."""
        midnight = datetime(2026, 11, 25, tzinfo=UTC) - timedelta(hours=8)
        starts_at = midnight + timedelta(days=day, hours=hour)
        return TimeRange(starts_at, starts_at + timedelta(hours=hours))

    def real_slot(self, hour: float, hours: float = 2, *, day: int = 0) -> TimeRange:
        """As ``slot``, counted from the server's own clock."""
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(hours=8)
        starts_at = today + timedelta(days=3 + day, hours=hour)
        return TimeRange(starts_at, starts_at + timedelta(hours=hours))


def build_world() -> World:
    """Write cast and crowd to the current database and commit."""
    from instruments.models import Membership, Organisation, User

    cast = build_cast()
    now = cast.now
    firms = Organisation.objects.bulk_create(
        Organisation(
            kind="firm",
            name=f"Crowd {place:02d}",
            name_key=f"crowd {place:02d}",
            status="verified",
            verified_at=now,
            region_code="630104",
            staff_count=12,
            annual_revenue_fen=1_000_000_00,
            created_at=now,
        )
        for place in range(CLIENTS)
    )
    people = User.objects.bulk_create(
        User(email=f"crowd{place:02d}@example.org", full_name=f"Crowd {place:02d}", password="!", language="en")
        for place in range(CLIENTS)
    )
    managers = User.objects.bulk_create(
        User(email=f"manager{place}@example.org", full_name=f"Manager {place}", password="!", language="en") for place in range(4)
    )
    Membership.objects.bulk_create(
        [
            Membership(user=who, organisation=firm, role=Role.RESEARCHER, created_at=now)
            for who, firm in zip(people, firms, strict=True)
        ]
        + [Membership(user=who, organisation=cast.lab, role=Role.LAB_MANAGER, created_at=now) for who in managers]
    )
    keys = [tokens.issue(actor_for(who), "race", ["read", "book"], now) for who in people]
    manager_keys = [tokens.issue(actor_for(who), "race", ["read", "manage"], now) for who in managers]
    instruments = [add_instrument(cast, f"Instrument {place}") for place in range(LABS)]
    return World(cast, instruments, firms, people, managers, keys, manager_keys)


def add_instrument(cast: Cast, name: str, *, priced: bool = True) -> Any:
    """Another instrument of the cast's lab, as its first one is, with or without a price."""
    from billing.pricing.models import PriceVersion
    from instruments.models import Instrument
    from instruments.rules.opening import CalendarEntry, EntryKind
    from instruments.rules.recurrence import Recurrence
    from instruments.services import catalogue, schedule_store

    calendar_id = schedule_store.create_calendar(name)
    weekly = Recurrence(frequency="weekly", interval=1, weekdays=EVERY_DAY, until=None, count=None)
    start = datetime(2025, 1, 6, 8, 0)
    schedule_store.add_entry(
        calendar_id, cast.site.time_zone, CalendarEntry(EntryKind.OPENING, start, start.replace(hour=20), weekly)
    )
    instrument = Instrument.objects.create(
        organisation=cast.lab,
        site=cast.site,
        calendar_id=calendar_id,
        name=name,
        class_code="010301",
        service_modes=["self_operated"],
        created_at=cast.now,
        updated_at=cast.now,
    )
    if priced:
        PriceVersion.objects.create(instrument=instrument, effective_from=date(2025, 1, 1), document=PRICE, published_at=cast.now)
    catalogue.refresh_instruments([instrument.pk], cast.now)
    return instrument


def publish(cast: Cast, document: dict[str, Any]) -> Any:
    """Draft a programme as officer Chen and publish it as officer Sun, with what the worker does then; returns the version."""
    from billing.subsidy import services
    from instruments.services import catalogue

    version = services.draft_version(cast.actor("chen"), document, cast.now)
    services.publish_version(cast.actor("sun"), version, cast.now)
    catalogue.rebuild(cast.now)
    return version


def voucher(*, pool: str = "2000000", firm_year: str = "60000", **changes: Any) -> dict[str, Any]:
    """DEMO-QH-V (40 % deducted at once) with other limits, in yuan; without its examples, which rest on the real limits."""
    document = programme_document("DEMO-QH-V") | changes
    document["examples"] = []
    for cap in document["caps"]:
        if cap["id"] == "pool":
            cap["limit"] = pool
        if cap["id"] == "firm-year":
            cap["limit"] = firm_year
    return document
