"""schema.org JSON-LD for the pages of what is shared but not booked by time: test items, literature, germplasm (data sets: ``dcat``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instruments.rules.standards.record import Record


@dataclass(frozen=True, slots=True)
class SharedThing:
    """What is public of a test item or an accession. ``price_yuan`` is the lowest public price as text, for one ``price_unit``; empty on
    request. ``properties`` by name: what is measured, in what, how; or where an accession comes from. ``taxon`` a scientific name."""

    url: str
    name: str
    name_en: str
    about: str
    keywords: tuple[str, ...]
    owner: str
    owner_en: str
    owner_url: str
    identifiers: tuple[str, ...]
    place: str = ""
    price_yuan: str = ""
    price_unit: str = ""
    properties: Mapping[str, str] | None = None
    taxon: str = ""


def testing_service(one: SharedThing) -> dict[str, Any]:
    """A test item as a service with its offer."""
    price = {
        "@type": "UnitPriceSpecification",
        "price": one.price_yuan,
        "priceCurrency": "CNY",
        "unitText": one.price_unit,
    }
    offer = {"@type": "Offer", "url": one.url, "priceSpecification": price} if one.price_yuan else ""
    return _document("Service", one, provider=_owner(one), areaServed=one.place, offers=offer)


def accession(one: SharedThing) -> dict[str, Any]:
    """An accession of germplasm."""
    return _document("BioChemEntity", one, taxonomicRange=one.taxon, subjectOf=_owner(one))


def scholarly_work(record: Record) -> dict[str, Any]:
    """A work of literature."""
    return _filled(
        {
            "@context": "https://schema.org",
            "@type": "ScholarlyArticle",
            "@id": record.url,
            "url": record.url,
            "name": record.name,
            "alternateName": record.name_en,
            "abstract": record.description,
            "keywords": list(record.keywords),
            "identifier": [one for one in (record.identifier, record.doi_url, record.cstr_url) if one],
            "sameAs": record.doi_url,
            "author": [{"@type": "Person", "name": name} for name in record.creators],
            "publisher": {"@type": "Organization", "name": record.house} if record.house else "",
            "provider": {"@type": "Organization", "name": record.publisher.name, "url": record.publisher.url},
            "datePublished": record.issued,
            "inLanguage": record.language,
            "isPartOf": record.source,
            "license": record.licence or record.rights,
        }
    )


def _document(kind: str, one: SharedThing, **own: Any) -> dict[str, Any]:
    properties = [
        {"@type": "PropertyValue", "name": name, "value": value} for name, value in (one.properties or {}).items() if value
    ]
    return _filled(
        {
            "@context": "https://schema.org",
            "@type": kind,
            "@id": one.url,
            "url": one.url,
            "name": one.name,
            "alternateName": one.name_en,
            "description": one.about,
            "keywords": list(one.keywords),
            "identifier": list(one.identifiers),
            "additionalProperty": properties,
            **own,
        }
    )


def _owner(one: SharedThing) -> dict[str, Any]:
    return _filled({"@type": "Organization", "name": one.owner, "alternateName": one.owner_en, "url": one.owner_url})


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", None, [], {})}
