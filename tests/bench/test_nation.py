"""The long evidence: finding a time and searching in a whole country of 150,000 instruments and five million reservations."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests import databases
from tests.bench import country
from tests.bench.harness import Figure, print_table, write_json

MEMORY_MB = 1_500


@pytest.mark.proof
def test_a_time_is_found_in_a_country_as_fast_as_in_a_province(django_test_environment: None, django_db_blocker: Any) -> None:
    """The curve from 1,500 to 150,000 instruments, and every goal at the far end of it. Writes ``var/proof-nation.json``."""
    with django_db_blocker.unblock():
        template = databases.migrated(databases.own_host())
        figures = country.figures(template, {"find", "search", "page"}, (*country.SIZES, country.LARGE))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures.append(Figure("most memory of the process", megabytes, "MB", f"<= {MEMORY_MB:,}", megabytes <= MEMORY_MB))
    print_table(figures, print)
    about = {"instruments": country.LARGE.instruments, "reservations": country.LARGE.reservations}
    write_json(figures, Path(settings.BASE_DIR) / "var" / "proof-nation.json", about)
    assert [figure.name for figure in figures if not figure.met] == []
