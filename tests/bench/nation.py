"""*find*: finding a time in a synthetic country, against the bare indexed SQL over the same tables, in turns."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from billing.settlement.time_finding import Customer, customer_of, price_all
from booking.queries.candidates import count_by_day
from booking.queries.finding import FoundTime, find_earliest
from booking.rules.time_search import TimeSearch
from booking.services import availability
from config.kernel.access import NOBODY, Role
from instruments.models import Membership, Organisation, User
from instruments.queries import actor_for
from instruments.rules.audience import Audience
from instruments.rules.entries import CalendarEntry, EntryKind, HolidayRule, Priority, Season
from instruments.rules.recurrence import Recurrence
from instruments.services import schedule_store
from tests.bench.harness import Figure, Took, percentile, took
from tests.programmes import put_in_force

ASKED, UNFILTERED = 60, 25
WARMED = 400
"""So many other searches came before those that are measured, as on a site that is in use: the database reads what it is asked for from its
own memory, not page by page from the system."""
ROWS = 20
THREE_HOURS = 180
AHEAD = 14
VERIFIED = 10_000


@dataclass
class Measured:
    """What one size gave: what each run took, by name."""

    instruments: int
    runs: dict[str, list[Took]] = field(default_factory=dict)
    verified: int = VERIFIED

    def time(self, name: str, work: Callable[[], object]) -> None:
        self.runs.setdefault(name, []).append(took(work))

    def p95_ms(self, name: str) -> float:
        return percentile([run.server for run in self.runs[name]], 0.95) * 1000

    def clock_ms(self, name: str) -> float:
        return percentile([run.clock for run in self.runs[name]], 0.95) * 1000


def measure(instruments: int) -> Measured:
    """All timings in the current database, which holds a country."""
    measured, now = Measured(instruments), timezone.now()
    customer = _programmes(now)
    dice = random.Random(7)
    today = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    searches = _warm(dice, today, now)
    for search in searches[:5]:
        _one(Measured(0), search, now, customer)
    for search in searches[5:]:
        _one(measured, search, now, customer)
    for search in _unfiltered(today):
        measured.time("any", lambda search=search: find_earliest(NOBODY, search, now, ROWS))  # type: ignore[misc]
    ids = _some_calendars(dice, 40)
    for pk in ids:
        measured.time("rebuild", lambda pk=pk: availability.rebuild([pk], now))  # type: ignore[misc]
    for pk in ids:
        _lay_all(pk, today)
        measured.time("layered", lambda pk=pk: availability.rebuild([pk], now))  # type: ignore[misc]
    wanted = _some_calendars(dice, VERIFIED)
    measured.time("verify", lambda: _verify(wanted))
    measured.verified = len(wanted)
    return measured


def find_again(instruments: int) -> Measured:
    """Finding with technique and province and without any filter, and the bare SQL, as in ``measure``; nothing is written."""
    measured, now = Measured(instruments), timezone.now()
    today = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    for search in _warm(random.Random(7), today, now)[5:]:
        measured.time("bare", lambda search=search: _bare(search))  # type: ignore[misc]
        measured.time("find", lambda search=search: find_earliest(NOBODY, search, now, ROWS))  # type: ignore[misc]
    for search in _unfiltered(today):
        measured.time("any", lambda search=search: find_earliest(NOBODY, search, now, ROWS))  # type: ignore[misc]
    return measured


def _warm(dice: random.Random, today: date, now: datetime) -> list[TimeSearch]:
    """What is asked, after ``WARMED`` others."""
    searches = list(islice(asked(dice, today), ASKED + 5))
    for search in islice(asked(random.Random(11), today), WARMED):
        find_earliest(NOBODY, search, now, ROWS)
    return searches


def _one(measured: Measured, search: TimeSearch, now: datetime, customer: Customer) -> None:
    """The search, the bare SQL, the days of the strip and the prices of the rows, in turns."""
    measured.time("bare", lambda: _bare(search))
    rows: list[FoundTime] = []
    measured.time("find", lambda: rows.extend(find_earliest(NOBODY, search, now, ROWS).rows))
    measured.time("days", lambda: count_by_day(_week(search), now))
    if len(rows) == ROWS:
        measured.time("prices", lambda: price_all(rows, customer, now))


def _week(search: TimeSearch) -> TimeSearch:
    return replace(search, last_on=search.first_on + timedelta(days=6))


def _lay_all(calendar_id: int, today: date) -> None:
    """A season, evening hours for firms, Fridays without teams, a weekly closure and statutory holidays above what the calendar has."""
    base, quarter = datetime.combine(today, time.min), timedelta(days=90)

    def entry(kind: EntryKind, first: int, last: int, priority: Priority, **rest: Any) -> tuple[int, str, CalendarEntry]:
        times = (base + timedelta(hours=first), base + timedelta(hours=last))
        return calendar_id, settings.TIME_ZONE, CalendarEntry(kind, *times, priority=priority, **rest)

    daily, fridays = Recurrence("daily"), Recurrence("weekly", weekdays=(4,))
    season = Season("Winter", today + timedelta(days=20), today + quarter)
    entries = [
        entry(EntryKind.OPENING, 9, 16, Priority.SEASON, recurrence=daily, season=season),
        entry(EntryKind.OPENING, 18, 21, Priority.EXTRA, recurrence=daily, audiences=frozenset({Audience.FIRM})),
        entry(EntryKind.RESTRICTION, 8, 12, Priority.RESTRICTION, recurrence=fridays, audiences=frozenset({Audience.TEAM})),
        entry(EntryKind.CLOSURE, 12, 13, Priority.BASE, recurrence=Recurrence("weekly", weekdays=(0,)), reason="Cleaning"),
    ]
    with transaction.atomic(), schedule_store.changing([calendar_id]):
        schedule_store.add_entries(entries)
        schedule_store.set_holidays(calendar_id, HolidayRule(closed=True))


def _verify(ids: Sequence[int]) -> None:
    differences = list(availability.verify(ids))
    if differences:
        raise RuntimeError(f"{len(differences)} days are wrong: {differences[0]}")


def asked(dice: random.Random, today: date) -> Iterator[TimeSearch]:
    """Technique and province of an instrument that can be booked, so that what is common is asked for often."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT technique_codes[1], left(region_code, 2) || '0000' FROM instruments_catalogueentry"
            " WHERE bookable AND public AND technique_codes <> '{}' ORDER BY id"
        )
        pairs = cursor.fetchall()
    while True:
        technique, region = dice.choice(pairs)
        yield TimeSearch(THREE_HOURS, today, today + timedelta(days=AHEAD), technique=technique, region_code=region)


