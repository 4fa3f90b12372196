"""*month*: the drafts of a month of 100,000 charges of 1,000 firms, the grid of those drafts, the export of issued bills, and a workbook of
10,000 lines. ``JISHI_BENCH_MONTH`` says another number of charges."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.month.models import Draft, DraftRun
from billing.month.services import exporting, releasing, running
from billing.month.services.running import RunRequest
from billing.settlement.rules.series import Series
from config.kernel.access import Role
from instruments.models import Membership, Organisation, User
from tests.bench.harness import NOW, Figure, busy_seconds, percentile, seconds_for, took
from tests.bench.stage import Stage

CHARGES, PAYERS, EXPORTED, LINES = 100_000, 1_000, 20, 10_000
NOVEMBER, DECEMBER = date(2026, 11, 1), datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
BACKEND = "frontend.login_backend.PersonBackend"
LOOKS = 40
DRAFTS_SECONDS, GRID_MILLISECONDS, GRID_QUERIES, SHEET_SECONDS, SHEET_MEGABYTES = 60, 150, 16, 3, 150

#: Agreed sessions of firms with their charges; every third is subsidised at once by one programme.
_SESSIONS = """
WITH place AS (
    SELECT n, (%(firms)s::bigint[])[1 + n %% %(payers)s] AS firm, (%(instruments)s::bigint[])[1 + n %% %(many)s] AS instrument,
           %(first)s + (n / %(many)s) * interval '2 hours' AS starts_at
      FROM generate_series(0, %(charges)s - 1) n),
made AS (
    INSERT INTO booking_reservation
        (instrument_id, organisation_id, requested_by_id, starts_at, ends_at, state, service_mode, purpose, research_project, created_at)
    SELECT instrument, firm, %(user)s, starts_at, starts_at + interval '1 hour', 'agreed', 'self_operated', 'bench', '', %(now)s
      FROM place RETURNING id, instrument_id, starts_at, ends_at),
used AS (
    INSERT INTO booking_usagesession
        (reservation_id, booked_starts_at, booked_ends_at, actual_starts_at, actual_ends_at, billable_starts_at, billable_ends_at,
         billable_minutes, billable_rule, outcome, overrun_minutes, started_by_means, ended_by_means, confirmed_ticks, agreed_at,
         agreed_how, late_entered, evidence, note)
    SELECT id, starts_at, ends_at, starts_at, ends_at, starts_at, ends_at, 60, 'booked', 'normal', 0, 'lab', 'lab', '[]', ends_at,
           'both_sides', false, '', '' FROM made),
charged AS (
    INSERT INTO billing_charge
        (reservation_id, price_version_id, gross_fen, deducted_fen, refunded_fen, payable_now_fen, final_cost_fen, estimate, inputs,
         inputs_sha256, result, engine_version, created_at)
    SELECT m.id, v.id, 40000, CASE WHEN m.id %% 3 = 0 THEN 16000 ELSE 0 END, 0, CASE WHEN m.id %% 3 = 0 THEN 24000 ELSE 40000 END,
           CASE WHEN m.id %% 3 = 0 THEN 24000 ELSE 40000 END, false,
           jsonb_build_object('zone', 'Asia/Shanghai', 'starts_at', m.starts_at, 'ends_at', m.ends_at), '',
           '{"priced": {"steps": []}}', '1', m.ends_at
      FROM made m JOIN billing_priceversion v ON v.instrument_id = m.instrument_id RETURNING id, deducted_fen, created_at)
