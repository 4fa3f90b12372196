"""Many test items, data sets, works of literature or accessions at once: a table goes out, is filled in elsewhere, handed in, looked at,
and saved as a whole. The same life as of a table of instruments (``sheets``), with the fields of each kind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.utils.functional import Promise
from django.utils.translation import get_language, override

from config.kernel.access import NOBODY, Actor, get_visible, visible_to
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.models import Instrument, InstrumentSheet, Resource, ResourceKind
from instruments.queries.resources import resources_of
from instruments.resource_wording import LITERATURE_TYPE_NAMES, SERVICE_KIND_NAMES
from instruments.rules.resource_values import CORE_FIELDS
from instruments.rules.sheet_cells import Cell, Kind, Words, to_cell
from instruments.rules.standards import darwin_core, mcpd
from instruments.rules.test_item_cells import analytes_cell, qualifications_cell, read_analytes, read_qualifications
from instruments.services import resource_reviews, resources, sheet_writing
from instruments.services.instrument_changes import needs_review, owner_institution, require_manager
from instruments.services.resource_parts import PART_MODELS, part_values
from instruments.services.sheet_plan import CellChange, Part, Planner, RowPlan, SheetPlan, in_part, keys_of, parts_of, read_table
from instruments.services.sheet_writing import Column

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CORE: dict[str, Kind] = {
    "name": Kind.TEXT,
    "name_en": Kind.TEXT,
    "inner_id": Kind.TEXT,
    "description": Kind.LONG_TEXT,
    "description_en": Kind.LONG_TEXT,
    "keywords": Kind.LIST,
    "access_terms": Kind.LONG_TEXT,
    "licence": Kind.TEXT,
    "doi": Kind.TEXT,
    "cstr": Kind.TEXT,
    "contact_name": Kind.TEXT,
    "contact_phone": Kind.TEXT,
    "contact_email": Kind.TEXT,
}
#: What is measured and what it is qualified for stand one on a line, as in a price list; prices are changed with that list alone.
_TEST_ITEM: dict[str, Kind] = {
    "condition": Kind.TEXT,
    "group": Kind.TEXT,
    "matrix": Kind.TEXT,
    "method": Kind.TEXT,
    "standard": Kind.TEXT,
    "analytes": Kind.LONG_TEXT,
    "qualifications": Kind.LONG_TEXT,
    "sample_amount": Kind.TEXT,
    "sample_preparation": Kind.LONG_TEXT,
    "turnaround_days": Kind.NUMBER,
    "daily_capacity": Kind.NUMBER,
    "service_kind": Kind.CHOICE,
    "instrument_ids": Kind.CHOICES,
}
_DATASET: dict[str, Kind] = {
    "creators": Kind.LIST,
    "issued_on": Kind.DAY,
    "version": Kind.TEXT,
    "media_types": Kind.LIST,
    "size_bytes": Kind.NUMBER,
    "temporal_from": Kind.DAY,
    "temporal_to": Kind.DAY,
    "spatial": Kind.TEXT,
    "landing_page": Kind.TEXT,
    "instrument_ids": Kind.CHOICES,
}
_LITERATURE: dict[str, Kind] = {
    "creators": Kind.LIST,
    "type": Kind.CHOICE,
    "issued": Kind.TEXT,
    "publisher": Kind.TEXT,
    "source": Kind.TEXT,
    "language": Kind.TEXT,
    "rights": Kind.TEXT,
    "instrument_ids": Kind.CHOICES,
}
_DESCRIPTORS = tuple(dict.fromkeys((*mcpd.DESCRIPTORS, *darwin_core.TERMS)))
#: Number and name of an accession follow from its descriptors: they are no columns of their own.
_GERMPLASM: dict[str, Kind] = dict.fromkeys(_DESCRIPTORS, Kind.TEXT)
#: kind of resource -> column -> how its cells are written.
KINDS: dict[str, dict[str, Kind]] = {
    ResourceKind.TEST_ITEM: {**{name: _CORE[name] for name in ("name", "name_en", "inner_id")}, **_TEST_ITEM, **_CORE},
    ResourceKind.DATASET: {**_CORE, **_DATASET},
    ResourceKind.LITERATURE: {**_CORE, **_LITERATURE},
    ResourceKind.GERMPLASM: {**{name: kind for name, kind in _CORE.items() if name != "inner_id"}, **_GERMPLASM},
}
_ALWAYS = "name"


def columns_of(actor: Actor, organisation_id: int, kind: str) -> list[str]:
    """The columns of a kind; of germplasm the descriptors of the standards in which the owner has accessions.

    Raises Refusal ``sheet.kind_unknown``.
    """
    known = list(_kinds(kind))
    if kind != ResourceKind.GERMPLASM:
        return known
    standards = set(resources_of(actor, organisation_id, kind).values_list("germplasm__standard", flat=True))
    used = {*(mcpd.DESCRIPTORS if "mcpd" in standards else ()), *(darwin_core.TERMS if "dwc" in standards else ())}
    return [name for name in known if name in used or name not in _DESCRIPTORS]


def parts(actor: Actor, organisation_id: int, kind: str) -> list[Part]:
    """The tables in which the owner's resources of a kind go out."""
    return parts_of(resources_of(actor, organisation_id, kind).count())


