"""Take in the national sheet of instrument centres: all of it or nothing, with the fate of every row, and nothing twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.kernel.access import Actor
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import transactions
from instruments.field_wording import CENTRE_NAMES
from instruments.models import InstrumentCentre, Organisation
from instruments.queries import codes
from instruments.rules.registry_file import Limits, Row
from instruments.rules.standards import centre as standard
from instruments.services import centres
from instruments.services.import_kinds import ImportKind, Order, ReportLike
from instruments.services.instrument_changes import owner_institution, require_manager
from instruments.services.list_reading import ListRead, read_list
from instruments.services.list_report import ReadAs, report_on
from instruments.services.registry_import import ImportReport, RowFate

#: No owner has more centres; they are written one by one.
MOST_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class _Read:
    """A row: its clean values, or every reason against it."""

    line: int
    values: Mapping[str, Any]
    name: str
    number: str
    reasons: tuple[Reason, ...] = ()


def run(actor: Actor, order: Order, now: datetime) -> ReportLike:
    """All rows or none; nothing when it would come otherwise than previewed.

    Raises Forbidden, Refusal ``import.*`` when the file is no such sheet, ``import.owner_needed``, Conflict ``import.changed_since``.
    """
    if order.owner_id is None:
        raise Refusal.of("import.owner_needed", "owner")
    require_manager(actor, order.owner_id)
    owner = owner_institution(order.owner_id)
    read = read_list(order.content, Limits(rows=MOST_ROWS), standard.known_headers(), encoding=order.options.encoding)
    columns = standard.columns_of(read.table.headers)
    today = timezone.localdate(now)
    rows = [_row(row, columns, today) for row in read.table.rows]
    order.progress(len(rows), len(rows))

    def work() -> ImportReport:
        report = _take_in(actor, owner, rows, order, read, columns, now)
        if order.expected_digest and report.digest != order.expected_digest:
            raise Conflict.of("import.changed_since", "file")
        return report

    return transactions.run(work)


def _row(row: Row, columns: Mapping[str, str], today: date) -> _Read:
    values, reasons = standard.read_values(row, columns, lambda scheme, text: codes.code_of(scheme, text, today))
    name, number = str(values.get("name", "")), str(values.get("inner_id", ""))
    try:
        clean = centres.checked(values, today)
        return _Read(row.line, clean, clean["name"], clean["inner_id"], tuple(reasons))
    except Refusal as refusal:
        return _Read(row.line, {}, name, number, (*reasons, *refusal.reasons))


def _take_in(
    actor: Actor, owner: Organisation, rows: list[_Read], order: Order, read: ListRead, columns: Mapping[str, str], now: datetime
) -> ImportReport:
    refused = any(row.reasons for row in rows)
    fates: list[RowFate] = []
    with transaction.atomic():
        list(Organisation.objects.select_for_update(no_key=True).filter(pk=owner.pk).values_list("pk"))
        stored = {one.inner_id: one for one in InstrumentCentre.objects.filter(organisation=owner)}
        absent = len(stored.keys() - {row.number for row in rows})
        first: dict[str, _Read] = {}
        for row in rows:
            if row.reasons or refused:
                if row.reasons:
                    fates.append(_fate(row, "refused", owner, row.reasons))
                continue
            if row.number in first:
                fates.append(_fate(row, "repeated", owner, (_repeated(first[row.number], row),)))
                continue
            first[row.number] = row
            fates.append(_write(actor, owner, row, stored.get(row.number), now))
        if order.dry_run or refused:
            transaction.set_rollback(True)
    read_as = ReadAs(read.decoded, read.table.headers, columns)
    return replace(report_on(order, read_as, fates), absent=absent)


def _write(actor: Actor, owner: Organisation, row: _Read, centre: InstrumentCentre | None, now: datetime) -> RowFate:
    if centre is None:
        centres.write(actor, InstrumentCentre(organisation=owner, created_at=now), row.values, now)
        return _fate(row, "created", owner)
    told = {name: (getattr(centre, name), value) for name, value in row.values.items() if getattr(centre, name) != value}
    centres.write(actor, centre, row.values, now)
    changed = [
        Reason("import.changed", {"was": _said(was), "becomes": _said(new)}, name) for name, (was, new) in sorted(told.items())
    ]
    return _fate(row, "updated" if told else "unchanged", owner, tuple(changed))


def _repeated(first: _Read, row: _Read) -> Reason:
    differs = sorted(name for name, value in row.values.items() if first.values[name] != value)
    code = "import.repeated_differs" if differs else "import.repeated_same"
    return Reason(code, {"counting_line": first.line, "fields": differs}, "inner_id")


def _said(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def _fate(row: _Read, fate: str, owner: Organisation, reasons: tuple[Reason, ...] = ()) -> RowFate:
    return RowFate(line=row.line, fate=fate, name=row.name, inner_id=row.number, owner=owner.name, reasons=reasons)


def _facts_of(report: Any) -> dict[str, Any]:
    return {"encoding": report.encoding, "columns_not_read": list(report.columns_not_read), "absent": report.absent}


CENTRES = ImportKind("centres", ("national_centre",), run, facts=_facts_of, names=CENTRE_NAMES)
