"""Many instruments at once in a spreadsheet: choose columns, download, hand in, look at every difference, save."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from config.kernel.access import Actor, Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.http import attachment
from config.kernel.messages import reason_sentence
from frontend.http import actor_of, stands_at
from frontend.instrument_forms import SheetForm, add_refusal
from frontend.presenters import record
from frontend.presenters.record import Difference, differences, label_of, value_words
from frontend.refusals import sentences
from instruments import queries
from instruments.models import InstrumentSheet
from instruments.services import sheets, uploads
from instruments.services.sheet_plan import PART_ROWS, SheetPlan

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: The preview shows this many rows; what is beyond them is counted.
ROWS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row that would change: its number in the spreadsheet, whose it is, and every cell that differs."""

    row: int
    name: str
    differences: list[Difference]


@dataclass(frozen=True, slots=True)
class ShownProblem:
    row: int
    column: str
    label: Any
    sentence: str


@login_required
@require_GET
def sheet_start(request: HttpRequest) -> HttpResponse:
    """Choose the columns and download, or hand a filled-in table in."""
    actor = actor_of(request)
    return _start(request, actor, owner_of(actor, request.GET.get("owner", "")), SheetForm())


def _start(request: HttpRequest, actor: Actor, owner: int, form: SheetForm, status: int = 200) -> HttpResponse:
    context = {
        "owner": queries.organisation_for(actor, owner),
        "owners": [queries.organisation_for(actor, pk) for pk in sorted(actor.organisations(Role.LAB_MANAGER))],
        "columns": [
            (name, sheets.column_name(name), name in sheets.DEFAULT_COLUMNS) for name in sheets.COLUMNS if name != "name"
        ],
        "parts": sheets.parts(actor, owner),
        "part_rows": PART_ROWS,
        "form": form,
        "places": {
            "back": reverse("instrument_list"),
            "back_word": _("Instruments"),
            "download": reverse("sheet_download", args=[owner]),
            "upload": reverse("sheet_upload", args=[owner]),
        },
    }
    stands_at(request, "sheet_start")
    return render(request, "sheets/start.html", context, status=status)


def owner_of(actor: Actor, text: str) -> int:
    """The owner that the address names, or the first one that the person manages. Raises Forbidden."""
    actor.require(Role.LAB_MANAGER, Role.OPERATOR)
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    own = sorted(actor.organisations(Role.LAB_MANAGER))
    if asked and (asked in own or actor.has(Role.OPERATOR)):
        return asked
    if own:
        return own[0]
    raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])


@login_required
@require_GET
def sheet_download(request: HttpRequest, owner: int) -> HttpResponse:
    """A part of the owner's instruments (``?part=``, the first without it) with the chosen columns (``?columns=``, many)."""
    actor, part = actor_of(request), part_of(request)
    queries.organisation_for(actor, owner)
    content = sheets.download(actor, owner, request.GET.getlist("columns"), part)
    return attachment(content, XLSX, f"instruments-{owner}-{part}.xlsx")


def part_of(request: HttpRequest) -> int:
    """The number of the part that is asked for; 0, which is none, where the address says no number."""
    text = request.GET.get("part", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@login_required
@require_POST
def sheet_upload(request: HttpRequest, owner: int) -> HttpResponse:
    """Keep a filled-in table and show what it would change."""
    actor = actor_of(request)
    queries.organisation_for(actor, owner)
    form = SheetForm(request.POST, request.FILES)
    status = 422
    if form.is_valid():
        try:
            sheet = sheets.hand_in(actor, owner, uploads.received(form.cleaned_data["file"]), timezone.now())
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            add_refusal(form, refusal)
            status = status_of(refusal)
        else:
            return redirect("sheet_preview", sheet.pk)
    elif not actor.has(Role.OPERATOR):
        actor.require_in(owner, Role.LAB_MANAGER)
    return _start(request, actor, owner, form, status)


@login_required
@require_GET
def sheet_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Every difference and everything that stands against the table."""
    actor = actor_of(request)
    return _preview(request, actor, sheets.sheet_for(actor, pk))


def _preview(
    request: HttpRequest, actor: Actor, sheet: InstrumentSheet, problems: list[str] | None = None, status: int = 200
) -> HttpResponse:
    plan = sheets.plan(actor, sheet)
    places = record.place_names(queries.sites_of(actor, sheet.organisation_id))
    context = {
        "sheet": sheet,
        "owner": sheet.organisation,
        "plan": plan,
        "rows": _rows(plan, places),
        "more": max(0, len(plan.rows) - ROWS_SHOWN),
        "refused": [
            ShownProblem(each.row, each.column, label_of(each.field) if each.field else "", reason_sentence(each.reason))
            for each in plan.problems[:ROWS_SHOWN]
        ],
        "cells": sum(len(row.changes) for row in plan.rows),
        "problems": problems or [],
        "places": {"start": reverse("sheet_start"), "apply": reverse("sheet_apply", args=[sheet.pk])},
        "may_stay_draft": True,
    }
    stands_at(request, "sheet_preview", sheet.pk)
    return render(request, "sheets/preview.html", context, status=status)


def _rows(plan: SheetPlan, places: dict[str, str]) -> list[ShownRow]:
    found = []
    for row in plan.rows[:ROWS_SHOWN]:
        shown = []
        for change in row.changes:
            before, after = (value_words(change.field, side, places) for side in (change.before, change.after))
            shown.append(Difference(change.field, label_of(change.field), before, after, differences(before, after)))
        found.append(ShownRow(row.row, row.subject.name, shown))
    return found


@login_required
@require_POST
def sheet_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Save everything in the table, or nothing."""
    actor = actor_of(request)
    try:
        plan = sheets.apply(actor, pk, timezone.now(), submit=request.POST.get("submit") == "yes")
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _preview(request, actor, sheets.sheet_for(actor, pk), sentences(refusal), status_of(refusal))
    if plan.review:
        messages.success(
            request, _("Saved as changes of %(count)s instruments; the operator looks at them.") % {"count": len(plan.rows)}
        )
        return redirect("review_queue")
    messages.success(request, _("%(count)s instruments are changed.") % {"count": len(plan.rows)})
    return redirect("instrument_list")
