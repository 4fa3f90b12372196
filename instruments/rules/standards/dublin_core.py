"""Literature in the fifteen elements of Dublin Core, as JSON and as XML in the shape that OAI-PMH uses."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from instruments.rules.standards.record import Record

OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
DC = "http://purl.org/dc/elements/1.1/"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
ElementTree.register_namespace("oai_dc", OAI_DC)
ElementTree.register_namespace("dc", DC)


def elements(record: Record) -> list[tuple[str, str, str]]:
    """Every element that holds something, as (name, value, language or nothing), in the standard's usual order."""
    found = [
        ("title", record.name, "zh" if record.name_en else ""),
        ("title", record.name_en, "en"),
        *(("creator", name, "") for name in record.creators),
        *(("subject", word, "") for word in record.keywords),
        ("description", record.description, ""),
        ("description", record.description_en, "en"),
        ("publisher", record.house, ""),
        ("contributor", record.publisher.name, ""),
        ("date", record.issued, ""),
        ("type", record.type, ""),
        ("identifier", record.url, ""),
        ("identifier", record.identifier, ""),
        ("identifier", record.doi_url, ""),
        ("identifier", record.cstr_url, ""),
        ("source", record.source, ""),
        ("language", record.language, ""),
        *(("relation", tool.url, "") for tool in record.tools),
        ("rights", record.rights, ""),
        ("rights", record.licence, ""),
    ]
    return [one for one in found if one[1]]


def as_json(record: Record) -> dict[str, list[str]]:
    """The values by element."""
    document: dict[str, list[str]] = {}
    for name, value, _language in elements(record):
        document.setdefault(name, []).append(value)
    return document


def as_xml(record: Record) -> str:
    """One record as ``oai_dc:dc``."""
    return _written(_element(record))


def list_as_xml(records: Sequence[Record]) -> str:
    """Many records below one root."""
    root = ElementTree.Element("records")
    root.extend(_element(record) for record in records)
    return _written(root)


def _element(record: Record) -> ElementTree.Element:
    root = ElementTree.Element(f"{{{OAI_DC}}}dc")
    for name, value, language in elements(record):
        child = ElementTree.SubElement(root, f"{{{DC}}}{name}", {_LANG: language} if language else {})
        child.text = value
    return root


def _written(root: ElementTree.Element) -> str:
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)
