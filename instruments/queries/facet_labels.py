"""The names of facet values that stand in rows: owners, policy zones, classes, and codes that are no part of the shipped lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from config.kernel.access import Actor, visible_to
from instruments.models import Code, CodeScheme, Organisation, PolicyZone
from instruments.queries import codes
from instruments.queries.techniques import known_techniques
from instruments.rules.regions import regions

if TYPE_CHECKING:
    from instruments.queries.catalogue import FacetValue

Facets = dict[str, list["FacetValue"]]
Names = Mapping[str, tuple[str, str]]


def labelled(facets: Facets, on: date) -> Facets:
    """The same facets with labels as on a local day: three statements at most, and a fourth for codes of loaded lists."""
    owners = _owner_names(Organisation.objects.all(), [one.value for one in facets["owner"]])
    zones = zone_names([one.value for one in facets["zone"]])
    regions_known = {code: (region.zh, region.en) for code, region in regions().items()}
    loaded = _divisions([one.value for one in facets["region_code"] if one.value not in regions_known])
    names: Mapping[str, Names] = {
        "owner": owners,
        "zone": zones,
        "region_code": loaded | regions_known,
        "technique": {code: (one.zh, one.en) for code, one in known_techniques().items()},
        "class_code": _classes([one.value for one in facets["class_code"]], on),
    }
    return facets | {name: [_named(one, known) for one in facets[name]] for name, known in names.items()}


def _named(value: FacetValue, known: Names) -> FacetValue:
    label, label_en = known.get(value.value, ("", ""))
    return replace(value, label=label, label_en=label_en)


def _classes(values: list[str], on: date) -> Names:
    found = ((value, codes.entry_of(CodeScheme.INSTRUMENT_CLASS, value, on)) for value in values)
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


def _divisions(wanted: list[str]) -> dict[str, tuple[str, str]]:
    if not wanted:
        return {}
    rows = Code.objects.filter(scheme=CodeScheme.DIVISION, code__in=wanted)
    return {code: (name, name_en) for code, name, name_en in rows.order_by("valid_from").values_list("code", "name", "name_en")}
