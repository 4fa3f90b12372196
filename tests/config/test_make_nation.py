"""``manage.py make_nation``: a country behind all guards, however it is loaded."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models

from booking.models import Occupancy, Reservation, ReservationTransition
from config.kernel import invariants
from config.nation.bulk import built_afterwards
from config.nation.shape import source
from instruments.models import CatalogueEntry, Instrument, Resource, TestItem
from tests import databases

NAME = f"jishi_country{os.environ.get('PYTEST_XDIST_WORKER', '')}"
WRITTEN = (Reservation, Occupancy, ReservationTransition)
INSTRUMENTS, RESERVATIONS = 60, 900


@pytest.fixture(scope="module")
def said(django_test_environment: None, django_db_blocker: Any) -> Iterator[str]:
    """What the command said while it built a small country in a database of its own."""
    with django_db_blocker.unblock():
        host = databases.own_host()
        databases.drop(host, NAME)
        databases.create(host, NAME, databases.migrated(host))
        out = StringIO()
        with databases.default_is(NAME):
            call_command("make_nation", instruments=INSTRUMENTS, reservations=RESERVATIONS, days=60, stdout=out)
        yield out.getvalue()
        databases.drop(host, NAME)


@pytest.fixture
def country(said: str, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), databases.default_is(NAME):
        yield


def guards() -> list[tuple[Any, ...]]:
    """Every index and constraint of the tables, as the database defines it."""
    tables = [model._meta.db_table for model in WRITTEN]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) UNION ALL"
            " SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) || ' ' || convalidated FROM pg_constraint"
            " WHERE conrelid::regclass::text = ANY(%s) ORDER BY 1, 2, 3",
            [tables, tables],
        )
        return list(cursor.fetchall())


def test_a_country_has_what_was_asked_for_and_every_invariant_holds(country: None) -> None:
    assert Instrument.objects.count() == INSTRUMENTS
    assert CatalogueEntry.objects.count() == INSTRUMENTS + Resource.objects.count()
    assert RESERVATIONS <= Reservation.objects.count() <= RESERVATIONS + INSTRUMENTS
    broken = {name: found.violations for name, check in invariants.registered().items() if (found := check()).violations}
    assert broken == {}


def test_a_country_has_resources_of_every_kind_and_tests_have_prices_and_instruments(country: None) -> None:
    kinds = dict(Resource.objects.values_list("kind").annotate(models.Count("id")))
    assert kinds == {"test_item": INSTRUMENTS // 5, "germplasm": INSTRUMENTS // 30, "literature": INSTRUMENTS // 50}
    assert not TestItem.objects.filter(instruments=None).exists()
    priced = CatalogueEntry.objects.filter(kind="test_item", price_from_fen__gt=0)
    assert 0 < priced.count() < kinds["test_item"]
    assert CatalogueEntry.objects.filter(kind="test_item").exclude(technique_codes=[]).count() == kinds["test_item"]


def test_the_classes_are_as_frequent_as_in_a_real_list_of_instruments(shared_data: Path) -> None:
    with (shared_data / "registries" / "jp-shared-equipment-kikidoko.csv").open(encoding="utf-8-sig", newline="") as file:
        found = Counter(row["category_general"] for row in csv.DictReader(file))
    told = source()
    counts = {code: sum(found[word] for word in words) for code, words in told["class_categories"].items()}
    total = sum(counts.values())
    assert total == 3_127
    real = {code: round(1000 * count / total) for code, count in counts.items()}
    assert told["classes"] == {code: max(3, real.get(code, 0)) for code in told["classes"]}


def test_every_phase_says_when_it_begins_and_how_long_it_took(said: str) -> None:
    for phase in ("registry", "other resources", "catalogue", "vocabulary", "reservations", "statistics", "day availability"):
        assert said.index(f"{phase} ...") < said.index(f"{phase}: ")


def test_what_is_built_afterwards_is_as_the_migrations_made_it(country: None, django_db_blocker: Any) -> None:
    loaded = guards()
    with databases.default_is(databases.migrated(databases.own_host())):
        assert loaded == guards()


def test_a_row_that_breaks_a_foreign_key_is_refused_at_the_end_and_nothing_of_the_load_stays(country: None) -> None:
    before, count = guards(), Reservation.objects.count()
    with pytest.raises(IntegrityError), built_afterwards(*WRITTEN):
        Reservation.objects.filter(pk=Reservation.objects.order_by("pk")[0].pk).update(instrument_id=999_999)
    assert (guards(), Reservation.objects.count()) == (before, count)
    assert not Reservation.objects.filter(instrument_id=999_999).exists()


def test_what_overlaps_is_refused_while_the_rest_waits(country: None) -> None:
    taken = Occupancy.objects.filter(blocking=True).order_by("pk")[0]
    with pytest.raises(IntegrityError, match="occupancy_no_overlap"), built_afterwards(*WRITTEN):
        Occupancy.objects.create(calendar_id=taken.calendar_id, during=taken.during, source="maintenance")


def test_a_second_country_is_refused_where_there_is_one(country: None) -> None:
    with pytest.raises(CommandError, match="not empty"):
        call_command("make_nation", instruments=10, reservations=10)
