"""The stage of the benchmarks: the tests' cast with both DEMO programmes, instruments that are always open, and a lot of history."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from billing.pricing.models import PriceVersion
from billing.subsidy import services as subsidy
from booking.models import InstrumentPolicy
from config.kernel.services import tokens
from instruments.models import Instrument, Organisation
from instruments.rules.opening import CalendarEntry, EntryKind
from instruments.rules.recurrence import Recurrence
from instruments.services import schedule_store
from tests.bench.harness import NOW
from tests.conftest import PRICE, Cast, build_cast

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


@dataclass
class Stage:
    cast: Cast
    instruments: list[Instrument]
    token: str


def build(instrument_count: int) -> Stage:
    """Write the stage to an empty database."""
    cast = build_cast(NOW)
    for code in ("DEMO-QH-A", "DEMO-QH-V"):
        path = settings.BASE_DIR / "billing" / "subsidy" / "programmes" / f"{code}.json"
        version = subsidy.draft_version(cast.actor("chen"), json.loads(path.read_text(encoding="utf-8")), NOW)
        subsidy.publish_version(cast.actor("sun"), version, NOW)
    instruments = [add_instrument(cast, number, cast.lab) for number in range(instrument_count)]
    token = tokens.issue(cast.actor("lin"), "bench", ["read", "book"], NOW)
    return Stage(cast, instruments, token)


def add_instrument(cast: Cast, number: int, lab: Organisation) -> Instrument:
    """One more that is always open, of a lab, with a price."""
    calendar_id = schedule_store.create_calendar(f"bench {number}")
    midnight = datetime(2025, 1, 6)
    entry = CalendarEntry(
        EntryKind.OPENING,
        midnight,
        midnight + timedelta(days=1),
        Recurrence(frequency="weekly", interval=1, weekdays=EVERY_DAY, until=None, count=None),
    )
    schedule_store.add_entry(calendar_id, cast.site.time_zone, entry)
    instrument = Instrument.objects.create(
        organisation=lab,
        site=cast.site,
        calendar_id=calendar_id,
        name=f"Instrument {number:04d}",
        service_modes=["self_operated"],
        created_at=NOW,
        updated_at=NOW,
    )
    InstrumentPolicy.objects.create(instrument=instrument, notice_minutes=0, horizon_days=3650, max_minutes=1440)
    PriceVersion.objects.create(
        instrument=instrument, effective_from=datetime(2025, 1, 1).date(), document=PRICE, published_at=NOW
    )
    return instrument


def fill_reservations(stage: Stage, per_instrument: int, first: datetime, step: timedelta) -> int:
    """Approved one-hour reservations with their occupancies, written by plain SQL: only reading them is measured."""
    values: dict[str, Any] = {
        "instruments": [instrument.pk for instrument in stage.instruments],
        "organisation": stage.cast.firm.pk,
        "user": stage.cast.users["lin"].pk,
        "first": first,
        "step": step,
        "count": per_instrument,
        "now": NOW,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FILL, values)
        (count,) = cursor.fetchone()
        cursor.execute("ANALYZE booking_reservation; ANALYZE booking_occupancy")
    return int(count)


_FILL = """
WITH made AS (
    INSERT INTO booking_reservation
        (instrument_id, organisation_id, requested_by_id, starts_at, ends_at, state, service_mode, purpose, research_project, created_at)
    SELECT i.id, %(organisation)s, %(user)s, %(first)s + n * %(step)s, %(first)s + n * %(step)s + interval '1 hour',
           'approved', 'self_operated', 'bench', '', %(now)s
    FROM instruments_instrument i, generate_series(0, %(count)s - 1) n WHERE i.id = ANY(%(instruments)s)
    RETURNING id, instrument_id, starts_at, ends_at
), occupied AS (
    INSERT INTO booking_occupancy (calendar_id, during, blocking, source, reservation_id, note)
    SELECT i.calendar_id, tstzrange(m.starts_at, m.ends_at), true, 'reservation', m.id, ''
    FROM made m JOIN instruments_instrument i ON i.id = m.instrument_id
)
SELECT count(*) FROM made
"""
