"""A file on its way in: handed over, read and tried by the worker, looked at, confirmed, written. Every step is safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from config.kernel.access import NOBODY, Actor, Role, get_visible, visible_to
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, files
from config.kernel.services.jobs import defer_once, is_unfinished
from config.kernel.services.transactions import whole
from instruments.models import WORKING_STATES, ImportRun, ImportRunRow, ImportState, SavedMapping
from instruments.queries import actor_for
from instruments.rules.reading_options import AS_IT_COMES, ReadingOptions, checked, options_from, saved_document, saved_parts
from instruments.rules.registry_file import Limits
from instruments.rules.registry_values import clean_text
from instruments.services import import_kinds, saved_mappings, uploads
from instruments.services.import_kinds import NEW, SAVED, Order, ReportLike
from instruments.services.instrument_changes import owner_institution, require_manager
from instruments.services.list_reading import read_list

QUEUE = "imports"
TASK = "instruments.import_run"
_CONFIRMED = (ImportState.WRITING, ImportState.UNDOING)
"""What a person said yes to and the worker does."""
#: The note of a row that changes a price by much.
JUMP = "import.price_jump"
_SAMPLES = 3
_SAMPLE_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants taken in. ``organisation_id`` None: each row names its owner, or it is the platform's. ``mapping_id`` goes with
    layout saved, ``options`` with the others."""

    kind: str
    layout: str
    organisation_id: int | None
    mapping_id: int | None = None
    options: ReadingOptions = AS_IT_COMES


@whole
def start(actor: Actor, asked: Asked, content: bytes, file_name: str, now: datetime) -> ImportRun:
    """Keep the file and let the worker read it. Raises Forbidden, Refusal ``import.*`` / ``upload.*``."""
    kind = import_kinds.kind_of(asked.kind)
    if asked.layout not in kind.layouts or not (kind.of_an_owner or asked.organisation_id is None):
        raise Refusal.of("import.layout_unknown", "layout")
    if asked.organisation_id is None:
        actor.require(Role.OPERATOR)
    else:
        require_manager(actor, asked.organisation_id)
        owner_institution(asked.organisation_id)
    uploads.refuse_size(content)
    checked(asked.options, kind.takes, kind.constants)
    document, options = saved_parts(_saved(actor, asked).document) if asked.layout == SAVED else (None, asked.options)
    stored = files.store(
        content, file_name=file_name or "list", media_type="application/octet-stream", user_id=actor.user_id, now=now
    )
    run = ImportRun.objects.create(
        kind=kind.code,
        layout=asked.layout,
        organisation_id=asked.organisation_id,
        file=stored,
        document=document,
        options=options.as_json(),
        state=ImportState.READING,
        created_by_id=actor.person_id,
        created_at=now,
    )
    after = {"kind": run.kind, "layout": run.layout, "file": stored.file_name, "sha256": stored.sha256}
    audit.record(actor, "import.start", run, now, after=after | {"organisation": run.organisation_id})
    _defer(run)
    return run


@whole
def choose_columns(actor: Actor, run_id: int, chosen: Mapping[str, str], save_as: str, now: datetime) -> ImportRun:
    """Say what each column means (a choice of the kind, or nothing), keep it under a name if one is given, with the encoding and the
    zone that were chosen, and read on.

    Raises NotFound, Conflict ``import.state_changed``, Refusal ``import.choice_twice``, ``import.map_needs``, ``name.*``.
    """
    run = _locked(actor, run_id, ImportState.MAPPING)
    columns: Sequence[str] = run.facts["columns"]
    known = import_kinds.kind_of(run.kind).columns
    picked = {column: chosen.get(column, "") for column in columns}
    named = [choice for choice in picked.values() if choice]
    twice = sorted({choice for choice in named if named.count(choice) > 1 or choice not in known.choices})
    if twice:
        raise Refusal(*(Reason("import.choice_twice", {"choice_name": choice}, choice) for choice in twice))
    name = clean_text(save_as, saved_mappings.NAME_LENGTH, "save_as")
    document = known.document_of(picked, name or run.file.file_name, run.facts["delimiter"])
    known.check(document)
    if name:
        kept = saved_document(document, options_from(run.options))
        saved_mappings.keep(actor, run.organisation, name, kept, now, field="save_as")
    run.document, run.state = document, ImportState.READING
    run.save(update_fields=["document", "state"])
    audit.record(actor, "import.columns", run, now, after={"mapping": name, "fields": sorted(document["fields"])})
    _defer(run)
    return run


