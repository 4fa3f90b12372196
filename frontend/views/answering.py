"""How a lab answers requests: the ready sentences with which it declines, and who answers while somebody is away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from booking.decision_wording import HOUSE_REASONS
from booking.models import Delegation
from booking.services import deputies, reject_reasons
from booking.services.deputies import Absence
from config.kernel.access import Actor, Role, visible_to
from config.kernel.errors import NotFound, Refusal
from frontend.booking_form import read_day
from frontend.http import actor_of, stands_at
from frontend.refusals import sentences, status_of
from instruments.models import Organisation, User
from instruments.services.answer_time import zones_of_owners

EMPTY_ROWS = 2


@dataclass(frozen=True, slots=True)
class LabCard:
    """A lab of the reader's: its sentences as (text, English text), the colleagues who could stand in, and who does."""

    lab: Organisation
    sentences: list[tuple[str, str]]
    colleagues: list[User]
    delegations: list[Delegation]
    zone: str


@login_required
@require_GET
def approval_settings(request: HttpRequest) -> HttpResponse:
    """All labs of the actor."""
    return _shown(request, timezone.now())


def _shown(request: HttpRequest, now: datetime, refusal: Refusal | None = None, lab_id: int = 0, part: str = "") -> HttpResponse:
    actor = actor_of(request)
    actor.require(Role.LAB_MANAGER)
    typed = request.POST if part else None
    coming = deputies.coming(actor, now)
    mine = actor.organisations(Role.LAB_MANAGER)
    zones = zones_of_owners(mine)
    labs = visible_to(Organisation.objects.filter(pk__in=mine), actor).order_by("name_pinyin", "name", "pk")
    context = {
        "cards": [
            LabCard(
                lab,
                _typed_sentences(request) if part == "reasons" and lab.pk == lab_id else _sentences(actor, lab),
                list(deputies.colleagues(actor, lab.pk)),
                [one for one in coming if one.organisation_id == lab.pk],
                zones[lab.pk].key,
            )
            for lab in labs
        ],
        "typed": typed if part == "absence" else None,
        "typed_lab": lab_id,
        "problems": sentences(refusal) if refusal else [],
        "house": list(HOUSE_REASONS.values()),
    }
    stands_at(request, "approval_settings")
    return render(request, "approvals/settings.html", context, status=status_of(refusal) if refusal else 200)


def _sentences(actor: Actor, lab: Organisation) -> list[tuple[str, str]]:
    own = [(row.text, row.text_en) for row in reject_reasons.own_of(actor, lab.pk)]
    return own + [("", "")] * min(EMPTY_ROWS, reject_reasons.MOST - len(own))


def _typed_sentences(request: HttpRequest) -> list[tuple[str, str]]:
    texts, english = (
        [text.replace("\x00", "") for text in request.POST.getlist(name)[: reject_reasons.MOST + 1]]
        for name in ("text", "text_en")
    )
    return list(zip(texts, english, strict=False))


@login_required
@require_POST
def approval_reasons(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a lab's ready sentences."""
    now = timezone.now()
    try:
        reject_reasons.keep(actor_of(request), pk, _typed_sentences(request), now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _shown(request, now, refusal, pk, "reasons")
    messages.success(request, _("Saved. These sentences are offered when a request is declined."))
    return redirect("approval_settings")


@login_required
@require_POST
def approval_absence(request: HttpRequest, pk: int) -> HttpResponse:
    """Say who answers while the actor is away."""
    actor, now = actor_of(request), timezone.now()
    lab = reject_reasons.lab_of(actor, pk)
    try:
        deputies.name(actor, lab.pk, _number(request.POST.get("deputy", "")), _absence(request), now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _shown(request, now, refusal, pk, "absence")
    messages.success(request, _("Saved. Your colleague was told."))
    return redirect("approval_settings")


def _absence(request: HttpRequest) -> Absence:
    """The days as typed. Raises Refusal ``booking.day_unreadable``."""
    first, last = (read_day(request.POST.get(name, "")) for name in ("first_on", "last_on"))
    if first is None or last is None:
        raise Refusal.of("booking.day_unreadable", "first_on" if first is None else "last_on")
    return Absence(first, last, request.POST.get("also_manager") == "yes")


@login_required
@require_POST
def approval_absence_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Back again, or the deputy cannot."""
    now = timezone.now()
    try:
        deputies.end(actor_of(request), pk, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return _shown(request, now, refusal)
    messages.success(request, _("Ended. Your colleague was told."))
    return redirect("approval_settings")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