def _unfiltered(today: date) -> list[TimeSearch]:
    """Several lengths from several days on."""
    spans = [(hours, first) for hours in (1, 2, 3, 4, 8) for first in (0, 1, 2, 5, 9)]
    return [
        TimeSearch(hours * 60, today + timedelta(days=first), today + timedelta(days=first + AHEAD))
        for hours, first in spans[:UNFILTERED]
    ]


def _some_calendars(dice: random.Random, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT calendar_id FROM booking_calendaravailability ORDER BY calendar_id")
        ids = [row[0] for row in cursor.fetchall()]
    return dice.sample(ids, min(count, len(ids)))


def _bare(search: TimeSearch) -> None:
    """Days with a stretch that is long enough, earliest first: nothing is checked, no policy is asked, no row becomes an object."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.instrument_id, d.local_on, d.first_free_at FROM instruments_catalogueentry e"
            " JOIN booking_dayavailability d ON d.calendar_id = e.calendar_id"
            " WHERE e.public AND e.bookable AND e.facets @> ARRAY['t:' || %s]::varchar[] AND e.region_code >= %s AND e.region_code <= %s"
            " AND d.local_on BETWEEN %s AND %s AND d.longest_free_minutes >= %s ORDER BY d.local_on, d.first_free_at LIMIT %s",
            [
                search.technique,
                search.region_code[:2],
                f"{search.region_code[:2]}9999",
                search.first_on,
                search.last_on,
                search.duration_minutes,
                ROWS,
            ],
        )
        cursor.fetchall()


def _programmes(now: datetime) -> Customer:
    """Both DEMO programmes in force, and a firm that asks."""
    office = Organisation.objects.create(
        kind="government", name="Office", name_key="office", status="verified", verified_at=now, created_at=now
    )
    actors = []
    for name in ("author", "approver"):
        user = User.objects.create(email=f"{name}@nation.example", password="!")
        Membership.objects.create(user=user, organisation=office, role=Role.PROGRAMME_OFFICER, created_at=now)
        actors.append(actor_for(user))
    for code in ("DEMO-QH-A", "DEMO-QH-V"):
        path = settings.BASE_DIR / "billing" / "subsidy" / "programmes" / f"{code}.json"
        put_in_force(actors[0], actors[1], json.loads(path.read_text(encoding="utf-8")), now)
    firm = Organisation.objects.filter(kind="firm").order_by("pk").first()
    assert firm is not None
    Organisation.objects.filter(pk=firm.pk).update(region_code="630104")
    firm.refresh_from_db()
    return customer_of(firm)


def find_figures(measured: Measured) -> list[Figure]:
    """The table's lines of finding of one size."""
    size = f"{measured.instruments:,} instruments"
    found, bare = measured.p95_ms("find"), measured.p95_ms("bare")
    name, met = f"find a time, technique + province + 3 h, {size}, p95", found <= 50 and found <= 10 * bare
    beside = (bare, "bare SQL over the days, p95", measured.clock_ms("find"))
    return [Figure(name, found, "ms", "<= 50 and <= 10x", met, *beside), _p95(measured, "find a time, no filter", "any", 300)]


def _p95(measured: Measured, what: str, name: str, goal: float | None) -> Figure:
    value, clock = measured.p95_ms(name), measured.clock_ms(name)
    title = f"{what}, {measured.instruments:,} instruments, p95"
    return Figure(title, value, "ms", f"<= {goal:g}" if goal else "", goal is None or value <= goal, clock=clock)


def figures_of(measured: Measured) -> list[Figure]:
    """The table's lines of one size."""
    scale = VERIFIED / measured.verified
    verify = measured.runs["verify"][0]
    return [
        *find_figures(measured),
        *([_p95(measured, f"prices of {ROWS} rows", "prices", 30)] if "prices" in measured.runs else []),
        _p95(measured, "strip of seven days", "days", None),
        _p95(measured, "rebuild of one calendar", "rebuild", 50),
        _p95(measured, "rebuild of one calendar with every layer", "layered", 50),
        Figure(f"verify of {VERIFIED:,} calendars, {measured.instruments:,} instruments", verify.server * scale, "s", "<= 60",
               verify.server * scale <= 60, clock=verify.clock * scale),
    ]  # fmt: skip


def growth(small: Measured, large: Measured) -> Figure:
    """How much more a search costs in a country that is so much larger."""
    times = large.instruments / small.instruments
    grown = large.p95_ms("find") / small.p95_ms("find")
    name = f"find a time, {small.instruments:,} -> {large.instruments:,} instruments"
    return Figure(name, grown, "times", f"< {times:g} times", grown < times)
