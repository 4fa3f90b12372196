"""What is wrong with a programme's document: the faults of its shape, and where that is right those of its meaning, all at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from billing.ledger.rules.documents import Document, Fault, load_schema, schema_faults
from billing.subsidy.rules.example_faults import example_faults, subject_faults
from billing.subsidy.rules.parts.adjustments import adjustment_faults
from billing.subsidy.rules.parts.base import base_faults
from billing.subsidy.rules.parts.caps import cap_faults
from billing.subsidy.rules.parts.conditions import condition_faults
from billing.subsidy.rules.parts.gates import gate_faults
from billing.subsidy.rules.parts.payers import payer_faults, payer_names
from billing.subsidy.rules.parts.rate_parsing import rate_faults
from billing.subsidy.rules.parts.validity import validity_faults
from billing.subsidy.rules.parts.values import window_faults
from billing.subsidy.rules.side_documents import OWN_PARTS, side_document

_SCHEMA = Path(__file__).parents[1] / "schema" / "programme.schema.json"
_PATH_PART = re.compile(r"\.([^.\[\]]+)|\[([0-9]+)\]")
_PAYEE_OF = {"deducted_now": "provider", "refunded_later": "firm", "paid_beside": "provider"}


def document_faults(document: Document) -> list[Fault]:
    """Every fault with its JSON path; none for a document that can be compiled."""
    faults = schema_faults(load_schema(_SCHEMA), document) or list(_meaning_faults(document))
    return faults or list(subject_faults(document))


def _meaning_faults(document: Document) -> Iterator[Fault]:
    """What the schema cannot say, for a document that has the right shape."""
    yield from validity_faults(document["validity"])
    yield from _clause_faults(document)
    if "year_starts" in document:
        ends = {"from": document["year_starts"], "to": document["year_starts"]}
        yield from (Fault("$.year_starts", fault.message) for fault in window_faults(ends, "$"))
    if "sides" in document:
        yield from _faults_of_sides(document)
    else:
        yield from _part_faults(document, set(payer_names(document["payers"], document["rate"])))
    yield from _open_point_faults(document)
    yield from example_faults(document)
    if document["synthetic"] != (document["evidence"]["grade"] == "S"):
        yield Fault("$.synthetic", "a synthetic programme has evidence grade S, and no other has")


def _part_faults(document: Document, payers: set[str]) -> Iterator[Fault]:
    """Of the parts of a document with one base and rate; caps may name any of ``payers``."""
    yield from gate_faults(document["gates"])
    yield from base_faults(document["base"])
    yield from rate_faults(document["rate"], document["base"])
    yield from adjustment_faults(document["adjustments"], document["base"])
    yield from payer_faults(document["payers"], document["rate"])
    yield from cap_faults(document["caps"], payers)
    settlement = document["settlement"]
    if settlement["payee"] != _PAYEE_OF[settlement["mode"]]:
        expected = _PAYEE_OF[settlement["mode"]]
        yield Fault("$.settlement.payee", f"money that is {settlement['mode']} goes to the {expected}")


def _faults_of_sides(document: Document) -> Iterator[Fault]:
    ids = [side["id"] for side in document["sides"]]
    whole = {place: side_document(document, side) for place, side in enumerate(document["sides"])}
    complete = {place: merged for place, merged in whole.items() if all(name in merged for name in OWN_PARTS)}
    payers = {name for merged in complete.values() for name in payer_names(merged["payers"], merged["rate"])}
    caps = [cap["id"] for cap in document.get("caps", ())]
    for place, side in enumerate(document["sides"]):
        path = f"$.sides[{place}]"
        if side["id"] in ids[:place]:
            yield Fault(f"{path}.id", f"the id {side['id']!r} is taken")
        if "when" in side:
            yield from condition_faults(side["when"], f"{path}.when")
        for number, cap in enumerate(side.get("caps", ())):
            if cap["id"] in caps:
                yield Fault(f"{path}.caps[{number}].id", f"the id {cap['id']!r} is taken")
            caps.append(cap["id"])
        yield from (
            Fault(f"{path}.{name}", f"write '{name}' here, or once for all sides")
            for name in OWN_PARTS
            if name not in whole[place]
        )
        if place in complete:
            for fault in _part_faults(whole[place], payers):
                yield Fault(_path_in_side(fault.path, document, side, path), fault.message)


def _path_in_side(path: str, document: Document, side: Document, where: str) -> str:
    """Where a fault of a side's merged document stands in the document itself."""
    [(name, _), *_rest] = _PATH_PART.findall(path)
    if name in OWN_PARTS:
        return where + path.removeprefix("$") if name in side else path
    place = re.match(rf"\$\.{name}\[([0-9]+)\]", path)
    common = len(document.get(name, ()))
    if place is None or int(place[1]) < common:
        return path
    return f"{where}.{name}[{int(place[1]) - common}]" + path[place.end() :]


def _clause_faults(document: Document) -> Iterator[Fault]:
    ids = [clause["id"] for clause in document["clauses"]]
    for place, each in enumerate(ids):
        if each in ids[:place]:
            yield Fault(f"$.clauses[{place}].id", f"the id {each!r} is taken")
    for path, used in _used_clauses(document, "$"):
        if used not in ids:
            yield Fault(path, f"there is no clause {used!r}; name one of {', '.join(ids)}, or add it to 'clauses'")


def _used_clauses(piece: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(piece, Mapping):
        for name, value in piece.items():
            if name == "clause":
                yield f"{path}.clause", value
            elif name != "examples":
                yield from _used_clauses(value, f"{path}.{name}")
    elif isinstance(piece, list):
        for place, value in enumerate(piece):
            yield from _used_clauses(value, f"{path}[{place}]")


def _open_point_faults(document: Document) -> Iterator[Fault]:
    for place, point in enumerate(document["open_points"]):
        if not _exists(document, point["field"]):
            yield Fault(f"$.open_points[{place}].field", f"{point['field']} is not in this document; write its JSON path, $.…")


def _exists(document: Document, path: str) -> bool:
    piece: Any = document
    for name, place in _PATH_PART.findall(path):
        try:
            piece = piece[name] if name else piece[int(place)]
        except (KeyError, IndexError, TypeError):
            return False
    return True
