"""Data sets as DCAT 3 and as schema.org Dataset, both in JSON-LD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from instruments.rules.standards.record import Record

Json = dict[str, Any]
CONTEXT: Json = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "adms": "http://www.w3.org/ns/adms#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
_DATE_TYPES = {4: "xsd:gYear", 7: "xsd:gYearMonth", 10: "xsd:date"}


def dcat_dataset(record: Record) -> Json:
    """One data set with its context."""
    return {"@context": CONTEXT, **_dataset(record)}


def dcat_catalog(url: str, title: str, records: Sequence[Record]) -> Json:
    """A catalogue of data sets."""
    return {
        "@context": CONTEXT,
        "@id": url,
        "@type": "dcat:Catalog",
        "dct:title": title,
        "dcat:dataset": [_dataset(record) for record in records],
    }


def schema_org_dataset(record: Record) -> Json:
    """One data set in the words of schema.org, as search engines read it."""
    document: Json = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "@id": record.url,
        "url": record.landing_page or record.url,
        "name": record.name,
        "alternateName": record.name_en,
        "description": record.description or record.name,
        "keywords": list(record.keywords),
        "identifier": [one for one in (record.identifier, record.doi_url, record.cstr_url) if one],
        "sameAs": record.doi_url,
        "creator": [{"@type": "Person", "name": name} for name in record.creators],
        "publisher": {"@type": "Organization", "name": record.publisher.name, "url": record.publisher.url},
        "license": record.licence,
        "conditionsOfAccess": record.access_terms,
        "datePublished": record.issued,
        "dateModified": record.modified,
        "version": record.version,
        "temporalCoverage": _interval(record),
        "spatialCoverage": {"@type": "Place", "name": record.spatial} if record.spatial else "",
        "distribution": [
            {"@type": "DataDownload", "encodingFormat": media_type, "contentUrl": record.landing_page or record.url}
            for media_type in record.media_types
        ],
        "measurementTechnique": [tool.name for tool in record.tools],
    }
    return {name: value for name, value in document.items() if value not in ("", [], None)}


def schema_org_catalog(url: str, title: str, records: Sequence[Record]) -> Json:
    """A catalogue of data sets in the words of schema.org."""
    datasets = [{name: value for name, value in schema_org_dataset(one).items() if name != "@context"} for one in records]
    return {"@context": "https://schema.org", "@type": "DataCatalog", "@id": url, "name": title, "dataset": datasets}


def _dataset(record: Record) -> Json:
    document: Json = {
        "@id": record.url,
        "@type": "dcat:Dataset",
        "dct:title": _languages(record.name, record.name_en),
        "dct:description": _languages(record.description, record.description_en),
        "dcat:keyword": list(record.keywords),
        "dct:identifier": [one for one in (record.identifier, record.doi, record.cstr) if one],
        "adms:identifier": [{"@id": one} for one in (record.doi_url, record.cstr_url) if one],
        "dct:creator": [{"@type": "foaf:Agent", "foaf:name": name} for name in record.creators],
        "dct:publisher": {
            "@id": record.publisher.url,
            "@type": "foaf:Organization",
            "foaf:name": _languages(record.publisher.name, record.publisher.name_en),
        },
        "dct:license": record.licence,
        "dct:accessRights": {"@type": "dct:RightsStatement", "rdfs:label": record.access_terms} if record.access_terms else "",
        "dct:issued": _typed(record.issued),
        "dct:modified": _typed(record.modified),
        "dcat:version": record.version,
        "dct:temporal": _period(record),
        "dct:spatial": {"@type": "dct:Location", "rdfs:label": record.spatial} if record.spatial else "",
        "dcat:landingPage": {"@id": record.landing_page} if record.landing_page else "",
        "dcat:distribution": _distributions(record),
        "prov:wasGeneratedBy": _generated(record),
    }
    return {name: value for name, value in document.items() if value not in ("", [], None)}


def _languages(zh: str, en: str) -> list[Json]:
    return [{"@value": text, "@language": language} for text, language in ((zh, "zh"), (en, "en")) if text]


def _typed(text: str) -> Json | str:
    return {"@value": text, "@type": _DATE_TYPES[len(text)]} if text else ""


def _period(record: Record) -> Json | str:
    if not (record.temporal_from or record.temporal_to):
        return ""
    found = {
        "@type": "dct:PeriodOfTime",
        "dcat:startDate": _typed(record.temporal_from),
        "dcat:endDate": _typed(record.temporal_to),
    }
    return {name: value for name, value in found.items() if value}


def _distributions(record: Record) -> list[Json]:
    found = []
    for media_type in record.media_types:
        one: Json = {
            "@type": "dcat:Distribution",
            "dcat:mediaType": {"@id": f"{_MEDIA_TYPES}{media_type}"},
            "dcat:accessURL": {"@id": record.landing_page or record.url},
        }
        if record.size_bytes is not None and len(record.media_types) == 1:
            one["dcat:byteSize"] = {"@value": str(record.size_bytes), "@type": "xsd:nonNegativeInteger"}
        found.append(one)
    return found


def _generated(record: Record) -> Json | str:
    """The measurement it comes from, with the instruments that were used."""
    if not record.tools:
        return ""
    used = [{"@id": tool.url, "@type": "prov:Entity", "rdfs:label": tool.name} for tool in record.tools]
    return {"@type": "prov:Activity", "prov:used": used}


def _interval(record: Record) -> str:
    if not (record.temporal_from or record.temporal_to):
        return ""
    return f"{record.temporal_from or '..'}/{record.temporal_to or '..'}"
