"""Closures from a calendar file: handed in, looked at, confirmed, reported."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from booking import calendar_queries
from config.kernel.access import Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, Refusal
from config.kernel.http import attachment
from config.kernel.messages import local_time, sentence
from frontend import display
from frontend.calendar_forms import ClosureFileForm
from frontend.forms import refusal_to_form
from frontend.http import actor_of
from frontend.states import look_of
from instruments import queries
from instruments.rules.standards.tables import harmless
from instruments.services import closure_import, uploads
from instruments.services.closure_import import Preview

PER_PAGE = 100
#: Parameters of a row's reason that are wall times (ISO text).
_WALL_TIMES = ("from", "to")
_COLUMNS = ("line", "title", "from", "to", "fate", "code", "message")


@login_required
@require_http_methods(["GET", "POST"])
def closure_import_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in a file for an instrument and, at will, others of its owner."""
    actor = actor_of(request)
    instrument = queries.instrument_for(actor, pk)
    if not queries.may_manage(actor, instrument):
        raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ClosureFileForm(closure_import.candidates(actor, instrument), *sent)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            file, chosen = form.cleaned_data["file"], [pk, *form.instruments()]
            titles = form.cleaned_data["with_titles"]
            try:
                handed_in = closure_import.hand_in(
                    actor, chosen, uploads.received(file), file.name, timezone.now(), with_titles=titles
                )
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                return redirect("closure_import_detail", handed_in.pk)
    return render(request, "calendars/import.html", {"form": form, "instrument": instrument}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def closure_import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What the file would close, and closing it; afterwards what it closed."""
    actor, now = actor_of(request), timezone.now()
    if request.method == "POST":
        closure_import.confirm(actor, pk, now)
        messages.success(request, _("The closures are saved. Bookings in them stay; tell the people, or cancel them."))
        return redirect("closure_import_detail", pk)
    preview = closure_import.preview(actor, pk, now)
    done = preview.handed_in.confirmed_at is not None
    kind = "closed" if done else "closure"
    page = Paginator(preview.rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "preview": preview,
        "done": done,
        "kind": kind,
        "zone": preview.handed_in.time_zone,
        "page": page,
        "rows": [_shown(row, kind) for row in page.object_list],
        "counts": [(fate, look_of(kind, fate), count) for fate, count in preview.counts.items() if count],
        "writes": sum(preview.counts[fate] for fate in ("new", "changed", "taken_back")),
        "bookings": calendar_queries.bookings_within(actor, preview.instruments, preview.ranges),
        "first": preview.instruments[0],
    }
    return render(request, "calendars/import_preview.html", context)


@login_required
@require_GET
def closure_import_report(request: HttpRequest, pk: int) -> HttpResponse:
    """The same rows as a table for a spreadsheet."""
    preview = closure_import.preview(actor_of(request), pk, timezone.now())
    return attachment(_csv(preview).encode(), "text/csv; charset=utf-8", f"closures-{pk}.csv")


def _csv(preview: Preview) -> str:
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for row in preview.rows:
        times = [row[name].replace("T", " ")[:16] for name in ("starts_local", "ends_local")]
        cells = [row["line"], row["title"], *times, row["fate"], row["code"], _words(row)]
        writer.writerow([harmless(str(cell)) for cell in cells])
    return out.getvalue()


def _shown(row: dict[str, Any], kind: str) -> dict[str, Any]:
    """A row with its times and its reason in words."""
    starts, ends = (datetime.fromisoformat(row[name]) if row[name] else None for name in ("starts_local", "ends_local"))
    when = display.range_words(starts, ends) if starts and ends else display.moment_words(starts) if starts else ""
    several = len(row["calendars"]) > 1
    parts = [f"{look_of(kind, fate).word}: {count}" for fate, count in row["calendars"].items()] if several else []
    return {**row, "when": when, "why": _words(row), "parts": parts}


def _words(row: dict[str, Any]) -> str:
    if not row["code"]:
        return ""
    shown = {name: local_time(value) if name in _WALL_TIMES else value for name, value in row["params"].items()}
    return sentence(row["code"], shown)
