"""The open data of every kind of resource: all that is published, nobody's name, and a catalogue that describes it."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.pricing.models import TestItemPrice
from instruments.models import (
    DataSet,
    FacilityRecord,
    Germplasm,
    Instrument,
    Literature,
    Organisation,
    Qualification,
    Resource,
    Site,
    TestItem,
)
from instruments.queries.open_data import KINDS, open_sets
from instruments.queries.public_records import BULK_LAYOUTS

pytestmark = pytest.mark.django_db
PERSON = "Zhang San"


def made(cast: Any, kind: str, **fields: Any) -> Resource:
    given = {"name": f"A {kind}", "published": True, "contact_name": PERSON, "contact_email": "z@example.org"} | fields
    return Resource.objects.create(kind=kind, organisation=cast.lab, created_at=cast.now, updated_at=cast.now, **given)


def instrument_of(cast: Any, status: str) -> dict[str, Any]:
    owner = Organisation.objects.create(kind="owner", name="Elsewhere", status=status, verified_at=cast.now, created_at=cast.now)
    site = Site.objects.create(organisation=owner, name="There", time_zone="Asia/Shanghai")
    times = {"created_at": cast.now, "updated_at": cast.now}
    return {"organisation": owner, "site": site, "calendar_id": cast.xrd.calendar_id, "name": "SEM", "published": True, **times}


@pytest.fixture
def shared(cast: Any) -> dict[str, Resource]:
    item = made(cast, "test_item", keywords=["brine", "salt"], inner_id="=1+1", attributes={"Responsible": PERSON})
    part = TestItem.objects.create(resource=item, method="ICP", analytes=[{"name": "Li", "limit": "0.01", "unit": "mg/L"}])
    part.instruments.add(cast.xrd)
    Qualification.objects.create(test_item=part, scheme="CMA", valid_to=date(2030, 1, 1))
    data = made(cast, "dataset", licence="CC0")
    DataSet.objects.create(resource=data, creators=[PERSON], media_types=["text/csv"], issued_on=date(2026, 1, 2))
    work = made(cast, "literature")
    Literature.objects.create(resource=work, creators=[PERSON], publisher="A House", issued="2025")
    seed = made(cast, "germplasm")
    Germplasm.objects.create(
        resource=seed, standard="mcpd", genus="Triticum", descriptors={"ACCENUMB": "Q-7", "COLLNAME": PERSON, "DONORNAME": PERSON}
    )
    draft = made(cast, "dataset", name="A draft", published=False)
    DataSet.objects.create(resource=draft)
    return {"test-items": item, "datasets": data, "literature": work, "germplasm": seed}


def taken(client: Any, name: str, layout: str) -> bytes:
    answer = client.get(reverse("api_open_resources", args=[name, layout]))
    assert answer["Link"].endswith('rel="license"')
    return b"".join(answer.streaming_content)


def test_every_kind_comes_as_a_table_and_as_json_without_anybodys_name(
    cast: Any, client: Any, shared: dict[str, Resource]
) -> None:
    for name, resource in shared.items():
        table = taken(client, name, "csv").decode("utf-8-sig")
        document = json.loads(taken(client, name, "json"))
        assert PERSON not in table and PERSON not in json.dumps(document) and "z@example.org" not in table
        assert document["licence"]["id"] == "CC-BY-4.0"
        (record,) = document[name]
        (row,) = csv.DictReader(io.StringIO(table))
        assert list(row) == list(record)
        assert (record["id"], row["name"], row["licence"]) == (resource.pk, resource.name, "CC-BY-4.0")
    item = json.loads(taken(client, "test-items", "json"))["test-items"][0]
    assert item["analytes"] == [{"name": "Li", "limit": "0.01", "unit": "mg/L"}]
    assert item["instruments"] == [f"http://127.0.0.1:8000/instruments/{cast.xrd.pk}/"]
    (row,) = csv.DictReader(io.StringIO(taken(client, "test-items", "csv").decode("utf-8-sig")))
    assert (row["analytes"], row["inner_id"], row["keywords"]) == ("Li; 0.01; mg/L", "'=1+1", "brine|salt")
    assert row["qualifications"].startswith("CMA") and row["price_yuan"] == ""
    assert json.loads(taken(client, "germplasm", "json"))["germplasm"][0]["descriptors"] == {"ACCENUMB": "Q-7"}
    data = DataSet.objects.get(resource=shared["datasets"])
    data.instruments.add(cast.xrd, Instrument.objects.create(**instrument_of(cast, "suspended")))
    (described,) = json.loads(taken(client, "datasets", "json"))["datasets"]
    assert described["instruments"] == item["instruments"]  # nobody sees those of a suspended owner
    for wrong in ("/api/v1/open-data/persons.csv", "/api/v1/open-data/datasets.exe"):
        assert client.get(wrong).status_code == 404
    assert not TestItemPrice.objects.exists()


def test_what_changed_before_eight_in_the_morning_changed_on_that_day_here(
    cast: Any, client: Any, shared: dict[str, Resource]
) -> None:
    early = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # 07:30 on the 23rd
    Resource.objects.update(updated_at=early)
    Instrument.objects.update(updated_at=early)
    assert {one.modified for one in open_sets()} == {"2026-11-23"}
    record = client.get(f"/instruments/{cast.xrd.pk}/export/datacite.xml").content.decode()
    assert 'dateType="Updated">2026-11-23<' in record
    resource = shared["datasets"]
    described = client.get(f"/api/v1/resources/{resource.pk}/export/dcat/").content.decode()
    assert "2026-11-23" in described and "2026-11-22" not in described


def test_a_file_takes_a_constant_number_of_queries(cast: Any, client: Any, shared: dict[str, Resource]) -> None:
    taken(client, "test-items", "csv")
    counts = []
    for _more in range(2):
        with CaptureQueriesContext(
            connection,
        ) as found:
            taken(client, "test-items", "csv")
        counts.append(len(found))
        for _number in range(3):
            TestItem.objects.create(resource=made(cast, "test_item"))
    assert counts[0] == counts[1]


def test_an_owner_takes_what_it_shares_alone(cast: Any, client: Any, shared: dict[str, Resource]) -> None:
    other = Instrument.objects.create(**instrument_of(cast, "verified") | {"inner_id": "E-1"})
    mine = f"?owner={cast.lab.pk}"
    for layout in BULK_LAYOUTS:
        path = reverse("api_open_data", args=[layout])
        everything, own = (b"".join(client.get(path + tail).streaming_content).decode() for tail in ("", mine))
        assert f"/instruments/{other.pk}/" in everything and f"/instruments/{other.pk}/" not in own
        assert f"/instruments/{cast.xrd.pk}/" in own
    for name in shared:
        path = reverse("api_open_resources", args=[name, "json"])
        assert len(json.loads(b"".join(client.get(path + mine).streaming_content))[name]) == 1
        assert json.loads(b"".join(client.get(f"{path}?owner={other.organisation_id}").streaming_content))[name] == []
    page = client.get(reverse("open_data") + mine, headers={"Accept-Language": "en"}).content.decode()
    assert f"Only what {cast.lab.name} shares." in page and f"/api/v1/open-data/instruments.csv{mine}" in page
    assert f'href="/open-data/{mine}"' in client.get(f"/organisations/{cast.lab.pk}/").content.decode()
    for unread in ("x", "1" * 30):
        assert client.get(f"{reverse('open_data')}?owner={unread}").status_code == 404
    for hidden in (cast.firm.pk, 10**12):
        assert client.get(f"{reverse('open_data')}?owner={hidden}").status_code == 404
        assert client.get(f"{reverse('api_open_data', args=['csv'])}?owner={hidden}").status_code == 404
    assert client.get(f"{reverse('api_open_data', args=['csv'])}?owner=x").status_code == 400


def test_the_catalogue_names_every_set_with_its_files_and_licence(cast: Any, client: Any, shared: dict[str, Resource]) -> None:
    FacilityRecord.objects.create(instrument=cast.xrd)
    instruments = b"".join(client.get(reverse("api_open_data", args=["csv"])).streaming_content).decode("utf-8-sig")
    assert next(csv.DictReader(io.StringIO(instruments)))["kind"] == "facility"
    catalogue = json.loads(client.get(reverse("api_open_catalogue")).content)
    assert catalogue["@type"] == "dcat:Catalog"
    sets = {one["dct:identifier"]: one for one in catalogue["dcat:dataset"]}
    assert set(sets) == {"instruments", *KINDS}
    for one in sets.values():
        assert {each["@language"] for each in one["dct:title"]} == {"en", "zh"}
        assert one["dct:license"]["@id"].startswith("https://creativecommons.org/")
        for each in one["dcat:distribution"]:
            assert client.get(each["dcat:downloadURL"]["@id"].removeprefix("http://127.0.0.1:8000")).status_code == 200
    assert {one.code: one.count for one in open_sets()} == {"instruments": 1, **dict.fromkeys(KINDS, 1)}
    page = client.get(reverse("open_data")).content.decode()
    (script,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    described = json.loads(script)
    assert (described["@type"], len(described["dataset"])) == ("DataCatalog", len(sets))
    assert all(each["contentUrl"] in page for one in described["dataset"] for each in one["distribution"])