INSERT INTO billing_award (charge_id, programme_version_id, payee_id, mode, total_fen, payers, service_on, created_at)
SELECT id, %(version)s, %(lab)s, 'deducted_now', deducted_fen, '[]', created_at::date, created_at FROM charged WHERE deducted_fen > 0
"""


def figures(stage: Stage) -> list[Figure]:
    """All four, on ``CHARGES`` charges or as many as the environment says."""
    charges = int(os.environ.get("JISHI_BENCH_MONTH", CHARGES))
    payers = max(1, charges * PAYERS // CHARGES)
    _fill(stage, charges, payers)
    series = Series(stage.cast.lab.pk)
    drafted = took(lambda: running.make(stage.cast.actor("li"), RunRequest(series, NOVEMBER), DECEMBER))
    run = DraftRun.objects.get()
    name = f"month of {charges:,} charges, {run.draft_count:,} drafts"
    return [
        Figure(name, drafted.server, "s", f"<= {DRAFTS_SECONDS}", drafted.server <= DRAFTS_SECONDS, clock=drafted.clock),
        *_grid(stage, run),
        _export(stage, run),
        *_sheet(),
    ]


def _fill(stage: Stage, charges: int, payers: int) -> None:
    instruments = [instrument.pk for instrument in stage.instruments]
    firm = {"kind": "firm", "status": "verified", "verified_at": NOW, "region_code": "630104", "created_at": NOW}
    made = Organisation.objects.bulk_create(
        [Organisation(name=f"Payer {place}", name_key=f"payer {place}", **firm) for place in range(payers)]
    )
    firms = [one.pk for one in made]
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM billing_programmeversion")
        (version,) = cursor.fetchone()
        values: dict[str, Any] = {
            "firms": firms, "payers": payers, "instruments": instruments, "many": len(instruments), "charges": charges,
            "first": datetime(2026, 11, 1, tzinfo=UTC), "user": stage.cast.users["lin"].pk, "now": NOW, "version": version,
            "lab": stage.cast.lab.pk,
        }  # fmt: skip
        cursor.execute(_SESSIONS, values)
        cursor.execute("ANALYZE")
    second = User.objects.create(email="bench-second@example.org", full_name="Second", password="!", language="en")
    Membership.objects.create(user=second, organisation=stage.cast.lab, role=Role.OWNER_FINANCE, created_at=NOW)
    stage.cast.users["second"] = second


def _grid(stage: Stage, run: DraftRun) -> list[Figure]:
    """Every page of the grid in turn, as it is and narrowed to what is odd."""
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        page = Client(headers={"accept-language": "en"})
        page.force_login(stage.cast.users["li"], backend=BACKEND)
        address = reverse("month_run", args=[run.pk])

        def look(number: int) -> None:
            answer = page.get(address, {"page": 1 + number % 20, "show": "odd" if number % 5 == 0 else "all"})
            if answer.status_code != 200:
                raise RuntimeError(f"the grid answered {answer.status_code}")

        look(0)
        spent = sorted(1000 * busy_seconds(1, lambda place=place: look(place)) for place in range(LOOKS))
        with CaptureQueriesContext(connection) as caught:
            look(1)
    p95, queries = percentile(spent, 0.95), len(caught)
    name = f"grid of {run.draft_count:,} drafts"
    return [
        Figure(f"{name}, p95 (CPU)", p95, "ms", f"<= {GRID_MILLISECONDS}", p95 <= GRID_MILLISECONDS),
        Figure(f"{name}, SQL statements", queries, "queries", f"<= {GRID_QUERIES}", queries <= GRID_QUERIES),
    ]


def _export(stage: Stage, run: DraftRun) -> Figure:
    """Some bills of the run, issued and exported with their PDFs made in the export."""
    releasing.hand_over(stage.cast.actor("li"), run.pk, DECEMBER)
    releasing.release(stage.cast.actor("second"), run.pk, DECEMBER)
    for draft_id in Draft.objects.filter(run=run).order_by("-position").values_list("pk", flat=True)[:EXPORTED]:
        releasing.issue_draft(draft_id, stage.cast.actor("second"), DECEMBER)
    export = exporting.start(stage.cast.actor("li"), Series(stage.cast.lab.pk), NOVEMBER, DECEMBER)
    seconds = seconds_for(lambda: exporting.work(export.pk, DECEMBER))
    export.refresh_from_db()
    rate = export.archived_count / seconds
    lines = run.line_count // max(1, run.draft_count)
    return Figure(f"export of bills of {lines} lines, PDF and XLSX made in it, by the clock", rate, "per s", "stated", rate > 0)


def _sheet() -> list[Figure]:
    """In a fresh interpreter: a fork of this process would find its memory in what was used here before."""
    said = subprocess.run(
        [sys.executable, "-m", "tests.bench.sheet", str(LINES)], check=True, capture_output=True, text=True
    ).stdout
    seconds, grown = json.loads(said)
    name = f"workbook of {LINES:,} lines"
    return [
        Figure(f"{name} (CPU)", seconds, "s", f"<= {SHEET_SECONDS}", seconds <= SHEET_SECONDS),
        Figure(f"{name}, memory", grown, "MB", f"<= {SHEET_MEGABYTES}", grown <= SHEET_MEGABYTES),
    ]
