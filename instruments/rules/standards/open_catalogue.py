"""The open data as a whole: a DCAT 3 catalogue of what can be downloaded, and the same in the words of schema.org, both JSON-LD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from instruments.rules.standards.dcat import CONTEXT
from instruments.rules.standards.public import LICENCE_URL

Json = dict[str, Any]
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"


@dataclass(frozen=True, slots=True)
class Download:
    """A file of a set: its format's short name, media type and whole address."""

    layout: str
    media_type: str
    url: str


@dataclass(frozen=True, slots=True)
class OpenSet:
    """A set of open data in both languages, how many records it has, and its files. ``modified`` is the day of the newest record."""

    code: str
    url: str
    title: str
    title_zh: str
    description: str
    description_zh: str
    count: int
    modified: str
    downloads: tuple[Download, ...]


def dcat(url: str, publisher: tuple[str, str], sets: Sequence[OpenSet]) -> Json:
    """``url`` is the page that lists the sets, ``publisher`` a name and an address."""
    agent = {"@id": publisher[1], "@type": "foaf:Organization", "foaf:name": publisher[0]}
    return {
        "@context": CONTEXT,
        "@id": url,
        "@type": "dcat:Catalog",
        "dct:title": publisher[0],
        "dct:publisher": agent,
        "dct:license": {"@id": LICENCE_URL},
        "dcat:dataset": [_dataset(one, agent) for one in sets],
    }


def schema_org(url: str, publisher: tuple[str, str], sets: Sequence[OpenSet]) -> Json:
    """As ``dcat``, as search engines read it."""
    return {
        "@context": "https://schema.org",
        "@type": "DataCatalog",
        "@id": url,
        "url": url,
        "name": publisher[0],
        "license": LICENCE_URL,
        "publisher": {"@type": "Organization", "name": publisher[0], "url": publisher[1]},
        "dataset": [_schema_dataset(one) for one in sets],
    }


def _dataset(one: OpenSet, agent: Json) -> Json:
    document = {
        "@id": one.url,
        "@type": "dcat:Dataset",
        "dct:identifier": one.code,
        "dct:title": _languages(one.title, one.title_zh),
        "dct:description": _languages(one.description, one.description_zh),
        "dct:publisher": agent,
        "dct:license": {"@id": LICENCE_URL},
        "dct:modified": {"@value": one.modified, "@type": "xsd:date"} if one.modified else "",
        "dcat:landingPage": {"@id": one.url},
        "dcat:distribution": [
            {
                "@type": "dcat:Distribution",
                "dct:title": each.layout,
                "dcat:downloadURL": {"@id": each.url},
                "dcat:mediaType": {"@id": _MEDIA_TYPES + each.media_type},
                "dct:license": {"@id": LICENCE_URL},
            }
            for each in one.downloads
        ],
    }
    return {name: value for name, value in document.items() if value}


def _schema_dataset(one: OpenSet) -> Json:
    document = {
        "@type": "Dataset",
        "@id": one.url,
        "url": one.url,
        "name": one.title,
        "alternateName": one.title_zh,
        "description": one.description,
        "license": LICENCE_URL,
        "isAccessibleForFree": True,
        "dateModified": one.modified,
        "distribution": [
            {"@type": "DataDownload", "encodingFormat": each.media_type, "contentUrl": each.url} for each in one.downloads
        ],
    }
    return {name: value for name, value in document.items() if value not in ("", [])}


def _languages(en: str, zh: str) -> list[Json]:
    return [{"@value": en, "@language": "en"}, {"@value": zh, "@language": "zh"}]
