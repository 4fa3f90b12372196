"""An internal slip is never changed once it is issued."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from billing.models import InternalSlip
from booking.services import transitions
from tests.agreeing import check_out_agreed

CHANGES = (
    "UPDATE billing_internalslip SET total_fen = total_fen + 1",
    "DELETE FROM billing_internalslip",
    "TRUNCATE billing_internalslip CASCADE",
)


@pytest.fixture
def slip(spenders, ask, slot):
    cast, asked = spenders.cast, ask(slot(10, 12))
    transitions.approve(cast.actor("wang"), asked.pk, cast.now)
    transitions.check_in(cast.actor("wang"), asked.pk, asked.starts_at)
    check_out_agreed(cast.actor("wang"), asked.pk, asked.ends_at)
    return InternalSlip.objects.get()


def run(*statements):
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in ("SET CONSTRAINTS ALL IMMEDIATE", *statements):
            cursor.execute(statement)
        transaction.set_rollback(True)


@pytest.mark.parametrize("change", CHANGES)
def test_an_issued_slip_is_kept_as_it_is(slip, change):
    with pytest.raises(DatabaseError, match=r"Cannot (update|delete|truncate)|append-only"):
        run(change)
    run("ALTER TABLE billing_internalslip DISABLE TRIGGER USER", change)  # the control
