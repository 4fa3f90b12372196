"""How complete what an owner shares besides instruments is for reports: counted, and looked up, by the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from config.kernel.access import Actor, visible_to
from instruments.models import Resource, TestItem
from instruments.queries.completeness import Share
from instruments.rules.resource_values import CORE_FIELDS
from instruments.rules.standards.resource_completeness import Requirement, requirements
from instruments.services.instrument_changes import require_manager

_LISTS = frozenset({"keywords", "analytes", "creators", "media_types"})
_OPTIONAL = frozenset({"turnaround_days", "issued_on"})
_BEHIND = TestItem.instruments.through.objects.filter(testitem_id=OuterRef("pk"))
_LACKS = "lacks_"


@dataclass(frozen=True, slots=True)
class KindShare(Share):
    """The resources of a kind, drafts too; ``missing`` are the requirements that some do not meet with how many, most first."""

    missing: Sequence[tuple[Requirement, int]]


@dataclass(frozen=True, slots=True)
class Lacking:
    """A resource with what it lacks."""

    resource: Resource
    requirements: tuple[Requirement, ...]


def share_of(actor: Actor, organisation_id: int, kind: str) -> KindShare:
    """For who manages what the owner shares: one query. Raises Forbidden."""
    asked = requirements(kind)
    rows = _looked_at(actor, organisation_id, kind)
    counted = rows.aggregate(
        total=Count("pk"),
        incomplete=Count("pk", filter=_any(asked)),
        **{one.field: Count("pk", filter=Q(**{_LACKS + one.field: True})) for one in asked},
    )
    missing = [(one, counted[one.field]) for one in asked if counted[one.field]]
    missing.sort(key=lambda found: -found[1])
    return KindShare(counted["total"], counted["total"] - counted["incomplete"], missing)


def lacking(actor: Actor, organisation_id: int, kind: str, field: str = "") -> QuerySet[Resource]:
    """The resources that lack something (``field``: that), by name; ``told`` says what. Raises Forbidden."""
    asked = requirements(kind)
    rows = _looked_at(actor, organisation_id, kind)
    found = rows.filter(**{_LACKS + field: True}) if field else rows.filter(_any(asked))
    return found.select_related("test_item").order_by("name_pinyin", "pk")


def told(kind: str, rows: Sequence[Resource]) -> list[Lacking]:
    """What each row of ``lacking`` lacks."""
    return [Lacking(row, tuple(one for one in requirements(kind) if getattr(row, _LACKS + one.field))) for row in rows]


def _looked_at(actor: Actor, organisation_id: int, kind: str) -> QuerySet[Resource]:
    require_manager(actor, organisation_id)
    rows = visible_to(Resource.objects.filter(organisation_id=organisation_id, kind=kind), actor)
    flags: dict[str, Any] = {
        _LACKS + one.field: ExpressionWrapper(_lacks(kind, one), output_field=BooleanField()) for one in requirements(kind)
    }
    return rows.annotate(**flags)


def _any(asked: Sequence[Requirement]) -> Q:
    return reduce(or_, (Q(**{_LACKS + one.field: True}) for one in asked))


def _lacks(kind: str, one: Requirement) -> Q:
    """Whether none of the fields says anything. Descriptors that say nothing are not kept."""
    if one.standard:
        kept = Q(germplasm__descriptors__has_any_keys=list(one.any_of))
        return Q(germplasm__standard=one.standard) & ~kept
    return reduce(and_, (_empty(kind, field) for field in one.any_of))


def _empty(kind: str, field: str) -> Q:
    if field == "instrument_ids":
        return ~Q(Exists(_BEHIND))
    path = field if field in CORE_FIELDS else f"{kind}__{field}"
    if field in _OPTIONAL:
        return Q(**{f"{path}__isnull": True})
    return Q(**{path: [] if field in _LISTS else ""})
