"""Every fact by its public path (``applicant.staff``): what kind of value it has and where it stands in ``Facts``.

Conditions, bases and factors name facts by these paths. ``other.NAME`` and ``other_amounts.NAME`` are open: any name may be used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any

from billing.subsidy.rules.facts import BOTH, Facts


class FactKind(StrEnum):
    """What a fact's value is: text, whole number, money (fen), day, yes or no, a set of texts, labels, listings, any of the first."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DAY = "day"
    FLAG = "flag"
    TEXTS = "texts"
    LABELS = "labels"
    LISTINGS = "listings"
    SHARE = "share"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class FactField:
    """One fact. ``read`` gives its value, None (or empty) while it is not known."""

    path: str
    kind: FactKind
    read: Callable[[Facts], Any]


_OF_PARTY = {
    FactKind.TEXT: "id owner_class grade controller industry_code resource_class",
    FactKind.NUMBER: "staff group_staff",
    FactKind.MONEY: "annual_revenue previous_annual_revenue total_assets net_assets registered_capital group_annual_revenue "
    "group_total_assets original_value",
    FactKind.DAY: "founded_on",
    FactKind.FLAG: "incorporated related_to_provider certified listed",
    FactKind.TEXTS: "lists",
    FactKind.LABELS: "labels",
    FactKind.LISTINGS: "credit_listings violations",
}
_PROFILE_OF = {
    "applicant": "id staff annual_revenue previous_annual_revenue total_assets net_assets registered_capital group_staff "
    "group_annual_revenue group_total_assets founded_on incorporated industry_code controller related_to_provider labels "
    "credit_listings violations lists",
    "provider": "id owner_class certified grade controller labels credit_listings violations lists",
    "instrument": "id original_value listed resource_class lists",
}
_PARTY_OF = {
    "applicant": {
        FactKind.TEXT: "kind size region_code",
        FactKind.TEXTS: "policy_zones",
        FactKind.FLAG: "verified first_use",
    },
    "provider": {FactKind.TEXT: "region_code", FactKind.TEXTS: "policy_zones", FactKind.FLAG: "verified"},
    "instrument": {FactKind.TEXT: "region_code", FactKind.TEXTS: "policy_zones"},
}
#: Group -> place in Facts -> kind -> names.
_PLAIN: dict[str, dict[str, dict[FactKind, str]]] = {
    "service": {
        "service": {
            FactKind.TEXT: "kind",
            FactKind.DAY: "service_on invoice_on claim_on approval_on",
            FactKind.FLAG: "imported",
        },
        "service.paper": {
            FactKind.TEXT: "way purpose project contract_number order invoice_number person",
            FactKind.DAY: "contract_on payment_on",
            FactKind.FLAG: "project_evidence project_subsidised invoice_subsidised listed",
            FactKind.TEXTS: "awaited",
        },
    },
    "amounts": {
        "amounts": {FactKind.MONEY: "fee contract minimum_top_up asked"},
        "amounts.claim": {
            FactKind.MONEY: "paid invoice tax excluded face_value other_subsidies lower_level lender external_income "
            "prior_year_external_income"
        },
    },
    "quantities": {
        "quantities": {FactKind.NUMBER: "minutes samples"},
        "quantities.counts": {FactKind.NUMBER: "external_minutes elements runs units days persons sessions vouchers"},
    },
    "request": {
        "more.request": {
            FactKind.TEXT: "side settlement voucher",
            FactKind.SHARE: "rate",
            FactKind.DAY: "voucher_issued_on",
            FactKind.TEXTS: "classes_taken",
        }
    },
    "before": {"more.before": {FactKind.MONEY: "fee subsidised", FactKind.NUMBER: "minutes samples awards"}},
    "batch": {"more.batch": {FactKind.MONEY: "pool claims"}},
}


def _fields() -> dict[str, FactField]:
    found: dict[str, FactField] = {}

    def add(path: str, kind: FactKind, place: str) -> None:
        found[path] = FactField(path, kind, attrgetter(place))

    for party, own in _PARTY_OF.items():
        for kind, names in own.items():
            for name in names.split():
                add(f"{party}.{name}", kind, f"{party}.{name}")
        allowed = set(_PROFILE_OF[party].split())
        for kind, names in _OF_PARTY.items():
            for name in allowed & set(names.split()):
                add(f"{party}.{name}", kind, f"{party}.profile.{name}")
    for group, places in _PLAIN.items():
        for place, kinds in places.items():
            for kind, names in kinds.items():
                for name in names.split():
                    add(f"{group}.{name}", kind, f"{place}.{name}")
    add("quality.grade", FactKind.TEXT, "grade")
    add("quality.score", FactKind.NUMBER, "more.score")
    found["request.side"] = FactField("request.side", FactKind.TEXT, _one_side)
    return found


def _one_side(facts: Facts) -> str | None:
    """Whose claim it is; not known where both sides claim and nobody asks for one of them."""
    side = facts.more.request.side
    return None if side in BOTH else side


FIELDS: dict[str, FactField] = _fields()
_OPEN_NAME = re.compile(r"(other|other_amounts)\.([a-z][a-z0-9_]{0,39})")


def fact_field(path: str) -> FactField | None:
    """The fact of a path, or None where there is none of that name."""
    known = FIELDS.get(path)
    named = _OPEN_NAME.fullmatch(path)
    if known is not None or named is None:
        return known
    group, name = named.groups()
    if group == "other":
        return FactField(path, FactKind.OPEN, lambda facts: facts.more.other.get(name))
    return FactField(path, FactKind.MONEY, lambda facts: facts.more.other_amounts.get(name))
