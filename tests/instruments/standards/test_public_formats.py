"""Public formats: valid against the schemas of those who made them, complete, in order, and without personal data."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft7Validator
from lxml import etree
from pyld import jsonld

from config.kernel.access import NOBODY, Actor
from config.kernel.errors import Forbidden, NotFound
from instruments.models import FacilityRecord, Instrument
from instruments.queries import public_records
from instruments.queries.public_records import BULK_LAYOUTS, PUBLIC_LAYOUTS, export_one, open_data_stream
from instruments.rules.registry_map import builtin_map
from instruments.rules.standards.schema_org import script_text
from instruments.services.registry_import import ImportRequest, import_registry
from tests.instruments.registry.conftest import OPERATOR, make_owner

pytestmark = pytest.mark.django_db
PERSONAL = ("Wang Min", "0971-5512345", "lab@example.org", "810000")


def export(known: Instrument, layout: str, now: datetime, actor: Actor = NOBODY) -> bytes:
    return export_one(actor, known.pk, layout, now).content


def bulk(layout: str, now: datetime) -> bytes:
    return b"".join(open_data_stream(layout, now))


def schema(path: Path) -> Any:
    return etree.XMLSchema(etree.parse(path))


@pytest.fixture
def bare(known: Instrument, cast: Any) -> Instrument:
    """An instrument about which only the name is known."""
    return Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=known.calendar_id, name="Bare </script> & <b>",
        created_at=cast.now, updated_at=cast.now,
    )  # fmt: skip


@pytest.mark.parametrize("doi", ["10.1234/abc", "https://doi.org/10.1234/abc", ""])
def test_pidinst_is_valid_as_json_and_as_xml(
    known: Instrument, bare: Instrument, shared_data: Path, now: datetime, doi: str
) -> None:
    Instrument.objects.filter(pk=known.pk).update(doi=doi)
    xsd = schema(shared_data / "standards" / "pidinst-schema-1_0.xsd")
    validator = Draft7Validator(json.loads((shared_data / "standards" / "pidinst-schema-1_0.schema.json").read_text()))
    for one in (known, bare):
        xsd.assertValid(etree.fromstring(export(one, "pidinst.xml", now)))
        validator.validate(json.loads(export(one, "pidinst.json", now)))
    record = json.loads(export(known, "pidinst.json", now))
    assert record["identifier"]["identifier"] == ("10.1234/abc" if doi else f"http://127.0.0.1:8000/instruments/{known.pk}/")
    assert record["dates"] == [{"date": "2019-05-07", "dateType": "Commissioned"}]
    assert json.loads(export(bare, "pidinst.json", now))["manufacturers"] == [{"manufacturerName": ":unav"}]


def test_the_schemas_of_the_tests_refuse_what_is_wrong(known: Instrument, shared_data: Path, now: datetime) -> None:
    """Negative control: a record with a field taken away is noticed."""
    for layout, path, gone in (
        ("pidinst.xml", "pidinst-schema-1_0.xsd", "owners"),
        ("datacite.xml", "datacite-kernel-4.6/metadata.xsd", "{http://datacite.org/schema/kernel-4}creators"),
    ):
        root = etree.fromstring(export(known, layout, now))
        root.remove(root.find(gone))
        assert not schema(shared_data / "standards" / path).validate(root)


def test_datacite_is_valid(known: Instrument, bare: Instrument, cast: Any, shared_data: Path, now: datetime) -> None:
    cast.lab.identifiers.create(scheme="ror", value="02aj13c28")
    xsd = schema(shared_data / "standards" / "datacite-kernel-4.6" / "metadata.xsd")
    for one in (known, bare):
        xsd.assertValid(etree.fromstring(export(one, "datacite.xml", now)))
    text = export(known, "datacite.xml", now).decode()
    assert "<publicationYear>2019</publicationYear>" in text
    assert "02aj13c28" in text
    assert "http://purl.org/pan-science/PaNET/PaNET01216" in text


def test_files_of_everything_are_valid_in_order_and_have_one_record_each(
    known: Instrument, bare: Instrument, cast: Any, shared_data: Path, now: datetime
) -> None:
    Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=known.calendar_id, name="Draft", published=False,
        created_at=cast.now, updated_at=cast.now,
    )  # fmt: skip
    numbers = [known.pk, bare.pk]
    assert [row["id"] for row in csv.DictReader(io.StringIO(bulk("csv", now).decode("utf-8-sig")))] == [str(n) for n in numbers]
    document = json.loads(bulk("json", now))
    assert [row["id"] for row in document["instruments"]] == numbers
    assert document["licence"]["id"] == "CC-BY-4.0"
    assert len(json.loads(bulk("pidinst.json", now))) == 2
    assert [one["@type"] for one in json.loads(bulk("schema.jsonld", now))] == ["Product", "Product"]
    for layout, path in (("pidinst.xml", "pidinst-schema-1_0.xsd"), ("datacite.xml", "datacite-kernel-4.6/metadata.xsd")):
        records = list(etree.fromstring(bulk(layout, now)))
        assert len(records) == 2
        for record in records:
            schema(shared_data / "standards" / path).assertValid(etree.ElementTree(record))
    assert bulk("csv", now) == bulk("csv", now)
    with pytest.raises(NotFound):
        open_data_stream("exe", now)


def test_no_format_names_a_contact_person(known: Instrument, now: datetime) -> None:
    files = [export(known, layout, now) for layout in PUBLIC_LAYOUTS] + [bulk(layout, now) for layout in BULK_LAYOUTS]
    for content in files:
        assert not [word for word in PERSONAL if word in content.decode()]
    assert b"Bruker" in files[0]


def test_the_open_data_make_the_same_public_record_elsewhere(known: Instrument, now: datetime) -> None:
    owner = make_owner("Another Institute", now)
    content = export(known, "record.csv", now)
    report = import_registry(OPERATOR, ImportRequest(content, "record.csv", builtin_map("csv"), owner.pk), now)
    assert report.counts["created"] == 1, report.rows
    made = Instrument.objects.select_related("site").get(organisation=owner)
    before, after = (json.loads(export(one, "record.json", now))["instrument"] for one in (known, made))
    own = {"id", "own_number", "url", "owner", "owner_en", "updated_at", "latitude", "longitude", "bookable"}
    assert {key: value for key, value in after.items() if key not in own} == {
        key: value for key, value in before.items() if key not in own
    }
    again = import_registry(OPERATOR, ImportRequest(content, "record.csv", builtin_map("csv"), owner.pk), now)
    assert again.counts["unchanged"] == 1


def test_a_uniquip_list_is_taken_in_again_by_name_number_and_technique(known: Instrument, now: datetime) -> None:
    owner = make_owner("Another Institute", now)
    request = ImportRequest(bulk("uniquip.csv", now), "uniquip.csv", builtin_map("uniquip"), owner.pk)
    assert import_registry(OPERATOR, request, now).counts["created"] == 1
    made = Instrument.objects.get(organisation=owner)
    assert (made.name, made.inner_id, made.technique) == (known.name, known.inner_id, known.technique)
    assert made.description == known.description
    assert import_registry(OPERATOR, request, now).counts["unchanged"] == 1


KEPT = {
    "Type": "facility",
    "Related Facility ID": "F-7",
    "Location": "https://example.org/hall",
    "Secondary Contact Name": "Second Person",
    "Secondary Contact URL": "https://example.org/second",
    "Photo": "https://example.org/photo.jpg",
    "Service Level": "Supported",
}


def test_what_no_field_takes_of_a_uniquip_list_is_kept_and_comes_out_again_but_for_people(now: datetime) -> None:
    owner = make_owner("Another Institute", now)
    row = {"Name": "Balance", "ID": "B-1", **KEPT}
    content = "\n".join([",".join(row), ",".join(row.values())]).encode()
    request = ImportRequest(content, "uniquip.csv", builtin_map("uniquip"), owner.pk, constants={"published": "true"})
    first = import_registry(OPERATOR, request, now)
    assert (first.counts["created"], first.columns_not_read) == (1, ())
    made = Instrument.objects.get(organisation=owner)
    assert made.attributes == KEPT
    assert import_registry(OPERATOR, request, now).counts["unchanged"] == 1

    listed = bulk("uniquip.csv", now)
    assert b"Second Person" not in listed
    (out,) = csv.DictReader(io.StringIO(listed.decode("utf-8-sig")))
    assert {name: out[name] for name in KEPT} == {**KEPT, "Secondary Contact Name": ""}
    elsewhere = make_owner("Yet Another Institute", now)
    again = ImportRequest(listed, "uniquip.csv", builtin_map("uniquip"), elsewhere.pk)
    assert import_registry(OPERATOR, again, now).counts["created"] == 1
    public = {name: text for name, text in KEPT.items() if name != "Secondary Contact Name"}
    assert Instrument.objects.get(organisation=elsewhere).attributes == public

    changed = content.replace(b"Supported", b"Unsupported")
    report = import_registry(OPERATOR, replace(request, content=changed), now)
    assert report.counts["updated"] == 1
    made.refresh_from_db()
    assert made.attributes == {**KEPT, "Service Level": "Unsupported"}


def test_what_is_kept_is_mended_as_every_cell_is(now: datetime) -> None:
    owner = make_owner("Another Institute", now)
    content = "Name,Location,Service Level\nBalance,Hall\x07 7\u200b,'=1+1\n".encode()
    report = import_registry(OPERATOR, ImportRequest(content, "uniquip.csv", builtin_map("uniquip"), owner.pk), now)
    assert report.counts["created"] == 1, report.rows
    assert Instrument.objects.get(organisation=owner).attributes == {"Location": "Hall 7", "Service Level": "=1+1"}


def test_another_map_keeps_nothing_and_says_so(now: datetime) -> None:
    owner = make_owner("Another Institute", now)
    request = ImportRequest(b"name,colour\nBalance,red\n", "list.csv", builtin_map("csv"), owner.pk)
    report = import_registry(OPERATOR, request, now)
    assert report.columns_not_read == ("colour",)
    assert Instrument.objects.get(organisation=owner).attributes == {}


def test_the_json_ld_expands_to_a_product_on_offer(known: Instrument, bare: Instrument, now: datetime) -> None:
    def loader(url: str, options: Any) -> dict[str, Any]:
        assert url == "https://schema.org"
        return {"contextUrl": None, "documentUrl": url, "document": {"@context": {"@vocab": "https://schema.org/"}}}

    for one in (known, bare):
        document = json.loads(export(one, "schema.jsonld", now))
        (expanded,) = jsonld.expand(document, {"documentLoader": loader})
        assert expanded["@type"] == ["https://schema.org/Product"]
        assert expanded["https://schema.org/name"] == [{"@value": one.name}]
        (offer,) = expanded["https://schema.org/offers"]
        assert offer["https://schema.org/offeredBy"][0]["https://schema.org/name"] == [{"@value": "Kunlun Institute"}]


def test_the_page_carries_json_ld_that_nothing_in_it_can_end(bare: Instrument, client: Client, now: datetime) -> None:
    page = client.get(f"/instruments/{bare.pk}/").content.decode()
    start = page.index('<script type="application/ld+json">') + len('<script type="application/ld+json">')
    block = page[start : page.index("</script>", start)]
    document = json.loads(block)
    assert document["name"] == bare.name
    assert document == json.loads(export(bare, "schema.jsonld", now))
    assert "<" not in block
    assert json.loads(script_text({"x": "a\u2028</script>&"})) == {"x": "a\u2028</script>&"}


def test_the_national_record_is_for_who_manages_the_instrument(known: Instrument, cast: Any, now: datetime) -> None:
    for layout in ("national.json", "national.xlsx"):
        for who in (NOBODY, cast.actor("lin"), cast.actor("li")):
            with pytest.raises(Forbidden):
                export(known, layout, now, who)
    record = json.loads(export(known, "national.json", now, cast.actor("wang")))
    assert (record["instrument"], record["innerId"], record["worth"]) == (4, "00123", "12345.68")
    assert export(known, "national.xlsx", now, cast.actor("wang")).startswith(b"PK")
    with pytest.raises(NotFound):
        export(known, "exe", now)


def test_the_record_of_customs_supervision_says_all_that_was_recorded(
    known: Instrument, bare: Instrument, cast: Any, now: datetime
) -> None:
    with pytest.raises(Forbidden):
        export(known, "customs.json", now)
    record = json.loads(export(known, "customs.json", now, cast.actor("wang")))
    assert record.pop("insCode") == json.loads(export(known, "national.json", now, cast.actor("wang")))["insCode"]
    assert record == {
        "instrument": 5, "innerId": "00123", "declarationNumber": "010120181018123456", "itemNumber": "03",
        "declaredName": "Diffractometer", "releasedOn": "2018-03-04", "codeCpd": "Z01011800001", "numberCpd": "7",
        "contractNumber": "C-1", "importPort": "Xining", "responsibleCustoms": "Xining customs", "importDate": "2018-02-20",
        "Share": "\u662f", "feesApproved": "\u5426", "hsCode": "9022199090",
        "Record": "Moved to the south campus on 2020-05-01, told to customs",
    }  # fmt: skip
    with pytest.raises(NotFound):
        export(bare, "customs.json", now, OPERATOR)


def test_all_records_of_an_owner_come_as_messages_of_their_types(known: Instrument, cast: Any, now: datetime) -> None:
    twin = Instrument.objects.create(
        organisation=cast.lab, site=cast.site, calendar_id=known.calendar_id, name="Twin", inner_id="00124", created_at=now,
        updated_at=now,
    )  # fmt: skip
    FacilityRecord.objects.create(instrument=twin)
    with pytest.raises(Forbidden):
        public_records.national_messages(cast.actor("lin"), cast.lab.pk, now)
    messages = json.loads(b"".join(public_records.national_messages(cast.actor("wang"), cast.lab.pk, now)))
    assert [(one["instrument"], one["innerId"]) for one in messages] == [(4, "00123"), (5, "00123"), (2, "00124")]
    assert messages[0] == json.loads(export(known, "national.json", now, cast.actor("wang")))
    assert json.loads(b"".join(public_records.national_messages(OPERATOR, cast.firm.pk, now))) == []


def test_downloads_of_the_pages_and_the_api(known: Instrument, client: Client) -> None:
    answer = client.get(f"/instruments/{known.pk}/export/datacite.xml")
    assert answer["Content-Type"] == "application/xml"
    assert "attachment" in answer["Content-Disposition"]
    assert client.get(f"/instruments/{known.pk}/export/nothing").status_code == 404
    answer = client.get("/api/v1/open-data/instruments.csv")
    assert answer["Link"] == '<https://creativecommons.org/licenses/by/4.0/>; rel="license"'
    assert b"Bruker" in b"".join(answer.streaming_content)
    assert client.get("/api/v1/open-data/instruments.exe").status_code == 404
    assert client.get("/api/v1/open-data/instruments.csv?all=1").status_code == 400


def test_a_stream_holds_a_few_instruments_at_a_time(known: Instrument, now: datetime, django_assert_num_queries: Any) -> None:
    template = Instrument.objects.get(pk=known.pk)
    rows = []
    for _number in range(1200):
        template.pk, template.inner_id = None, ""
        rows.append(
            Instrument(**{f.attname: getattr(template, f.attname) for f in Instrument._meta.concrete_fields if f.name != "id"})
        )
    Instrument.objects.bulk_create(rows)
    stream = open_data_stream("csv", now)
    with django_assert_num_queries(7):  # the rows, the owners' codes of each five hundred, three code lists
        assert sum(1 for _ in stream) == 1203