def download(
    actor: Actor, organisation_id: int, kind: str, names: Sequence[str], labels: Mapping[str, str | Promise], part: int = 1
) -> bytes:
    """A part of the owner's resources of a kind as a workbook with the named columns; the name is always among them. ``labels``: what the
    columns are called.

    Raises Forbidden, NotFound (no such part), Refusal ``instrument.owner_unknown``, ``sheet.kind_unknown``.
    """
    require_manager(actor, organisation_id)
    owner = owner_institution(organisation_id)
    kinds = _kinds(kind)
    chosen = [name for name in columns_of(actor, organisation_id, kind) if name in {*names, _ALWAYS}]
    words = {name: _words(name, owner.pk, kind) for name in chosen}
    both = {name: _all_words(name, owner.pk, kind) for name in chosen}
    columns = [Column(name, kinds[name], str(labels.get(name, name)), tuple(words[name].values())) for name in chosen]
    rows: list[tuple[Mapping[str, str], Sequence[Cell]]] = []
    for resource in in_part(resources_of(actor, organisation_id, kind), part):
        stored = _stored(resource)
        cells = {name: to_cell(name, stored.get(name), words[name], kinds[name]) for name in chosen}
        rows.append((keys_of(resource, cells, kinds, both), list(cells.values())))
    english = (get_language() or "").startswith("en")
    return sheet_writing.workbook(owner.name_en if english and owner.name_en else owner.name, columns, rows)


@whole
def hand_in(actor: Actor, organisation_id: int, kind: str, content: bytes, now: datetime) -> InstrumentSheet:
    """Keep a filled-in table so that it can be looked at; nothing of it is saved yet.

    Raises Forbidden, Refusal ``sheet.*`` at ``file``.
    """
    require_manager(actor, organisation_id)
    owner = owner_institution(organisation_id)
    read_table(content, list(_kinds(kind)))
    name = f"{kind}-{owner.pk}.xlsx"
    stored = files.store(content, file_name=name, media_type=MEDIA_TYPE, user_id=actor.user_id, now=now)
    return InstrumentSheet.objects.create(
        organisation=owner, kind=kind, file=stored, uploaded_by_id=actor.person_id, uploaded_at=now
    )


def sheet_for(actor: Actor, sheet_id: int) -> InstrumentSheet:
    """A table of resources that was handed in. Raises NotFound."""
    rows = InstrumentSheet.objects.exclude(kind="").select_related("organisation", "file")
    return get_visible(rows, actor, pk=sheet_id)


def plan(actor: Actor, sheet: InstrumentSheet) -> SheetPlan:
    """What a table would change now, row by row, and everything that stands against it."""
    kinds = _kinds(sheet.kind)
    table = read_table(files.read(sheet.file), list(kinds))
    rows = resources_of(actor, sheet.organisation_id, sheet.kind).filter(pk__in=table.ids)
    known = {str(one.pk): one for one in rows}
    words = {name: _all_words(name, sheet.organisation_id, sheet.kind) for name in kinds}
    return _Planner(actor, sheet, (table, known, kinds, words)).plan()


