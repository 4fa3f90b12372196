"""*feed*: one day over all instruments, through the real route, with 2,600 reservations and with 200,000 in the table."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from tests.bench.harness import NOW, Figure, best_of
from tests.bench.stage import Stage, fill_reservations

DAY_ROWS_PER_INSTRUMENT = 13
INSTRUMENTS = 200
FULL_TABLE = 200_000


def figures(stage: Stage) -> list[Figure]:
    """Query count and time of ``GET /api/v1/feed/``; the baseline is the same rows fetched by one bare SELECT."""
    day = NOW + timedelta(days=400)
    fill_reservations(stage, DAY_ROWS_PER_INSTRUMENT, day.replace(hour=0) - timedelta(hours=8), timedelta(hours=1, minutes=45))
    small = _measure(stage, day, "2,600 reservations")
    per_instrument = FULL_TABLE // len(stage.instruments)
    fill_reservations(stage, per_instrument, NOW + timedelta(days=500), timedelta(hours=2))
    return small + _measure(stage, day, "200,000 in the table")


def _measure(stage: Stage, day: object, name: str) -> list[Figure]:
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        client = Client(headers={"authorization": f"Bearer {stage.token}"})
        url = f"/api/v1/feed/?date={day:%Y-%m-%d}"

        def fetch() -> int:
            answer = client.get(url)
            if answer.status_code != 200:
                raise RuntimeError(f"{url}: {answer.status_code} {answer.content[:300]!r}")
            return len(answer.json()["results"] if isinstance(answer.json(), dict) else answer.json())

        rows = fetch()
        with CaptureQueriesContext(connection) as captured:
            fetch()
        queries = len(captured)  # counted now: the next request forgets them
        took = best_of(5, fetch) * 1000
    bare = best_of(5, lambda: _bare(day)) * 1000
    goal = took <= 250 and queries <= 6
    return [
        Figure(f"feed, one day, {rows:,} rows, {name}", took, "ms", "<= 250 (peer 10,000)", goal, bare, "bare SELECT of the day"),
        Figure(f"feed, {name}, SQL statements", queries, "queries", "<= 6 (peer 9,000)", queries <= 6),
    ]


def _bare(day: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.calendar_id, o.during, o.source, r.id, r.state, c.name FROM booking_occupancy o"
            " JOIN booking_reservation r ON r.id = o.reservation_id JOIN instruments_organisation c ON c.id = r.organisation_id"
            " WHERE o.blocking AND o.during && tstzrange(%(day)s::date::timestamp AT TIME ZONE %(zone)s,"
            " (%(day)s::date + 1)::timestamp AT TIME ZONE %(zone)s)",
            {"day": f"{day:%Y-%m-%d}", "zone": settings.TIME_ZONE},
        )
        cursor.fetchall()
