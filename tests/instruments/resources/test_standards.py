"""Standards out: JSON-LD that other programs read, XML that parses, CSV that comes in again; MCPD's partial dates and places."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from pyld import jsonld

from config.kernel.access import NOBODY
from config.kernel.errors import Refusal
from instruments.models import Instrument
from instruments.queries import resource_pages
from instruments.queries import resources as queries
from instruments.rules.standards import darwin_core, mcpd
from instruments.services import resource_exports, resources
from instruments.services.germplasm_import import import_germplasm
from tests.instruments.resources.conftest import taken_in

TODAY = date(2026, 11, 23)
DCAT, DCT = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/"


@pytest.mark.parametrize("text", ["19880214", "198802--", "1988----", "19880200", "19880000", "20000229"])
def test_a_partial_date_is_a_date(text: str) -> None:
    assert mcpd.is_partial_date(text)


@pytest.mark.parametrize(
    "text", ["1988", "1988-02", "19881301", "19880230", "1988--14", "20010229", "00000101", "１９８８0101", ""]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert not mcpd.is_partial_date(text)


@pytest.mark.parametrize(
    ("text", "name", "degrees"),
    [
        ("361230N", "LATITUDE", "36.208333"),
        ("361230S", "LATITUDE", "-36.208333"),
        ("10----S", "LATITUDE", "-10.000000"),
        ("4531--N", "LATITUDE", "45.516667"),
        ("0003830W", "LONGITUDE", "-0.641667"),
        ("261060N", "LATITUDE", "26.183333"),
        ("900000N", "LATITUDE", "90.000000"),
    ],
)
def test_degrees_minutes_and_seconds_become_decimal_degrees(text: str, name: str, degrees: str) -> None:
    found = mcpd.dms_degrees(text, name)
    assert found is not None and found.quantize(Decimal("0.000001")) == Decimal(degrees)


@pytest.mark.parametrize("text", ["900001N", "10--30N", "361261N", "366130N", "36123N", "361230E", "0361230N", "north"])
def test_what_is_no_latitude_is_refused(text: str) -> None:
    assert mcpd.dms_degrees(text, "LATITUDE") is None


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({"LATITUDE": "361230N", "DECLATITUDE": "36.2083"}, set()),
        ({"LATITUDE": "3612--N", "DECLATITUDE": "36.2083"}, set()),
        ({"LATITUDE": "361230N", "DECLATITUDE": "36.31"}, {"germplasm.coordinates_differ"}),
        ({"LATITUDE": "361230N", "DECLATITUDE": "-36.2083"}, {"germplasm.coordinates_differ"}),
        ({"DECLATITUDE": "91"}, {"germplasm.coordinate_not_understood"}),
        ({"LONGITUDE": "east"}, {"germplasm.dms_not_understood"}),
        (
            {"ORIGCTY": "China", "SAMPSTAT": "7", "STORAGE": "10;77", "COLLSRC": "20;30"},
            {"germplasm.country_invalid", "germplasm.code_unknown"},
        ),
        ({"STORAGE": "10;13", "ELEVATION": "37.9839249", "COLLDATE": "1988----"}, set()),
        ({"ELEVATION": "high", "COLLDATE": "1988"}, {"germplasm.not_a_number", "germplasm.date_not_understood"}),
        ({"NONSENSE": "x"}, {"germplasm.descriptor_unknown"}),
        ({"REMARKS": "a\x00b"}, {"name.control_character"}),
    ],
)
def test_descriptors_are_checked_one_by_one_and_against_each_other(given: dict[str, str], codes: set[str]) -> None:
    values, reasons = mcpd.clean({"ACCENUMB": "1", **given})
    assert {reason.code for reason in reasons} == codes
    if not codes:
        assert values == {"ACCENUMB": "1", **given}


@pytest.mark.parametrize(
    ("headers", "meanings"),
    [
        (("ACCENUMB", "LATITUDE"), {"ACCENUMB": "ACCENUMB", "LATITUDE": "LATITUDE"}),
        (("IG", "Latitude"), {"IG": "ACCENUMB", "Latitude": "DECLATITUDE"}),
        (("accenumb", "latitude", "declatitude"), {"accenumb": "ACCENUMB", "latitude": "LATITUDE", "declatitude": "DECLATITUDE"}),
        (("Country", "ORIGCTY"), {"ORIGCTY": "ORIGCTY"}),
    ],
)
def test_headers_of_other_hands_are_understood(headers: tuple[str, ...], meanings: dict[str, str]) -> None:
    assert mcpd.columns_of(headers) == meanings


def whole_data_set(cast: Any) -> Any:
    core = {
        "name": "Brine", "name_en": "Brine", "description": "Ten years.", "keywords": ["brine"], "licence": "CC BY 4.0",
        "access_terms": "Cite it.", "doi": "10.99999/x", "cstr": "31253.11.x", "inner_id": "D-1", "published": True,
        "contact_name": "Wang Qiang", "contact_email": "wang@example.org",
    }  # fmt: skip
    part = {
        "creators": ["Wang"], "issued_on": date(2025, 5, 1), "version": "1.0", "media_types": ["text/csv"], "size_bytes": 48_200_000,
        "temporal_from": date(2016, 1, 1), "temporal_to": date(2025, 12, 31), "spatial": "Qaidam", "instrument_ids": [cast.xrd.pk],
        "landing_page": "https://example.org/brine",
    }  # fmt: skip
    made = resources.create_resource(cast.actor("wang"), cast.lab.pk, "dataset", core, part, cast.now)
    return queries.resource_for(NOBODY, made.pk)


@pytest.mark.django_db
def test_a_data_set_is_read_as_dcat_by_another_program(cast: Any) -> None:
    content, chosen = resource_exports.export([whole_data_set(cast)], "dcat", TODAY, single=True)
    text = content.decode()
    assert chosen.media_type == "application/ld+json"
    [node] = jsonld.expand(json.loads(text))
    assert node["@type"] == [f"{DCAT}Dataset"]
    assert node[f"{DCT}title"] == [{"@value": "Brine", "@language": "zh"}, {"@value": "Brine", "@language": "en"}]
    assert node[f"{DCT}issued"][0] == {"@value": "2025-05-01", "@type": "http://www.w3.org/2001/XMLSchema#date"}
    [distribution] = node[f"{DCAT}distribution"]
    assert distribution[f"{DCAT}byteSize"][0]["@value"] == "48200000"
    assert distribution[f"{DCAT}mediaType"][0]["@id"].endswith("/text/csv")
    assert node[f"{DCT}temporal"][0][f"{DCAT}endDate"][0]["@value"] == "2025-12-31"
    assert f"/instruments/{cast.xrd.pk}/" in text
    assert "Qiang" not in text and "wang@example.org" not in text  # no personal data but the creators' names


@pytest.mark.django_db
def test_a_catalogue_of_data_sets_holds_each_of_them(cast: Any) -> None:
    rows = [whole_data_set(cast), whole_data_set(cast)]
    [node] = jsonld.expand(json.loads(resource_exports.export(rows, "dcat", TODAY, single=False)[0]))
    assert [one["@id"].rsplit("/", 2)[1] for one in node[f"{DCAT}dataset"]] == [str(row.pk) for row in rows]
    document = json.loads(resource_exports.export(rows, "schema-org", TODAY, single=False)[0])
    assert (document["@type"], [one["@type"] for one in document["dataset"]]) == ("DataCatalog", ["Dataset", "Dataset"])


@pytest.mark.django_db
def test_records_name_no_instrument_that_is_a_draft_and_a_catalogue_asks_once_for_all(
    cast: Any, django_assert_num_queries: Any
) -> None:
    rows = [whole_data_set(cast), whole_data_set(cast)]
    Instrument.objects.filter(pk=cast.xrd.pk).update(published=False)
    with django_assert_num_queries(1):
        content = resource_exports.export(rows, "dcat", TODAY, single=False)[0]
    assert "/instruments/" not in content.decode() and "Brine" in content.decode()
    assert "/instruments/" not in json.dumps(resource_pages.described(whole_data_set(cast)))


@pytest.mark.django_db
def test_schema_org_says_what_search_engines_ask(cast: Any) -> None:
    document = json.loads(resource_exports.export([whole_data_set(cast)], "schema-org", TODAY, single=True)[0])
    [node] = jsonld.expand(document, {"documentLoader": _schema_org})
    assert node["@type"] == ["https://schema.org/Dataset"]
    for name in ("name", "description", "license", "creator", "temporalCoverage", "distribution", "identifier", "publisher"):
        assert node[f"https://schema.org/{name}"], name


def _schema_org(url: str, options: Any) -> dict[str, Any]:
    """The context that stands behind https://schema.org, as far as it matters here; nothing is fetched."""
    assert url.startswith("https://schema.org")
    return {"contextUrl": None, "documentUrl": url, "document": {"@context": {"@vocab": "https://schema.org/"}}}