@whole
def read_again(actor: Actor, run_id: int, options: ReadingOptions, now: datetime) -> ImportRun:
    """Have the file read otherwise: another encoding, the zone of its times, values for what it lacks. Columns are asked for again where
    they were chosen for this file. Nothing is written.

    Raises NotFound, Conflict ``import.state_changed``, Refusal as ``reading_options.checked``.
    """
    run = _locked(actor, run_id, ImportState.MAPPING, ImportState.PREVIEW, ImportState.FAILED)
    kind = import_kinds.kind_of(run.kind)
    checked(options, kind.takes, kind.constants)
    before, asks_again = run.options, run.options.get("encoding", "") != options.encoding
    run.options, run.problems, run.finished_at, run.done_rows = options.as_json(), [], None, 0
    if run.layout == NEW and asks_again:
        run.document = None
    run.state = ImportState.READING
    run.save(update_fields=["options", "problems", "finished_at", "done_rows", "document", "state"])
    audit.record(actor, "import.read_again", run, now, before=before, after=run.options)
    _defer(run)
    return run


@whole
def confirm(actor: Actor, run_id: int, now: datetime, confirmed_lines: Collection[int] = ()) -> ImportRun:
    """Have the worker write what the preview shows. ``confirmed_lines``: those whose large change of a price was said yes to.

    Raises NotFound, Conflict ``import.state_changed``, ``import.rows_refused``, ``import.jumps_not_confirmed``.
    """
    run = _locked(actor, run_id, ImportState.PREVIEW)
    if run.counts.get("refused"):
        raise Conflict.of("import.rows_refused", "file", refused=run.counts["refused"])
    asked = set(jumps_of(run).values_list("line", flat=True))
    if unsaid := asked - set(confirmed_lines):
        raise Conflict.of("import.jumps_not_confirmed", "file", count=len(unsaid))
    run.state, run.done_rows, run.changed_since = ImportState.WRITING, 0, False
    run.facts = run.facts | {"confirmed_lines": sorted(asked)}
    run.save(update_fields=["state", "done_rows", "changed_since", "facts"])
    after = {"digest": run.digest, "counts": run.counts, "confirmed_lines": sorted(asked)}
    audit.record(actor, "import.confirm", run, now, after=after)
    _defer(run)
    return run


def jumps_of(run: ImportRun) -> QuerySet[ImportRunRow]:
    """The rows that change a price by much: somebody says yes to each before anything is written."""
    return run.rows.filter(notes__contains=[{"code": JUMP}]).order_by("line")


@whole
def cancel(actor: Actor, run_id: int, now: datetime) -> ImportRun:
    """Give it up before anything is written, also what was left lying (``is_left_lying``) while it was to be written: all of that is
    written or nothing. What was left lying while it was to be taken back stays as it was written.

    Raises NotFound, Conflict ``import.state_changed``, ``import.in_hand``.
    """
    run = _locked(actor, run_id, ImportState.READING, ImportState.MAPPING, ImportState.PREVIEW, *_CONFIRMED)
    if run.state in _CONFIRMED and not is_left_lying(run):
        raise Conflict.of("import.in_hand", "file")
    before = run.state
    if before == ImportState.UNDOING:
        run.state = ImportState.DONE
    else:
        run.state, run.finished_at = ImportState.CANCELLED, now
    run.save(update_fields=["state", "finished_at"])
    audit.record(actor, "import.cancel", run, now, before={"state": before}, after={"state": run.state})
    return run


def is_left_lying(run: ImportRun) -> bool:
    """Whether the worker was to do something with it and no job for that waits or runs any more: one whose worker was killed time and
    again is not tried for ever. Where there is no such job the state is asked for anew: the worker may be done since ``run`` was read."""
    if run.state not in WORKING_STATES or is_unfinished(_job_name(run)):
        return False
    return ImportRun.objects.filter(pk=run.pk, state__in=WORKING_STATES).exists()


@whole
def go_on(actor: Actor, run_id: int, now: datetime) -> ImportRun:
    """Have the worker take up what was left lying. Raises NotFound, Conflict ``import.state_changed``, ``import.in_hand``."""
    run = _locked(actor, run_id, *(ImportState(state) for state in WORKING_STATES))
    if not is_left_lying(run):
        raise Conflict.of("import.in_hand", "file")
    audit.record(actor, "import.go_on", run, now, after={"state": run.state})
    _defer(run)
    return run


def may_undo(actor: Actor, run: ImportRun) -> bool:
    """Whether the actor may ask to take an import back; what hangs on it is asked behind the locks."""
    return _can_be_undone(run) and run.organisation_id in actor.organisations(Role.LAB_MANAGER)


