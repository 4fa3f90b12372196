"""The real files of the shared data folder, as owners would import them: a Chinese price list, and two lists of germplasm."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

import pytest
from django.utils import translation

from billing.pricing.models import TestItemPrice
from instruments.models import CatalogueEntry, Germplasm, Organisation, Resource, TestItem
from instruments.queries.resources import germplasm_of
from instruments.services.germplasm_import import import_germplasm
from instruments.services.price_list import price_list
from instruments.services.registry_report import as_csv
from instruments.services.resource_exports import mcpd_csv
from instruments.services.test_item_import import import_test_items
from tests.instruments.resources.conftest import OPERATOR, taken_in

pytestmark = pytest.mark.django_db
PRICES = "prices/cn-yrd-materials-test-prices.csv"
BARLEY = "germplasm/mcpd-v2.1-germinate-example.csv"
NOTES = ("import.price_on_request", "import.price_zero", "import.number_repeated")
WHEAT = "germplasm/icarda-figs-wheat-accessions.csv"


def test_the_price_list_becomes_test_items_with_prices_and_only_once(
    shared_data: Path, owner: Organisation, now: datetime
) -> None:
    content = (shared_data / PRICES).read_bytes()
    started = perf_counter()
    first = taken_in(import_test_items, content, owner, now)
    print(f"prices: {len(first.rows)} rows in {perf_counter() - started:.1f} s")

    assert len(first.rows) == 792
    assert first.counts == {"created": 785, "updated": 0, "unchanged": 0, "repeated": 4, "refused": 0, "skipped": 3}
    assert TestItem.objects.count() == CatalogueEntry.objects.filter(kind="test_item", public=True).count() == 785
    repeated = [row for row in first.rows if row.fate == "repeated"]
    assert sorted(row.inner_id for row in repeated) == ["LDD13", "LHH07", "LPC27", "LRA05"]
    assert all(row.resource_id for row in repeated)
    assert as_csv(first).count("\n") >= 793
    told = {code: [row for row in first.rows if code in {note.code for note in row.notes}] for code in NOTES}
    on_request = told["import.price_on_request"] + told["import.price_zero"]
    assert told["import.number_repeated"] and told["import.price_zero"]
    assert TestItemPrice.objects.count() == 785 - sum(row.fate == "created" for row in on_request) == 785 - 70
    # The same test stands twice at two prices: both are kept.
    twice = Resource.objects.filter(inner_id="LHH06").values_list("test_item__price_versions__amount_fen", flat=True)
    assert sorted(twice) == [30_000, 60_000]
    tensile = Resource.objects.get(inner_id="LMT01")
    assert (tensile.test_item.condition, tensile.test_item.group, tensile.attributes) == (
        "金属抗拉强度/断后伸长率",
        "mechanics",
        {"department_id": "3"},
    )
    assert CatalogueEntry.objects.get(resource=tensile).price_from_fen == 10_000
    assert not Resource.objects.filter(name__contains="\n").exists()

    later = now + timedelta(days=1)
    rows = list(Resource.objects.filter(organisation=owner).select_related("test_item").order_by("pk"))
    for language in ("en", "zh-hans"):
        with translation.override(language):
            listed = price_list(rows, later.date())
        assert taken_in(import_test_items, listed, owner, later).counts["unchanged"] == 785
    second = taken_in(import_test_items, content, owner, later)
    assert second.counts == {"created": 0, "updated": 0, "unchanged": 785, "repeated": 4, "refused": 0, "skipped": 3}
    assert TestItemPrice.objects.count() == 715 and not Resource.objects.filter(updated_at=later).exists()


def test_the_barley_list_comes_out_cell_by_cell_as_it_went_in(shared_data: Path, owner: Organisation, now: datetime) -> None:
    content = (shared_data / BARLEY).read_bytes()
    started = perf_counter()
    first = taken_in(import_germplasm, content, owner, now)
    print(f"barley: {len(first.rows)} rows in {perf_counter() - started:.1f} s")
    assert first.counts == {"created": 2010, "updated": 0, "unchanged": 0, "repeated": 0, "refused": 0}

    [guwahati] = Germplasm.objects.filter(descriptors__COLLSITE="Guwahati")
    assert (str(guwahati.latitude), str(guwahati.longitude), guwahati.origin_country) == ("26.183333", "91.733333", "IND")

    went_in = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    came_out = list(csv.DictReader(io.StringIO(mcpd_csv(germplasm_of(OPERATOR, owner.pk)))))
    assert came_out[0].keys() == went_in[0].keys()
    by_number = {row["ACCENUMB"]: row for row in came_out}
    assert [by_number[row["ACCENUMB"]] for row in went_in] == went_in

    again = taken_in(import_germplasm, content, owner, now)
    assert again.counts == {"created": 0, "updated": 0, "unchanged": 2010, "repeated": 0, "refused": 0}
    # What came out is taken in again without any change.
    exported = mcpd_csv(germplasm_of(OPERATOR, owner.pk))
    assert taken_in(import_germplasm, exported, owner, now).counts["unchanged"] == 2010


def test_the_wheat_list_is_mapped_to_the_standard_and_keeps_its_own_columns(
    shared_data: Path, owner: Organisation, now: datetime
) -> None:
    content = (shared_data / WHEAT).read_bytes()
    constants = {"GENUS": "Triticum", "CROPNAME": "Wheat"}
    first = taken_in(import_germplasm, content, owner, now, constants=constants)
    assert first.counts == {"created": 201, "updated": 0, "unchanged": 0, "repeated": 0, "refused": 0}
    assert first.columns_not_read == ("SiteCode", "PopulationType")

    came_out = {row["ACCENUMB"]: row for row in csv.DictReader(io.StringIO(mcpd_csv(germplasm_of(OPERATOR, owner.pk))))}
    names = {
        "IG": "ACCENUMB",
        "Country": "ORIGCTY",
        "Longitude": "DECLONGITUDE",
        "Latitude": "DECLATITUDE",
        "Altitude": "ELEVATION",
    }
    for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"))):
        out = came_out[row["IG"]]
        assert {header: out[names.get(header, header)] for header in row} == row
        assert out["GENUS"] == "Triticum"
    assert taken_in(import_germplasm, content, owner, now, constants=constants).counts["unchanged"] == 201
    assert Resource.objects.filter(name="Wheat 138942").exists()
