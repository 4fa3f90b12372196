"""*statements*: settlement statements of thirty lines issued, frozen, numbered, and their PDF and XLSX made by two worker processes,
against bare WeasyPrint of the same HTML, all in CPU time.

One session is booked, used, agreed and charged for real; its charge and award are copied to every line of every payee by SQL.
``JISHI_BENCH_STATEMENTS`` says how many statements (60).
"""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

from billing.settlement import pdf
from billing.settlement.models import Award, Statement
from billing.settlement.services import statements
from billing.settlement.sheets import render_xlsx
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.time_range import TimeRange
from instruments.models import Organisation
from instruments.queries import actor_for
from tests.agreeing import check_out_agreed
from tests.bench.approve import crowd
from tests.bench.bills import GOAL, LINES, WORKERS, made_by_workers
from tests.bench.harness import NOW, Figure, busy_seconds
from tests.bench.stage import Stage

STATEMENTS = int(os.environ.get("JISHI_BENCH_STATEMENTS", "60"))
MONTH, AFTERWARDS = date(2026, 10, 1), datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
#: The instrument of the session that is copied is left alone by the other parts.
INSTRUMENT = 70

_LINES = """
WITH place AS (
    SELECT payee, (n - 1) * %(lines)s + line AS n
      FROM unnest(%(payees)s::bigint[]) WITH ORDINALITY AS one (payee, n), generate_series(0, %(lines)s - 1) line),
made AS (
    INSERT INTO booking_reservation
        (instrument_id, organisation_id, requested_by_id, starts_at, ends_at, state, service_mode, purpose, research_project, created_at)
    SELECT r.instrument_id, r.organisation_id, r.requested_by_id, %(first)s + n %% 700 * interval '1 hour',
           %(first)s + (n %% 700 + 1) * interval '1 hour', 'agreed', r.service_mode, r.purpose, '', r.created_at
      FROM place, booking_reservation r WHERE r.id = %(reservation)s RETURNING id, starts_at),
numbered AS (SELECT id, starts_at, row_number() OVER (ORDER BY id) - 1 AS n FROM made),
charged AS (
    INSERT INTO billing_charge
        (reservation_id, price_version_id, gross_fen, deducted_fen, refunded_fen, payable_now_fen, final_cost_fen, estimate, inputs,
         inputs_sha256, result, engine_version, created_at)
    SELECT m.id, c.price_version_id, c.gross_fen, c.deducted_fen, c.refunded_fen, c.payable_now_fen, c.final_cost_fen, c.estimate,
           c.inputs, c.inputs_sha256, c.result, c.engine_version, m.starts_at
      FROM numbered m, billing_charge c WHERE c.reservation_id = %(reservation)s RETURNING id, reservation_id, created_at)
INSERT INTO billing_award (charge_id, programme_version_id, payee_id, mode, total_fen, payers, service_on, created_at)
SELECT c.id, a.programme_version_id, place.payee, a.mode, a.total_fen, a.payers, c.created_at::date, c.created_at
  FROM charged c JOIN numbered m ON m.id = c.reservation_id JOIN place ON place.n = m.n, billing_award a WHERE a.id = %(award)s
"""


def figures(stage: Stage) -> list[Figure]:
    award = _one_for_real(stage)
    payees = _payees(stage, award)
    actor, version = stage.cast.actor("qian"), award.programme_version_id
    used, began = time.process_time(), time.perf_counter()
    ids = [statements.issue(actor, version, payee, MONTH, AFTERWARDS).pk for payee in payees]
    issuing, issued_s = time.process_time() - used, time.perf_counter() - began
    made = made_by_workers("statement", ids, _html)
    issued = Statement.objects.filter(pk__in=ids, line_count=LINES).exclude(pdf=None)
    if len(issued) != STATEMENTS:
        raise RuntimeError(f"{len(issued)} of {STATEMENTS} statements have {LINES} lines and a PDF")
    bare, whole = made.bare_s, issuing + made.used_s
    workbook = busy_seconds(5, lambda: render_xlsx(issued[0].content))
    html = busy_seconds(5, lambda: pdf.render_html(issued[0].content))
    rate = STATEMENTS / (issued_s + made.took_s)
    return [
        Figure(
            f"{STATEMENTS:,} statements of {LINES} lines issued and made, {WORKERS} workers (CPU)",
            whole, "s", f"<= {GOAL}x", whole <= GOAL * bare, bare, "bare WeasyPrint, same HTML",
        ),
        Figure(f"statements of {LINES} lines issued and made, {WORKERS} workers", rate, "per s", "stated", True),
        Figure("statement, issuing one (CPU of the process)", 1000 * issuing / STATEMENTS, "ms", "", True),
        Figure("statement, its workbook (CPU of the process)", 1000 * workbook, "ms", "", True),
        Figure("statement, its HTML (CPU of the process)", 1000 * html, "ms", "", True),
    ]  # fmt: skip


def _html(ids: list[int]) -> list[str]:
    return [pdf.render_html(one.content) for one in Statement.objects.filter(pk__in=ids)]


def _one_for_real(stage: Stage) -> Award:
    """An award that came from a booking."""
    ((user, firm),) = crowd(stage, 1, "Stated")
    manager, start = stage.cast.actor("wang"), NOW + timedelta(days=3)
    during = TimeRange(start, start + timedelta(hours=1))
    request = ReservationRequest(stage.instruments[INSTRUMENT].pk, firm.pk, during, "self_operated", "bench")
    made = reservations.reserve(actor_for(user), request, NOW, idempotency_key="stated").reservation_id
    transitions.approve(manager, made, NOW)
    transitions.check_in(manager, made, during.starts_at)
    check_out_agreed(manager, made, during.ends_at)
    award = Award.objects.filter(charge__reservation=made).order_by("pk").first()
    if award is None:
        raise RuntimeError("the session that is copied was not subsidised")
    return award


def _payees(stage: Stage, award: Award) -> list[int]:
    """Laboratories with thirty awards each in the month."""
    lab = {"kind": "institute", "status": "verified", "verified_at": NOW, "region_code": "630104", "created_at": NOW}
    made = Organisation.objects.bulk_create(
        [Organisation(name=f"Payee {place}", name_key=f"payee {place}", **lab) for place in range(STATEMENTS)]
    )
    payees = [one.pk for one in made]
    values: dict[str, Any] = {
        "payees": payees, "lines": LINES, "first": datetime(2026, 10, 1, 1, 0, tzinfo=UTC),
        "reservation": award.charge.reservation_id, "award": award.pk,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_LINES, values)
        cursor.execute("ANALYZE")
    return payees
