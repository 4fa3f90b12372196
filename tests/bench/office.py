"""*office*: 100,000 claims in 3,000 batches of thirty offices, all of which wait for somebody, and 1,000 payment lists to be signed:
telling everybody, comparing that with what was told, and the work list of one person. ``JISHI_BENCH_CLAIMS`` says another number."""

from __future__ import annotations

import os
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.claims import worklist
from billing.claims.services import waiting, waiting_lists
from billing.subsidy.models import Programme, ProgrammeVersion
from config.kernel.access import Role
from instruments.models import Membership, Organisation, User
from instruments.queries import actor_for
from tests.bench.harness import NOW, Figure, Took, took
from tests.bench.stage import Stage

CLAIMS, CLAIMS_IN_BATCH, OFFICES, PAYEES, LISTS = 100_000, 33, 30, 500, 1_000
FIRST_SECONDS = 300
TELL_QUERIES, TELL_SECONDS, MINE_QUERIES, MINE_SECONDS = 20, 5, 10, 0.5

#: Written past the guards, as what it would have become: only reading it is measured. Of ten claims in a row one was handed in, four are
#: looked at, one has passed, two are to be approved, two to be listed.
_BATCHES = """
INSERT INTO billing_claimbatch
    (number, programme_id, programme_version_id, mode, fund_year, from_on, until_on, opens_on, closes_on, opened_by_id, opened_at,
     rule_steps, rules_applied)
SELECT 'PC-B-' || n, (%(programmes)s::bigint[])[1 + n %% %(offices)s], (%(versions)s::bigint[])[1 + n %% %(offices)s], 'refunded_later',
       2026, d, d + 30, d + 31, d + 40, %(officer)s, %(now)s, '[]', '[]'
  FROM generate_series(0, %(batches)s - 1) n, LATERAL (SELECT date '2020-01-01' + n / %(offices)s AS d) of_day
"""
_PUBLIC = """
INSERT INTO billing_publicity (batch_id, from_on, until_on, content, content_sha256, published_by_id, published_at, closed_at)
SELECT id, closes_on, closes_on + 7, '{}', '', %(officer)s, %(now)s, %(now)s FROM billing_claimbatch WHERE number LIKE 'PC-B-%%'
"""
_CLAIMS = """
INSERT INTO billing_claim
    (batch_id, payee_id, number, state, step, step_count, total_fen, publicity_id, since, created_at)
SELECT b.id, (%(payees)s::bigint[])[1 + (b.id * 7 + k) %% %(many)s], 'SQ-B-' || b.id || '-' || k,
       (ARRAY['submitted', 'in_review', 'in_review', 'in_review', 'in_review', 'passed', 'publicised', 'publicised', 'approved',
              'listed'])[1 + (b.id + k) %% 10],
       0, 4, 100000, p.id, %(now)s - (k || ' hours')::interval, %(now)s
  FROM billing_claimbatch b JOIN billing_publicity p ON p.batch_id = b.id, generate_series(0, %(in_batch)s - 1) k
 WHERE b.number LIKE 'PC-B-%%'
"""
_STEPS = """
INSERT INTO billing_claimstep (claim_id, position, event, from_state, to_state, step, actor_id, reason, total_fen, at)
SELECT c.id, e.position, e.event, 'draft', 'draft', 0,
       CASE WHEN e.event = 'submit' THEN %(firm)s ELSE (%(staff)s::bigint[])[1 + (v.programme_id * 7 + c.id) %% %(people)s] END,
       '', 100000, %(now)s
  FROM billing_claim c JOIN billing_claimbatch v ON v.id = c.batch_id,
       (VALUES (1, 'fill'), (2, 'submit'), (3, 'begin'), (4, 'pass')) e (position, event)
 WHERE c.number LIKE 'SQ-B-%%' AND (e.position < 4 OR c.state NOT IN ('submitted', 'in_review'))
"""
_LISTS = """
INSERT INTO billing_paymentlist
    (batch_id, number, payer, line_count, total_fen, content, content_sha256, issued_at, issued_by_id, render_state, render_percent,
     render_error, cancel_reason)
SELECT id, 'BF-B-' || id, '', 3, 90000, '{}', '', %(now)s, %(officer)s, 'done', 100, '', ''
  FROM billing_claimbatch WHERE number LIKE 'PC-B-%%' ORDER BY id LIMIT %(lists)s
"""
_LINES = """
INSERT INTO billing_paymentline (payment_list_id, claim_id, position, amount_fen)
SELECT l.id, c.id, row_number() OVER (PARTITION BY l.id ORDER BY c.id), 30000
  FROM billing_paymentlist l JOIN billing_claim c ON c.batch_id = l.batch_id AND c.state = 'listed' WHERE l.number LIKE 'BF-B-%%'
"""


