"""*inbox*: 500 requests that wait for one manager, as a page of a browser and as a page of the API; of a customer that has used nothing
yet, whatever it has booked, while another one has."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from config.kernel.services import tokens
from tests.bench.harness import NOW, Figure, busy_seconds
from tests.bench.stage import Stage

WAITING = 500
QUERIES, MILLISECONDS = 10, 80
BACKEND = "frontend.login_backend.PersonBackend"

_FILL = """
WITH made AS (
    INSERT INTO booking_reservation
        (instrument_id, organisation_id, requested_by_id, starts_at, ends_at, state, service_mode, purpose, research_project, created_at)
    SELECT i.id, %(organisation)s, %(user)s, %(first)s + n * interval '2 hours', %(first)s + n * interval '2 hours' + interval '1 hour',
           'requested', 'self_operated', 'bench', '', %(now)s - n * interval '1 hour'
    FROM (SELECT id FROM instruments_instrument WHERE id = ANY(%(instruments)s) ORDER BY id LIMIT 50) i, generate_series(0, 9) n
    RETURNING id, instrument_id, starts_at, ends_at
)
INSERT INTO booking_occupancy (calendar_id, during, blocking, source, reservation_id, note)
SELECT i.calendar_id, tstzrange(m.starts_at, m.ends_at), true, 'reservation', m.id, ''
FROM made m JOIN instruments_instrument i ON i.id = m.instrument_id
"""
_USED = """
INSERT INTO booking_reservation
    (instrument_id, organisation_id, requested_by_id, starts_at, ends_at, state, service_mode, purpose, research_project, created_at)
SELECT i.id, %(organisation)s, %(user)s, %(now)s - n * interval '2 hours', %(now)s - n * interval '2 hours' + interval '1 hour',
       'agreed', 'self_operated', 'bench', '', %(now)s
FROM (SELECT id FROM instruments_instrument WHERE id = ANY(%(instruments)s) ORDER BY id LIMIT 50) i, generate_series(1, 14) n
"""


def figures(stage: Stage) -> list[Figure]:
    """Time of both and all statements, also those of every page: for the session, and for the person with all that is shown of one."""
    _fill(stage, NOW + timedelta(days=300))
    manager = stage.cast.users["wang"]
    token = tokens.issue(stage.cast.actor("wang"), "bench", ["read"], NOW)
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        page = Client(headers={"accept-language": "en"})
        page.force_login(manager, backend=BACKEND)
        api = Client(headers={"authorization": f"Bearer {token}"})
        return [
            *_measured("page", page, "/approvals/"),
            *_measured("API, 200 of them", api, "/api/v1/inbox/?page_size=200"),
        ]


def _fill(stage: Stage, first: datetime) -> None:
    values: dict[str, Any] = {
        "instruments": [instrument.pk for instrument in stage.instruments],
        "organisation": stage.cast.firm.pk,
        "user": stage.cast.users["lin"].pk,
        "first": first,
        "now": NOW,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE booking_reservation SET state = 'expired' WHERE state = 'requested'"
        )  # what other parts left waiting
        cursor.execute(_FILL, values)
        cursor.execute(_USED, {**values, "organisation": stage.cast.other_firm.pk, "user": stage.cast.users["he"].pk})
        cursor.execute("ANALYZE booking_reservation; ANALYZE booking_occupancy")


def _measured(name: str, client: Client, address: str) -> list[Figure]:
    def fetch() -> None:
        answer = client.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code} {answer.content[:300]!r}")

    fetch()
    with CaptureQueriesContext(connection) as captured:
        fetch()
    queries = len(captured)
    took = busy_seconds(7, fetch) * 1000
    goal = f"<= {MILLISECONDS}"
    return [
        Figure(f"inbox of {WAITING}, {name}", took, "ms", goal, took <= MILLISECONDS),
        Figure(f"inbox of {WAITING}, {name}, SQL statements", queries, "queries", f"<= {QUERIES}", queries <= QUERIES),
    ]
