"""A rule over 1,000,000 charged sessions, beside another version and with its steps: at most two minutes of two cores, which are four
minutes of processor time of all processes together, whatever else the machine does."""

from __future__ import annotations

import json
import os
import resource
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections

from billing.models import Charge, PriceVersion, ProgrammeVersion
from billing.pricing.rules.schedule import parse_schedule
from billing.sandbox.models import SandboxRun
from billing.sandbox.services import running
from billing.subsidy.rules.assess import Candidate, assess_session
from billing.subsidy.rules.codec import Inputs, assessment_to_json, inputs_to_json
from billing.subsidy.rules.facts import Facts, Party, Service
from billing.subsidy.rules.programme import parse_programme
from config.kernel.time_range import TimeRange
from tests import databases
from tests.bench.harness import on_cpu
from tests.conftest import NOW, PRICE, build_cast, programme_document, publish_programmes

DATABASE = "jishi_proof_million"
SESSIONS = int(os.environ.get("JISHI_SANDBOX_SESSIONS", "1000000"))
FIRMS, INSTRUMENTS = 20_000, 2_000
SECONDS_A_MILLION, CORES = 120, 2
BATCH = 50_000
AFTERWARDS = {"type": "ex_post", "at_least": "0.1", "at_most": "0.25", "assume": "0.3", "clause": "5"}

#: Session n of the year belongs to firm n % FIRMS on instrument n % INSTRUMENTS, two hours at a price that differs.
_FILL = """
WITH n AS (SELECT generate_series(%(from)s, %(to)s - 1) AS n),
placed AS (
    SELECT n, %(instrument)s + n %% %(instruments)s AS instrument_id, %(firm)s + (n::bigint * 7919) %% %(firms)s AS firm_id,
           timestamptz '2026-01-01 01:00+00' + make_interval(mins => (n::bigint * 313 %% 480000)::int) AS starts_at FROM n),
reserved AS (
    INSERT INTO booking_reservation (instrument_id, organisation_id, requested_by_id, starts_at, ends_at, state, service_mode,
                                     purpose, research_project, created_at)
    SELECT instrument_id, firm_id, %(person)s, starts_at, starts_at + interval '2 hours', 'agreed', 'self_operated', '', '', starts_at
      FROM placed RETURNING id, organisation_id, starts_at, ends_at),
used AS (
    INSERT INTO booking_usagesession (reservation_id, booked_starts_at, booked_ends_at, actual_starts_at, actual_ends_at,
        billable_starts_at, billable_ends_at, billable_minutes, billable_rule, outcome, overrun_minutes, started_by_means, ended_by_means,
        confirmed_ticks, customer_agreed_at, lab_agreed_at, agreed_at, agreed_how, late_entered, evidence, note)
    SELECT id, starts_at, ends_at, starts_at, ends_at, starts_at, ends_at, 120, 'booked', 'normal', 0, 'lab', 'lab', '[]', ends_at, ends_at,
           ends_at, 'both_sides', false, '', '' FROM reserved)
INSERT INTO billing_charge (reservation_id, price_version_id, gross_fen, deducted_fen, refunded_fen, payable_now_fen, final_cost_fen,
                            estimate, inputs, inputs_sha256, result, engine_version, created_at)
SELECT id, %(price)s, fee, 0, 0, fee, fee, false,
       jsonb_set(%(inputs)s::jsonb, '{candidates,0,facts}', %(facts)s::jsonb || jsonb_build_object(
           'applicant', jsonb_build_object('kind', 'firm', 'verified', true, 'region_code', (ARRAY['630104','632801','630202','110108'])[1 + organisation_id %% 4],
                'size', (ARRAY['micro','small','medium','large'])[1 + organisation_id / 4 %% 4], 'first_use', id %% 2 = 0),
           'service', jsonb_build_object('kind', 'instrument_use', 'service_on', (starts_at AT TIME ZONE 'Asia/Shanghai')::date::text,
                'invoice_on', (starts_at AT TIME ZONE 'Asia/Shanghai')::date::text))),
       repeat('0', 64), %(result)s::jsonb, '1', ends_at
  FROM (SELECT *, 20000 + id %% 977 * 100 AS fee FROM reserved) priced
"""  # noqa: E501


@pytest.fixture
def million(django_test_environment, django_db_blocker):
    """A database of its own with so many charges of the size that real ones have."""
    with django_db_blocker.unblock():
        host = databases.own_host()
        connections.close_all()
        databases.drop(host, DATABASE)
        databases.create(host, DATABASE, databases.migrated(host))
        try:
            with databases.default_is(DATABASE):
                yield _filled()
        finally:
            databases.drop(host, DATABASE)