def figures(stage: Stage) -> list[Figure]:
    """What the platform does every five minutes, and what a person of one office is shown."""
    claims = int(os.environ.get("JISHI_BENCH_CLAIMS", CLAIMS))
    officer = _fill(stage, claims)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    name = f"{claims:,} claims in {claims // CLAIMS_IN_BATCH:,} batches that wait"
    first = took(lambda: (waiting.tell_due(NOW), waiting_lists.tell_due(NOW)))
    told, asked = _measured(_tell_nothing)
    actor = actor_for(officer)
    read, few = _measured(lambda: (worklist.mine(actor, NOW), worklist.my_lists(actor, NOW)))
    return [
        Figure(
            f"{name}: telling everybody",
            first.server,
            "s",
            f"<= {FIRST_SECONDS}",
            first.server <= FIRST_SECONDS,
            clock=first.clock,
        ),
        Figure(
            f"{name}: telling nothing new", told.server, "s", f"<= {TELL_SECONDS}", told.server <= TELL_SECONDS, clock=told.clock
        ),
        Figure(f"{name}: the same, SQL statements", asked, "queries", f"<= {TELL_QUERIES}", asked <= TELL_QUERIES),
        Figure(
            f"{name}: one person's work", read.server, "s", f"<= {MINE_SECONDS}", read.server <= MINE_SECONDS, clock=read.clock
        ),
        Figure(f"{name}: the same, SQL statements", few, "queries", f"<= {MINE_QUERIES}", few <= MINE_QUERIES),
    ]


def _tell_nothing() -> None:
    if waiting.tell_due(NOW) + waiting_lists.tell_due(NOW):
        raise RuntimeError("somebody had not been told")


def _measured(work: Any) -> tuple[Took, int]:
    with CaptureQueriesContext(connection) as caught:
        work()
    return took(work), len(caught)


def _fill(stage: Stage, claims: int) -> User:
    """Offices with two officers and two people of finance each; one of the officers."""
    now = {"created_at": NOW}
    kind = {"kind": "government", "status": "verified", "verified_at": NOW, "region_code": "630000", **now}
    offices = Organisation.objects.bulk_create(
        [Organisation(name=f"Office {n}", name_key=f"office {n}", **kind) for n in range(OFFICES)]
    )
    firm = kind | {"kind": "firm"}
    payees = Organisation.objects.bulk_create(
        [Organisation(name=f"Payee {n}", name_key=f"payee {n}", **firm) for n in range(PAYEES)]
    )
    staff = User.objects.bulk_create(
        [User(email=f"office{n}@example.org", full_name=f"Clerk {n}", password="!", language="en") for n in range(4 * OFFICES)]
    )
    roles = (Role.PROGRAMME_OFFICER, Role.PROGRAMME_OFFICER, Role.FINANCE, Role.FINANCE)
    Membership.objects.bulk_create(
        [Membership(user=who, organisation=offices[n // 4], role=roles[n % 4], **now) for n, who in enumerate(staff)]
    )
    versions = [_programme(office, n) for n, office in enumerate(offices)]
    values: dict[str, Any] = {
        "programmes": [version.programme_id for version in versions], "versions": [version.pk for version in versions],
        "offices": OFFICES, "batches": claims // CLAIMS_IN_BATCH, "in_batch": CLAIMS_IN_BATCH, "officer": staff[0].pk, "now": NOW,
        "payees": [payee.pk for payee in payees], "many": PAYEES, "firm": stage.cast.users["lin"].pk,
        "staff": [who.pk for who in staff], "people": len(staff), "lists": LISTS,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in (_BATCHES, _PUBLIC, _CLAIMS, _STEPS, _LISTS, _LINES):
            cursor.execute(statement, values)
        cursor.execute("SET session_replication_role = DEFAULT")
    return staff[1]


def _programme(office: Organisation, number: int) -> ProgrammeVersion:
    """The first published programme once more, of an office."""
    first = ProgrammeVersion.objects.filter(published_at__isnull=False).earliest("pk")
    own = Programme.objects.create(code=f"BENCH-{number}", issuer=office, created_at=NOW)
    first.pk, first.programme = None, own
    first.save(force_insert=True)
    return first
