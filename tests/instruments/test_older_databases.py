"""A database that an older version made, with rows in it, comes to the present schema, and its rows say the same in the new places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from instruments.models import CatalogueEntry, FormerCalendar, OrganisationIdentifier
from tests import databases
from tests.conftest import NOW

OLDER = "jishi_older_version"
BEFORE = ("instruments", "0090_former_identifiers")


def migrate(older: bool) -> Any:
    """To before former calendars were kept, without whatever builds on them, or to the newest; gives the models of that state."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    wanted = graph.leaf_nodes()
    if older:
        later = {key for key in graph.nodes if key != BEFORE and BEFORE in graph.forwards_plan(key)}
        ends = {key for key in graph.nodes if key not in later}
        wanted = [key for key in ends if not ({child.key for child in graph.node_map[key].children} - later)]
    executor.migrate(wanted)
    return executor.loader.project_state(wanted).apps


@pytest.fixture
def older_database(django_test_environment: None, django_db_blocker: Any) -> Iterator[Any]:
    """The models of the older version, in an empty database of it."""
    with django_db_blocker.unblock():
        host = databases.own_host()
        databases.drop(host, OLDER)
        databases.create(host, OLDER)
        try:
            with databases.default_is(OLDER):
                yield migrate(older=True)
        finally:
            databases.drop(host, OLDER)


@pytest.mark.proof
def test_calendars_that_were_left_and_classes_are_filled_in_from_what_an_older_version_kept(older_database: Any) -> None:
    of = older_database.get_model
    lab = of("instruments", "Organisation").objects.create(
        kind="owner", name="Kunlun Institute", name_key="kunlun", status="verified", verified_at=NOW, created_at=NOW
    )
    other = of("instruments", "Organisation").objects.create(
        kind="owner", name="Salt Lake", name_key="salt lake", status="verified", verified_at=NOW, created_at=NOW
    )
    of("instruments", "OrganisationIdentifier").objects.create(organisation=lab, scheme="uscc", value="OLD-1")
    site = of("instruments", "Site").objects.create(organisation=lab, name="Xining", time_zone="Asia/Shanghai")
    own, shared, nobodys = (
        of("schedule", "Calendar").objects.create(name=name, slug=name) for name in ("own", "shared", "nobodys")
    )
    codes = {"Diffractometer": "010301", "Spectrometer": "010300", "Furnace": "12", "Thing": ""}
    things = {
        name: of("instruments", "Instrument").objects.create(
            organisation=lab, site=site, calendar=shared, name=name, class_code=code, created_at=NOW, updated_at=NOW
        )
        for name, code in codes.items()
    }
    for thing in things.values():
        facets = sorted({"k:instrument", *([f"c:{thing.class_code[:2]}"] if thing.class_code else [])})
        of("instruments", "CatalogueEntry").objects.create(
            kind="instrument", instrument=thing, organisation=lab, calendar=shared, name=thing.name, class_code=thing.class_code,
            facets=facets, public=True, updated_at=NOW,
        )  # fmt: skip
    moved = things["Diffractometer"]
    for action, left, thing in (
        ("instrument.share_calendar", own.pk, moved.pk),
        ("instrument.part_calendar", shared.pk, moved.pk),
        ("instrument.update", own.pk, moved.pk),
        ("instrument.share_calendar", 10**9, moved.pk),  # a calendar that is no more
        ("instrument.share_calendar", own.pk, 10**9),  # an instrument that is no more
    ):
        of("kernel", "AuditEntry").objects.create(
            at=NOW, action=action, object_type="instruments.instrument", object_id=str(thing),
            before={"calendar": left}, after={"calendar": nobodys.pk},
        )  # fmt: skip

    migrate(older=False)

    kept = FormerCalendar.objects.order_by("pk").values_list("instrument_id", "calendar_id", "left_at")
    assert list(kept) == [(moved.pk, own.pk, NOW), (moved.pk, shared.pk, NOW)]
    found = dict(CatalogueEntry.objects.values_list("name", "facets"))
    assert found == {
        "Diffractometer": ["c:01", "c:0103", "c:010301", "k:instrument"],
        "Spectrometer": ["c:01", "c:0103", "k:instrument"],
        "Furnace": ["c:12", "k:instrument"],
        "Thing": ["k:instrument"],
    }
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        FormerCalendar.objects.all().delete()
    assert OrganisationIdentifier.objects.filter(organisation=lab.pk).count() == 1
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="is not held by"), transaction.atomic():
        cursor.execute(
            "INSERT INTO instruments_formeridentifier (organisation_id, scheme, value, left_at) VALUES (%s, 'uscc', 'OLD-1', %s)",
            [other.pk, NOW],
        )
