"""Rows of claims, months, papers, invoices, prepaid money and reminders that are written once: the database refuses to change, delete or
empty them, whoever asks; where its triggers do not fire, it would be done."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from tests.access.test_rows import full
from tests.access.world import World

__all__ = ["full"]
pytestmark = pytest.mark.django_db

#: Table -> a change that must be refused; empty where the row has a life and is only never deleted.
KEPT = {
    "billing_accountstatement": "total_fen = total_fen + 1",
    "billing_billdispute": "",
    "billing_billproposal": "total_fen = total_fen + 1",
    "billing_bookcheck": "",
    "billing_claim": "number = number || 'x'",
    "billing_claimbatch": "number = number || 'x'",
    "billing_claimevidence": "note = note || 'x'",
    "billing_claimline": "amount_fen = amount_fen + 1",
    "billing_claimstep": "reason = reason || 'x'",
    "billing_claimsubmission": "total_fen = total_fen + 1",
    "billing_clawback": "total_fen = total_fen + 1",
    "billing_closedperiod": "totals = '[1]'",
    "billing_deputy": "reason = reason || 'x'",
    "billing_draft": "",
    "billing_draftline": "position = position + 100",
    "billing_draftrun": "revision = revision + 100",
    "billing_exemption": "reason = reason || 'x'",
    "billing_heldback": "",
    "billing_invoicerequest": "",
    "billing_objection": "text = text || 'x'",
    "billing_openingreversal": "id = id + 1000",
    "billing_papercode": "kind = kind || 'x'",
    "billing_paperfile": "kind = kind || 'x'",
    "billing_paymentdifference": "",
    "billing_paymentline": "amount_fen = amount_fen + 1",
    "billing_paymentlist": "number = number || 'x'",
    "billing_payout": "paid_fen = paid_fen + 1",
    "billing_prepaidentry": "amount_fen = amount_fen + 1",
    "billing_prepaidterms": "reason = reason || 'x'",
    "billing_repayment": "payer_name = payer_name || 'x'",
    "billing_surplusrefund": "reference = reference || 'x'",
    "billing_accountcodes": "codes = '{}'",
    "billing_publicity": "content_sha256 = 'x'",
    "billing_purchaseorder": "number = number || 'x'",
    "billing_receipt": "total_fen = total_fen + 1",
    "billing_recheckanswer": "reason = reason || 'x'",
    "billing_recheckfinding": "reason = reason || 'x'",
    "billing_recheckitem": "amount_fen = amount_fen + 1",
    "billing_rechecksample": "seed = seed || 'x'",
    "billing_statementproposal": "total_fen = total_fen + 1",
    "billing_reminder": "open_fen = open_fen + 1",
    "billing_spendinglimit": "valid_until = valid_until + 1",
    "billing_vatinvoice": "recorded_at = recorded_at + interval '1 hour'",
}


def rows_touched(statement: str, *, guarded: bool = True) -> int:
    """How many rows a statement touches, which is undone."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not guarded:
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        touched = cursor.rowcount
        transaction.set_rollback(True)
    return touched


@pytest.mark.parametrize("table", sorted(KEPT))
def test_what_is_written_once_is_kept_and_without_triggers_it_is_not(full: World, table: str) -> None:
    change = f"UPDATE {table} SET {KEPT[table]}"
    delete = f"DELETE FROM {table}"
    for statement in (*([change] if KEPT[table] else []), delete, f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DatabaseError):
            rows_touched(statement)
    assert rows_touched(change if KEPT[table] else delete, guarded=False) > 0
