"""PIDINST 1.0, the metadata schema for persistent identification of instruments, as JSON and as XML."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, SubElement

from instruments.rules.standards.public import UNKNOWN, Named, PublicInstrument

VERSION = "1.0"
_OWNER_SCHEMES = {"uscc": "USCC", "ror": "ROR", "uk-ukprn": "UKPRN", "foreign-registration": "Other"}
#: One word for the entries of each list, in XML.
_ENTRIES = {
    "owners": "owner",
    "manufacturers": "manufacturer",
    "instrumentTypes": "instrumentType",
    "dates": "date",
    "alternateIdentifiers": "alternateIdentifier",
}


def pidinst_json(one: PublicInstrument) -> dict[str, Any]:
    """The record as the JSON schema has it; what is not known is left out, a manufacturer that nobody named is ``:unav``."""
    identifier, kind = one.identifier
    record: dict[str, Any] = {
        "identifier": {"identifier": identifier, "identifierType": kind},
        "schemaVersion": VERSION,
        "landingPage": one.url,
        "name": one.name,
        "owners": [_owner(one)],
        "manufacturers": [{"manufacturerName": one.manufacturer or UNKNOWN}],
    }
    if one.model:
        record["model"] = {"modelName": one.model}
    if one.about:
        record["description"] = one.about
    types = [_type(named, "NRII") for named in one.classes] + [_type(named, "PaNET") for named in one.techniques]
    if types:
        record["instrumentTypes"] = types
    if one.commissioned_on:
        record["dates"] = [{"date": one.commissioned_on.isoformat(), "dateType": "Commissioned"}]
    others = _others(one)
    if others:
        record["alternateIdentifiers"] = others
    return record


def pidinst_xml(one: PublicInstrument) -> Element:
    """The same record as the XML schema has it."""
    record = pidinst_json(one)
    root = Element("instrument")
    for key, value in record.items():
        if isinstance(value, list):
            listed = SubElement(root, key)
            for entry in value:
                _put(listed, _ENTRIES[key], entry)
        else:
            _put(root, key, value)
    return root


def _put(parent: Element, name: str, value: str | dict[str, Any]) -> None:
    """A text becomes an element; an object with its own name in it a text with attributes, any other one a group of elements."""
    element = SubElement(parent, name)
    if isinstance(value, str):
        element.text = value
        return
    if name in value:
        element.text = str(value[name])
        for key, text in value.items():
            if key != name:
                element.set(key, str(text))
        return
    for key, inner in value.items():
        _put(element, key, inner)


def _owner(one: PublicInstrument) -> dict[str, Any]:
    owner: dict[str, Any] = {"ownerName": one.owner}
    if one.owner_code:
        kind = _OWNER_SCHEMES.get(one.owner_scheme, "Other")
        owner["ownerIdentifier"] = {"ownerIdentifier": one.owner_code, "ownerIdentifierType": kind}
    return owner


def _type(named: Named, scheme: str) -> dict[str, Any]:
    code = {"instrumentTypeIdentifier": named.code, "instrumentTypeIdentifierType": scheme}
    if named.code.startswith("jishi:"):
        return {"instrumentTypeName": named.en or named.zh}
    return {"instrumentTypeName": named.en or named.zh, "instrumentTypeIdentifier": code}


def _others(one: PublicInstrument) -> list[dict[str, str]]:
    found = []
    if one.inner_id:
        found.append({"alternateIdentifier": one.inner_id, "alternateIdentifierType": "InventoryNumber"})
    for name, text in (("CSTR", one.cstr), ("URL", one.url if one.doi else "")):
        if text:
            found.append({"alternateIdentifier": text, "alternateIdentifierType": "Other", "alternateIdentifierName": name})
    return found
