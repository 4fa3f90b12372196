"""What a firm or an owner declares about itself, what counts of it today, and the operator's queue."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing.firms import income_queries, queries, wording
from billing.firms.models import FirmDeclaration
from billing.firms.rules.declarations import DECLARES
from billing.firms.rules.profile import is_certified, sizing_of
from billing.firms.services import declaring
from billing.firms.services.declaring import Declaration
from config.kernel.access import Actor, Role
from config.kernel.errors import Forbidden, NotFound
from config.kernel.http import attachment
from frontend.firm_forms import DecisionForm, DeclarationForm
from frontend.form_page import FormPage, answer, tried
from frontend.http import actor_of
from frontend.templatetags.jishi import bilingual
from instruments.models import Organisation
from instruments.rules.roles import ADMINISTRATORS
from instruments.services import uploads

PER_PAGE = 25


def _state(row: FirmDeclaration) -> str:
    return {None: "open", True: "accepted", False: "refused"}[row.accepted]


def _rows(rows: Any, kinds: Iterable[str]) -> list[dict[str, Any]]:
    """Declarations in words, by kind."""
    grouped = {kind: list(some) for kind, some in groupby(rows, key=lambda row: row.kind)}
    return [
        {
            "kind": kind,
            "title": wording.KINDS[kind],
            "rows": [
                {"row": row, "said": wording.said(row.kind, row.content), "state": _state(row)} for row in grouped.get(kind, [])
            ],
        }
        for kind in kinds
    ]


def _may_declare(actor: Actor, organisation: Organisation) -> bool:
    return organisation.pk in actor.organisations(*ADMINISTRATORS[organisation.kind])


@login_required
@require_GET
def firm_facts(request: HttpRequest, pk: int) -> HttpResponse:
    """The profile with its history: what counts today, and everything that was declared."""
    actor, today = actor_of(request), timezone.localdate()
    standing = queries.standing(actor, pk, today)
    profile = standing.facts.profile
    context = {
        "standing": standing,
        "organisation": standing.organisation,
        "facts": standing.facts,
        "certified": is_certified(profile.labels, today),
        "sizing": wording.sizing_words(sizing_of(profile)),
        "profile": profile,
        "today": today,
        "labels": [
            (wording.said("label", {"label": each.label, "level": each.level, "number": each.number}), each, each.holds(today))
            for each in profile.labels
        ],
        "listings": [(wording.LISTS[each.list], each, each.holds(today)) for each in standing.listings],
        "members": [standing.names.get(key) or key.partition(":")[2] for key in standing.members if key != standing.key],
        "controller": standing.names.get(standing.controller) or standing.controller.partition(":")[2],
        "has_controller": standing.controller != standing.key,
        "kinds": _rows(queries.declarations_of(actor, pk), DECLARES[standing.organisation.kind]),
        "may_declare": _may_declare(actor, standing.organisation),
        "reads_income": income_queries.may_read(actor, standing.organisation),
        "is_owner": standing.organisation.kind == "owner",
    }
    return render(request, "firms/facts.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def firm_declare(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Declare something, with its evidence."""
    actor = actor_of(request)
    standing = queries.standing(actor, pk, timezone.localdate())
    organisation = standing.organisation
    if kind not in DECLARES[organisation.kind]:
        raise NotFound.of("access.not_found", model="declaration")
    if not _may_declare(actor, organisation):
        raise Forbidden.of("access.role_needed", roles=sorted(ADMINISTRATORS[organisation.kind]))
    form = DeclarationForm(kind, organisation.kind, *((request.POST, request.FILES) if request.method == "POST" else ()))

    def act() -> HttpResponse:
        evidence = uploads.received(form.cleaned_data["file"])
        declaring.declare(actor, pk, Declaration(kind, form.content(), evidence), timezone.now())
        messages.success(request, _("Declared. It counts once the operator has checked it."))
        return redirect("firm_facts", pk)

    page = FormPage(
        title=str(wording.KINDS[kind]),
        lead=_("An operator compares it with the evidence. Programmes are decided on what was verified."),
        back_url=reverse("firm_facts", args=[pk]),
        back=bilingual(organisation),
        submit=_("Declare"),
        submit_icon="send",
        keep=f"declare-{kind}",
        upload=True,
    )
    return answer(request, page, form, act)


@login_required
@require_GET
def declaration_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The scan, as a download."""
    stored, content = declaring.evidence_for(actor_of(request), pk)
    return attachment(content, stored.media_type, stored.file_name)


@login_required
@require_GET
def declaration_queue(request: HttpRequest) -> HttpResponse:
    """Declarations that wait, the oldest first."""
    pages = Paginator(queries.queue(actor_of(request)), PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    rows = [
        {"row": row, "kind": wording.KINDS[row.kind], "said": wording.said(row.kind, row.content)} for row in page.object_list
    ]
    return render(request, "firms/queue.html", {"page": page, "rows": rows})


@login_required
@require_http_methods(["GET", "POST"])
def declaration_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """What is declared beside its evidence, and the decision."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR)
    row = queries.declaration_for(actor, pk)
    form = DecisionForm(request.POST if request.method == "POST" else None)

    def act() -> HttpResponse:
        accept = form.cleaned_data["decision"] == "accept"
        declaring.decide(actor, pk, accept, form.cleaned_data["reason"], timezone.now())
        messages.success(request, _("Accepted: it counts from now on.") if accept else _("Refused; the firm reads your reason."))
        return redirect("declaration_queue")

    done, status = tried(request, form, act)
    if done is not None:
        return done
    context = {
        "row": row,
        "kind": wording.KINDS[row.kind],
        "said": wording.said(row.kind, row.content),
        "became": _state(row),
        "standing": queries.standing(actor, row.organisation_id, timezone.localdate()),
        "form": form,
        "is_image": row.evidence.media_type.startswith("image/"),
    }
    return render(request, "firms/decide.html", context, status=status)
