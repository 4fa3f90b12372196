"""Test items, germplasm, data sets and literature on the import page, by the same functions as the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from config.kernel.access import Actor
from config.kernel.errors import Refusal
from instruments.models import ResourceKind
from instruments.resource_wording import COLUMN_NAMES, Word
from instruments.rules import described_rows, germplasm_rows, test_item_rows
from instruments.rules.list_map import documents_of, map_words
from instruments.rules.mapping_guess import guess_by
from instruments.rules.registry_map import MapWords, parse_map
from instruments.services.described_import import import_datasets, import_literature
from instruments.services.germplasm_import import import_germplasm
from instruments.services.import_kinds import NEW, SAVED, ColumnChoices, ImportKind, Order, ReportLike
from instruments.services.registry_import import ImportReport
from instruments.services.resource_import import ResourceImportRequest
from instruments.services.test_item_import import import_test_items

Importer = Callable[[Actor, ResourceImportRequest, datetime], ImportReport]
Guess = Callable[[Sequence[str], Sequence[str]], dict[str, str]]


#: What may stand in the mappings of each kind's lists.
WORDS: dict[str, MapWords] = {
    "germplasm": map_words(germplasm_rows.FIELDS, ()),
    "test_items": map_words(test_item_rows.FIELDS, test_item_rows.NEEDED),
    "datasets": map_words(described_rows.fields_of(ResourceKind.DATASET), described_rows.NEEDED),
    "literature": map_words(described_rows.fields_of(ResourceKind.LITERATURE), described_rows.NEEDED),
}


def _run_by(take_in: Importer, words: MapWords) -> Callable[[Actor, Order, datetime], ReportLike]:
    def run(actor: Actor, order: Order, now: datetime) -> ReportLike:
        """All rows or none; nothing when it would come otherwise than previewed. Raises Refusal, Conflict ``import.changed_since``."""
        if order.owner_id is None:
            raise Refusal.of("import.owner_needed", "owner")
        request = ResourceImportRequest(
            order.content,
            order.file_name,
            order.owner_id,
            dry_run=order.dry_run,
            confirmed_lines=order.confirmed_lines,
            encoding=order.options.encoding,
            constants=order.options.constants,
            plan=None if order.document is None else parse_map(dict(order.document), words),
            expected_digest=order.expected_digest,
            progress=order.progress,
        )
        return take_in(actor, request, now)

    return run


def _facts_of(report: Any) -> dict[str, Any]:
    return {
        "encoding": report.encoding,
        "sureness": report.sureness,
        "other_encodings": list(report.other_encodings),
        "columns_not_read": list(report.columns_not_read),
        "absent": report.absent,
    }


def _kind(
    code: str,
    layout: str,
    take_in: Importer,
    fields: tuple[str, ...],
    guess: Guess,
    names: Mapping[str, Word],
    constants: tuple[str, ...],
    together: Callable[[Mapping[str, Any]], object] = lambda fields: None,
) -> ImportKind:
    """``fields``: what a column can mean. ``together`` raises Refusal for fields that cannot stand side by side."""
    words = WORDS[code]

    def check(document: Mapping[str, Any]) -> None:
        together(parse_map(dict(document), words).fields)

    return ImportKind(
        code,
        (layout, SAVED, NEW),
        _run_by(take_in, words),
        facts=_facts_of,
        object_id=lambda row: row.resource_id,
        page="resource_detail",
        columns=ColumnChoices(fields, guess, documents_of(code), check),
        names=names,
        constants=constants,
    )


def _described(code: str, kind: ResourceKind, take_in: Importer, constants: tuple[str, ...]) -> ImportKind:
    fields = described_rows.fields_of(kind)
    guess = partial(guess_by, described_rows.known_names(kind))
    return _kind(code, f"{kind}_list", take_in, fields, guess, COLUMN_NAMES[kind], constants)


GERMPLASM = _kind(
    "germplasm",
    "mcpd",
    import_germplasm,
    germplasm_rows.FIELDS,
    germplasm_rows.guess,
    COLUMN_NAMES[ResourceKind.GERMPLASM],
    ("GENUS", "SPECIES", "INSTCODE", "ORIGCTY", "CROPNAME"),
    germplasm_rows.together,
)
TEST_ITEMS = _kind(
    "test_items",
    "price_list",
    import_test_items,
    test_item_rows.FIELDS,
    test_item_rows.guess,
    COLUMN_NAMES[ResourceKind.TEST_ITEM],
    ("standard", "method", "group", "matrix", "turnaround_days", "price_unit", "service_kind"),
)
DATASETS = _described(
    "datasets", ResourceKind.DATASET, import_datasets,
    ("creators", "issued_on", "version", "media_types", "spatial", "keywords", "access_terms", "licence", "contact_name",
     "contact_phone", "contact_email", "instrument_ids"),
)  # fmt: skip
LITERATURE = _described(
    "literature", ResourceKind.LITERATURE, import_literature,
    ("type", "publisher", "source", "language", "rights", "keywords", "access_terms", "licence", "instrument_ids"),
)  # fmt: skip
ALL = (GERMPLASM, TEST_ITEMS, DATASETS, LITERATURE)
