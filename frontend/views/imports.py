"""Taking in files: hand over, say what the columns mean, look at the preview, confirm, read the report."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.kernel.access import Actor, Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.http import attachment
from config.kernel.services import files
from frontend.code_list_form import CodeListForm
from frontend.forms import refusal_to_form
from frontend.http import actor_of, is_fragment, stands_at
from frontend.import_forms import SURENESS_NAMES, ColumnsForm, MappingForm, ReadingForm, StartForm
from frontend.presenters.imports import jump_views, row_views, run_view
from frontend.refusals import sentences
from instruments.models import ImportRun, ImportState
from instruments.queries import imports as queries
from instruments.rules.reading_options import options_from
from instruments.rules.standards.tables import harmless
from instruments.services import import_kinds, import_runs, saved_mappings, uploads

RUNS_PER_PAGE = 25
ROWS_PER_PAGE = 50
POLL_SECONDS = 2


@login_required
@require_http_methods(["GET", "POST"])
def import_list(request: HttpRequest) -> HttpResponse:
    """Hand over a file, and the imports so far."""
    actor = actor_of(request)
    if request.method != "POST":
        return _list_page(request, actor, _start_form(actor))
    form = _start_form(actor, request.POST, request.FILES)
    run, status = hand_over(actor, form)
    return _list_page(request, actor, form, status) if run is None else redirect("import_run", run.pk)


def hand_over(actor: Actor, form: StartForm | CodeListForm) -> tuple[ImportRun | None, int]:
    """Have the file of a form read: its import, or none and the status of the page that says why not."""
    if not form.is_valid():
        return None, 422
    file = form.cleaned_data["file"]
    try:
        run = import_runs.start(actor, form.asked(), uploads.received(file), file.name or "", timezone.now())
    except Refusal as refusal:
        refusal_to_form(form, refusal)
        return None, status_of(refusal)
    return run, 200


def _start_form(actor: Actor, *sent: Any) -> StartForm:
    owners = queries.import_owners(actor)
    mappings = list(queries.mappings_for(actor, [owner.pk for owner in owners]))
    return StartForm(owners, mappings, actor.has(Role.OPERATOR), *sent)


def _list_page(
    request: HttpRequest,
    actor: Actor,
    form: StartForm,
    status: int = 200,
    problems: Sequence[str] = (),
    mapping_form: MappingForm | None = None,
) -> HttpResponse:
    page = Paginator(queries.import_runs(actor), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "runs": [(run, run_view(run)) for run in page.object_list],
        "mappings": [one for one in form.mappings if one.organisation_id or actor.has(Role.OPERATOR)],
        "mapping_form": mapping_form or MappingForm(form.owners, actor.has(Role.OPERATOR)),
        "problems": problems,
    }
    stands_at(request, "import_list")
    return render(request, "imports/list.html", context, status=status)


@login_required
@require_GET
def import_run(request: HttpRequest, pk: int) -> HttpResponse:
    """One import: progress, columns to choose, preview or result."""
    actor = actor_of(request)
    return _run_page(request, actor, queries.import_run_for(actor, pk))


@login_required
@require_GET
def import_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is (htmx, asked again every few seconds); when the worker is done the whole page comes."""
    actor = actor_of(request)
    run = queries.import_run_for(actor, pk)
    view = run_view(run)
    if not is_fragment(request):
        return redirect("import_run", pk)
    if not view.working:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    context = {"view": view, "poll_seconds": POLL_SECONDS, "left_lying": import_runs.is_left_lying(run)}
    return render(request, "imports/_progress.html", context)


