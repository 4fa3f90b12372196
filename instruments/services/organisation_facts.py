"""What an organisation says about itself, checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from config.kernel.errors import Reason, Refusal
from instruments.models import Organisation, OrganisationIdentifier, OrganisationKind, OwnerClass
from instruments.rules.identifiers import Scheme, identify
from instruments.rules.names import clean_name, name_key
from instruments.services.pinyin import pinyin

T = TypeVar("T")
NAME_MAX_LENGTH = 200
MAX_STAFF = 10_000_000
MAX_REVENUE_FEN = 10**17
MAX_ZONES = 20
_KEY_LENGTH = 400
_REGION = re.compile(r"[1-9][0-9]{5}")
_ACCOUNT_NUMBER = re.compile(r"[0-9A-Za-z -]{5,40}")
_NEEDS_IDENTIFIER = {OrganisationKind.FIRM.value: (Scheme.USCC, Scheme.FOREIGN_REGISTRATION)}

VERIFIED_FACTS = frozenset(
    {"name", "identifiers", "region_code", "owner_class", "policy_zones", "staff_count", "annual_revenue_fen"}
)
"""Who it is and what prices and subsidies rest on: when one of these changes, the organisation has to be verified again."""


@dataclass(frozen=True, slots=True)
class OrganisationFacts:
    """An organisation's profile. ``identifiers`` maps scheme to value; revenue in fen; ``region_code`` GB/T 2260."""

    name: str
    name_en: str = ""
    identifiers: dict[str, str] = field(default_factory=dict)
    owner_class: str = ""
    region_code: str = ""
    policy_zones: tuple[str, ...] = ()
    staff_count: int | None = None
    annual_revenue_fen: int | None = None
    address: str = ""
    bank_name: str = ""
    bank_account_name: str = ""
    bank_account_number: str = ""


def facts_of(organisation: Organisation) -> OrganisationFacts:
    """The facts as they are stored."""
    identifiers = OrganisationIdentifier.objects.filter(organisation=organisation).order_by("scheme")
    return OrganisationFacts(
        name=organisation.name,
        name_en=organisation.name_en,
        identifiers=dict(identifiers.values_list("scheme", "value")),
        owner_class=organisation.owner_class,
        region_code=organisation.region_code,
        policy_zones=tuple(organisation.policy_zones),
        staff_count=organisation.staff_count,
        annual_revenue_fen=organisation.annual_revenue_fen,
        address=organisation.address,
        bank_name=organisation.bank_name,
        bank_account_name=organisation.bank_account_name,
        bank_account_number=organisation.bank_account_number,
    )


def changes(before: OrganisationFacts, after: OrganisationFacts) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs, as it was and as it is."""
    old, new = asdict(before), asdict(after)
    different = [name for name in new if old[name] != new[name]]
    return {name: old[name] for name in different}, {name: new[name] for name in different}


def write(organisation: Organisation, facts: OrganisationFacts) -> None:
    """Put checked facts, except identifiers, into the (unsaved) row, with the keys it is found by."""
    for name, value in asdict(facts).items():
        if name != "identifiers":
            setattr(organisation, name, list(value) if isinstance(value, tuple) else value)
    organisation.name_key = name_key(facts.name)[:_KEY_LENGTH]
    organisation.name_pinyin = pinyin(facts.name).casefold()[:_KEY_LENGTH]


def checked(kind: str, facts: OrganisationFacts) -> OrganisationFacts:
    """``facts`` in normal form.

    Raises Refusal with every reason: ``name.*``, ``identifier.invalid``, ``organisation.identifier_needed``,
    ``organisation.owner_class_unknown``, ``organisation.region_unknown``, ``organisation.staff_out_of_range``,
    ``organisation.revenue_out_of_range``, ``organisation.too_many_zones``, ``organisation.account_number_invalid``.
    """
    gather = _Gather()
    normal = OrganisationFacts(
        name=gather.take(lambda: clean_name(facts.name, NAME_MAX_LENGTH, "name"), ""),
        name_en=gather.text(facts.name_en, 200, "name_en"),
        identifiers=gather.identifiers(kind, facts.identifiers),
        owner_class=gather.owner_class(kind, facts.owner_class),
        region_code=gather.region(facts.region_code),
        policy_zones=gather.zones(facts.policy_zones),
        staff_count=gather.number(facts.staff_count, MAX_STAFF, "organisation.staff_out_of_range", "staff_count"),
        annual_revenue_fen=gather.number(
            facts.annual_revenue_fen, MAX_REVENUE_FEN, "organisation.revenue_out_of_range", "annual_revenue_fen"
        ),
        address=gather.text(facts.address, 300, "address"),
        bank_name=gather.text(facts.bank_name, 200, "bank_name"),
        bank_account_name=gather.text(facts.bank_account_name, 200, "bank_account_name"),
        bank_account_number=gather.account_number(facts.bank_account_number),
    )
    Refusal.raise_any(gather.reasons)
    return normal


class _Gather:
    """Checks field by field and keeps every reason."""

    def __init__(self) -> None:
        self.reasons: list[Reason] = []

    def take(self, check: Callable[[], T], otherwise: T) -> T:
        try:
            return check()
        except Refusal as refusal:
            self.reasons.extend(refusal.reasons)
            return otherwise

    def text(self, value: str, max_length: int, name: str) -> str:
        """A text that may be empty."""
        return self.take(lambda: clean_name(value, max_length, name), "") if value.strip() else ""

    def number(self, value: int | None, maximum: int, code: str, name: str) -> int | None:
        if value is not None and not 0 <= value <= maximum:
            self.reasons.append(Reason(code, {}, name))
        return value

    def region(self, value: str) -> str:
        code = value.strip()
        if code and not _REGION.fullmatch(code):
            self.reasons.append(Reason("organisation.region_unknown", {}, "region_code"))
        return code

    def account_number(self, value: str) -> str:
        number = value.strip()
        if number and not _ACCOUNT_NUMBER.fullmatch(number):
            self.reasons.append(Reason("organisation.account_number_invalid", {}, "bank_account_number"))
        return number

    def owner_class(self, kind: str, value: str) -> str:
        if value not in (OwnerClass.values if kind == OrganisationKind.OWNER else [""]):
            self.reasons.append(Reason("organisation.owner_class_unknown", {}, "owner_class"))
        return value

    def zones(self, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(values) > MAX_ZONES:
            self.reasons.append(Reason("organisation.too_many_zones", {"maximum": MAX_ZONES}, "policy_zones"))
        cleaned = [self.text(value, 50, "policy_zones") for value in values[:MAX_ZONES]]
        return tuple(sorted({zone for zone in cleaned if zone}))

    def identifiers(self, kind: str, values: dict[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for scheme, value in values.items():
            if not value.strip():
                continue
            if scheme not in {known.value for known in Scheme} or scheme == Scheme.NONE:
                self.reasons.append(Reason("identifier.unknown_scheme", {"scheme": scheme[:50]}, "identifiers"))
                continue
            identified = self.take(lambda s=scheme, v=value: identify(Scheme(s), v).value, None)  # type: ignore[misc]
            if identified is not None:
                found[scheme] = identified
        needed = _NEEDS_IDENTIFIER.get(kind)
        if needed and not any(scheme in values and values[scheme].strip() for scheme in needed):
            self.reasons.append(Reason("organisation.identifier_needed", {}, "identifier"))
        return found
