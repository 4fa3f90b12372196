"""What is wrong with a programme's document: the faults of its shape, and where that is right those of its meaning, all at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from billing.ledger.rules.documents import Document, Fault, load_schema
from billing.subsidy.rules.example_faults import example_faults, subject_faults
from billing.subsidy.rules.keepable import unkeepable, unseen
from billing.subsidy.rules.parts.adjustments import adjustment_faults
from billing.subsidy.rules.parts.base import base_faults
from billing.subsidy.rules.parts.caps import cap_faults
from billing.subsidy.rules.parts.conditions import condition_faults
from billing.subsidy.rules.parts.gates import gate_faults
from billing.subsidy.rules.parts.payers import payer_faults, payer_names
from billing.subsidy.rules.parts.rate_parsing import line_faults, rate_faults
from billing.subsidy.rules.parts.validity import validity_faults
from billing.subsidy.rules.parts.values import window_faults
from billing.subsidy.rules.question_faults import question_faults
from billing.subsidy.rules.shape_faults import shape_faults
from billing.subsidy.rules.side_documents import OWN_PARTS, side_document

_SCHEMA = Path(__file__).parents[1] / "schema" / "programme.schema.json"
_OF_A_RATE = frozenset({"rate", "otherwise", "share"})
_RATIO = re.compile("[1-9][0-9]{0,2}/[1-9][0-9]{0,2}")
_PATH_PART = re.compile(r"\.([^.\[\]]+)|\[([0-9]+)\]")
Look = Callable[[Document], Iterable[Fault]]
LONGEST_PATH, LONGEST_MESSAGE = 300, 900
_PAYEE_OF = {"deducted_now": "provider", "refunded_later": "firm", "paid_beside": "provider"}


def document_faults(document: Document) -> list[Fault]:
    """Every fault with its JSON path; none for a document that can be compiled.

    Where the shape is wrong, the meaning of what can be read is looked at all the same, so that everything is told at once.
    """
    return [Fault(_brief(fault.path, LONGEST_PATH), _brief(fault.message, LONGEST_MESSAGE)) for fault in _all_faults(document)]


def _brief(text: str, most: int) -> str:
    """What is wrong stands at the beginning, what to write at the end; a huge value of the document between them is left out."""
    return text if len(text) <= most else f"{text[: most * 2 // 3]} … {text[-most // 3 :]}"


def _all_faults(document: Document) -> list[Fault]:
    if unkept := list(unkeepable(document)):
        return unkept
    shape = shape_faults(load_schema(_SCHEMA), document)
    if shape:
        return shape + _readable_meaning_faults(document, shape)
    faults = [fault for look in _LOOKS for fault in look(document)]
    return faults or list(subject_faults(document))


def _readable_meaning_faults(document: Document, shape: list[Fault]) -> list[Fault]:
    """Of a document whose shape is wrong somewhere: what the looks that come through find, but nothing at or under a known fault."""
    known = tuple(fault.path for fault in shape)
    found: list[Fault] = []
    for look in _LOOKS:
        try:
            faults = list(look(document))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, StopIteration):
            continue
        found += [
            fault
            for fault in faults
            if not fault.path.startswith(known) and not any(path.startswith(fault.path) for path in known)
        ]
    return found


def _ratio_faults(piece: Any, path: str = "$") -> Iterator[Fault]:
    """Rates that are written as a fraction and are above 1, which no pattern can tell."""
    if isinstance(piece, Mapping):
        for name, value in piece.items():
            if name in _OF_A_RATE and isinstance(value, str) and _RATIO.fullmatch(value) and Fraction(value) > 1:
                yield Fault(f"{path}.{name}", f"{value!r} is above 1; a rate is at most 1 (100 %)")
            yield from _ratio_faults(value, f"{path}.{name}")
    elif isinstance(piece, list):
        for place, value in enumerate(piece):
            yield from _ratio_faults(value, f"{path}[{place}]")


def _year_faults(document: Document) -> Iterator[Fault]:
    if "year_starts" in document:
        ends = {"from": document["year_starts"], "to": document["year_starts"]}
        yield from {Fault("$.year_starts", fault.message) for fault in window_faults(ends, "$")}


def _synthetic_faults(document: Document) -> Iterator[Fault]:
    if document["synthetic"] != (document["evidence"]["grade"] == "S"):
        yield Fault("$.synthetic", "a synthetic programme has evidence grade S, and no other has; change one of the two")


def _exclusive_faults(document: Document) -> Iterator[Fault]:
    exclusive = document.get("exclusive", {})
    for place, name in enumerate(exclusive.get("not_with", ())):
        if name in (exclusive["class"], document["code"]):
            path = f"$.exclusive.not_with[{place}]"
            yield Fault(path, "that is the programme itself or its own class; name the classes or codes of others")


def _settlement_faults(settlement: Mapping[str, str]) -> Iterator[Fault]:
    expected = _PAYEE_OF[settlement["mode"]]
    if settlement["payee"] != expected:
        yield Fault("$.settlement.payee", f"money that is {settlement['mode']} goes to the {expected}; write that")
    if "vat_invoice" in settlement and settlement["mode"] != "paid_beside":
        yield Fault("$.settlement.vat_invoice", "only what is paid_beside is sold to the office; leave this out")


def _part_faults(document: Document, payers: set[str]) -> Iterator[Fault]:
    """Of the parts of a document with one base and rate; caps may name any of ``payers``."""
    for look in _PART_LOOKS:
        yield from look(document, payers)


_PART_LOOKS: tuple[Callable[[Document, set[str]], Iterable[Fault]], ...] = (
    lambda document, _payers: gate_faults(document["gates"]),
    lambda document, _payers: base_faults(document["base"]),
    lambda document, _payers: rate_faults(document["rate"], document["base"]),
    lambda document, _payers: line_faults(document["rounding"], document["rate"], document["base"]),
    lambda document, _payers: adjustment_faults(document["adjustments"], document["base"]),
    lambda document, _payers: payer_faults(document["payers"], document["rate"]),
    lambda document, payers: cap_faults(document["caps"], payers),
    lambda document, _payers: _settlement_faults(document["settlement"]),
)


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


def _one_side(look: Callable[[Document, set[str]], Iterable[Fault]]) -> Look:
    """A look at a part of a document of one side, by itself."""

    def looked(document: Document) -> Iterable[Fault]:
        if "sides" in document:
            return ()
        try:
            payers = set(payer_names(document["payers"], document["rate"]))
        except (LookupError, TypeError, AttributeError):
            payers = {cap.get("payer", "") for cap in document["caps"]}
        return look(document, payers)

    return looked


#: Everything that is looked at beside the shape, each by itself.
_LOOKS: tuple[Look, ...] = (
    unseen,
    lambda document: validity_faults(document["validity"]),
    _exclusive_faults,
    _clause_faults,
    _year_faults,
    lambda document: _ratio_faults({**document, "examples": []}),
    question_faults,
    *(_one_side(look) for look in _PART_LOOKS),
    lambda document: _faults_of_sides(document) if "sides" in document else (),
    _open_point_faults,
    example_faults,
    _synthetic_faults,
)


def _exists(document: Document, path: str) -> bool:
    piece: Any = document
    for name, place in _PATH_PART.findall(path):
        try:
            piece = piece[name] if name else piece[int(place)]
        except (KeyError, IndexError, TypeError):
            return False
    return True
