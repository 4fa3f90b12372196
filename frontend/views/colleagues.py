"""Booking for each other: in whose name one may book, who may book in one's own, and ending it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from booking.queries import consents as consent_queries
from booking.services import consents
from booking.services.refusing import BOOKING_ROLES
from config.kernel.access import Actor
from config.kernel.errors import NotFound, Refusal
from frontend.consent_forms import ConsentForm
from frontend.forms import refusal_to_form
from frontend.http import actor_of, stands_at
from frontend.refusals import sentences, status_of
from frontend.templatetags.jishi import bilingual

PER_PAGE = 20
#: How many colleagues the form offers; of more, a part of the name or e-mail is asked for.
MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class Found:
    """Colleagues with whom the actor may book for an organisation, as "organisation:person" and a name; ``more``: there are others.
    ``text``: what was looked for."""

    people: list[tuple[str, str]]
    more: bool
    text: str

    @classmethod
    def of(cls, actor: Actor, request: HttpRequest) -> Found:
        asked = request.POST if "q" in request.POST else request.GET
        text = " ".join(asked.get("q", "").replace("\x00", "").split())[:100]
        rows = list(consent_queries.colleagues_found(actor, text)[: MOST_FOUND + 1])
        several = len(actor.organisations(*BOOKING_ROLES)) > 1
        people = [
            (f"{row.organisation_id}:{row.user_id}", f"{row.user} · {bilingual(row.organisation)}" if several else str(row.user))
            for row in rows[:MOST_FOUND]
        ]
        return cls(people, len(rows) > MOST_FOUND, text)


@login_required
@require_http_methods(["GET", "POST"])
def colleague_list(request: HttpRequest) -> HttpResponse:
    """What holds today, and letting one more colleague."""
    actor, now = actor_of(request), timezone.now()
    found = Found.of(actor, request)
    form = ConsentForm(found.people, request.POST if request.method == "POST" else None)
    status = 422 if request.method == "POST" else 200
    if request.method == "POST" and form.is_valid():
        try:
            given = consents.give(actor, *form.pair(), form.cleaned_data["until_on"], now)
        except Refusal as refusal:
            refusal_to_form(form, refusal)
            status = status_of(refusal)
        else:
            messages.success(request, _("%(taker)s may book in your name. Both of you have been told.") % {"taker": given.taker})
            return redirect("colleague_list")
    return _page(request, actor, form, found, status)


@login_required
@require_POST
def colleague_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Either of the two ends it."""
    actor, now = actor_of(request), timezone.now()
    try:
        consents.end(actor, pk, now)
    except NotFound:
        raise
    except Refusal as refusal:
        found = Found.of(actor, request)
        return _page(request, actor, ConsentForm(found.people), found, status_of(refusal), refusal)
    messages.success(request, _("Ended. What has been booked stays as it is; both of you have been told."))
    return redirect("colleague_list")


def _page(
    request: HttpRequest, actor: Actor, form: ConsentForm, found: Found, status: int, refusal: Refusal | None = None
) -> HttpResponse:
    now = timezone.now()
    context = {
        "form": form,
        "found": found,
        "most": MOST_FOUND,
        "given": Paginator(consent_queries.given(actor, now), PER_PAGE).get_page(request.GET.get("given")),
        "taken": Paginator(consent_queries.taken(actor, now), PER_PAGE).get_page(request.GET.get("taken")),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "colleague_list")
    return render(request, "booking/colleagues.html", context, status=status)
