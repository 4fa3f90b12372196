"""Take in a file of resources: all of it or nothing, with the fate of every row, and nothing twice when it comes again.

What a row says is read by the rules of its kind; here the rows meet what is stored.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Model

from config.kernel.access import Actor
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit
from instruments import ports
from instruments.models import Organisation, Resource, ResourceKind
from instruments.ports import ListPrice
from instruments.rules.list_map import Laid, laid_out, with_told
from instruments.rules.persistent_ids import apart_kept, bare_doi, kept_ids
from instruments.rules.price_change import jump
from instruments.rules.registry_file import Limits, Progress, Table, silent
from instruments.rules.registry_map import ImportMap
from instruments.rules.resource_rows import ResourceRow
from instruments.rules.resource_values import clean_part
from instruments.rules.test_item_cells import analytes_cell, qualifications_cell
from instruments.services import catalogue
from instruments.services.instrument_changes import name_pinyin, needs_review, owner_institution, require_manager
from instruments.services.list_reading import read_list
from instruments.services.registry_encoding import Decoded
from instruments.services.registry_import import ImportReport, RowFate
from instruments.services.resource_parts import (
    PART_MODELS,
    columns,
    jsonable,
    part_row,
    part_values,
    save_links,
    save_qualifications,
)

Change = tuple[int, dict[str, Any], dict[str, Any]]
_BATCH = 500
#: What is read with a resource of each kind: its typed part, and what belongs to that.
_RELATED: dict[ResourceKind, tuple[str, tuple[str, ...]]] = {
    ResourceKind.TEST_ITEM: ("test_item", ("test_item__instruments", "test_item__qualifications")),
    ResourceKind.GERMPLASM: ("germplasm", ()),
    ResourceKind.DATASET: ("dataset", ("dataset__instruments",)),
    ResourceKind.LITERATURE: ("literature", ("literature__instruments",)),
}


@dataclass(frozen=True, slots=True)
class ResourceImportRequest:
    """What to take in. ``constants`` are values for cells that are empty or whose column the file does not have.

    ``confirmed_lines`` are the lines whose large change of a price somebody said yes to.
    """

    content: bytes
    file_name: str
    owner_id: int
    encoding: str = ""
    delimiter: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)
    published: bool = True
    dry_run: bool = False
    limits: Limits = field(default_factory=Limits)
    confirmed_lines: frozenset[int] = frozenset()
    plan: ImportMap | None = None
    """Which column means what; None: what the headings are called says it."""
    expected_digest: str = ""
    """Write only what was previewed under this digest."""
    progress: Progress = silent


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that can be read as a table, and whose it is; ``laid``: under a mapping."""

    owner: Organisation
    decoded: Decoded
    table: Table
    laid: Laid | None = None


def open_file(actor: Actor, request: ResourceImportRequest, wanted: frozenset[str]) -> Opened:
    """The list, whose headers are best among ``wanted`` (header keys), or among those of the request's mapping.

    Raises Forbidden when the actor may not change the owner's resources, Refusal ``import.*`` when it is no table, or lacks a column that
    the mapping names.
    """
    require_manager(actor, request.owner_id)
    owner = owner_institution(request.owner_id)
    plan = request.plan
    if plan is None:
        read = read_list(request.content, request.limits, wanted, encoding=request.encoding, delimiter=request.delimiter)
        return Opened(owner, read.decoded, read.table)
    encoding, delimiter = request.encoding or plan.encoding, request.delimiter or plan.delimiter
    read = read_list(request.content, request.limits, plan.known, encoding=encoding, delimiter=delimiter)
    return Opened(owner, read.decoded, read.table, laid_out(plan, read.table))


