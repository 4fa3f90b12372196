"""*reserve*: the real service in process, without and with every kind of rule, and the real route over HTTP with two server processes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from booking.rules.downtime import DowntimeKind
from booking.services import access_lists, credit, downtimes, licences, policies, reservations
from booking.services.access_lists import Listing
from booking.services.policies import Scope
from booking.services.reservations import ReservationRequest
from config.kernel.time_range import TimeRange
from instruments.models import Instrument
from tests.bench.harness import NOW, Figure, busy_seconds, hours_from_now, seconds_for, silent_garbage
from tests.bench.over_http import hour_ahead, serving
from tests.bench.stage import Stage, add_instrument

IN_PROCESS, IN_A_TURN = 400, 40
WARM, PER_CLIENT = 10, 150
#: Every kind of rule that a lab can make, none of which stands in the way.
ALL_RULES = {
    "quotas": [
        {"subject": "person", "measure": "minutes", "period": "day", "most": 1440},
        {"subject": "person", "measure": "minutes", "period": "week", "most": 10_000},
        {"subject": "person", "measure": "count", "period": "week", "most": 100, "peak_only": True},
        {"subject": "organisation", "measure": "count", "period": "month", "most": 500},
    ],
    "cool_off_minutes": 60,
    "buffer_before_minutes": 15,
    "buffer_after_minutes": 15,
    "granularity_minutes": 30,
    "notice_minutes": 120,
    "horizon_days": 366,
    "horizons": {"firm": 366},
    "peak": [{"weekdays": [1, 2, 3, 4, 5], "from_minute": 540, "until_minute": 1020}],
    "unlimited": [{"weekdays": [7], "from_minute": 0, "until_minute": 360}],
    "licence_needed": True,
    "licensed_times": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_minute": 1320, "until_minute": 360}],
    "cancel_notice_minutes": 1440,
}


def in_process(stage: Stage) -> list[Figure]:
    """One reserve with quote, history, audit, job and idempotency, against one bare INSERT and COMMIT into the same database."""
    hours = hours_from_now()

    def reserve(key: str) -> None:
        reserve_one(stage, stage.instruments[0], TimeRange(*next(hours)), key)

    return _against_bare("reserve", reserve, ratio=10, queries=14)


def with_all_rules(stage: Stage) -> list[Figure]:
    """The same where the lab makes every kind of rule, keeps points and lists, and plans an outage."""
    instrument = ruled(stage)
    hours = hours_from_now()

    def reserve(key: str) -> None:
        for _hour in range(5):  # a person with some thirty bookings a week
            next(hours)
        reserve_one(stage, instrument, TimeRange(*next(hours)), key)

    return _against_bare("reserve, all rules on", reserve, ratio=12, queries=18)


def reserve_one(stage: Stage, instrument: Instrument, during: TimeRange, key: str) -> None:
    """What is measured: the service behind the page and the API."""
    request = ReservationRequest(instrument.pk, stage.cast.firm.pk, during, "self_operated", "bench")
    reservations.reserve(stage.cast.actor("lin"), request, NOW, idempotency_key=key)


def ruled(stage: Stage) -> Instrument:
    """An instrument of the lab under ``ALL_RULES``."""
    wang, lab = stage.cast.actor("wang"), stage.cast.lab.pk
    instrument = add_instrument(stage.cast, len(stage.instruments), stage.cast.lab)
    policies.say(wang, Scope(lab, instrument_id=instrument.pk), ALL_RULES, NOW)
    licences.grant(wang, instrument.pk, "lin@example.org", "off_hours", "Seen at work", None, NOW)
    credit.set_rules(wang, lab, {"start_points": 100, "points": {"no_show": 30, "late": 5}}, NOW)
    access_lists.put_on_list(wang, Listing(lab, "deny", "Unpaid", email="he@example.org"), NOW)
    outage = TimeRange(NOW + timedelta(days=500), NOW + timedelta(days=501))
    plan = downtimes.Outage(DowntimeKind.SERVICE, outage, "Tube", decisions={}, seen=frozenset())
    downtimes.declare(wang, instrument.pk, plan, NOW, idempotency_key="bench outage")
    return instrument


def _against_bare(name: str, reserve: Callable[[str], None], *, ratio: int, queries: int) -> list[Figure]:
    for number in range(30):
        reserve(f"{name} warm {number}")
    with CaptureQueriesContext(connection) as captured:
        reserve(f"{name} counted")
    statements = [q for q in captured.captured_queries if not q["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
    with silent_garbage():
        ours, bare = _interleaved(name, reserve)
    keys = iter(range(IN_PROCESS))
    busy = busy_seconds(IN_A_TURN, lambda: reserve(f"{name} busy {next(keys)}"))
    return [
        Figure(
            f"{name}, in process",
            ours * 1000,
            "ms",
            f"<= {ratio}x",
            ours <= ratio * bare,
            bare * 1000,
            "bare INSERT + COMMIT",
        ),
        Figure(f"{name}, CPU of both processes", busy * 1000, "ms", "", True),
        Figure(f"{name}, SQL statements", len(statements), "queries", f"<= {queries}", len(statements) <= queries),
    ]


def _interleaved(name: str, reserve: Callable[[str], None]) -> tuple[float, float]:
    """Seconds of one of each, both in turns of forty, so that a busy moment of the machine falls on both."""
    ours = bare = 0.0
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_bare (id bigserial PRIMARY KEY, calendar_id bigint, during tstzrange)")

        def insert() -> None:
            start, end = next(slots)
            cursor.execute("INSERT INTO bench_bare (calendar_id, during) VALUES (%s, tstzrange(%s, %s))", [1, start, end])

        slots = hours_from_now()
        for turn in range(0, IN_PROCESS, IN_A_TURN):
            keys = range(turn, turn + IN_A_TURN)
            ours += seconds_for(lambda keys=keys: [reserve(f"{name} {key}") for key in keys])  # type: ignore[misc]
            bare += seconds_for(lambda keys=keys: [insert() for _key in keys])  # type: ignore[misc]
    return ours / IN_PROCESS, bare / IN_PROCESS


def over_http(stage: Stage) -> list[Figure]:
    """Eight clients against two gunicorn processes; every request books another slot, so all succeed."""
    with serving() as site:

        def book(name: str, first: int, client: int, turn: int) -> int:
            start, end = hour_ahead(first + turn)
            body = {
                "instrument": stage.instruments[1 + client].pk,
                "organisation": stage.cast.firm.pk,
                "starts_at": start.isoformat(),
                "ends_at": end.isoformat(),
                "service_mode": "self_operated",
                "purpose": "bench",
            }
            return site.post("/api/v1/reservations/", stage.token, f"{name}-{client}-{turn}", body)

        site.crowd(WARM, lambda client, turn: book("warm", 0, client, turn))
        found = site.crowd(PER_CLIENT, lambda client, turn: book("run", WARM, client, turn))
    return found.figures("reserve", 201, 200, 150, (" (peer 31)", "(peer 219)"))
