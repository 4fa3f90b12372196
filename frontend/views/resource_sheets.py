"""Many data sets, works of literature or accessions at once in a spreadsheet, as with instruments (``frontend.views.sheets``)."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
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
from frontend.presenters.record import Difference, differences
from frontend.presenters.resource_changes import Word, labels_of, words_of
from frontend.refusals import sentences
from frontend.views.sheets import ROWS_SHOWN, ShownProblem, ShownRow, owner_of, part_of
from instruments import queries
from instruments.models import InstrumentSheet
from instruments.resource_wording import KIND_PLURALS
from instruments.services import resource_sheets, uploads
from instruments.services.sheet_plan import PART_ROWS, SheetPlan

#: So many columns are chosen at first: those that say what it is.
_CHOSEN = 8


@login_required
@require_GET
def sheet_start(request: HttpRequest, kind: str) -> HttpResponse:
    """Choose the columns and download, or hand a filled-in table in."""
    actor = actor_of(request)
    return _start(request, actor, _known(kind), owner_of(actor, request.GET.get("owner", "")), SheetForm())


def _known(kind: str) -> str:
    if kind not in resource_sheets.KINDS:
        raise Http404
    return kind


def _start(request: HttpRequest, actor: Actor, kind: str, owner: int, form: SheetForm, status: int = 200) -> HttpResponse:
    labels = labels_of(kind)
    names = [name for name in resource_sheets.columns_of(actor, owner, kind) if name != "name"]
    context = {
        "owner": queries.organisation_for(actor, owner),
        "owners": [queries.organisation_for(actor, pk) for pk in sorted(actor.organisations(Role.LAB_MANAGER))],
        "columns": [(name, labels.get(name, name), place < _CHOSEN) for place, name in enumerate(names)],
        "parts": resource_sheets.parts(actor, owner, kind),
        "part_rows": PART_ROWS,
        "form": form,
        "kind": kind,
        "kinds": [(name, KIND_PLURALS[name]) for name in resource_sheets.KINDS],
        "places": {
            "back": reverse("resource_list"),
            "back_word": _("What we share"),
            "download": reverse("resource_sheet_download", args=[kind, owner]),
            "upload": reverse("resource_sheet_upload", args=[kind, owner]),
        },
    }
    stands_at(request, "resource_sheet_start", kind)
    return render(request, "sheets/start.html", context, status=status)


@login_required
@require_GET
def sheet_download(request: HttpRequest, kind: str, owner: int) -> HttpResponse:
    """A part of the owner's resources of a kind (``?part=``, the first without it) with the chosen columns (``?columns=``, many)."""
    actor, part = actor_of(request), part_of(request)
    queries.organisation_for(actor, owner)
    content = resource_sheets.download(actor, owner, _known(kind), request.GET.getlist("columns"), labels_of(kind), part)
    return attachment(content, resource_sheets.MEDIA_TYPE, f"{kind}-{owner}-{part}.xlsx")


@login_required
@require_POST
def sheet_upload(request: HttpRequest, kind: str, owner: int) -> HttpResponse:
    """Keep a filled-in table and show what it would change."""
    actor = actor_of(request)
    queries.organisation_for(actor, owner)
    form = SheetForm(request.POST, request.FILES)
    status = 422
    if form.is_valid():
        try:
            content = uploads.received(form.cleaned_data["file"])
            sheet = resource_sheets.hand_in(actor, owner, _known(kind), content, timezone.now())
        except (NotFound, Forbidden):
            raise
        except Refusal as refusal:
            add_refusal(form, refusal)
            status = status_of(refusal)
        else:
            return redirect("resource_sheet_preview", sheet.pk)
    elif not actor.has(Role.OPERATOR):
        actor.require_in(owner, Role.LAB_MANAGER)
    return _start(request, actor, _known(kind), owner, form, status)


@login_required
@require_GET
def sheet_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Every difference and everything that stands against the table."""
    actor = actor_of(request)
    return _preview(request, actor, resource_sheets.sheet_for(actor, pk))


def _preview(
    request: HttpRequest, actor: Actor, sheet: InstrumentSheet, problems: list[str] | None = None, status: int = 200
) -> HttpResponse:
    plan, labels = resource_sheets.plan(actor, sheet), labels_of(sheet.kind)
    context = {
        "sheet": sheet,
        "owner": sheet.organisation,
        "plan": plan,
        "rows": _rows(plan, labels),
        "more": max(0, len(plan.rows) - ROWS_SHOWN),
        "refused": [
            ShownProblem(each.row, each.column, labels.get(each.field, each.field), reason_sentence(each.reason))
            for each in plan.problems[:ROWS_SHOWN]
        ],
        "cells": sum(len(row.changes) for row in plan.rows),
        "problems": problems or [],
        "places": {
            "start": reverse("resource_sheet_start", args=[sheet.kind]),
            "apply": reverse("resource_sheet_apply", args=[sheet.pk]),
        },
    }
    stands_at(request, "resource_sheet_preview", sheet.pk)
    return render(request, "sheets/preview.html", context, status=status)


def _rows(plan: SheetPlan, labels: dict[str, Word]) -> list[ShownRow]:
    return [
        ShownRow(row.row, row.subject.name, [_difference(labels, one.field, one.before, one.after) for one in row.changes])
        for row in plan.rows[:ROWS_SHOWN]
    ]


def _difference(labels: dict[str, Word], name: str, before: object, after: object) -> Difference:
    was, becomes = words_of(before), words_of(after)
    return Difference(name, labels.get(name, name), was, becomes, differences(was, becomes))


@login_required
@require_POST
def sheet_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Save everything in the table, or nothing."""
    actor = actor_of(request)
    try:
        plan = resource_sheets.apply(actor, pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _preview(request, actor, resource_sheets.sheet_for(actor, pk), sentences(refusal), status_of(refusal))
    count = len(plan.rows)
    if plan.review:
        messages.success(request, _("%(count)s rows are handed in; the operator looks at what is published.") % {"count": count})
    else:
        messages.success(request, _("%(count)s rows are changed.") % {"count": count})
    return redirect("resource_list")
