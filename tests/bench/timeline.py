"""*timeline*: a week of fifty instruments and a day of two hundred, as the lab's timeline reads them, through the real route."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from config.kernel.services import tokens
from tests.bench.harness import NOW, Figure, busy_seconds
from tests.bench.stage import Stage, fill_reservations

QUERIES, MILLISECONDS = 6, 40
PER_DAY = 3
FIRST = NOW + timedelta(days=800)


def figures(stage: Stage) -> list[Figure]:
    """Statements and time of both spans, with three bookings a day on every instrument."""
    fill_reservations(stage, PER_DAY * 7, FIRST.replace(hour=0), timedelta(hours=8))
    token = tokens.issue(stage.cast.actor("wang"), "bench timeline", ["manage"], NOW)
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        client = Client(headers={"authorization": f"Bearer {token}"})
        return [
            *_measured(client, "week", "a week of 50 instruments", 50),
            *_measured(client, "day", "a day of 200 instruments", 200),
        ]


def _measured(client: Client, span: str, name: str, most: int) -> list[Figure]:
    address = f"/api/v1/timeline/?date={FIRST:%Y-%m-%d}&span={span}"

    def fetch() -> int:
        answer = client.get(address)
        if answer.status_code != 200 or len(answer.json()["instruments"]) != most:
            raise RuntimeError(f"{address}: {answer.status_code} {answer.content[:300]!r}")
        return len(answer.json()["entries"])

    rows = fetch()
    with CaptureQueriesContext(connection) as captured:
        fetch()
    queries = len(captured)
    took = busy_seconds(9, lambda: client.get(address)) * 1000
    return [
        Figure(f"timeline, {name}, {rows:,} entries", took, "ms", f"<= {MILLISECONDS}", took <= MILLISECONDS),
        Figure(f"timeline, {name}, SQL statements", queries, "queries", f"<= {QUERIES}", queries <= QUERIES),
    ]
