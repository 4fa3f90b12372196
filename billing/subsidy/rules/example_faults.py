"""What is wrong with the worked examples of a document that its schema cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from billing.ledger.rules.documents import Document, Fault
from billing.subsidy.rules.fact_fields import FIELDS
from billing.subsidy.rules.facts import Facts, facts_faults, parse_facts
from billing.subsidy.rules.message_keys import MESSAGES
from billing.subsidy.rules.parts.caps import SUBJECT, CapPer
from billing.subsidy.rules.parts.conditions import parse_condition
from billing.subsidy.rules.parts.payers import payer_names

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
    for place, example in enumerate(document["examples"]):
        path = f"$.examples[{place}]"
        yield from _facts(example, path)
        yield from _codes(example, path)
        yield from _names(example, path, list(caps), _payers(document))
        for name in example.get("balances", {}):
            if name not in caps:
                yield Fault(f"{path}.balances.{name}", f"there is no cap {name!r}; the caps are {', '.join(caps) or 'none'}")
        if "claims" in example:
            yield from _claims(example, path)
        elif "claims" in example["expect"]:
            yield Fault(f"{path}.expect.claims", "only an example with several 'claims' has this")
        elif any("of" in balance for balance in example.get("balances", {}).values()):
            yield Fault(f"{path}.balances", "'of' is for examples with several 'claims'; write 'used' and 'limit' alone")


def _facts(example: Mapping[str, Any], path: str) -> Iterator[Fault]:
    if "claims" not in example and "facts" not in example:
        yield Fault(path, "write 'facts', or 'claims' for a batch")
    for fault in facts_faults(example.get("facts", {})):
        yield Fault(f"{path}.facts{fault.path.removeprefix('$')}", fault.message)


def _codes(example: Mapping[str, Any], path: str) -> Iterator[Fault]:
    for where, expect in _expects(example, path):
        for place, code in enumerate(expect.get("refused", ())):
            if code not in MESSAGES:
                near = get_close_matches(code, [key for key in MESSAGES if key.startswith("subsidy.unmet.")], n=1, cutoff=0)
                yield Fault(f"{where}.refused[{place}]", f"there is no code {code!r}; did you mean {near[0]!r}?")


def _expects(example: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What an example expects, of all and of each claim, with its path."""
    yield f"{path}.expect", example["expect"]
    for place, claim in enumerate(example.get("claims", ())):
        yield f"{path}.claims[{place}].expect", claim.get("expect", {})


def _payers(document: Document) -> list[str]:
    """Everybody who may pay, the sides included."""
    sides = [document, *document.get("sides", ())]
    pairs = [(side.get("payers", document.get("payers")), side.get("rate", document.get("rate"))) for side in sides]
    return sorted({name for payers, rate in pairs if payers and rate for name in payer_names(payers, rate)})


def _names(example: Mapping[str, Any], path: str, caps: list[str], payers: list[str]) -> Iterator[Fault]:
    """Caps and payers that the document does not know would be compared with nothing."""
    for where, expect in _expects(example, path):
        named = [(f"{where}.left.{name}", "cap", name, caps) for name in expect.get("left", ())]
        named += [(f"{where}.binding[{place}]", "cap", name, caps) for place, name in enumerate(expect.get("binding", ()))]
        named += [(f"{where}.payers.{name}", "payer", name, payers) for name in expect.get("payers", ())]
        for at, kind, name, known in named:
            if name not in known:
                yield Fault(at, f"there is no {kind} {name!r}; the {kind}s are {', '.join(known) or 'none'}")


def _claims(example: Mapping[str, Any], path: str) -> Iterator[Fault]:
    ids = [claim["id"] for claim in example["claims"]]
    for place, claim in enumerate(example["claims"]):
        where = f"{path}.claims[{place}]"
        if claim["id"] in ids[:place]:
            yield Fault(f"{where}.id", f"the id {claim['id']!r} is taken")
        for fault in facts_faults(claim["facts"]):
            yield Fault(f"{where}.facts{fault.path.removeprefix('$')}", fault.message)
    for name in example["expect"].get("claims", {}):
        if name not in ids:
            yield Fault(f"{path}.expect.claims.{name}", f"there is no claim {name!r}; the claims are {', '.join(ids)}")


def subject_faults(document: Document) -> Iterator[Fault]:
    """Of a document that has no other fault: caps that are counted together over the claims of a batch need to know whose they are."""
    for number, example in enumerate(document["examples"]):
        for place, claim in enumerate(example.get("claims", ())):
            facts = parse_facts(merged_facts(example.get("facts", {}), claim["facts"]))
            path = f"$.examples[{number}].claims[{place}].facts"
            for cap in _caps_for(document, facts):
                needed = _needed(CapPer(cap["per"]), facts)
                if needed:
                    yield Fault(path, f"the cap {cap['id']!r} ({cap['per']}) counts claims together; give {needed}")


def _caps_for(document: Document, facts: Facts) -> list[Mapping[str, Any]]:
    basis = f"service.{document['date_basis']}_on"
    caps = list(document.get("caps", ()))
    for side in document.get("sides", ()):
        if "when" not in side or parse_condition(side["when"], basis).holds(facts, []):
            caps += side.get("caps", ())
    return caps


def _needed(per: CapPer, facts: Facts) -> str:
    """The fact that tells whose cap it is, where it is not given; what names no order or contract is one by itself."""
    path = SUBJECT.get(per, "")
    if not path or per in (CapPer.ORDER, CapPer.CONTRACT) or FIELDS[path].read(facts) is not None:
        return ""
    if per not in _INSTEAD:
        return path
    return "applicant.id" if FIELDS["applicant.id"].read(facts) is None else ""