@pytest.mark.django_db
def test_literature_comes_out_in_dublin_core_as_xml_and_json(cast: Any) -> None:
    core = {
        "name": "Adsorption <of> Li & Mg",
        "name_en": "Adsorption",
        "keywords": ["lithium"],
        "doi": "10.99999/y",
        "published": True,
    }
    part = {
        "creators": ["Zhou", "Han"],
        "issued": "2024-03",
        "type": "article",
        "language": "zh",
        "instrument_ids": [cast.xrd.pk],
    }
    made = resources.create_resource(cast.actor("wang"), cast.lab.pk, "literature", core, part, cast.now)
    resource = queries.resource_for(NOBODY, made.pk)
    text, _chosen = resource_exports.export([resource], "dublin-core", TODAY, single=True)
    root = etree.fromstring(text)
    dc = "{http://purl.org/dc/elements/1.1/}"
    assert root.tag == "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc"
    assert [node.text for node in root.findall(f"{dc}title")] == ["Adsorption <of> Li & Mg", "Adsorption"]
    assert [node.text for node in root.findall(f"{dc}creator")] == ["Zhou", "Han"]
    assert "https://doi.org/10.99999/y" in [node.text for node in root.findall(f"{dc}identifier")]
    document = json.loads(resource_exports.export([resource], "dublin-core-json", TODAY, single=True)[0])
    assert (document["date"], document["type"], document["creator"]) == (["2024-03"], ["article"], ["Zhou", "Han"])
    many = etree.fromstring(resource_exports.export([resource, resource], "dublin-core", TODAY, single=False)[0])
    assert len(many) == 2