def _can_be_undone(run: ImportRun) -> bool:
    """Whether it wrote something of a kind that can be taken back, and was not taken back."""
    kind = import_kinds.kinds().get(run.kind)
    written = run.state == ImportState.DONE and run.organisation_id is not None and bool(run.counts.get("created"))
    return written and "undone" not in run.facts and kind is not None and kind.undo is not None


@whole
def undo(actor: Actor, run_id: int, now: datetime) -> ImportRun:
    """Have the worker take back what it wrote. Raises NotFound, Forbidden, Conflict ``import.state_changed``."""
    run = _locked(actor, run_id, *ImportState)
    if run.organisation_id is not None:
        actor.require_in(run.organisation_id, Role.LAB_MANAGER)
    if not _can_be_undone(run):
        raise Conflict.of("import.state_changed", "file")
    run.state, run.undone_by_id, run.done_rows, run.problems = ImportState.UNDOING, actor.person_id, 0, []
    run.save(update_fields=["state", "undone_by", "done_rows", "problems"])
    audit.record(actor, "import.ask_undo", run, now, after={"state": run.state})
    _defer(run)
    return run


def work(run_id: int, now: datetime) -> None:
    """The worker's part, on behalf of who asked: read, write, or take back. Does nothing in another state; a second worker waits its
    turn."""
    run = ImportRun.objects.select_related("file", "created_by", "undone_by").get(pk=run_id)
    if run.state not in WORKING_STATES:
        return
    asked_by = run.undone_by if run.state == ImportState.UNDOING else run.created_by
    actor = actor_for(asked_by) if asked_by is not None else NOBODY
    try:
        if run.state == ImportState.UNDOING:
            _take_back(actor, run.pk, now)
            return
        content = files.read(run.file)
        if run.layout == NEW and run.document is None:
            _show_columns(run, content)
        elif run.state == ImportState.READING:
            _preview(run, _taken(actor, run, content, now, dry_run=True), changed_since=False)
        else:
            _write(actor, run, content, now)
    except Refusal as refusal:
        _fail(run, refusal, now)


def give_up(run_id: int, now: datetime) -> None:
    """Say that the platform failed with a file, after the last attempt; what was confirmed is written, or taken back, whole or not at
    all."""
    run = ImportRun.objects.get(pk=run_id)
    code = "import.undo_gave_up" if run.state == ImportState.UNDOING else "import.gave_up"
    _fail(run, Refusal.of(code, "file"), now)


@whole
def _take_back(actor: Actor, run_id: int, now: datetime) -> None:
    """Take back what was written, and say so, in one transaction."""
    rows = ImportRun.objects.select_for_update(of=("self",)).select_related("organisation")
    run = rows.filter(pk=run_id, state=ImportState.UNDOING).first()
    undo_of_kind = import_kinds.kind_of(run.kind).undo if run is not None else None
    if run is None or undo_of_kind is None:
        return  # another worker was first
    told = undo_of_kind(actor, run, now)
    run.state, run.facts = ImportState.DONE, run.facts | told
    run.save(update_fields=["state", "facts"])
    audit.record(actor, "import.undo", run, now, after=told)


def _write(actor: Actor, run: ImportRun, content: bytes, now: datetime) -> None:
    """Write what was confirmed, and say so, in one transaction; another preview when the registry has changed since."""
    try:
        with transaction.atomic():
            ImportRun.objects.select_for_update().get(pk=run.pk, state=ImportState.WRITING)
            report = _taken(actor, run, content, now, dry_run=False)
            _keep_rows(run, report)
            ImportRun.objects.filter(pk=run.pk).update(
                state=ImportState.DONE, finished_at=now, counts=dict(report.counts), done_rows=len(report.rows)
            )
            audit.record(actor, "import.done", run, now, after={"counts": dict(report.counts)})
    except ImportRun.DoesNotExist:
        return  # another worker was first
    except Conflict as conflict:
        if conflict.reasons[0].code != "import.changed_since":
            raise
        _preview(run, _taken(actor, run, content, now, dry_run=True), changed_since=True)


def _taken(actor: Actor, run: ImportRun, content: bytes, now: datetime, *, dry_run: bool) -> ReportLike:
    order = Order(
        content=content,
        file_name=run.file.file_name,
        layout=run.layout,
        document=run.document,
        owner_id=run.organisation_id,
        dry_run=dry_run,
        expected_digest="" if dry_run else run.digest,
        progress=_progress_of(run) if dry_run else _silent,
        run_id=run.pk,
        options=options_from(run.options),
        confirmed_lines=frozenset() if dry_run else frozenset(run.facts.get("confirmed_lines", ())),
    )
    return import_kinds.kind_of(run.kind).run(actor, order, now)


