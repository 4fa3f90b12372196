"""What is written once about a sample job is never changed; each with its control."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from booking.rules.samples import Direction
from booking.services import sample_steps

KEPT = {
    "booking_sampleparcel": "number = number || '1'",
    "booking_samplereport": "note = 'another'",
    "booking_samplesteptaken": "reason = 'another'",
}


@pytest.fixture
def written(work):
    """A row in each of the tables."""
    job = work.reported()
    sample_steps.note_parcel(work.cast.actor("wang"), job.pk, Direction.BACK, "SF", "1", work.now)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def attempt(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        assert cursor.rowcount != 0
        transaction.set_rollback(True)


@pytest.mark.parametrize("table", sorted(KEPT))
def test_it_is_not_changed_deleted_or_emptied(written, table):
    for statement in (f"UPDATE {table} SET {KEPT[table]}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DatabaseError, match=r"Cannot|append-only"):
            attempt(statement)


@pytest.mark.parametrize("table", sorted(KEPT))
def test_without_the_triggers_it_could_be(written, table):
    attempt(f"ALTER TABLE {table} DISABLE TRIGGER USER", f"UPDATE {table} SET {KEPT[table]}")