@whole
def apply(actor: Actor, sheet_id: int, now: datetime) -> SheetPlan:
    """Save everything in a table, or nothing; what the operator looks at first is handed in.

    Raises NotFound, Forbidden, Conflict ``sheet.applied_already``, ``sheet.not_applied`` (look at the plan again), Refusal
    ``sheet.nothing_to_do``.
    """
    sheet = sheet_for(actor, sheet_id)
    require_manager(actor, sheet.organisation_id)
    if InstrumentSheet.objects.filter(pk=sheet.pk, applied_at=None).update(applied_at=now) != 1:
        raise Conflict.of("sheet.applied_already")
    found = plan(actor, sheet)
    if found.problems:
        raise Conflict.of("sheet.not_applied")
    if not found.rows:
        raise Refusal.of("sheet.nothing_to_do")
    for row in found.rows:
        _save(actor, row, now)
    audit.record(actor, "resource_sheet.apply", sheet, now, after={"rows": len(found.rows), "sha256": sheet.file.sha256})
    return found


def _save(actor: Actor, row: RowPlan, now: datetime) -> None:
    """What waits for the operator in cells that nobody touched, or in no column of the table, goes on waiting."""
    fresh = resources.managed_resource(actor, row.subject.pk)
    if fresh.updated_at != row.seen:
        raise Conflict.of("sheet.not_applied")
    core, part = _apart(row.values)
    edited = {"descriptors" if one.field in _DESCRIPTORS else one.field for one in row.changes}
    try:
        resource_reviews.save(actor, row.subject.pk, core, part, now, edited)
    except Refusal as refusal:
        raise Conflict.of("sheet.not_applied") from refusal


#: kind of resource -> why a row that belongs to none is refused.
_NEW_ROW = {
    ResourceKind.TEST_ITEM: "sheet.new_test_item",
    ResourceKind.DATASET: "sheet.new_dataset",
    ResourceKind.LITERATURE: "sheet.new_literature",
    ResourceKind.GERMPLASM: "sheet.new_germplasm",
}


class _Planner(Planner):
    """Resources of one kind of an owner."""

    unknown = "sheet.resource_unknown"

    def __init__(self, actor: Actor, sheet: InstrumentSheet, read: tuple[Any, Any, Any, Any]) -> None:
        super().__init__(*read, review=needs_review(actor, sheet.organisation))
        self.actor, self.new_row = actor, _NEW_ROW[ResourceKind(sheet.kind)]

    def differing(self, subject: Resource, values: dict[str, Any]) -> tuple[dict[str, Any], tuple[CellChange, ...]]:
        stored = _stored(subject)
        if set(values.get("instrument_ids", ())) == set(stored.get("instrument_ids", ())):
            values = {name: value for name, value in values.items() if name != "instrument_ids"}  # one may not be seen any more
        typed = _typed(subject, values, stored)
        found = resources.differing(self.actor, subject, *_apart(typed)).values
        left = {name: value for name, value in stored.items() if "descriptors" not in found or name not in _GERMPLASM}
        after = left | _flat(found)
        cells = [name for name in values if (after.get(name) or None) != (stored.get(name) or None)]
        changes = tuple(CellChange(name, _plain(stored.get(name)), _plain(after.get(name))) for name in cells)
        return (typed, changes) if changes else ({}, ())


def _kinds(kind: str) -> dict[str, Kind]:
    if kind not in KINDS:
        raise Refusal.of("sheet.kind_unknown", "kind", text=kind[:40], known=list(KINDS))
    return KINDS[kind]


