"""What the database itself refuses about quotations and commission sheets, state by state, whoever writes."""

from __future__ import annotations

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction

from billing.ordering.services import documents, quotations, sheets

QUOTATION, SHEET = "billing_quotation", "billing_commissionsheet"
MARK = "render_error = 'x'"
#: What nobody writes again once a document has left its draft.
FROZEN = {
    QUOTATION: ("title = 'x'", "total_fen = total_fen + 1", "content_sha256 = ''", "sent_at = now()", "number = 'x'"),
    SHEET: ("title = 'x'", "total_fen = total_fen + 1", "content_sha256 = ''", "issued_at = now()", "number = 'x'"),
}
#: What the fate of a document writes, and the states in which it may.
ENDS = {
    QUOTATION: ("state = 'declined', ended_at = now(), reason = 'x'", {"sent"}),
    SHEET: ("state = 'cancelled', ended_at = now(), reason = 'x'", {"issued"}),
}
STATES = [
    (QUOTATION, "sent"),
    (QUOTATION, "accepted"),
    (QUOTATION, "declined"),
    (QUOTATION, "withdrawn"),
    (SHEET, "issued"),
    (SHEET, "in_force"),
    (SHEET, "finished"),
    (SHEET, "cancelled"),
]


@pytest.fixture
def brought(cast, sent, accepted, issued, in_force):
    """``brought(table, state)``: the id of a document that the services brought into a state."""
    actor = cast.actor
    make = {
        (QUOTATION, "sent"): lambda: sent(),
        (QUOTATION, "accepted"): lambda: accepted().quotation,
        (QUOTATION, "declined"): lambda: quotations.decline(actor("lin"), sent().pk, "Too dear", cast.now),
        (QUOTATION, "withdrawn"): lambda: quotations.withdraw(actor("wang"), sent().pk, "Wrong price", cast.now),
        (SHEET, "issued"): lambda: issued(),
        (SHEET, "in_force"): lambda: in_force(),
        (SHEET, "finished"): lambda: sheets.finish(actor("wang"), in_force().pk, cast.now),
        (SHEET, "cancelled"): lambda: sheets.cancel(actor("lin"), issued().pk, "No samples", cast.now),
    }
    return lambda table, state: make[table, state]().pk


def refused(table: str, pk: int, change: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {change} WHERE id = %s", [pk])
            transaction.set_rollback(True)
    except DatabaseError as error:
        assert "frozen" in str(error) or "violates check constraint" in str(error), error
        return True
    return False


@pytest.mark.parametrize(("table", "state"), STATES)
def test_a_document_that_left_its_draft_keeps_what_it_says_in_every_state(brought, table, state):
    pk = brought(table, state)
    assert [change for change in FROZEN[table] if not refused(table, pk, change)] == []
    assert not refused(table, pk, MARK)


@pytest.mark.parametrize(("table", "state"), STATES)
def test_it_comes_to_an_end_only_from_where_its_table_lets_it(brought, table, state):
    change, allowed = ENDS[table]
    assert refused(table, brought(table, state), change) == (state not in allowed)


@pytest.mark.parametrize(("table", "state"), [("billing_quotation", "accepted"), ("billing_commissionsheet", "finished")])
def test_without_its_guard_it_would_be_changed(brought, table, state):
    pk = brought(table, state)
    with pgtrigger.ignore("billing.Quotation:quotation_frozen", "billing.CommissionSheet:commission_frozen"):
        assert not refused(table, pk, "title = 'x'")


@pytest.mark.parametrize(("table", "state"), [(QUOTATION, "sent"), (SHEET, "in_force")])
def test_the_pdf_that_was_made_is_never_another_one(cast, brought, table, state):
    pk = brought(table, state)
    assert not refused(table, pk, "pdf_id = NULL")
    documents.render("quotation" if table == QUOTATION else "commission", pk, cast.now)
    assert refused(table, pk, "pdf_id = NULL")
    assert table == QUOTATION or refused(table, pk, "signed_pdf_id = NULL")


@pytest.mark.parametrize(
    ("table", "state", "change"),
    [
        (QUOTATION, "sent", "state = 'draft'"),
        (QUOTATION, "sent", "state = 'declined'"),
        (QUOTATION, "sent", "ended_at = now()"),
        (QUOTATION, "accepted", "state = 'sent', ended_at = NULL"),
        (SHEET, "issued", "state = 'in_force'"),
        (SHEET, "issued", "state = 'finished', in_force_at = now(), ended_at = now()"),
        (SHEET, "in_force", "state = 'issued', in_force_at = NULL"),
        (SHEET, "in_force", "in_force_at = now()"),
        (SHEET, "finished", "ended_at = now()"),
    ],
)
def test_no_state_is_left_for_one_that_does_not_follow_it_or_without_its_time(brought, table, state, change):
    assert refused(table, brought(table, state), change)


def test_one_person_does_not_sign_for_both_sides_by_whatever_way(cast, issued):
    sheet = issued()
    sheets.sign(cast.actor("zhao"), sheet.pk, sheet.content_sha256, cast.now)
    copied = (
        "INSERT INTO billing_commissionsignature (sheet_id, side, method, signed_by_id, name, signed_at, content_sha256, scan_sha256)"
        " SELECT sheet_id, 'lab', method, signed_by_id, name, signed_at, content_sha256, '' FROM billing_commissionsignature"
    )
    with (
        pytest.raises(DatabaseError, match="commission_signed_by_two_people"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(copied)