def take_in(
    actor: Actor,
    request: ResourceImportRequest,
    opened: Opened,
    kind: ResourceKind,
    rows: Sequence[ResourceRow],
    columns_read: Iterable[str],
    now: datetime,
    *,
    covers: Iterable[str] = (),
) -> ImportReport:
    """Write all rows that count in one transaction, unless one is refused or it is a dry run, and tell the fate of each.

    ``columns_read``: the headings that were read, where no mapping says so.

    A row that changes a price by much is refused as long as nobody said yes to it; a dry run notes it.

    ``covers`` are the descriptors of germplasm that the file speaks of; others stay as they are stored.

    Raises Conflict ``import.changed_since`` when the ``expected_digest`` does not hold.
    """
    digest = hashlib.sha256(request.content).hexdigest()
    rows = _keeping_identifiers(rows if opened.laid is None else with_told(rows, opened.laid), opened.owner)
    may_write = not any(row.reasons for row in rows)
    written = _Written()
    if may_write:
        with transaction.atomic():
            source = {"file": request.file_name[:200], "sha256": digest}
            reviewed = needs_review(actor, opened.owner)
            published = request.published and not reviewed
            written = _Writer(actor, opened.owner, kind, source, published, now, frozenset(covers), reviewed).write(rows)
            if not request.dry_run and (unsaid := written.jumps.keys() - request.confirmed_lines):
                rows = [_not_confirmed(row, written) if row.line in unsaid else row for row in rows]
                may_write = False
            report = _report(request, opened, digest, rows, columns_read, written, may_write=may_write)
            if request.dry_run or not may_write:
                transaction.set_rollback(True)
            _as_previewed(request, report)
    else:
        report = _report(request, opened, digest, rows, columns_read, written, may_write=False)
        _as_previewed(request, report)
    return report


def _keeping_identifiers(rows: Sequence[ResourceRow], owner: Organisation) -> list[ResourceRow]:
    """The rows without complaints about identifiers that the owner's resources have as they stand; a note says so instead."""
    if not any(row.reasons for row in rows):
        return list(rows)
    kept = kept_ids(Resource.objects.filter(organisation=owner).exclude(doi="", cstr="").values_list("doi", "cstr"))
    told = ((row, *apart_kept(row.reasons, kept)) for row in rows)
    return [replace(row, reasons=left, notes=(*row.notes, *notes)) if notes else row for row, left, notes in told]


def _as_previewed(request: ResourceImportRequest, report: ImportReport) -> None:
    if request.expected_digest and report.digest != request.expected_digest:
        raise Conflict.of("import.changed_since", "file")


def _report(
    request: ResourceImportRequest,
    opened: Opened,
    digest: str,
    rows: Sequence[ResourceRow],
    columns_read: Iterable[str],
    written: _Written,
    *,
    may_write: bool,
) -> ImportReport:
    read = frozenset(columns_read) if opened.laid is None else opened.laid.read
    left_out = frozenset() if opened.laid is None else opened.laid.left_out
    return ImportReport(
        file_name=request.file_name,
        sha256=digest,
        size_bytes=len(request.content),
        encoding=opened.decoded.encoding,
        sureness=opened.decoded.sureness,
        other_encodings=opened.decoded.others,
        odd_bytes=opened.decoded.odd_bytes,
        zone_name=settings.TIME_ZONE,
        columns_read=tuple(header for header in opened.table.headers if header in read),
        columns_not_read=tuple(header for header in opened.table.headers if header not in read | left_out),
        rows=tuple(_fates(rows, written, opened.owner.name, request.dry_run)),
        organisations_created=(),
        sites_created=0,
        absent=written.absent,
        written=may_write and not request.dry_run,
    )


@dataclass(slots=True)
class _Written:
    """What became of the rows that count: (fate, resource's id, what was and what becomes of each field that differs) by line; the
    prices that change by much, (was, becomes); how many earlier ones are absent."""

    by_line: dict[int, tuple[str, int, dict[str, Any]]] = field(default_factory=dict)
    jumps: dict[int, tuple[ListPrice, ListPrice]] = field(default_factory=dict)
    absent: int = 0


@dataclass(frozen=True, slots=True)
class _Changed:
    """A stored resource that a row changes: the new values of its core and of its typed part."""

    resource: Resource
    core: dict[str, Any]
    part: dict[str, Any]
    before: dict[str, Any]

    def becomes(self, name: str) -> Any:
        """The new value of a field that differs."""
        return self.core[name] if name in self.core else self.part[name]

    def part_told(self) -> dict[str, Any]:
        """What differs of the typed part."""
        return {name: value for name, value in self.part.items() if name in self.before}


