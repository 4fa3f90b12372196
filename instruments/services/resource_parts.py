"""The typed part of a resource: its values as the rules know them, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import Model

from config.kernel.access import Actor, visible_to
from config.kernel.errors import Reason
from instruments.models import DataSet, Germplasm, Instrument, Literature, Qualification, Resource, ResourceKind, TestItem
from instruments.rules.resource_values import germplasm_columns, part_fields

PART_MODELS: dict[str, type[Model]] = {
    ResourceKind.TEST_ITEM: TestItem,
    ResourceKind.GERMPLASM: Germplasm,
    ResourceKind.DATASET: DataSet,
    ResourceKind.LITERATURE: Literature,
}
QUALIFICATION_FIELDS = ("scheme", "certificate_number", "valid_from", "valid_to")
_LISTS = frozenset({"qualifications", "instrument_ids"})


def part_of(resource: Resource) -> Any:
    """The row of the typed part."""
    return getattr(resource, {ResourceKind.TEST_ITEM: "test_item"}.get(ResourceKind(resource.kind), resource.kind))


def part_values(resource: Resource) -> dict[str, Any]:
    """The typed part as ``clean_part`` returns it."""
    part = part_of(resource)
    names = part_fields(resource.kind)
    values = {name: getattr(part, name) for name in names - _LISTS}
    if "qualifications" in names:
        rows = sorted(part.qualifications.all(), key=lambda row: row.pk)
        values["qualifications"] = [{name: getattr(row, name) for name in QUALIFICATION_FIELDS} for row in rows]
    if "instrument_ids" in names:
        values["instrument_ids"] = sorted(instrument.pk for instrument in part.instruments.all())
    return values


def part_row(kind: str, resource_id: int, values: Mapping[str, Any]) -> Any:
    """A new, unsaved row of the typed part."""
    return PART_MODELS[kind](pk=resource_id, **columns(kind, values))


def columns(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are columns of the part's row; for germplasm with those that follow from the descriptors."""
    own = {name: value for name, value in values.items() if name not in _LISTS}
    if kind == ResourceKind.GERMPLASM:
        found = germplasm_columns(own["standard"], own["descriptors"])
        own |= {name: getattr(found, name) for name in found.__slots__}
    return own


def save_part(resource: Resource, values: Mapping[str, Any]) -> None:
    """Write the typed part of one resource: its row, qualifications and links to instruments."""
    row = part_row(resource.kind, resource.pk, values)
    if resource.kind == ResourceKind.TEST_ITEM:
        kept = TestItem.objects.filter(pk=resource.pk).values_list("price_unit", flat=True).first()
        row.price_unit = kept or row.price_unit
    row.save()
    if "qualifications" in values:
        save_qualifications({resource.pk: values["qualifications"]})
    if "instrument_ids" in values:
        row.instruments.set(values["instrument_ids"])


def save_qualifications(by_item: Mapping[int, Sequence[Mapping[str, Any]]]) -> None:
    """Write what test items are qualified for, by their ids, instead of what stands there: two statements."""
    Qualification.objects.filter(test_item_id__in=by_item).delete()
    Qualification.objects.bulk_create(
        (Qualification(test_item_id=pk, **one) for pk, rows in by_item.items() for one in rows), batch_size=1000
    )


def save_links(kind: str, by_resource: Mapping[int, Sequence[int]]) -> None:
    """Write which instruments stand behind resources of a kind, by their ids, instead of what is linked: two statements."""
    links = PART_MODELS[kind]._meta.get_field("instruments")
    through, own = links.remote_field.through, links.m2m_field_name()  # type: ignore[union-attr]
    through._default_manager.filter(**{f"{own}_id__in": by_resource}).delete()
    rows = ({f"{own}_id": pk, "instrument_id": instrument} for pk, ids in by_resource.items() for instrument in ids)
    through._default_manager.bulk_create((through(**row) for row in rows), batch_size=1000)


def instrument_reasons(actor: Actor, kind: str, organisation_id: int, values: Mapping[str, Any]) -> list[Reason]:
    """Reasons against the instruments named: a test item is measured with its owner's own, other kinds may name any that is seen."""
    asked = set(values.get("instrument_ids", ()))
    if not asked:
        return []
    rows = visible_to(Instrument.objects.filter(pk__in=asked), actor)
    if kind == ResourceKind.TEST_ITEM:
        rows = rows.filter(organisation_id=organisation_id)
    missing = asked - set(rows.values_list("pk", flat=True))
    return [Reason("resource.instrument_unknown", {"number": number}, "instrument_ids") for number in sorted(missing)]


def jsonable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they are kept in the audit trail."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return jsonable(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
