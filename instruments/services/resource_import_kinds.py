"""Germplasm and test items on the import page, by the same functions as the commands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from config.kernel.access import Actor
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import transactions
from instruments.services.germplasm_import import import_germplasm
from instruments.services.import_kinds import ImportKind, Order, ReportLike
from instruments.services.registry_import import ImportReport
from instruments.services.resource_import import ResourceImportRequest
from instruments.services.test_item_import import import_test_items

Importer = Callable[[Actor, ResourceImportRequest, datetime], ImportReport]


def _run_by(take_in: Importer) -> Callable[[Actor, Order, datetime], ReportLike]:
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
        )

        def work() -> ImportReport:
            report = take_in(actor, request, now)
            if order.expected_digest and report.digest != order.expected_digest:
                raise Conflict.of("import.changed_since", "file")
            return report

        report = transactions.run(work)
        order.progress(len(report.rows), len(report.rows))
        return report

    return run


def _facts_of(report: Any) -> dict[str, Any]:
    return {
        "encoding": report.encoding,
        "sureness": report.sureness,
        "other_encodings": list(report.other_encodings),
        "columns_not_read": list(report.columns_not_read),
        "absent": report.absent,
    }


def _kind(code: str, layout: str, take_in: Importer, constants: tuple[str, ...]) -> ImportKind:
    return ImportKind(
        code,
        (layout,),
        _run_by(take_in),
        facts=_facts_of,
        object_id=lambda row: row.resource_id,
        page="resource_detail",
        constants=constants,
    )


GERMPLASM = _kind("germplasm", "mcpd", import_germplasm, ("GENUS", "SPECIES", "INSTCODE", "ORIGCTY", "CROPNAME"))
TEST_ITEMS = _kind(
    "test_items", "price_list", import_test_items, ("standard", "method", "group", "matrix", "turnaround_days", "price_unit")
)
