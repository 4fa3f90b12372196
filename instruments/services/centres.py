"""An owner's instrument centres: written by who manages the owner's instruments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import constraint_name, whole
from instruments.models import InstrumentCentre
from instruments.queries import codes
from instruments.queries.divisions import ended_reason, is_division
from instruments.rules.centre_values import clean_centre
from instruments.services.instrument_changes import owner_institution, require_manager


@whole
def create(actor: Actor, organisation_id: int, given: Mapping[str, Any], now: datetime) -> InstrumentCentre:
    """A new centre; number and name are needed. Raises Forbidden, Refusal ``instrument.owner_unknown``, those of ``checked`` and
    ``codes.division_*`` of one that ended, Conflict ``centre.number_taken``."""
    require_manager(actor, organisation_id)
    owner_institution(organisation_id)
    values = checked({"inner_id": "", "name": "", **given}, timezone.localdate(now))
    _refuse_ended(values)
    return write(actor, InstrumentCentre(organisation_id=organisation_id, created_at=now), values, now)


@whole
def update(actor: Actor, centre_id: int, given: Mapping[str, Any], now: datetime) -> InstrumentCentre:
    """Change the named fields. Raises NotFound, Forbidden, Refusal as ``create``, Conflict ``centre.number_taken``."""
    centre = _managed(actor, centre_id)
    values = checked(given, timezone.localdate(now))
    _refuse_ended(values, centre.region_code)
    return write(actor, centre, values, now)


@whole
def remove(actor: Actor, centre_id: int, now: datetime) -> None:
    """Take a centre away; what it said stays in the audit trail, and its instruments keep its number. Raises NotFound, Forbidden."""
    centre = _managed(actor, centre_id)
    audit.record(actor, "centre.remove", centre, now, before={"inner_id": centre.inner_id, "name": centre.name})
    centre.delete()


def checked(given: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Clean values, codes as they hold on the local day. Raises Refusal with every reason: ``name.*``, ``instrument.*``, ``centre.area``,
    ``place.division_unknown``, ``import.name_unknown``."""
    cleaned = clean_centre(given)
    reasons = list(cleaned.reasons)
    if (code := cleaned.values.get("region_code")) and not is_division(code):
        reasons.append(Reason("place.division_unknown", {"code": code}, "region_code"))
    subjects = cleaned.values.get("subject_codes", [])
    unknown = [code for code in subjects if codes.code_of("gbt13745", code, today) is None]
    reasons += [Reason("import.name_unknown", {"text": code[:60]}, "subject_codes") for code in unknown]
    Refusal.raise_any(reasons)
    return cleaned.values


def _refuse_ended(values: Mapping[str, Any], kept: str = "") -> None:
    """Whoever types a division means one of today; a list may say an older one, and what is kept may have ended since.

    Raises Refusal ``codes.division_ended``, ``codes.division_replaced``."""
    code = values.get("region_code", "")
    if code != kept and (ended := ended_reason(code)) is not None:
        raise Refusal(ended)


def write(actor: Actor, centre: InstrumentCentre, values: Mapping[str, Any], now: datetime) -> InstrumentCentre:
    """Write what differs, of a new centre all; nothing when nothing does. Part of the caller's transaction, which has asked who may."""
    before = (
        {} if centre.pk is None else {name: getattr(centre, name) for name in values if getattr(centre, name) != values[name]}
    )
    if centre.pk is not None and not before:
        return centre
    is_new = centre.pk is None
    for name, value in values.items():
        setattr(centre, name, value)
    centre.updated_at = now
    try:
        with transaction.atomic():
            centre.save()
    except IntegrityError as error:
        if constraint_name(error) != "centre_number_once":
            raise
        raise Conflict(Reason("centre.number_taken", {"number": str(values.get("inner_id", ""))}, "inner_id")) from error
    after = values if is_new else {name: values[name] for name in before}
    action = "centre.create" if is_new else "centre.update"
    audit.record(actor, action, centre, now, before=_written(before), after=_written(after))
    return centre


def _managed(actor: Actor, centre_id: int) -> InstrumentCentre:
    centre = get_visible(InstrumentCentre.objects.select_for_update(of=("self",), no_key=True), actor, pk=centre_id)
    require_manager(actor, centre.organisation_id)
    return centre


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    """As kept in the audit trail: days and areas as text."""
    return {
        name: value if isinstance(value, (str, bool, list)) or value is None else str(value) for name, value in values.items()
    }
