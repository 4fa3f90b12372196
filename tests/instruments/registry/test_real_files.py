"""The two real registries of the shared data folder, as people would import them. Times are printed, not asserted."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from time import perf_counter

import pytest
from django.conf import settings

from instruments.models import Instrument, Organisation, Site
from instruments.rules.registry_map import builtin_map, parse_map
from instruments.services.registry_import import ImportReport, ImportRequest, import_registry
from tests.instruments.registry.conftest import OPERATOR, make_owner

pytestmark = pytest.mark.django_db


def timed(name: str, request: ImportRequest, now: datetime) -> ImportReport:
    started = perf_counter()
    report = import_registry(OPERATOR, request, now)
    print(f"{name}: {len(report.rows)} rows in {perf_counter() - started:.1f} s")
    return report


def test_the_st_andrews_list_is_taken_in_whole_and_only_once(shared_data: Path, now: datetime) -> None:
    owner = make_owner("University of St Andrews", now)
    content = (shared_data / "registries" / "uk-st-andrews-equipment.uniquip.csv").read_bytes()
    request = ImportRequest(content, "uniquip.csv", builtin_map("uniquip"), owner_id=owner.pk)
    report = timed("St Andrews", request, now)
    assert (report.encoding, report.sureness, report.odd_bytes) == ("mac_roman", "guess", 10)
    assert report.counts == {"created": 623, "updated": 0, "unchanged": 0, "repeated": 0, "refused": 0}
    assert Instrument.objects.filter(organisation=owner).count() == 623
    assert set(Site.objects.filter(organisation=owner).values_list("time_zone", flat=True)) == {"Europe/London"}
    assert Instrument.objects.filter(contact_email="gsd@st-andrews.ac.uk").count() == 10
    assert Instrument.objects.filter(organisation=owner, import_key__endswith=":2").count() == 26
    before = list(Instrument.objects.order_by("pk").values_list("pk", "updated_at"))
    again = timed("St Andrews again", request, now)
    assert again.counts["unchanged"] == 623
    assert list(Instrument.objects.order_by("pk").values_list("pk", "updated_at")) == before


def test_the_japanese_list_is_taken_in_with_the_fate_of_every_repeated_number(shared_data: Path, now: datetime) -> None:
    content = (shared_data / "registries" / "jp-shared-equipment-kikidoko.csv").read_bytes()
    document = json.loads((settings.BASE_DIR / "docs" / "import-maps" / "jp-kikidoko.json").read_text())
    request = ImportRequest(content, "kikidoko.csv", parse_map(document))
    report = timed("Japan", request, now)
    assert report.counts == {"created": 10_085, "updated": 0, "unchanged": 0, "repeated": 513, "refused": 0}
    repeated = [row for row in report.rows if row.fate == "repeated"]
    assert all(row.reasons[0].params["counting_line"] < row.line and row.instrument_id for row in repeated)
    assert {row.reasons[0].code for row in repeated} == {"import.repeated_same", "import.repeated_differs"}
    assert sum(1 for row in report.rows if row.notes) == 5
    owners = Organisation.objects.filter(kind="owner", identifiers=None)
    assert (len(report.organisations_created), owners.count()) == (81, 81)
    again = timed("Japan again", request, now)
    assert again.counts["unchanged"] == 10_085
    assert Instrument.objects.count() == 10_085