def _matches(rows: Sequence[ResourceRow], known: Mapping[str, Resource], alone: Mapping[str, Resource]) -> list[Resource | None]:
    """The stored resource that each row means, each at most once: the one that came from a file under the row's key; else the one that the
    key names; else one by which the row was known in earlier lists."""
    found: list[Resource | None] = [None] * len(rows)
    taken: set[int] = set()

    def take(place: int, resources: Iterable[Resource | None]) -> None:
        match = next((one for one in resources if one is not None and one.pk not in taken), None)
        if found[place] is None and match is not None:
            found[place] = match
            taken.add(match.pk)

    for stored in (known, alone):
        for place, row in enumerate(rows):
            take(place, [stored.get(row.key)])
    for place, row in enumerate(rows):
        take(place, (known.get(key) or alone.get(key) for key in row.former_keys))
    return found


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the rows of one file; inside the caller's transaction."""

    actor: Actor
    owner: Organisation
    kind: ResourceKind
    source: Mapping[str, str]
    published: bool
    now: datetime
    covers: frozenset[str]
    reviewed: bool

    def write(self, rows: Sequence[ResourceRow]) -> _Written:
        list(Organisation.objects.select_for_update(no_key=True).filter(pk=self.owner.pk).values_list("pk"))
        known, alone = self._known()
        new: list[ResourceRow] = []
        changed: list[_Changed] = []
        written = _Written()
        counting = [row for row in rows if row.counts]
        matches = _matches(counting, known, alone)
        for row, stored in zip(counting, matches, strict=True):
            if stored is None:
                new.append(row)
                continue
            change = self._change(stored, row)
            if change.core or change.part:
                changed.append(change)
            told = {name: (was, change.becomes(name)) for name, was in change.before.items() if name != "import_key"}
            written.by_line[row.line] = ("updated" if told else "unchanged", stored.pk, told)
        self._refuse_unreviewed(changed)
        for row, pk in zip(new, self._create(new), strict=True):
            written.by_line[row.line] = ("created", pk, {})
        self._update(changed)
        self._set_prices(counting, written)
        catalogue.refresh_resources([pk for fate, pk, _ in written.by_line.values() if fate != "unchanged"], self.now)
        matched = {stored.pk for stored in matches if stored is not None}
        written.absent = len({stored.pk for stored in known.values()} - matched)
        return written

    def _refuse_unreviewed(self, changed: Sequence[_Changed]) -> None:
        """What is published changes on its own page where the operator looks first. Raises Refusal ``import.review_needed``."""
        count = sum(one.resource.published for one in changed if set(one.before) - {"import_key"})
        if self.reviewed and count:
            raise Refusal.of("import.review_needed", count=count)

    def _known(self) -> tuple[dict[str, Resource], dict[str, Resource]]:
        """The owner's resources of this kind by key: imported ones, and by number and DOI those that share it with no other, such as one
        entered by hand, or one that stood twice in the file from which it came."""
        part, beside = _RELATED[self.kind]
        rows = Resource.objects.filter(organisation=self.owner, kind=self.kind).select_related(part).prefetch_related(*beside)
        stored = list(rows)
        named = [(key, row) for row in stored for key in _names_of(row)]
        times = Counter(key for key, _row in named)
        return (
            {row.import_key: row for row in stored if row.import_key},
            {key: row for key, row in named if times[key] == 1},
        )

    def _change(self, stored: Resource, row: ResourceRow) -> _Changed:
        """Only what the file has is compared: other fields, and descriptors without a column, stay as they are."""
        core = {name: value for name, value in row.core.items() if getattr(stored, name) != value}
        attributes = {**stored.attributes, **row.extra}
        if attributes != stored.attributes:
            core["attributes"] = attributes
        if not stored.import_key:
            core["import_key"] = row.key
        before = {name: getattr(stored, name) for name in core}
        stored_part = part_values(stored)
        asked = self._asked(stored_part, row)
        part = {name: value for name, value in asked.items() if stored_part[name] != value}
        before |= {name: stored_part[name] for name in part}
        return _Changed(stored, core, (stored_part | part) if part else {}, before)

    def _asked(self, stored_part: Mapping[str, Any], row: ResourceRow) -> dict[str, Any]:
        """The typed part that the row asks for; descriptors that the file does not speak of stay."""
        if self.kind != ResourceKind.GERMPLASM:
            return row.part
        kept = {name: text for name, text in stored_part["descriptors"].items() if name not in self.covers}
        return row.part | {"descriptors": kept | row.part["descriptors"]}

    def _create(self, new: Sequence[ResourceRow]) -> list[int]:
        parts = [clean_part(self.kind, row.part).values for row in new]
        created = Resource.objects.bulk_create(
            (
                Resource(
                    kind=self.kind,
                    organisation=self.owner,
                    import_key=row.key,
                    name_pinyin=name_pinyin(row.core["name"]),
                    attributes=row.extra,
                    published=self.published,
                    created_at=self.now,
                    updated_at=self.now,
                    **row.core,
                )
                for row, part in zip(new, parts, strict=True)
            ),
            batch_size=_BATCH,
        )
        PART_MODELS[self.kind].objects.bulk_create(  # type: ignore[attr-defined]
            (part_row(self.kind, resource.pk, part) for resource, part in zip(created, parts, strict=True)), batch_size=_BATCH
        )
        self._save_beside({resource.pk: part for resource, part in zip(created, parts, strict=True)})
        trail: list[Change] = [
            (resource.pk, {}, jsonable({**row.core, **row.part}) | {"line": row.line, **self.source})
            for resource, row in zip(created, new, strict=True)
        ]
        audit.record_many(self.actor, "resource.import", Resource, trail, self.now)
        return [resource.pk for resource in created]

    def _update(self, changed: Sequence[_Changed]) -> None:
        if not changed:
            return
        for one in changed:
            for name, value in one.core.items():
                setattr(one.resource, name, value)
            one.resource.name_pinyin = name_pinyin(one.resource.name)
            one.resource.updated_at = self.now
        names = {"name_pinyin", "updated_at"}.union(*(one.core for one in changed))
        _write_over(Resource, [one.resource for one in changed], names)
        parts = {one.resource.pk: one.part for one in changed if one.part}
        if parts:
            rows = [part_row(self.kind, pk, part) for pk, part in parts.items()]
            _write_over(PART_MODELS[self.kind], rows, columns(self.kind, next(iter(parts.values()))))
        self._save_beside({one.resource.pk: one.part_told() for one in changed})
        trail: list[Change] = [
            (one.resource.pk, jsonable(one.before), jsonable(one.core | one.part_told()) | dict(self.source)) for one in changed
        ]
        audit.record_many(self.actor, "resource.import", Resource, trail, self.now)

    def _save_beside(self, parts: Mapping[int, Mapping[str, Any]]) -> None:
        """Write what stands in tables of its own, as far as the parts (by the resources' ids) speak of it."""
        qualified = {pk: part["qualifications"] for pk, part in parts.items() if "qualifications" in part}
        if qualified:
            save_qualifications(qualified)
        linked = {pk: part["instrument_ids"] for pk, part in parts.items() if "instrument_ids" in part}
        if linked:
            save_links(self.kind, linked)

    def _set_prices(self, counting: Sequence[ResourceRow], written: _Written) -> None:
        """Publish the prices that differ; a resource whose price alone changed counts as updated."""
        if self.kind != ResourceKind.TEST_ITEM:
            return
        line_of = {written.by_line[row.line][1]: row for row in counting}
        wanted = {pk: ListPrice(row.price_fen, row.price_unit) for pk, row in line_of.items()}
        today = self.now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
        for pk, was in ports.sample_prices().set_list_prices(self.actor, wanted, today, self.now).items():
            fate, _pk, told = written.by_line[line_of[pk].line]
            if fate != "created":
                price = (_yuan(was.amount_fen if was is not None else None), _yuan(wanted[pk].amount_fen))
                written.by_line[line_of[pk].line] = ("updated", pk, told | {"price": price})
            if was is not None and _is_large(was, wanted[pk]):
                written.jumps[line_of[pk].line] = (was, wanted[pk])