def _stored(resource: Resource) -> dict[str, Any]:
    """What stands in each column now."""
    core = {name: getattr(resource, name) for name in _CORE}
    return core | _flat({name: value for name, value in part_values(resource).items() if name != "standard"})


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as columns: the descriptors of an accession one by one, what a test measures and is qualified for on lines."""
    flat = {name: _LINES[name](value) if name in _LINES else value for name, value in values.items() if name != "descriptors"}
    return {**flat, **values.get("descriptors", {})}


#: How fields that are no plain values stand in a cell.
_LINES: dict[str, Callable[[Any], Any]] = {
    "analytes": analytes_cell,
    "qualifications": qualifications_cell,
    "instrument_ids": lambda ids: [str(pk) for pk in ids],
}
#: The opposite.
_FROM_LINES: dict[str, Callable[[Any], Any]] = {
    "analytes": read_analytes,
    "qualifications": lambda text: read_qualifications(text, "qualifications"),
    "instrument_ids": lambda ids: [int(pk) for pk in ids],
}


def _typed(resource: Resource, values: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The values as fields: lines and instruments read, the descriptors of an accession together, with those that have no column.

    Raises Refusal ``sheet.descriptor_of_another`` for one of another standard than the accession's.
    """
    if resource.kind != ResourceKind.GERMPLASM:
        return {name: _FROM_LINES[name](value) if name in _FROM_LINES else value for name, value in values.items()}
    standard = resource.germplasm.standard
    own = frozenset(mcpd.DESCRIPTORS if standard == "mcpd" else darwin_core.TERMS)
    given = {name: text for name, text in values.items() if name in _GERMPLASM}
    foreign = [
        Reason("sheet.descriptor_of_another", {"name": name}, name) for name, text in given.items() if text and name not in own
    ]
    Refusal.raise_any(foreign)
    kept = {name: text for name, text in stored.items() if name in own and name not in given}
    descriptors = {name: text for name, text in (kept | given).items() if text and name in own}
    core = {name: value for name, value in values.items() if name not in _GERMPLASM}
    return core | {"standard": standard, "descriptors": descriptors}


def _apart(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    core = {name: value for name, value in values.items() if name in CORE_FIELDS}
    return core, {name: value for name, value in values.items() if name not in core}


def _plain(value: Any) -> Any:
    """As the audit trail writes it."""
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def _words(name: str, organisation_id: int, kind: str) -> dict[str, str]:
    """The words of a column's values in the language that is active, by code."""
    if name == "instrument_ids":
        return _instrument_words(
            organisation_id, kind, Case(When(_everybody_sees(organisation_id), then="name"), default=Value(""))
        )
    known = {"type": LITERATURE_TYPE_NAMES, "service_kind": SERVICE_KIND_NAMES}.get(name, {})
    return {code: str(word) for code, word in known.items()}


def _everybody_sees(organisation_id: int) -> Q:
    """An instrument of the owner itself, or one of those that are public."""
    return Q(organisation_id=organisation_id) | Q(Exists(visible_to(Instrument.objects.filter(pk=OuterRef("pk")), NOBODY)))


def _instrument_words(organisation_id: int, kind: str, shown: Case | F) -> dict[str, str]:
    """The owner's instruments as ``shown``, and those of others that its resources of the kind name; where that is nothing, or the same for
    several, with the number here."""
    parts = PART_MODELS[kind]._default_manager.filter(resource__organisation_id=organisation_id)
    named = Instrument.objects.filter(Q(organisation_id=organisation_id) | Q(pk__in=parts.values("instruments")))
    rows = list(named.order_by("name_pinyin", "pk").annotate(shown=shown).values_list("pk", "shown"))
    often = Counter(name.casefold() for _pk, name in rows)
    return {str(pk): name if name and often[name.casefold()] == 1 else f"{name} #{pk}".strip() for pk, name in rows}


def _all_words(name: str, organisation_id: int, kind: str) -> list[Words]:
    """The words in every language; an instrument of the owner may be named by its own number too, and one that was withdrawn since the
    table was made by the name that stands there."""
    found: list[Words] = []
    for language, _label in settings.LANGUAGES:
        with override(language):
            found.append(_words(name, organisation_id, kind))
    if name == "instrument_ids":
        numbers = Instrument.objects.filter(organisation_id=organisation_id).exclude(inner_id="").values_list("pk", "inner_id")
        found += [{str(pk): number for pk, number in numbers}, _instrument_words(organisation_id, kind, F("name"))]
    return found
