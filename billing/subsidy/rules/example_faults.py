"""What is wrong with the worked examples of a document that its schema cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from billing.ledger.rules.documents import Document, Fault
from billing.subsidy.rules.fact_fields import FIELDS
from billing.subsidy.rules.facts import facts_faults, parse_facts
from billing.subsidy.rules.parts.caps import SUBJECT, CapPer

_INSTEAD = (CapPer.CONTROLLER_YEAR, CapPer.PERSON_YEAR)


def all_caps(document: Document) -> list[Mapping[str, Any]]:
    """The caps of a document, those of its sides included."""
    caps = list(document.get("caps", ()))
    for side in document.get("sides", ()):
        caps += side.get("caps", ())
    return caps


def merged_facts(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a claim: those of the batch, and its own before them, group by group."""
    merged = {name: dict(group) for name, group in common.items()}
    for name, group in own.items():
        merged[name] = {**merged.get(name, {}), **group}
    return merged


def example_faults(document: Document) -> Iterator[Fault]:
    """Every fault of every example."""
    caps = {cap["id"]: cap for cap in all_caps(document)}
    titles: set[str] = set()
    for place, example in enumerate(document["examples"]):
        path = f"$.examples[{place}]"
        if example["title"] in titles:
            yield Fault(f"{path}.title", f"the title {example['title']!r} is taken; give every example its own")
        titles.add(example["title"])
        yield from _facts(example, path)
        for name in example.get("balances", {}):
            if name not in caps:
                yield Fault(f"{path}.balances.{name}", f"there is no cap {name!r}; the caps are {', '.join(caps) or 'none'}")
        if "claims" in example:
            yield from _claims(example, caps, path)
        elif "claims" in example["expect"]:
            yield Fault(f"{path}.expect.claims", "only an example with several 'claims' has this")
        elif any("of" in balance for balance in example.get("balances", {}).values()):
            yield Fault(f"{path}.balances", "'of' is for examples with several 'claims'; write 'used' and 'limit' alone")


def _facts(example: Mapping[str, Any], path: str) -> Iterator[Fault]:
    if "claims" not in example and "facts" not in example:
        yield Fault(path, "write 'facts', or 'claims' for a batch")
    for fault in facts_faults(example.get("facts", {})):
        yield Fault(f"{path}.facts{fault.path.removeprefix('$')}", fault.message)


def _claims(example: Mapping[str, Any], caps: Mapping[str, Mapping[str, Any]], path: str) -> Iterator[Fault]:
    ids = [claim["id"] for claim in example["claims"]]
    for place, claim in enumerate(example["claims"]):
        where = f"{path}.claims[{place}]"
        if claim["id"] in ids[:place]:
            yield Fault(f"{where}.id", f"the id {claim['id']!r} is taken")
        faults = facts_faults(claim["facts"])
        yield from (Fault(f"{where}.facts{fault.path.removeprefix('$')}", fault.message) for fault in faults)
        if not faults and not facts_faults(example.get("facts", {})):
            yield from _subjects(merged_facts(example.get("facts", {}), claim["facts"]), caps, where)
    for name in example["expect"].get("claims", {}):
        if name not in ids:
            yield Fault(f"{path}.expect.claims.{name}", f"there is no claim {name!r}; the claims are {', '.join(ids)}")


def _subjects(facts: Mapping[str, Any], caps: Mapping[str, Mapping[str, Any]], path: str) -> Iterator[Fault]:
    """Caps that are counted together over claims need to know whose they are."""
    known = parse_facts(facts)
    for name, cap in caps.items():
        per = CapPer(cap["per"])
        needed = SUBJECT.get(per)
        if per in _INSTEAD:
            needed = None if FIELDS[SUBJECT[per]].read(known) is not None else "applicant.id"
        if needed is not None and FIELDS[needed].read(known) is None:
            yield Fault(f"{path}.facts", f"the cap {name!r} ({per.value}) counts claims together; give {needed}")