def _write_over(model: type[Model], rows: Sequence[Model], names: Iterable[str]) -> None:
    """Write these fields of rows that are stored, a statement for each batch."""
    model._default_manager.bulk_create(
        rows, batch_size=_BATCH, update_conflicts=True, unique_fields=["pk"], update_fields=sorted(names)
    )


def _names_of(resource: Resource) -> list[str]:
    """The keys of a row that names this resource."""
    number, doi = resource.inner_id, bare_doi(resource.doi).casefold()
    return [*([f"no:{number}"] if number else []), *([f"doi:{doi}"] if doi else [])]


def _is_large(was: ListPrice, becomes: ListPrice) -> bool:
    """Whether somebody has to say yes to a change of a price that is in force: it jumps, goes, or is for another unit."""
    if was.amount_fen is None:
        return False
    return was.unit != becomes.unit or jump(was.amount_fen, becomes.amount_fen) is not None


def _jumped(code: str, was: ListPrice, becomes: ListPrice) -> Reason:
    """A large change in yuan and units; a price on request is a dash."""
    amounts = {"was": _yuan(was.amount_fen) or "–", "becomes": _yuan(becomes.amount_fen) or "–"}
    params = {**amounts, "was_unit": was.unit, "becomes_unit": becomes.unit}
    return Reason(code, params, "price")


