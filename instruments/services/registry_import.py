"""Take in a registry file: all of it or nothing, with the fate of every row, and nothing twice when it comes again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict, Reason, Refusal
from instruments.models import Instrument, Organisation, Site
from instruments.queries import codes
from instruments.queries.divisions import ended_reason
from instruments.rules.names import name_key
from instruments.rules.persistent_ids import apart_kept, kept_ids
from instruments.rules.registry_file import Limits, Progress, Table, followed, header_key, silent
from instruments.rules.registry_map import OWN_NUMBER, ImportMap, RowValues, fitted, read_row, time_zone, with_constants
from instruments.rules.registry_plan import PlannedRow, plan_rows
from instruments.services.instrument_changes import class_reasons, owner_institution, require_manager
from instruments.services.list_reading import read_list
from instruments.services.own_lists import without_own_addresses
from instruments.services.registry_encoding import Decoded
from instruments.services.registry_rows import RowsRefused, Written, write_rows

DEFAULT_TIME_ZONE = "Asia/Shanghai"
FATES = ("created", "updated", "unchanged", "repeated", "refused")


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to take in. ``owner_id`` is the one owner of everything, or None when the map says whose each row is.

    ``expected_digest`` is the digest of a dry run that somebody agreed to: nothing is written when it would come otherwise now.
    """

    content: bytes
    file_name: str
    plan: ImportMap
    owner_id: int | None = None
    encoding: str = ""
    zone_name: str = ""
    dry_run: bool = False
    limits: Limits = field(default_factory=Limits)
    expected_digest: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Values for rows whose cell is empty or whose column the file lacks."""


@dataclass(frozen=True, slots=True)
class RowFate:
    """What became of one row: its line in the file, one of ``FATES`` (or ``skipped``), the instrument or the resource, and what there
    is to say about it."""

    line: int
    fate: str
    name: str = ""
    inner_id: str = ""
    owner: str = ""
    instrument_id: int | None = None
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()
    resource_id: int | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The whole story of one import. ``written`` is False for a dry run and when a row was refused."""

    file_name: str
    sha256: str
    size_bytes: int
    encoding: str
    sureness: str
    other_encodings: tuple[str, ...]
    odd_bytes: int
    zone_name: str
    columns_read: tuple[str, ...]
    columns_not_read: tuple[str, ...]
    rows: tuple[RowFate, ...]
    organisations_created: tuple[str, ...]
    sites_created: int
    absent: int
    written: bool

    @property
    def digest(self) -> str:
        """Stands for everything that the import does: the same digest, the same rows with the same fates and changes."""
        told = [
            [row.line, row.fate, row.name, row.inner_id, row.owner, [[one.code, one.field, one.params] for one in row.reasons]]
            for row in self.rows
        ]
        text = json.dumps([self.sha256, told, self.organisations_created, self.sites_created], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def counts(self) -> dict[str, int]:
        """How many rows had each fate; what happens only sometimes (``skipped``) is named when it happened."""
        found = Counter(row.fate for row in self.rows)
        return {fate: found[fate] for fate in FATES} | dict(found)


def import_registry(actor: Actor, request: ImportRequest, now: datetime, progress: Progress = silent) -> ImportReport:
    """Read the file, then write all of it in one transaction, unless a row is refused or it is a dry run.

    ``progress(done, total)`` is told how many rows are read, outside of the transaction.

    Raises Refusal ``import.*`` when the file cannot be read as a table at all, or the owner, map or zone is wrong, Forbidden when
    the actor may not change the owner's instruments, Conflict ``import.changed_since`` when the ``expected_digest`` does not hold.
    Refused rows are in the report, not raised.
    """
    owner = _owner(actor, request)
    table, decoded = read_file(request.content, request.plan, request.encoding, request.limits)
    plan = with_constants(fitted(request.plan, table.headers), request.constants)
    zone_name = time_zone(request.zone_name) or plan.time_zone or _zone_of(owner)
    planned, refused = _read(table, plan, owner, timezone.localdate(now), progress)

    def report_of(written: Written, is_written: bool) -> ImportReport:
        read, not_read = _columns(table, plan)
        return ImportReport(
            file_name=request.file_name,
            sha256=hashlib.sha256(request.content).hexdigest(),
            size_bytes=len(request.content),
            encoding=decoded.encoding,
            sureness=decoded.sureness,
            other_encodings=decoded.others,
            odd_bytes=decoded.odd_bytes,
            zone_name=zone_name,
            columns_read=read,
            columns_not_read=not_read,
            rows=tuple(_fates(planned, refused, written, not is_written)),
            organisations_created=written.organisations_created,
            sites_created=written.sites_created,
            absent=written.absent,
            written=is_written,
        )

    def promised(report: ImportReport) -> ImportReport:
        if request.expected_digest and report.digest != request.expected_digest:
            raise Conflict.of("import.changed_since", "file")
        return report

    if refused:
        return promised(report_of(Written.nothing(), is_written=False))
    source = {"file": request.file_name[:200], "sha256": hashlib.sha256(request.content).hexdigest()}
    try:
        with transaction.atomic():
            written = write_rows(actor, planned, plan, owner, zone_name, source, now)
            report = promised(report_of(written, is_written=not request.dry_run))
            transaction.set_rollback(request.dry_run)
    except RowsRefused as found:
        refused += [(one.row, found.by_line[one.row.line]) for one in planned if one.row.line in found.by_line]
        return promised(report_of(Written.nothing(), is_written=False))
    return report


def read_file(content: bytes, plan: ImportMap, encoding: str, limits: Limits) -> tuple[Table, Decoded]:
    """The table that a map reads in a file, and how it was decoded. Raises Refusal ``import.*``."""
    wanted = plan.known
    numbered = plan.fields[OWN_NUMBER].columns if OWN_NUMBER in plan.fields else ()
    read = read_list(
        content, limits, wanted, encoding=encoding or plan.encoding, delimiter=plan.delimiter, numbered=frozenset(numbered)
    )
    return read.table, read.decoded


def _owner(actor: Actor, request: ImportRequest) -> Organisation | None:
    if request.owner_id is None:
        if not request.plan.names_organisations:
            raise Refusal.of("import.owner_needed", "owner")
        actor.require(Role.OPERATOR)  # any owner may be meant
        return None
    require_manager(actor, request.owner_id)
    return owner_institution(request.owner_id)


def _zone_of(owner: Organisation | None) -> str:
    """The zone of new places when nobody names one: that of the owner's other places where they agree, else the platform's."""
    zones = set(Site.objects.filter(organisation=owner).values_list("time_zone", flat=True)) if owner is not None else set()
    return zones.pop() if len(zones) == 1 else DEFAULT_TIME_ZONE


def _read(
    table: Table, plan: ImportMap, owner: Organisation | None, today: date, progress: Progress
) -> tuple[list[PlannedRow], list[tuple[RowValues, tuple[Reason, ...]]]]:
    """The rows with their keys, and every row that cannot be taken with all its reasons."""
    rows: list[RowValues] = []
    refused: list[tuple[RowValues, tuple[Reason, ...]]] = []
    code_of = cache(lambda scheme, text: codes.code_of(scheme, text, today))
    ended_of = cache(lambda code: ended_reason(code, "site.region_code"))
    stored_ids = cache(lambda: _identifiers_of(owner))
    for record in followed(table.rows, progress):
        row = read_row(plan, without_own_addresses(record, plan), code_of)
        if row.site_region and (ended := ended_of(row.site_region)) is not None:
            row = replace(row, notes=(*row.notes, ended))  # taken as the list says it
        told, notes = apart_kept(row.reasons, stored_ids()) if row.reasons else ((), ())
        row = replace(row, notes=(*row.notes, *notes)) if notes else row
        reasons = [*told, *class_reasons(row.fields.get("class_code", ""))]
        if owner is None and not reasons and not row.organisation_name and row.organisation_identifier is None:
            reasons.append(Reason("import.organisation_missing", {}, "organisation.name"))
        if reasons:
            refused.append((replace(row, fields={**row.fields, **_shown(record.cells, plan)}), tuple(reasons)))
        else:
            rows.append(row)
    planned, twice = plan_rows(rows, _owner_key if owner is None else lambda _: owner.pk, plan.repeated_numbers)
    return planned, [*refused, *((row, (reason,)) for row, reason in twice)]


def _identifiers_of(owner: Organisation | None) -> frozenset[tuple[str, str]]:
    """The DOI and CSTR identifiers of the owner's instruments (of all, where each row names its owner) as they are stored."""
    rows = Instrument.objects.all() if owner is None else Instrument.objects.filter(organisation=owner)
    return kept_ids(rows.exclude(doi="", cstr="").values_list("doi", "cstr"))


def _owner_key(row: RowValues) -> tuple[str, str]:
    """Rows with the same identifier (or the same name without one) have the same owner."""
    if row.organisation_identifier is not None:
        return row.organisation_identifier.scheme.value, row.organisation_identifier.value
    return "", name_key(row.organisation_name)


def _shown(cells: dict[str, str], plan: ImportMap) -> dict[str, str]:
    """The raw name and number of a refused row, so that it can be found in the file."""
    by_key = {header_key(header): value for header, value in cells.items()}
    return {
        name: next((by_key[column] for column in plan.fields[name].columns if by_key.get(column)), "")[:300]
        for name in ("name", "inner_id")
        if name in plan.fields
    }


def _columns(table: Table, plan: ImportMap) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Headers that were read, and those that were neither read nor declared as ignored."""
    read = plan.columns | plan.helpers | frozenset(plan.identity)
    others = [header for header in table.headers if header_key(header) not in plan.known]
    kept = frozenset(others if plan.keeps_unread else ())
    used = tuple(header for header in table.headers if header_key(header) in read or header in kept)
    left = tuple(header for header in others if header not in kept)
    return used, left


def _fates(
    planned: Sequence[PlannedRow],
    refused: Sequence[tuple[RowValues, tuple[Reason, ...]]],
    written: Written,
    dry_run: bool,
) -> list[RowFate]:
    fates = [_refused_fate(row, reasons) for row, reasons in refused]
    if refused:
        return sorted(fates, key=lambda fate: fate.line)
    by_line = {one.row.line: one for one in planned}
    for one in planned:
        counted = one if one.same_as_line is None else _counting(one, by_line)
        outcome = written.by_line[counted.row.line]
        shown: dict[str, Any] = {
            "line": one.row.line,
            "name": one.row.fields["name"],
            "inner_id": one.row.fields.get("inner_id", ""),
            "owner": outcome.owner_name,
            "instrument_id": None if dry_run and outcome.fate == "created" else outcome.instrument_id,
            "notes": one.row.notes,
        }
        if one.same_as_line is None:
            reasons = tuple(
                Reason("import.changed", {"was": _told(was), "becomes": _told(becomes)}, name)
                for name, was, becomes in outcome.changed
            )
            fates.append(RowFate(fate=outcome.fate, reasons=reasons, **shown))
        else:
            code = "import.repeated_differs" if one.differs_in else "import.repeated_same"
            params = {"counting_line": counted.row.line, "fields": list(one.differs_in)}
            fates.append(RowFate(fate="repeated", reasons=(Reason(code, params, "inner_id"),), **shown))
    return sorted(fates, key=lambda fate: fate.line)


def _told(value: Any) -> str:
    """A value in words that no language has to translate."""
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)[:200]
    if isinstance(value, dict):
        return ", ".join(name if amount is None else f"{name} {amount}" for name, amount in sorted(value.items()))[:200]
    return "" if value is None else str(value)[:200]


def _counting(one: PlannedRow, by_line: dict[int, PlannedRow]) -> PlannedRow:
    """The row that counts for this instrument (with ``last``, a repeated row points to one that may be repeated itself)."""
    while one.same_as_line is not None:
        one = by_line[one.same_as_line]
    return one


def _refused_fate(row: RowValues, reasons: tuple[Reason, ...]) -> RowFate:
    return RowFate(
        line=row.line,
        fate="refused",
        name=str(row.fields.get("name", "")),
        inner_id=str(row.fields.get("inner_id", "")),
        owner=row.organisation_name,
        reasons=reasons,
        notes=row.notes,
    )