@login_required
@require_POST
def import_columns(request: HttpRequest, pk: int) -> HttpResponse:
    """What each column means; then the file is read with that."""
    actor = actor_of(request)
    run = queries.import_run_for(actor, pk)
    form = _columns_form(run, request.POST)
    if not form.is_valid():
        return _run_page(request, actor, run, form, status=422)
    try:
        import_runs.choose_columns(actor, pk, form.chosen(), form.cleaned_data["save_as"], timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        refusal_to_form(form, refusal)
        return _run_page(request, actor, run, form, status=status_of(refusal))
    return redirect("import_run", pk)


@login_required
@require_POST
def import_read_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Read the file with another encoding or zone, or with values for what it lacks."""
    actor = actor_of(request)
    run = queries.import_run_for(actor, pk)
    form = _reading_form(run, request.POST)
    if not form.is_valid():
        return _run_page(request, actor, run, status=422, reading=form)
    try:
        import_runs.read_again(actor, pk, form.options(), timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        refusal_to_form(form, refusal)
        return _run_page(request, actor, run, status=status_of(refusal), reading=form)
    return redirect("import_run", pk)


@login_required
@require_POST
def import_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Write what the preview shows."""
    actor = actor_of(request)
    try:
        lines = [int(text) for text in request.POST.getlist("yes") if text.isdecimal() and len(text) < 10]
        import_runs.confirm(actor, pk, timezone.now(), lines)
    except NotFound:
        raise
    except Refusal as refusal:
        messages.error(request, " ".join(sentences(refusal)))
    return redirect("import_run", pk)


@login_required
@require_POST
def import_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it up."""
    actor = actor_of(request)
    try:
        run = import_runs.cancel(actor, pk, timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        messages.error(request, " ".join(sentences(refusal)))
    else:
        given_up = run.state == ImportState.CANCELLED
        told = (
            _("The import is given up. Nothing was written.") if given_up else _("Nothing was taken back. All stays as it was.")
        )
        messages.success(request, told)
    return redirect("import_run", pk)


@login_required
@require_POST
def import_go_on(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the worker take up what it left lying."""
    actor = actor_of(request)
    try:
        import_runs.go_on(actor, pk, timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        messages.error(request, " ".join(sentences(refusal)))
    return redirect("import_run", pk)


@login_required
@require_POST
def import_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Have what is still as a list of bookings brought it taken back."""
    actor = actor_of(request)
    try:
        import_runs.undo(actor, pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        run = queries.import_run_for(actor, pk)
        return _run_page(request, actor, run, status=status_of(refusal), problems=sentences(refusal))
    return redirect("import_run", pk)


@login_required
@require_GET
def import_report(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Every row (``?fate=refused``: of one fate) with what there is to say about it, as CSV."""
    actor = actor_of(request)
    run = queries.import_run_for(actor, pk)
    rows = queries.rows_of(actor, run, request.GET.get("fate", ""))
    answer = StreamingHttpResponse(_report(run, rows.iterator(chunk_size=1000)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="import-{pk}.csv"'
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@login_required
@require_GET
def import_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The file as it was handed over."""
    run = queries.import_run_for(actor_of(request), pk)
    ending = run.file.file_name.lower().rpartition(".")[2]
    suffix = ending if ending in {"xlsx", "ics"} else "csv"
    return attachment(files.read(run.file), "application/octet-stream", f"import-{pk}.{suffix}")


@login_required
@require_POST
def mapping_add(request: HttpRequest) -> HttpResponse:
    """Keep a mapping that was written as a file."""
    actor, status = actor_of(request), 422
    start = _start_form(actor)
    form = MappingForm(start.owners, actor.has(Role.OPERATOR), request.POST, request.FILES)
    if form.is_valid():
        typed, file = form.cleaned_data, form.cleaned_data["map"]
        content = file.read(saved_mappings.FILE_BYTES + 1)
        try:
            saved_mappings.add(actor, form.organisation_id(), typed["name"], content, timezone.now(), file.name or "")
        except Refusal as refusal:
            refusal_to_form(form, refusal)
            status = status_of(refusal)
        else:
            messages.success(request, _("The mapping is saved. Choose it when you hand over a file."))
            return redirect("import_list")
    return _list_page(request, actor, start, status, mapping_form=form)


@login_required
@require_GET
def mapping_file(request: HttpRequest, pk: int) -> HttpResponse:
    """A saved mapping as a file."""
    mapping = queries.mapping_for(actor_of(request), pk)
    text = json.dumps(mapping.document, ensure_ascii=False, indent=2)
    return attachment(f"{text}\n".encode(), "application/json", f"mapping-{pk}.json")


@login_required
@require_POST
def mapping_rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Call a saved mapping otherwise."""
    actor = actor_of(request)
    try:
        saved_mappings.rename(actor, pk, request.POST.get("name", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _list_page(request, actor, _start_form(actor), status_of(refusal), sentences(refusal))
    messages.success(request, _("The mapping has its new name."))
    return redirect("import_list")


@login_required
@require_POST
def mapping_forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a saved mapping."""
    saved_mappings.forget(actor_of(request), pk, timezone.now())
    messages.success(request, _("The mapping is deleted. Imports that used it are not touched."))
    return redirect("import_list")


def _run_page(
    request: HttpRequest,
    actor: Actor,
    run: ImportRun,
    form: ColumnsForm | None = None,
    status: int = 200,
    problems: Sequence[str] = (),
    reading: ReadingForm | None = None,
) -> HttpResponse:
    view, fate = run_view(run), request.GET.get("fate", "")
    context: dict[str, Any] = {"run": run, "view": view, "fate": fate, "poll_seconds": POLL_SECONDS}
    if view.working:
        context["left_lying"] = import_runs.is_left_lying(run)
    elif run.state == ImportState.MAPPING:
        form = form or _columns_form(run, None)
        context |= {"form": form, "columns": _columns(run, form)}
    elif run.state in {ImportState.PREVIEW, ImportState.DONE}:
        page = Paginator(queries.rows_of(actor, run, fate), ROWS_PER_PAGE).get_page(request.GET.get("page"))
        context |= {"page": page, "rows": row_views(run, page.object_list)}
        if run.state == ImportState.PREVIEW:
            context["jumps"] = jump_views(import_runs.jumps_of(run))
        context |= {"may_undo": import_runs.may_undo(actor, run), "problems": problems or view.problems}
    if run.state in {ImportState.MAPPING, ImportState.PREVIEW, ImportState.FAILED} and run.kind in import_kinds.kinds():
        context["reading"] = reading or _reading_form(run, None)
        context["sureness"] = SURENESS_NAMES.get(run.facts.get("sureness", ""), "")
    stands_at(request, "import_run", run.pk)
    return render(request, "imports/run.html", context, status=status)


def _reading_form(run: ImportRun, data: Any) -> ReadingForm:
    return ReadingForm(import_kinds.kind_of(run.kind), run.facts, options_from(run.options), data)


def _columns_form(run: ImportRun, data: Any) -> ColumnsForm:
    if run.state != ImportState.MAPPING:
        raise NotFound.of("access.not_found", model="import")
    return ColumnsForm(import_kinds.kind_of(run.kind), run.facts["columns"], run.organisation_id is None, data)


def _columns(run: ImportRun, form: ColumnsForm) -> list[tuple[str, list[str], Any]]:
    """Each heading with a few of its cells and its select."""
    return [
        (column, [sample[place] for sample in run.facts["samples"]], form[f"column_{place}"])
        for place, column in enumerate(run.facts["columns"])
    ]


class _Line:
    """A file that gives back what was written to it last."""

    def write(self, text: str) -> str:
        return text


def _report(run: ImportRun, rows: Any) -> Iterator[str]:
    writer = csv.writer(_Line())
    head = [_("Line"), _("What becomes of it"), _("Number"), _("Name"), _("Owner"), _("Field"), _("Was"), _("Becomes"), _("Why")]
    yield "\ufeff" + str(writer.writerow(head))
    for view in (one for row in rows for one in row_views(run, [row])):
        start = [str(view.line or ""), view.fate, view.inner_id, view.name, view.owner]
        told = [[change.field, change.was, change.becomes, ""] for change in view.changes]
        told += [[field, "", "", text] for field, text in view.problems]
        for tail in told or [["", "", "", ""]]:
            yield str(writer.writerow([harmless(text) for text in [*start, *tail]]))