def _silent(done: int, total: int) -> None:
    """Inside the transaction that writes nobody would see it."""


def _progress_of(run: ImportRun) -> Callable[[int, int], None]:
    def told(done: int, total: int) -> None:
        ImportRun.objects.filter(pk=run.pk).update(done_rows=done, total_rows=total)

    return told


@whole
def _preview(run: ImportRun, report: ReportLike, *, changed_since: bool) -> None:
    kind = import_kinds.kind_of(run.kind)
    states = (ImportState.READING, ImportState.WRITING)
    still = ImportRun.objects.select_for_update().filter(pk=run.pk, state__in=states).first()
    if still is None:
        return  # cancelled while it was read
    _keep_rows(run, report)
    ImportRun.objects.filter(pk=run.pk).update(
        state=ImportState.PREVIEW,
        digest=report.digest,
        counts=dict(report.counts),
        facts=still.facts | kind.facts(report),
        changed_since=changed_since,
        done_rows=len(report.rows),
        total_rows=len(report.rows),
    )


def _keep_rows(run: ImportRun, report: ReportLike) -> None:
    object_id = import_kinds.kind_of(run.kind).object_id
    ImportRunRow.objects.filter(run=run).delete()
    ImportRunRow.objects.bulk_create(
        (
            ImportRunRow(
                run=run,
                line=row.line,
                fate=row.fate,
                name=row.name[:500],
                inner_id=row.inner_id[:300],
                owner=row.owner[:200],
                object_id=object_id(row),
                reasons=[_told(reason) for reason in row.reasons],
                notes=[_told(reason) for reason in row.notes],
            )
            for row in report.rows
        ),
        batch_size=2000,
    )


@whole
def _fail(run: ImportRun, refusal: Refusal, now: datetime) -> None:
    """Say why it could not be taken in, or why what it wrote stays."""
    told = [_told(reason) for reason in refusal.reasons]
    states = (ImportState.READING, ImportState.WRITING)
    ImportRun.objects.filter(pk=run.pk, state__in=states).update(state=ImportState.FAILED, problems=told, finished_at=now)
    ImportRun.objects.filter(pk=run.pk, state=ImportState.UNDOING).update(state=ImportState.DONE, problems=told)


@whole
def _show_columns(run: ImportRun, content: bytes) -> None:
    """Keep the headings of a list that nobody knows yet, with a few cells of each, for a person to say what they mean."""
    read = read_list(content, Limits(), encoding=run.options.get("encoding", ""))
    headers, rows = read.table.headers, read.table.rows[:_SAMPLES]
    samples = [[row.cells[header][:_SAMPLE_CHARACTERS] for header in headers] for row in rows]
    facts = {"columns": list(headers), "samples": samples, "delimiter": read.delimiter}
    facts |= {"encoding": read.decoded.encoding, "sureness": read.decoded.sureness, "other_encodings": list(read.decoded.others)}
    ImportRun.objects.filter(pk=run.pk, state=ImportState.READING).update(state=ImportState.MAPPING, facts=facts)


def _told(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "params": reason.params, "field": reason.field}


def _saved(actor: Actor, asked: Asked) -> SavedMapping:
    found = visible_to(SavedMapping.objects.all(), actor).filter(pk=asked.mapping_id or 0).first()
    mine = found is not None and found.organisation_id in (None, asked.organisation_id)
    if found is None or not mine or import_kinds.of_document(found.document) != asked.kind:
        raise Refusal.of("import.mapping_unknown", "mapping")
    return found


def _locked(actor: Actor, run_id: int, *states: ImportState) -> ImportRun:
    """The run for a change, in one of these states. Raises NotFound, Conflict ``import.state_changed``."""
    run = get_visible(ImportRun.objects.select_for_update(of=("self",)).select_related("file", "organisation"), actor, pk=run_id)
    if run.organisation_id is None:
        actor.require(Role.OPERATOR)
    else:
        require_manager(actor, run.organisation_id)
    if run.state not in states:
        raise Conflict.of("import.state_changed", "file")
    return run


def _job_name(run: ImportRun) -> str:
    return f"import:{run.pk}"


def _defer(run: ImportRun) -> None:
    """One import of an owner after the other: a second one would wait at the rows that the first one holds, and fail of waiting."""
    defer_once(TASK, _job_name(run), queue=QUEUE, lock=f"import:of:{run.organisation_id or 'all'}", run_id=run.pk)
