"""Resources in the standards of their kind: one, or all that an actor may see of an owner. The caller has cut the rows down."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, prefetch_related_objects
from django.urls import reverse
from django.utils import timezone

from config.kernel.access import NOBODY, visible_to
from config.kernel.errors import Refusal
from instruments.models import DataSet, Germplasm, Instrument, Literature, Organisation, Resource, ResourceKind
from instruments.rules.standards import darwin_core, datacite_record, dcat, dublin_core, mcpd
from instruments.rules.standards.record import Party, Record, Tool
from instruments.rules.standards.text import table_csv
from instruments.services.price_list import price_list

_JSON_LD = "application/ld+json"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Format:
    """One way out: for which kind, the media type, the file's ending, and what makes it from one or many resources on a local day."""

    kind: str
    media_type: str
    extension: str
    one: Callable[[Resource, date], str | bytes]
    many: Callable[[Sequence[Resource], date], str | bytes]


def export(resources: Sequence[Resource], name: str, on: date, *, single: bool) -> tuple[bytes, Format]:
    """The file and its format; prices are those of the local day ``on``.

    Raises Refusal ``resource.export_not_for_kind`` when the format is not for this kind.
    """
    chosen = FORMATS.get(name)
    kinds = {resource.kind for resource in resources}
    if chosen is None or (kinds and kinds != {chosen.kind}):
        known = sorted(other for other, each in FORMATS.items() if not kinds or each.kind in kinds)
        raise Refusal.of("resource.export_not_for_kind", "format", known=known)
    made = chosen.one(resources[0], on) if single else chosen.many(resources, on)
    return (made.encode() if isinstance(made, str) else made), chosen


def formats_of(kind: str) -> list[str]:
    """The names of the formats for a kind of resource."""
    return [name for name, each in FORMATS.items() if each.kind == kind]


def mcpd_csv(resources: Sequence[Resource]) -> str:
    """MCPD v2.1: the accessions of plants among them, and the columns of their files that MCPD does not know."""
    return table_csv(mcpd.DESCRIPTORS, _records(resources, "mcpd"))


def darwin_core_csv(resources: Sequence[Resource]) -> str:
    """Darwin Core: livestock and strains among them."""
    return table_csv(darwin_core.TERMS, _records(resources, "dwc"))


def record_of(resource: Resource) -> Record:
    """A data set or a work of literature as plain values."""
    return records_of([resource])[0]


def records_of(resources: Sequence[Resource]) -> list[Record]:
    """Data sets, or works of literature, as plain values: one query for all. They are for the public, so instruments that not everybody
    sees are not named."""
    if resources:
        shown = visible_to(Instrument.objects.order_by("name_pinyin", "pk"), NOBODY)
        prefetch_related_objects(resources, Prefetch(f"{resources[0].kind}__instruments", shown, to_attr="public_instruments"))
    return [_record(resource) for resource in resources]


def _record(resource: Resource) -> Record:
    part: Any = resource.dataset if resource.kind == ResourceKind.DATASET else resource.literature
    own = _dataset_fields(part) if isinstance(part, DataSet) else _literature_fields(part)
    return Record(
        url=_address("resource_detail", resource.pk),
        identifier=resource.inner_id,
        name=resource.name,
        name_en=resource.name_en,
        description=resource.description,
        description_en=resource.description_en,
        keywords=tuple(resource.keywords),
        publisher=_party(resource.organisation),
        creators=tuple(part.creators),
        licence=resource.licence,
        access_terms=resource.access_terms,
        doi=resource.doi,
        cstr=resource.cstr,
        modified=timezone.localdate(resource.updated_at).isoformat(),
        tools=tuple(_tool(instrument) for instrument in part.public_instruments),
        **own,
    )


def _dataset_fields(part: DataSet) -> dict[str, Any]:
    return {
        "issued": part.issued_on.isoformat() if part.issued_on else "",
        "version": part.version,
        "media_types": tuple(part.media_types),
        "size_bytes": part.size_bytes,
        "temporal_from": part.temporal_from.isoformat() if part.temporal_from else "",
        "temporal_to": part.temporal_to.isoformat() if part.temporal_to else "",
        "spatial": part.spatial,
        "landing_page": part.landing_page,
    }


def _literature_fields(part: Literature) -> dict[str, Any]:
    return {
        "issued": part.issued,
        "type": part.type,
        "language": part.language,
        "source": part.source,
        "rights": part.rights,
        "house": part.publisher,
    }


def _records(resources: Sequence[Resource], standard: str) -> list[tuple[dict[str, str], dict[str, str]]]:
    found: list[Germplasm] = [resource.germplasm for resource in resources]
    return [(part.descriptors, part.resource.attributes) for part in found if part.standard == standard]


def _party(owner: Organisation) -> Party:
    return Party(owner.name, owner.name_en, _address("organisation_detail", owner.pk))


def _tool(instrument: Instrument) -> Tool:
    return Tool(instrument.name, _address("instrument_detail", instrument.pk))


def _address(name: str, pk: int) -> str:
    return settings.PUBLIC_URL + reverse(name, args=[pk])


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1)


def _title(resources: Sequence[Resource]) -> str:
    return resources[0].organisation.name if resources else ""


FORMATS: dict[str, Format] = {
    "price-list": Format("test_item", _XLSX, "xlsx", lambda one, on: price_list([one], on), price_list),
    "mcpd": Format("germplasm", "text/csv", "csv", lambda one, on: mcpd_csv([one]), lambda many, on: mcpd_csv(many)),
    "darwin-core": Format(
        "germplasm", "text/csv", "csv", lambda one, on: darwin_core_csv([one]), lambda many, on: darwin_core_csv(many)
    ),
    "dcat": Format(
        "dataset",
        _JSON_LD,
        "jsonld",
        lambda one, on: _json(dcat.dcat_dataset(record_of(one))),
        lambda many, on: _json(dcat.dcat_catalog(settings.PUBLIC_URL, _title(many), records_of(many))),
    ),
    "schema-org": Format(
        "dataset",
        _JSON_LD,
        "jsonld",
        lambda one, on: _json(dcat.schema_org_dataset(record_of(one))),
        lambda many, on: _json(dcat.schema_org_catalog(settings.PUBLIC_URL, _title(many), records_of(many))),
    ),
    "datacite": Format(
        "dataset",
        "application/xml",
        "xml",
        lambda one, on: datacite_record.as_xml(record_of(one), "Dataset"),
        lambda many, on: datacite_record.list_as_xml(records_of(many), "Dataset"),
    ),
    "datacite-text": Format(
        "literature",
        "application/xml",
        "xml",
        lambda one, on: datacite_record.as_xml(record_of(one), "Text"),
        lambda many, on: datacite_record.list_as_xml(records_of(many), "Text"),
    ),
    "dublin-core": Format(
        "literature",
        "application/xml",
        "xml",
        lambda one, on: dublin_core.as_xml(record_of(one)),
        lambda many, on: dublin_core.list_as_xml(records_of(many)),
    ),
    "dublin-core-json": Format(
        "literature",
        "application/json",
        "json",
        lambda one, on: _json(dublin_core.as_json(record_of(one))),
        lambda many, on: _json([dublin_core.as_json(one) for one in records_of(many)]),
    ),
}
