"""Code lists on the import page: the same as ``manage.py load_codes``, looked at row by row before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.kernel.access import Actor
from config.kernel.errors import Conflict, Reason
from instruments.code_wording import FIELD_NAMES
from instruments.models import CodeScheme
from instruments.rules.code_lists import CodeRow, StoredCode
from instruments.rules.registry_values import day
from instruments.services.code_lists import LoadReport, load_codes
from instruments.services.import_kinds import ImportKind, Order, facts_of
from instruments.services.list_report import ReadAs, report_on
from instruments.services.registry_import import ImportReport, RowFate

VALID_FROM = "valid_from"


def import_codes(actor: Actor, order: Order, now: datetime) -> ImportReport:
    """Take in the list of the order's layout from the day that it says on, without one from today.

    Raises Forbidden, Refusal ``codes.*``, ``import.*`` and those of the day, Conflict ``import.changed_since``.
    """
    valid_from = day(order.options.constants.get(VALID_FROM, ""), VALID_FROM) or timezone.localdate(now)
    with transaction.atomic():
        loaded = load_codes(actor, order.layout, order.content, valid_from, now, order.file_name, order.options.encoding)
        report = report_on(order, ReadAs(loaded.decoded), sorted(_fates(loaded), key=lambda row: row.line))
        if order.expected_digest and report.digest != order.expected_digest:
            raise Conflict.of("import.changed_since", "file")
        if order.dry_run:
            transaction.set_rollback(True)
    order.progress(len(report.rows), len(report.rows))
    return report


def _fates(loaded: LoadReport) -> Iterator[RowFate]:
    """What becomes of each line, and, at line 0, of each code that the list does not have any more."""
    listed, changes = loaded.listed, loaded.changes
    ended = {one.row.code: one for one in changes.end}
    begun = {row.code for row in changes.begin}
    corrected = {row.code: before for before, row in changes.correct}
    for code, row in listed.rows.items():
        before = corrected.get(code) or ended.get(code)
        fate = "updated" if before else "created" if code in begun else "unchanged"
        yield _fate(listed.lines[code], fate, row, _differences(before.row, row) if before else ())
    for code, one in ended.items():
        if code not in listed.rows:
            yield _fate(0, "updated", one.row, (_ends(one, loaded),))
    for line, said in listed.left_over:
        yield RowFate(line, "skipped", said[:200], reasons=(Reason("codes.no_code", {}, "code"),))
    for line, said in listed.repeated:
        yield RowFate(line, "repeated", said[:200], reasons=(Reason("codes.repeated", {}, "code"),))


def _fate(line: int, fate: str, row: CodeRow, reasons: tuple[Reason, ...]) -> RowFate:
    return RowFate(line, fate, row.name or row.name_en, row.code, reasons=reasons)


def _differences(before: CodeRow, row: CodeRow) -> tuple[Reason, ...]:
    was, becomes = asdict(before), asdict(row)
    return tuple(_changed(name, was[name], becomes[name]) for name in was if was[name] != becomes[name])


def _ends(one: StoredCode, loaded: LoadReport) -> Reason:
    return _changed("valid_to", "", loaded.valid_from.isoformat())


def _changed(name: str, was: Any, becomes: Any) -> Reason:
    return Reason("import.changed", {"was": _told(was), "becomes": _told(becomes)}, name)


def _told(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


CODES = ImportKind(
    "codes",
    tuple(CodeScheme.values),
    import_codes,
    facts=facts_of,
    names=FIELD_NAMES,
    constants=(VALID_FROM,),
    of_an_owner=False,
)
