"""The names of facet values: of owners and policy zones, which stand in rows, and of codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from config.kernel.access import Actor, visible_to
from instruments.models import CodeScheme, Organisation, PolicyZone
from instruments.queries import codes
from instruments.queries.techniques import known_techniques

if TYPE_CHECKING:
    from instruments.queries.catalogue import FacetValue

Facets = dict[str, list["FacetValue"]]
Names = Mapping[str, tuple[str, str]]


def labelled(facets: Facets, on: date) -> Facets:
    """The same facets with labels as on a local day: two statements at most."""
    owners = _owner_names(Organisation.objects.all(), [one.value for one in facets["owner"]])
    zones = zone_names([one.value for one in facets["zone"]])
    names: Mapping[str, Names] = {
        "owner": owners,
        "zone": zones,
        "region_code": _entries(CodeScheme.DIVISION, facets["region_code"], on),
        "technique": {code: (one.zh, one.en) for code, one in known_techniques().items()},
        "class_code": _entries(CodeScheme.INSTRUMENT_CLASS, facets["class_code"], on),
    }
    return facets | {name: [_named(one, known) for one in facets[name]] for name, known in names.items()}


def _named(value: FacetValue, known: Names) -> FacetValue:
    label, label_en = known.get(value.value, ("", ""))
    return replace(value, label=label, label_en=label_en)


def _entries(scheme: CodeScheme, values: Iterable[FacetValue], on: date) -> Names:
    found = ((one.value, codes.entry_of(scheme, one.value, on)) for one in values)
    return {value: (entry.zh, entry.en) for value, entry in found if entry is not None}


def owner_names(actor: Actor, ids: Iterable[str]) -> Names:
    """Names, Chinese and English, of the owners that the actor may see, by their ids as they are written in addresses."""
    return _owner_names(visible_to(Organisation.objects.all(), actor), ids)


def _owner_names(rows: QuerySet[Organisation], ids: Iterable[str]) -> Names:
    """Without a scope only for owners whose entries the actor was counted already."""
    wanted = [int(pk) for pk in ids]
    named = rows.filter(pk__in=wanted).values_list("pk", "name", "name_en") if wanted else []
    return {str(pk): (name, name_en) for pk, name, name_en in named}


def zone_names(slugs: Iterable[str]) -> Names:
    """Names, Chinese and English, of policy zones by their slugs."""
    wanted = list(slugs)
    rows = PolicyZone.objects.filter(slug__in=wanted).values_list("slug", "name", "name_en") if wanted else []
    return {slug: (name, name_en) for slug, name, name_en in rows}
