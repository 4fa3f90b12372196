"""The names of facet values that stand in rows: owners, policy zones, classes, and codes that are no part of the shipped lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from instruments.models import Code, CodeScheme, Organisation, PolicyZone
from instruments.queries import codes
from instruments.rules.regions import regions
from instruments.rules.techniques import techniques

if TYPE_CHECKING:
    from instruments.queries.catalogue import FacetValue

Facets = dict[str, list["FacetValue"]]
Names = Mapping[str, tuple[str, str]]


def labelled(facets: Facets, on: date) -> Facets:
    """The same facets with labels as on a local day: three statements at most, and a fourth for codes of loaded lists."""
    owners = _owners([one.value for one in facets["owner"]])
    zones = _zones([one.value for one in facets["zone"]])
    regions_known = {code: (region.zh, region.en) for code, region in regions().items()}
    techniques_known = {code: (one.zh, one.en) for code, one in techniques().items()}
    unknown = [
        (scheme, one.value)
        for scheme, name, known in (
            (CodeScheme.DIVISION, "region_code", regions_known),
            (CodeScheme.TECHNIQUE, "technique", techniques_known),
        )
        for one in facets[name]
        if one.value not in known
    ]
    loaded = _codes(unknown)
    names: Mapping[str, Names] = {
        "owner": owners,
        "zone": zones,
        "region_code": loaded | regions_known,
        "technique": loaded | techniques_known,
        "class_code": _classes([one.value for one in facets["class_code"]], on),
    }
    return facets | {name: [_named(one, known) for one in facets[name]] for name, known in names.items()}


def _named(value: FacetValue, known: Names) -> FacetValue:
    label, label_en = known.get(value.value, ("", ""))
    return replace(value, label=label, label_en=label_en)


def _classes(values: list[str], on: date) -> Names:
    found = ((value, codes.entry_of(CodeScheme.INSTRUMENT_CLASS, value, on)) for value in values)
    return {value: (entry.zh, entry.en) for value, entry in found if entry is not None}


def _owners(ids: list[str]) -> Names:
    """Names of owners whose entries the actor was counted already."""
    rows = Organisation.objects.filter(pk__in=[int(pk) for pk in ids]).values_list("pk", "name", "name_en") if ids else []
    return {str(pk): (name, name_en) for pk, name, name_en in rows}


def _zones(slugs: list[str]) -> Names:
    rows = PolicyZone.objects.filter(slug__in=slugs).values_list("slug", "name", "name_en") if slugs else []
    return {slug: (name, name_en) for slug, name, name_en in rows}


def _codes(wanted: list[tuple[CodeScheme, str]]) -> dict[str, tuple[str, str]]:
    if not wanted:
        return {}
    rows = Code.objects.filter(scheme__in={scheme for scheme, _ in wanted}, code__in=[code for _, code in wanted])
    return {code: (name, name_en) for code, name, name_en in rows.order_by("valid_from").values_list("code", "name", "name_en")}
