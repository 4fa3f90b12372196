"""What every change of the registry shares: who may make it, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Reason, Refusal
from instruments.models import Instrument, Organisation, OrganisationKind, OrganisationStatus
from instruments.rules.classification import instrument_classes
from instruments.rules.instrument_review import apart, review_needed
from instruments.services import search_tokens

DATE_FIELDS = frozenset({"commissioned_on", "purchased_on", "facility_accepted_on"})
_PINYIN_LENGTH = 600


def require_manager(actor: Actor, organisation_id: int) -> None:
    """Raise Forbidden unless the actor manages that owner's instruments or operates the platform."""
    if not actor.has(Role.OPERATOR):
        actor.require_in(organisation_id, Role.LAB_MANAGER)


def manages(actor: Actor, organisation_id: int) -> bool:
    """Whether the actor may change that owner's instruments."""
    return actor.has(Role.OPERATOR) or organisation_id in actor.organisations(Role.LAB_MANAGER)


def managed_instrument(actor: Actor, instrument_id: int) -> Instrument:
    """The instrument, locked, for a change. Raises NotFound when it is foreign, Forbidden when it is only to be looked at."""
    rows = Instrument.objects.select_for_update(of=("self",), no_key=True).select_related("organisation", "site")
    instrument = get_visible(rows, actor, pk=instrument_id)
    require_manager(actor, instrument.organisation_id)
    return instrument


def owner_institution(organisation_id: int) -> Organisation:
    """The organisation when it is one that may own instruments. Raises Refusal ``instrument.owner_unknown``."""
    return checked_owner(Organisation.objects.filter(pk=organisation_id).first())


def checked_owner(organisation: Organisation | None) -> Organisation:
    """As ``owner_institution`` for an organisation that is in hand."""
    if organisation is None or organisation.kind != OrganisationKind.OWNER:
        raise Refusal.of("instrument.owner_unknown", "organisation_id")
    return organisation


def class_reasons(class_code: str) -> list[Reason]:
    """Reasons against a class code whose first two digits are no class of the national list."""
    if class_code and class_code[:2] not in instrument_classes():
        return [Reason("instrument.class_code_unknown", {"text": class_code}, "class_code")]
    return []


def name_pinyin(name: str) -> str:
    return search_tokens.sort_key(name)[:_PINYIN_LENGTH]


def jsonable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Field values as they are kept in the audit trail."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def needs_review(actor: Actor, owner: Organisation) -> bool:
    """Whether what the actor changes in the owner's published instruments waits for the operator."""
    return review_needed(
        is_operator=actor.has(Role.OPERATOR),
        owner_says=owner.reviews_needed,
        owner_verified=owner.status == OrganisationStatus.VERIFIED,
    )


def refuse_unreviewed(actor: Actor, instrument: Instrument, after: Mapping[str, Any]) -> None:
    """Refuse to change by itself what the operator looks at first. Raises Refusal ``instrument.review_needed``."""
    if not needs_review(actor, instrument.organisation):
        return
    _at_once, reviewed = apart(after)
    if after.get("published") or (reviewed and instrument.published):
        raise Refusal.of("instrument.review_needed")


def revived(values: Mapping[str, Any]) -> dict[str, Any]:
    """The opposite of ``jsonable``: dates are dates again."""
    return {
        name: date.fromisoformat(value) if name in DATE_FIELDS and isinstance(value, str) else value
        for name, value in values.items()
    }
