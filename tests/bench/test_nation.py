"""The long evidence: finding a time in a whole country of 150,000 instruments and five million reservations."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from tests.bench import nation
from tests.bench.harness import Figure, print_table, write_json

INSTRUMENTS, RESERVATIONS, DAYS = 150_000, 5_000_000, 365
SMALL = (1_500, 50_000)


@pytest.mark.proof
def test_a_time_is_found_in_a_country_as_fast_as_in_a_province(django_db_setup: None, django_db_blocker: Any) -> None:
    """The curve from 1,500 to 150,000 instruments, and every goal at the far end of it. Writes ``var/proof-nation.json``."""
    with django_db_blocker.unblock():
        template = connections["default"].settings_dict["NAME"]
        with nation.own_database(template):
            call_command("make_nation", instruments=SMALL[0], reservations=SMALL[1], days=DAYS)
            small = nation.measure(SMALL[0])
        with nation.own_database(template):
            began = time.monotonic()
            call_command("make_nation", instruments=INSTRUMENTS, reservations=RESERVATIONS, days=DAYS)
            seconds, size = time.monotonic() - began, _size()
            large = nation.measure(INSTRUMENTS)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = [
        *nation.figures_of(small),
        *nation.figures_of(large),
        nation.growth(small, large),
        Figure("building the country", seconds, "s", "", True),
        Figure("its database", size / 2**30, "GB", "", True),
        Figure("most memory of the process", megabytes, "MB", "<= 1,500", megabytes <= 1_500),
    ]
    print_table(figures, print)
    write_json(
        figures, Path(settings.BASE_DIR) / "var" / "proof-nation.json", {"instruments": INSTRUMENTS, "reservations": RESERVATIONS}
    )
    assert [figure.name for figure in figures if not figure.met] == []


def _size() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