def _filled():
    cast = build_cast(NOW)
    versions = publish_programmes(cast)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO instruments_organisation SELECT (jsonb_populate_record(o, jsonb_build_object("
            "'id', o.id + 1000 + n, 'name', 'Firm ' || n, 'name_key', 'firm ' || n))).*"
            " FROM instruments_organisation o, generate_series(0, %s) n WHERE o.id = %s",
            [FIRMS - 1, cast.firm.pk],
        )
        cursor.execute(
            "INSERT INTO instruments_instrument SELECT (jsonb_populate_record(i, jsonb_build_object("
            "'id', i.id + 1000 + n, 'name', 'I ' || n))).* FROM instruments_instrument i, generate_series(0, %s) n WHERE i.id = %s",
            [INSTRUMENTS - 1, cast.xrd.pk],
        )
    inputs, result = _frozen(versions["DEMO-QH-V"])
    values = {
        "instrument": cast.xrd.pk + 1000, "instruments": INSTRUMENTS, "firm": cast.firm.pk + 1000, "firms": FIRMS,
        "person": cast.users["lin"].pk, "price": PriceVersion.objects.get().pk, "inputs": json.dumps(inputs),
        "facts": json.dumps(inputs["candidates"][0]["facts"]), "result": json.dumps(result),
    }  # fmt: skip
    for start in range(0, SESSIONS, BATCH):
        with connection.cursor() as cursor:
            cursor.execute(_FILL, values | {"from": start, "to": min(SESSIONS, start + BATCH)})
        print(f"{min(SESSIONS, start + BATCH):,} charges", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return cast, versions


def _frozen(version: ProgrammeVersion):
    """What a charge of two hours freezes, documents by reference as they are kept."""
    programme = parse_programme(version.document)
    place = Party(region_code="630104", verified=True)
    facts = Facts(
        applicant=Party("firm", "small", "630104", verified=True, first_use=False), provider=place,
        instrument=Party(region_code="630104"),
        service=Service("instrument_use", date(2026, 5, 1)),
    )  # fmt: skip
    starts = datetime(2026, 5, 1, 1, tzinfo=UTC)
    during, zone, schedule = TimeRange(starts, starts + timedelta(hours=2)), ZoneInfo("Asia/Shanghai"), parse_schedule(PRICE)
    candidates = (Candidate(programme, facts, {}),)
    inputs = inputs_to_json(Inputs(schedule, during, zone, "firm_sme", candidates))
    inputs["schedule"] = {"price_version": 1, "sha256": schedule.sha256}
    inputs["candidates"][0]["programme"] = {"programme_version": version.pk, "sha256": programme.sha256}
    return inputs, assessment_to_json(assess_session(schedule, during, zone, "firm_sme", candidates))


@pytest.mark.proof
def test_a_million_sessions_are_tried_in_two_minutes(million, capsys):
    cast, versions = million
    assert Charge.objects.count() == SESSIONS
    document = programme_document("DEMO-QH-V") | {"version": "tried", "rate": {"type": "flat", "rate": "0.3", "clause": "5"}}
    result, cpu = _tried(cast, document, versions["DEMO-QH-V"], 20_000_000_00, capsys)
    total = result["totals"]["tried"]
    assert total["sessions"] == SESSIONS
    for name in ("sizes", "regions", "owners", "months"):
        assert sum(each["sessions"] for each in result[name]) == SESSIONS
        assert sum(each["cost_fen"] for each in result[name]) == total["cost_fen"]
    assert cpu <= CORES * SECONDS_A_MILLION * SESSIONS / 1_000_000 or SESSIONS < 1_000_000
    # One batch of the whole year, a rate fixed afterwards and a pool that is divided: every award waits to the end and is cut.
    document |= {"code": "TRIED-B", "rate": AFTERWARDS}
    document["caps"] = [each | ({"divided": "pro_rata"} if each["per"] == "pool" else {}) for each in document["caps"]]
    result, cpu = _tried(cast, document, versions["DEMO-QH-V"], 1_000_000_000_00, capsys)
    (batch,) = result["batches"]["tried"]["rows"]
    total = result["totals"]["tried"]
    assert batch["claims"] == batch["cut_claims"] == total["subsidised_sessions"] > SESSIONS // 8
    assert total["cost_fen"] == batch["asked_fen"] - batch["cut_fen"] == sum(each["cost_fen"] for each in result["months"])
    assert cpu <= CORES * SECONDS_A_MILLION * SESSIONS / 1_000_000 or SESSIONS < 1_000_000


def _tried(cast, document, against, budget_fen, capsys):
    """What came out, and the seconds on a processor."""
    run = SandboxRun.objects.create(
        office=cast.office, document=document, against=against, first_on=date(2026, 1, 1), last_on=date(2026, 12, 31),
        budget_fen=budget_fen, rate_step_percent=10, cap_step_percent=20, created_by=cast.users["chen"], created_at=NOW,
    )  # fmt: skip
    began, busy = time.monotonic(), _busy()
    running.work(run.pk, NOW)
    clock, cpu = time.monotonic() - began, _busy() - busy
    with capsys.disabled():
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(
            f"\n{SESSIONS:,} sessions, six variants: {cpu:.1f} s on a processor, {clock:.1f} s by the clock, {largest} MB a process"
        )
    run.refresh_from_db()
    assert run.state == "done"
    return run.result, cpu


def _busy() -> float:
    """Seconds on a processor so far: this process, its ended children (the lanes) and its database process."""
    used = os.times()
    database = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return used.user + used.system + used.children_user + used.children_system + on_cpu(database)
