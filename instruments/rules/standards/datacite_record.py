"""DataCite Metadata Schema 4.6 for a data set or a work of literature."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from instruments.rules.standards.datacite import NAMESPACE
from instruments.rules.standards.record import Record

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_YEAR = re.compile(r"[0-9]{4}")


def as_xml(record: Record, general: str) -> str:
    """One record; ``general`` is the schema's ``resourceTypeGeneral``: Dataset or Text."""
    return _written(datacite_element(record, general))


def list_as_xml(records: Sequence[Record], general: str) -> str:
    """Many records below one root."""
    root = Element("resources")
    root.extend(datacite_element(record, general) for record in records)
    return _written(root)


def datacite_element(record: Record, general: str) -> Element:
    """The resource: its DOI where it has one, else the page's address; without named creators its publisher made it."""
    root = Element("resource", {"xmlns": NAMESPACE})
    _text(root, "identifier", record.doi or record.url, identifierType="DOI" if record.doi else "URL")
    creators = SubElement(root, "creators")
    for name in record.creators:
        _text(SubElement(creators, "creator"), "creatorName", name, nameType="Personal")
    if not record.creators:
        _text(SubElement(creators, "creator"), "creatorName", record.publisher.name, nameType="Organizational")
    titles = SubElement(root, "titles")
    _text(titles, "title", record.name)
    if record.name_en and record.name_en != record.name:
        _text(titles, "title", record.name_en, titleType="TranslatedTitle").set(_LANG, "en")
    _text(root, "publisher", record.house or record.publisher.name)
    year = _YEAR.match(record.issued) or _YEAR.match(record.modified)
    _text(root, "publicationYear", year[0] if year else "")
    _text(root, "resourceType", record.type or general, resourceTypeGeneral=general)
    _several(root, "subjects", "subject", record.keywords)
    if record.language:
        _text(root, "language", record.language)
    other = [(record.cstr, "CSTR"), (record.identifier, "Local"), (record.url if record.doi else "", "URL")]
    _alternates(root, [(text, kind) for text, kind in other if text])
    if record.version:
        _text(root, "version", record.version)
    _several(root, "rightsList", "rights", [text for text in (record.licence, record.rights) if text])
    if record.description:
        _text(SubElement(root, "descriptions"), "description", record.description, descriptionType="Abstract")
    return root


def _alternates(root: Element, identifiers: Sequence[tuple[str, str]]) -> None:
    if identifiers:
        parent = SubElement(root, "alternateIdentifiers")
        for text, kind in identifiers:
            _text(parent, "alternateIdentifier", text, alternateIdentifierType=kind)


def _several(root: Element, parent: str, name: str, texts: Sequence[str]) -> None:
    if texts:
        element = SubElement(root, parent)
        for text in texts:
            _text(element, name, text)


def _text(parent: Element, name: str, text: str, **attributes: str) -> Element:
    element = SubElement(parent, name, attributes)
    element.text = text
    return element


def _written(root: Element) -> str:
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)
