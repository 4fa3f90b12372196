"""Facts of the vouchers behind a limit: the face value of the one that is used first, and how many there are. They are told, and kept with
the figures, only where a programme looks at them and vouchers are issued for one of its limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from billing.ledger.rules.documents import Document
from billing.subsidy.rules import priced_facts
from billing.subsidy.rules.parts.caps import CapPer

FACE_VALUE = "amounts.face_value"
COUNT = "quantities.vouchers"
OF_VOUCHERS = frozenset({FACE_VALUE, COUNT})


def asked(document: Document) -> frozenset[str]:
    """Which of them a document looks at; none where no voucher can stand behind one of its limits."""
    if not any(is_issued(cap) for cap in _caps(document)):
        return frozenset()
    return priced_facts.named(_without_own_face(document), OF_VOUCHERS)


def _caps(document: Document) -> Iterator[Mapping[str, Any]]:
    for place in (document, *document.get("sides", ())):
        yield from place.get("caps", ())


def is_issued(cap: Mapping[str, Any]) -> bool:
    """As ``is_issued`` of a compiled cap: a limit per voucher, or a total that only issuing sets."""
    if cap["per"] == CapPer.VOUCHER.value:
        return True
    limit = cap["limit"]
    is_set_by_issuing = isinstance(limit, Mapping) and bool(limit.get("configured")) and limit.get("when_unset") == "refuse"
    return cap["per"] == CapPer.UNIT_TOTAL.value and is_set_by_issuing


def _without_own_face(rules: Any) -> Any:
    """The rules without the type of a rate that says itself what a voucher is worth: it does not ask."""
    if isinstance(rules, Mapping):
        own = rules.get("type") == "face_value" and "amount" in rules
        return {name: _without_own_face(value) for name, value in rules.items() if not (own and name == "type")}
    return [_without_own_face(each) for each in rules] if isinstance(rules, list) else rules
