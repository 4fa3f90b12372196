"""The inbox asks of each customer whether it ever used an instrument of the lab; an index of what was used answers it."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from booking.queries.reservations import approval_inbox

OTHERS = ("reservation_by_customer", "reservation_by_state", "reservation_by_instrument")


@pytest.fixture
def plan(cast):
    """The plan of the inbox where no other index of states or customers is left; ``also``: a state that is asked for besides."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {', '.join(OTHERS)}; SET LOCAL enable_seqscan = off")
        waiting, values = approval_inbox(cast.actor("wang")).query.sql_with_params()

        def planned(also: str = "") -> str:
            text = cursor.mogrify(f"EXPLAIN {waiting}", values)
            used = r"IN \(([^()]*'agreed'[^()]*)\)"
            assert re.search(used, text)
            cursor.execute(re.sub(used, rf"IN (\1{also})", text))
            return "\n".join(row[0] for row in cursor.fetchall())

        yield planned


def test_it_is_an_index_of_the_states_that_the_inbox_asks_for_and_of_no_more(plan):
    assert "reservation_used" in plan()
    assert "reservation_used" not in plan(", 'approved'")
