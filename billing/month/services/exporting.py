"""The archive of a month's documents, made by the worker: left, cancelled, taken up again after a restart, retried where it failed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from billing.month.models import ExportItem, ExportState, ItemState, MonthExport
from billing.month.rules.archive import Archive, packed
from billing.month.services.acting import require_finance
from billing.month.services.exported import KINDS, MAIN, documents_of
from billing.month.services.running import lock_month
from billing.settlement.rules.period import first_day
from billing.settlement.rules.series import Series
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files, transactions
from config.kernel.services.jobs import defer_once

TASK = "billing.export_month"
QUEUE = "exports"
ZIP = "application/zip"
MOST_DOCUMENTS = 5000
KEEP = timedelta(days=7)
_BATCH = 1000
_AT_WORK = (ExportState.QUEUED, ExportState.RUNNING)


def start(actor: Actor, series: Series, period_on: Any, now: datetime) -> MonthExport:
    """Have the documents of a month exported; one that is at work already is returned as it is.

    Raises Forbidden, NotFound, Refusal ``export.nothing`` / ``export.too_many``.
    """
    require_finance(actor, series)
    month = first_day(period_on)

    def work() -> MonthExport:
        lock_month(series)
        running = MonthExport.objects.filter(series=series.key, period_on=month, state__in=_AT_WORK).first()
        if running is not None:
            return running
        found = [
            {f"{kind}_id": pk}
            for kind, rows in documents_of(series, month)
            for pk in rows.values_list("pk", flat=True)[: MOST_DOCUMENTS + 1]
        ]
        if not found:
            raise Refusal.of("export.nothing")
        if len(found) > MOST_DOCUMENTS:
            raise Refusal.of("export.too_many", most=MOST_DOCUMENTS)
        export = MonthExport.objects.create(
            series=series.key,
            owner_id=series.owner_id,
            period_on=month,
            total_count=len(found),
            asked_by_id=actor.person_id,
            asked_at=now,
        )
        items = [ExportItem(export=export, position=place, **of) for place, of in enumerate(found, start=1)]
        ExportItem.objects.bulk_create(items, batch_size=_BATCH)
        audit.record(actor, "month.export", export, now, after={"documents": len(found)})
        _queue(export)
        return export

    return transactions.run(work)


def cancel(actor: Actor, export_id: int, now: datetime) -> None:
    """Stop the work; what is made stays made. Raises NotFound, Forbidden, Conflict ``export.ended``."""
    _change(actor, export_id, _AT_WORK, ExportState.CANCELLED, "month.export_cancel", now)


def resume(actor: Actor, export_id: int, now: datetime) -> None:
    """Go on where it was cancelled or given up, try what failed again, or make an archive again that has expired: to the same bytes.

    Raises NotFound, Forbidden, Conflict ``export.at_work`` / ``export.nothing_to_do``.
    """

    def needed(export: MonthExport) -> None:
        if MonthExport.objects.filter(series=export.series, period_on=export.period_on, state__in=_AT_WORK).exists():
            raise Conflict.of("export.at_work")
        failed = ExportItem.objects.filter(export=export, state=ItemState.FAILED)
        whole = export.state == ExportState.DONE and export.archive_id is not None
        if whole and not failed.exists():
            raise Conflict.of("export.nothing_to_do")
        failed.update(state=ItemState.WAITING, error="")

    states = (ExportState.DONE, ExportState.CANCELLED, ExportState.FAILED)
    _change(actor, export_id, states, ExportState.QUEUED, "month.export_resume", now, before=needed, after=_queue)


def _change(
    actor: Actor,
    export_id: int,
    states: tuple[ExportState, ...],
    to: ExportState,
    action: str,
    now: datetime,
    *,
    before: Any = None,
    after: Any = None,
) -> None:
    def work() -> None:
        found = get_visible(MonthExport.objects.all(), actor, pk=export_id)
        require_finance(actor, found.of_series)
        lock_month(found.of_series)
        export = MonthExport.objects.select_for_update(no_key=True).get(pk=found.pk)
        if export.state not in states:
            raise Conflict.of("export.at_work" if export.state in _AT_WORK else "export.ended")
        if before is not None:
            before(export)
        MonthExport.objects.filter(pk=export.pk).update(state=to, turn_at=None)
        audit.record(actor, action, export, now, before={"state": export.state}, after={"state": to.value})
        if after is not None:
            after(export)

    transactions.run(work)


def _queue(export: MonthExport) -> None:
    name = f"export:{export.pk}"
    defer_once(TASK, name, queue=QUEUE, lock=name, at_once=True, export_id=export.pk)


def work(export_id: int, now: datetime) -> None:
    """The worker's part: every document that waits, then the archive; until somebody cancels. Nothing in another state.

    What is done is kept with each document, so that work that was killed goes on behind it.
    """
    items = ExportItem.objects.filter(export_id=export_id)
    tried = items.exclude(state=ItemState.WAITING).count()
    at_work = MonthExport.objects.filter(pk=export_id, state__in=_AT_WORK)
    if not at_work.update(state=ExportState.RUNNING, turn_at=now, turn_done=tried):
        return
    waiting = items.filter(state=ItemState.WAITING).order_by("position")
    for item_id in list(waiting.values_list("pk", flat=True)):
        if not at_work.exists():
            return
        _one(item_id, now)
    _archive(export_id, now)


def give_up(export_id: int, now: datetime) -> None:
    """Say that the platform failed with it, after the last attempt; it can be resumed."""
    MonthExport.objects.filter(pk=export_id, state__in=_AT_WORK).update(state=ExportState.FAILED, finished_at=now)


def _one(item_id: int, now: datetime) -> None:
    """Have the files of one document; why not is kept with it."""
    item = ExportItem.objects.get(pk=item_id)
    try:
        KINDS[item.kind].render(getattr(item, f"{item.kind}_id"), now)
    except Exception:  # what went wrong is logged and kept with the document by the making
        said = ExportItem.objects.filter(pk=item.pk).values_list(f"{item.kind}__render_error", flat=True).get()
        error = said or "statement.render_failed"
        ExportItem.objects.filter(pk=item.pk).update(state=ItemState.FAILED, error=error)
        return
    ExportItem.objects.filter(pk=item.pk).update(state=ItemState.DONE, error="")


def _archive(export_id: int, now: datetime) -> None:
    export = MonthExport.objects.get(pk=export_id)
    made = archive_of(export)
    count = ExportItem.objects.filter(export=export, state=ItemState.DONE).count()
    again = export.content_sha256 and export.archived_count == count
    if again and made.sha256 != export.content_sha256:
        raise ValueError(f"export {export_id} came to other bytes than before")
    stored = files.store(made.content, file_name=export.file_name, media_type=ZIP, user_id=export.asked_by_id, now=now)
    rows = MonthExport.objects.filter(pk=export_id, state=ExportState.RUNNING)
    kept = rows.update(
        state=ExportState.DONE,
        archive=stored,
        content_sha256=made.sha256,
        archived_count=count,
        size_bytes=len(made.content),
        finished_at=now,
        expires_at=now + KEEP,
    )
    if not kept:
        files.discard(stored)
    elif export.archive is not None:
        files.discard(export.archive)


def archive_of(export: MonthExport) -> Archive:
    """The archive of what is done of an export: PDF and workbook of each document, as they are stored. The manifest lists bills or
    statements with their totals, and ``beside`` them every other kind with its own: sums of several kinds would say nothing. Raises Refusal
    ``files.*``."""
    found: dict[str, bytes] = {}
    about: dict[str, Any] = {"series": export.series, "period": f"{export.period_on:%Y-%m}", **_listing([])}
    beside = {}
    for kind, of in KINDS.items():
        listed = _add_files(export, kind, found)
        if kind in MAIN and listed:
            about |= _listing(listed)
        elif listed:
            beside[of.folder] = _listing(listed)
    return packed(found, about | {"beside": beside} if beside else about)


def _add_files(export: MonthExport, kind: str, found: dict[str, bytes]) -> list[dict[str, Any]]:
    """Put the files of one kind into ``found``, by their paths; what the manifest says of each document."""
    items = ExportItem.objects.filter(export=export, state=ItemState.DONE, **{f"{kind}__isnull": False}).order_by("position")
    listed: list[dict[str, Any]] = []
    signed = [f"{kind}__signed_pdf"] if hasattr(ExportItem._meta.get_field(kind).related_model, "signed_pdf") else []
    for item in items.select_related(f"{kind}__pdf", f"{kind}__xlsx", *signed).defer(f"{kind}__content"):
        document = item.document
        if document.pdf is None or document.xlsx is None:
            continue
        for suffix, stored in (("pdf", _pdf_of(document, export)), ("xlsx", document.xlsx)):
            found[f"{KINDS[kind].folder}/{document.number}.{suffix}"] = files.read(stored)
        listed.append({"number": document.number, "total_fen": document.total_fen, "content_sha256": document.content_sha256})
    return listed


def _pdf_of(document: Any, export: MonthExport) -> StoredFile:
    """The PDF of a document as it was when the export was asked for: a payment list approved since then stays the draft that it was, so
    that the same archive comes to the same bytes."""
    signed: StoredFile | None = getattr(document, "signed_pdf", None)
    if signed is not None and document.approved_at <= export.asked_at:
        return signed
    stored: StoredFile = document.pdf
    return stored


def _listing(listed: list[dict[str, Any]]) -> dict[str, Any]:
    totals = {"documents": len(listed), "total_fen": sum(each["total_fen"] for each in listed)}
    return {"documents": listed, "totals": totals}


def expire_due(now: datetime) -> int:
    """Forget archives whose time is over; what they are made of stays, so they can be made again. Returns how many."""
    count = 0
    for export in MonthExport.objects.filter(state=ExportState.DONE, archive__isnull=False, expires_at__lte=now).select_related(
        "archive"
    ):
        archive = export.archive
        if archive is not None and MonthExport.objects.filter(pk=export.pk, archive=archive).update(archive=None):
            files.discard(archive)
            count += 1
    return count