@pytest.mark.django_db
def test_a_format_of_another_kind_is_refused_with_those_that_fit(cast: Any) -> None:
    with pytest.raises(Refusal) as refused:
        resource_exports.export([whole_data_set(cast)], "mcpd", TODAY, single=True)
    assert refused.value.reasons[0].params == {"known": ["datacite", "dcat", "schema-org"]}
    with pytest.raises(Refusal, match="export_not_for_kind"):
        resource_exports.export([], "nonsense", TODAY, single=False)


@pytest.mark.django_db
def test_livestock_comes_in_and_out_as_darwin_core_without_loss(owner: Any, now: Any) -> None:
    text = (
        "catalogNumber,scientificName,countryCode,eventDate,decimalLatitude,decimalLongitude,herd\r\n"
        'Y-1,Bos grunniens,CN,2021-06,36.95,101.68,"Datong, 3"\r\n'
        "Y-2,Bos grunniens,CN,2019,,,\r\n"
    )
    report = taken_in(import_germplasm, text, owner, now)
    assert report.counts["created"] == 2
    rows = queries.germplasm_of(NOBODY, owner.pk)
    out = list(csv.DictReader(io.StringIO(resource_exports.darwin_core_csv(rows))))
    went_in = list(csv.DictReader(io.StringIO(text)))
    assert [{name: row[name] for name in went_in[0]} for row in out] == went_in
    assert str(rows[0].germplasm.latitude) == "36.950000"
    assert taken_in(import_germplasm, resource_exports.darwin_core_csv(rows), owner, now).counts["unchanged"] == 2
    assert tuple(out[0])[: len(darwin_core.TERMS)] == darwin_core.TERMS
