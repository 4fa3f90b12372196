"""*use*: a year of 40 instruments with 500 sessions each, beside the year before, as the API gives it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from config.kernel.services import tokens
from instruments.models import Organisation
from tests.bench.harness import NOW, Figure, best_of
from tests.bench.stage import Stage, add_instrument

INSTRUMENTS, SESSIONS = 40, 500
QUERIES, MILLISECONDS = 11, 3_000  # the seven of the figures, four for the token

_FILL = """
WITH made AS (
    INSERT INTO booking_reservation
        (instrument_id, organisation_id, requested_by_id, starts_at, ends_at, state, service_mode, purpose, research_project, created_at)
    SELECT i.id, %(organisation)s, %(user)s, %(first)s + n * interval '30 hours', %(first)s + n * interval '30 hours' + interval '3 hours',
           'completed', 'self_operated', 'bench', '', %(first)s
    FROM unnest(%(instruments)s::bigint[]) AS i (id), generate_series(0, %(count)s - 1) n
    RETURNING id, instrument_id, starts_at, ends_at
), sessions AS (
    INSERT INTO booking_usagesession
        (reservation_id, booked_starts_at, booked_ends_at, actual_starts_at, actual_ends_at, billable_rule, outcome, overrun_minutes,
         started_by_means, ended_by_means, confirmed_ticks, agreed_how, late_entered, evidence, note)
    SELECT id, starts_at, ends_at, starts_at, ends_at, '', 'normal', 0, 'lab', 'lab', '[]', '', false, '', '' FROM made
)
INSERT INTO booking_occupancy (calendar_id, during, blocking, source, reservation_id, note)
SELECT i.calendar_id, tstzrange(m.starts_at, m.ends_at), true, 'reservation', m.id, ''
FROM made m JOIN instruments_instrument i ON i.id = m.instrument_id
"""


def figures(stage: Stage) -> list[Figure]:
    """Statements and time of ``GET /api/v1/organisations/{id}/utilisation/?span=year``, of a lab with these instruments alone."""
    lab = _lab_of_forty(stage)
    year = (NOW - timedelta(days=330)).year
    token = tokens.issue(stage.cast.actor("wu"), "bench use", ["read"], NOW)
    address = f"/api/v1/organisations/{lab.pk}/utilisation/?span=year&on={year}-06-01"
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        client = Client(headers={"authorization": f"Bearer {token}"})

        def fetch() -> int:
            answer = client.get(address)
            if answer.status_code != 200:
                raise RuntimeError(f"{address}: {answer.status_code} {answer.content[:300]!r}")
            return int(answer.json()["figures"]["used_seconds"])

        if not fetch():
            raise RuntimeError("the bench counts nothing")
        with CaptureQueriesContext(connection) as captured:
            fetch()
        queries = len(captured)
        took = best_of(3, fetch) * 1000
    name = f"use of {INSTRUMENTS} instruments, a year and the one before"
    return [
        Figure(name, took, "ms", f"<= {MILLISECONDS:,}", took <= MILLISECONDS),
        Figure(f"{name}, SQL statements", queries, "queries", f"<= {QUERIES}", queries <= QUERIES),
    ]


def _lab_of_forty(stage: Stage) -> Organisation:
    lab = Organisation.objects.create(kind="owner", name="Bench lab", status="claimed", created_at=NOW)
    own = [add_instrument(stage.cast, len(stage.instruments) + number, lab).pk for number in range(INSTRUMENTS)]
    values: dict[str, Any] = {
        "instruments": own,
        "organisation": stage.cast.firm.pk,
        "user": stage.cast.users["lin"].pk,
        "first": NOW - timedelta(days=700),
        "count": SESSIONS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FILL, values)
        cursor.execute("ANALYZE booking_reservation; ANALYZE booking_occupancy; ANALYZE booking_usagesession")
    return lab
