"""Customer classes that a price schedule names itself: who is in which, by what is known and was shown of a customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from billing.ledger.rules.documents import Fault
from billing.pricing.rules.customer_class import customer_class


@dataclass(frozen=True, slots=True)
class Customer:
    """What a class may ask of a customer: ``kind`` of organisation, ``size`` of a firm (None: not known), ``is_owner``: the owner's
    own people, the code of its division, its policy zones, and whether its identity was ``verified``."""

    kind: str
    size: str | None
    is_owner: bool
    region_code: str = ""
    zones: frozenset[str] = frozenset()
    verified: bool = False


@dataclass(frozen=True, slots=True)
class ClassRule:
    """A class: ``name`` and ``evidence`` in zh and en (empty: the platform's word, nothing), and the conditions on a customer; an
    empty condition (None) asks nothing."""

    code: str
    name: Mapping[str, str]
    evidence: Mapping[str, str]
    own: bool | None
    kinds: frozenset[str]
    sizes: frozenset[str]
    regions: tuple[str, ...]
    zones: frozenset[str]
    verified: bool | None

    @property
    def is_for_everybody(self) -> bool:
        """Whether nothing is asked."""
        asked = (self.kinds, self.sizes, self.regions, self.zones)
        return self.own is None and self.verified is None and not any(asked)

    def takes(self, customer: Customer) -> bool:
        """Whether every condition holds."""
        return (
            self.own in (None, customer.is_owner)
            and self.verified in (None, customer.verified)
            and (not self.kinds or customer.kind in self.kinds)
            and (not self.sizes or customer.size in self.sizes)
            and (not self.regions or customer.region_code.startswith(self.regions))
            and (not self.zones or bool(self.zones & customer.zones))
        )


def class_rules(documents: Iterable[Mapping[str, Any]]) -> tuple[ClassRule, ...]:
    """The part ``classes`` of a document that was checked by its schema, in its order."""
    return tuple(_rule(each, each.get("when", {})) for each in documents)


def _rule(document: Mapping[str, Any], when: Mapping[str, Any]) -> ClassRule:
    return ClassRule(
        code=document["code"],
        name=document.get("name", {}),
        evidence=document.get("evidence", {}),
        own=when.get("own"),
        kinds=frozenset(when.get("kinds", ())),
        sizes=frozenset(when.get("sizes", ())),
        regions=tuple(when.get("regions", ())),
        zones=frozenset(when.get("zones", ())),
        verified=when.get("verified"),
    )


def class_in(rules: Sequence[ClassRule], priced: Sequence[str], customer: Customer) -> str:
    """The class of a customer: the first of ``rules`` that takes it; without rules, as the platform's own classes go."""
    for rule in rules:
        if rule.takes(customer):
            return rule.code
    return customer_class(kind=customer.kind, size=customer.size, is_owner=customer.is_owner, priced=priced)


def class_faults(documents: Sequence[Mapping[str, Any]], priced: Iterable[str]) -> list[Fault]:
    """What is wrong with the part ``classes`` beside its schema: codes twice or without a price, and customers in no class."""
    if not documents:
        return []
    rules, known = class_rules(documents), set(priced)
    faults: list[Fault] = []
    seen: set[str] = set()
    for place, rule in enumerate(rules):
        if rule.code in seen:
            faults.append(Fault(f"$.classes[{place}].code", f"the class {rule.code!r} is there already"))
        if rule.code not in known:
            faults.append(Fault(f"$.classes[{place}].code", f"the class {rule.code!r} has no rate; give it one under rates"))
        if rule.is_for_everybody and place + 1 < len(rules):
            faults.append(Fault(f"$.classes[{place}].when", "it takes everybody, so that nobody reaches the classes after it"))
        seen.add(rule.code)
    faults += [Fault(f"$.rates.{name}", "no class of that code is named under classes") for name in sorted(known - seen)]
    if not rules[-1].is_for_everybody:
        faults.append(Fault(f"$.classes[{len(rules) - 1}].when", "the last class takes everybody else: leave its conditions out"))
    return faults
