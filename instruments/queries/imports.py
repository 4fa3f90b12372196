"""Imports and mappings as their people see them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Forbidden
from instruments.models import ImportRun, ImportRunRow, Organisation, OrganisationKind, SavedMapping

FATES: tuple[str, ...] = ("refused", "updated", "created", "repeated", "unchanged", "skipped")
#: Fates that are spoken of only where a row has them.
SOMETIMES: frozenset[str] = frozenset({"skipped"})


def import_owners(actor: Actor) -> list[Organisation]:
    """The owners for whom the actor may take files in, by name. Raises Forbidden when there are none and never can be."""
    if not actor.has(Role.LAB_MANAGER, Role.OPERATOR):
        raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])
    owners = visible_to(Organisation.objects.filter(kind=OrganisationKind.OWNER), actor)
    if not actor.has(Role.OPERATOR):
        owners = owners.filter(pk__in=actor.organisations(Role.LAB_MANAGER))
    return list(owners.order_by("name_pinyin", "pk"))


def import_runs(actor: Actor) -> QuerySet[ImportRun]:
    """The imports that the actor may see, the newest first."""
    rows = visible_to(ImportRun.objects.all(), actor).select_related("file", "organisation", "created_by")
    return rows.order_by("-created_at", "-pk")


def import_run_for(actor: Actor, run_id: int) -> ImportRun:
    """One import. Raises NotFound."""
    return get_visible(ImportRun.objects.select_related("file", "organisation", "created_by"), actor, pk=run_id)


def rows_of(actor: Actor, run: ImportRun, fate: str = "") -> QuerySet[ImportRunRow]:
    """The rows of an import, of one fate where it is named, in the file's order."""
    rows = visible_to(ImportRunRow.objects.filter(run=run), actor)
    return (rows.filter(fate=fate) if fate in FATES else rows).order_by("line", "pk")


def mapping_for(actor: Actor, mapping_id: int) -> SavedMapping:
    """One saved mapping. Raises NotFound."""
    return get_visible(SavedMapping.objects.all(), actor, pk=mapping_id)


def mappings_for(actor: Actor, organisation_ids: Sequence[int]) -> QuerySet[SavedMapping]:
    """Saved mappings of these owners and of everybody, by name."""
    rows = visible_to(SavedMapping.objects.all(), actor).select_related("organisation")
    shared = rows.filter(organisation=None)
    return (rows.filter(organisation_id__in=organisation_ids) | shared).order_by("name", "pk")
