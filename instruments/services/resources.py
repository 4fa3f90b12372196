"""Writing resources of the other kinds: test items, germplasm, data sets, literature. Every change is audited and catalogued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.kernel.access import Actor, get_visible
from config.kernel.errors import Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Resource, ResourceKind, TestItem
from instruments.rules.instrument_review import apart
from instruments.rules.persistent_ids import kept_ids, without_kept
from instruments.rules.registry_values import Cleaned
from instruments.rules.resource_values import (
    CORE_FIELDS,
    KINDS,
    clean_core,
    clean_part,
    germplasm_name,
    germplasm_number,
)
from instruments.services import catalogue
from instruments.services.instrument_changes import name_pinyin, needs_review, owner_institution, require_manager
from instruments.services.resource_parts import instrument_reasons, jsonable, part_values, save_part

_EMPTY_CORE: dict[str, Any] = {"published": False, "keywords": [], "attributes": {}}


@whole
def create_resource(
    actor: Actor, organisation_id: int, kind: str, core: Mapping[str, Any], part: Mapping[str, Any], now: datetime
) -> Resource:
    """A new resource of an owner, with its typed part (``resource_values``); a draft unless ``published`` is given, and where the
    operator looks first (``instrument_changes.needs_review``).

    Raises Forbidden, Refusal ``resource.*`` / ``germplasm.*`` / ``instrument.*`` / ``name.*`` with every reason.
    """
    require_manager(actor, organisation_id)
    owner = owner_institution(organisation_id)
    if kind not in KINDS:
        raise Refusal.of("resource.kind_unknown", "kind", text=kind[:40], known=list(KINDS))
    cleaned_part = clean_part(kind, part)
    cleaned = clean_core(_named(kind, {"name": "", "inner_id": "", **core}, cleaned_part.values))
    Refusal.raise_any([*cleaned.reasons, *cleaned_part.reasons, *_links(actor, kind, organisation_id, cleaned_part)])
    values: dict[str, Any] = dict.fromkeys(CORE_FIELDS, "") | _EMPTY_CORE | cleaned.values
    values["published"] = values["published"] and not needs_review(actor, owner)
    resource = Resource.objects.create(
        kind=kind,
        organisation=owner,
        name_pinyin=name_pinyin(values["name"]),
        created_at=now,
        updated_at=now,
        **values,
    )
    save_part(resource, cleaned_part.values)
    catalogue.refresh_resources([resource.pk], now)
    after = jsonable({**cleaned.values, **cleaned_part.values, "kind": kind})
    audit.record(actor, "resource.create", resource, now, after=after)
    return resource


@dataclass(frozen=True, slots=True)
class Differing:
    """Clean values that differ from what is stored, of the core and of the typed part, with what stands there now; ``whole_part`` is the
    part as it would be."""

    core: dict[str, Any]
    part: dict[str, Any]
    before: dict[str, Any]
    whole_part: dict[str, Any]

    @property
    def values(self) -> dict[str, Any]:
        return self.core | self.part


def differing(actor: Actor, resource: Resource, core: Mapping[str, Any], part: Mapping[str, Any]) -> Differing:
    """What the named fields would change. Raises Refusal with every reason."""
    stored_part = part_values(resource)
    if part and resource.kind == ResourceKind.GERMPLASM:
        core = {"inner_id": "", **core}  # its number is among the descriptors
    cleaned_part = clean_part(resource.kind, stored_part | dict(part)) if part else Cleaned(stored_part, ())
    cleaned = clean_core(_named(resource.kind, core, cleaned_part.values) if core else {})
    reasons = [*without_kept(cleaned.reasons, kept_ids([(resource.doi, resource.cstr)])), *cleaned_part.reasons]
    if "instrument_ids" in part:
        reasons += _links(actor, resource.kind, resource.organisation_id, cleaned_part)
    Refusal.raise_any(reasons)
    changes = {name: value for name, value in cleaned.values.items() if getattr(resource, name) != value}
    part_changes = {name: value for name, value in cleaned_part.values.items() if stored_part[name] != value}
    before = {name: getattr(resource, name) for name in changes} | {name: stored_part[name] for name in part_changes}
    return Differing(changes, part_changes, before, cleaned_part.values)


@whole
def update_resource(
    actor: Actor, resource_id: int, core: Mapping[str, Any], part: Mapping[str, Any], now: datetime, reason: str = ""
) -> Resource:
    """Change the named fields; others stay as they are. Nothing is written when nothing differs.

    Raises NotFound, Forbidden, Refusal with every reason; ``resource.review_needed`` for what the operator looks at first.
    """
    resource = managed_resource(actor, resource_id)
    changes = differing(actor, resource, core, part)
    if not changes.values:
        return resource
    _refuse_unreviewed(actor, resource, changes)
    for name, value in changes.core.items():
        setattr(resource, name, value)
    resource.name_pinyin = name_pinyin(resource.name)
    resource.updated_at = now
    resource.save()
    if changes.part:
        save_part(resource, changes.whole_part)
    catalogue.refresh_resources([resource.pk], now)
    audit.record(
        actor,
        "resource.update",
        resource,
        now,
        before=jsonable(changes.before),
        after=jsonable(changes.values),
        reason=reason,
    )
    return resource


def _refuse_unreviewed(actor: Actor, resource: Resource, changes: Differing) -> None:
    """Refuse to change by itself what the operator looks at first. Raises Refusal ``resource.review_needed``."""
    _at_once, reviewed = apart(changes.values)
    shows = changes.core.get("published") or (reviewed and resource.published)
    if shows and needs_review(actor, resource.organisation):
        raise Refusal.of("resource.review_needed")


def set_published(actor: Actor, resource_id: int, published: bool, now: datetime) -> Resource:
    """Show it to the public, or keep it among its lab's own drafts. Raises as ``update_resource``."""
    return update_resource(actor, resource_id, {"published": published}, {}, now)


@whole
def set_price_units(units: Mapping[int, str]) -> None:
    """What the prices of test items are for, by resource; written with a price alone, so that the two always belong together."""
    for unit in sorted(set(units.values())):
        ids = [pk for pk, wanted in units.items() if wanted == unit]
        TestItem.objects.filter(pk__in=ids).exclude(price_unit=unit).update(price_unit=unit)


def managed_resource(actor: Actor, resource_id: int) -> Resource:
    """The resource, locked, for a change. Raises NotFound when it is foreign, Forbidden when it is only to be looked at."""
    rows = Resource.objects.select_for_update(of=("self",), no_key=True).select_related("organisation")
    resource = get_visible(rows, actor, pk=resource_id)
    require_manager(actor, resource.organisation_id)
    return resource


def _named(kind: str, core: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """The core fields given; an accession whose name or number is left empty is called what its descriptors say."""
    values = dict(core)
    if kind == ResourceKind.GERMPLASM and isinstance(part.get("descriptors"), Mapping):
        for field, derived in (("name", germplasm_name), ("inner_id", germplasm_number)):
            if values.get(field) == "":
                values[field] = derived(part["standard"], part["descriptors"])
    return values


def _links(actor: Actor, kind: str, organisation_id: int, cleaned: Cleaned) -> list[Reason]:
    return instrument_reasons(actor, kind, organisation_id, cleaned.values)