def _not_confirmed(row: ResourceRow, written: _Written) -> ResourceRow:
    return replace(row, reasons=(_jumped("import.price_jump_not_confirmed", *written.jumps[row.line]),))


def _yuan(fen: int | None) -> str:
    return "" if fen is None else f"{fen // 100}.{fen % 100:02d}"


def _told(name: str, value: Any) -> str:
    """A value as a list says it."""
    cell = _CELLS.get(name)
    if cell is not None:
        return cell(value)
    return "; ".join(value) if isinstance(value, list) else "" if value is None else str(value)


_CELLS: dict[str, Callable[[Any], str]] = {
    "analytes": analytes_cell,
    "qualifications": qualifications_cell,
    "instrument_ids": lambda ids: "; ".join(f"#{pk}" for pk in ids),
}


def _fates(rows: Sequence[ResourceRow], written: _Written, owner: str, dry_run: bool) -> list[RowFate]:
    """The fate of every row in the order of the file; when a row is refused, those of the refused rows alone."""
    refused = any(row.reasons for row in rows)
    return [_fate(row, written, owner, dry_run) for row in rows if row.reasons or not refused]


def _fate(row: ResourceRow, written: _Written, owner: str, dry_run: bool) -> RowFate:
    shown: dict[str, Any] = {
        "line": row.line,
        "name": row.name,
        "inner_id": row.number,
        "owner": owner,
        "notes": row.notes,
    }
    if row.reasons:
        return RowFate(fate="refused", reasons=row.reasons, **shown)
    if row.left_out is not None and row.same_as_line is None:
        return RowFate(fate="skipped", reasons=(row.left_out,), **shown)
    fate, pk, told = written.by_line[row.same_as_line or row.line]
    resource_id = None if dry_run and fate == "created" else pk
    if row.left_out is not None:
        return RowFate(fate="repeated", reasons=(row.left_out,), resource_id=resource_id, **shown)
    if row.line in written.jumps:
        shown["notes"] = (*row.notes, _jumped("import.price_jump", *written.jumps[row.line]))
    reasons = tuple(
        Reason("import.changed", {"was": _told(name, was)[:200], "becomes": _told(name, becomes)[:200]}, name)
        for name, (was, becomes) in sorted(told.items())
    )
    return RowFate(fate=fate, reasons=reasons, resource_id=resource_id, **shown)
