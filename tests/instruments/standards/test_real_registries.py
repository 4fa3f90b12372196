"""The real registries, taken in and handed out again: every record valid by the schemas of their makers, every sheet the same records."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from jsonschema import Draft7Validator
from lxml import etree

from instruments.models import Instrument, Organisation
from instruments.queries.national import national_workbook
from instruments.queries.public_records import open_data_stream
from instruments.rules.registry_map import builtin_map, parse_map
from instruments.services.registry_import import ImportRequest, import_registry
from tests.instruments.registry.conftest import OPERATOR, make_owner
from tests.instruments.standards.test_national import everything, take_sheet
from tests.instruments.standards.test_public_formats import schema

pytestmark = pytest.mark.django_db
EMSL, PNNL, JAPAN = "us-emsl-instruments.csv", "us-pnnl-dms-instruments.csv", "jp-shared-equipment-kikidoko.csv"
MAPS = {EMSL: "us-emsl.json", PNNL: "us-pnnl.json", JAPAN: "jp-kikidoko.json"}
ST_ANDREWS = "uk-st-andrews-equipment.uniquip.csv"


def taken_in(folder: Path, name: str, now: datetime) -> None:
    content = (folder / "registries" / name).read_bytes()
    if name == ST_ANDREWS:
        owner = make_owner("University of St Andrews", now)
        request = ImportRequest(content, name, builtin_map("uniquip"), owner_id=owner.pk, zone_name="Europe/London")
    else:
        document = json.loads((settings.BASE_DIR / "docs" / "import-maps" / MAPS[name]).read_text(encoding="utf-8"))
        request = ImportRequest(content, name, parse_map(document))
    assert import_registry(OPERATOR, request, now).written


@pytest.mark.parametrize("name", [EMSL, *(pytest.param(one, marks=pytest.mark.proof) for one in (PNNL, ST_ANDREWS, JAPAN))])
def test_every_record_of_a_real_registry_is_valid_and_its_sheet_makes_the_same_records(
    shared_data: Path, now: datetime, name: str
) -> None:
    taken_in(shared_data, name, now)
    published = set(Instrument.objects.filter(published=True).values_list("pk", flat=True))
    standards = shared_data / "standards"
    for layout, path in (("pidinst.xml", "pidinst-schema-1_0.xsd"), ("datacite.xml", "datacite-kernel-4.6/metadata.xsd")):
        records, valid = list(etree.fromstring(_all(layout, now))), schema(standards / path)
        assert len(records) == len(published)
        for record in records:
            valid.assertValid(etree.ElementTree(record))
    validator = Draft7Validator(json.loads((standards / "pidinst-schema-1_0.schema.json").read_text()))
    assert not [error for one in json.loads(_all("pidinst.json", now)) for error in validator.iter_errors(one)]
    for layout in ("csv", "uniquip.csv"):
        assert len(list(csv.DictReader(io.StringIO(_all(layout, now).decode("utf-8-sig"))))) == len(published)
    owners = Instrument.objects.order_by().values_list("organisation", flat=True)
    for owner, count in Counter(owners).most_common(5):
        _there_and_back(Organisation.objects.get(pk=owner), count, now)


def _all(layout: str, now: datetime) -> bytes:
    return b"".join(open_data_stream(layout, now))


def _there_and_back(owner: Organisation, count: int, now: datetime) -> None:
    """The owner's national sheet changes nothing here and makes the same records elsewhere."""
    sheet = national_workbook(OPERATOR, owner.pk, now)
    here = take_sheet(sheet, owner.pk, now)
    assert (here.counts["unchanged"], len(here.rows)) == (count, count), [row for row in here.rows if row.fate != "unchanged"][:3]
    elsewhere = make_owner(f"Another {owner.pk}", now)
    assert take_sheet(sheet, elsewhere.pk, now).counts["created"] == count
    assert _sorted(everything(elsewhere)) == _sorted(everything(owner))


def _sorted(records: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(one, default=str, sort_keys=True, ensure_ascii=False) for one in records)
