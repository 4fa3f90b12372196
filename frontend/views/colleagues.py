"""Booking for each other: in whose name one may book, who may book in one's own, and ending it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from booking import queries
from booking.queries import consents as consent_queries
from booking.services import consents
from config.kernel.access import Actor
from config.kernel.errors import NotFound, Refusal
from frontend import display
from frontend.consent_forms import ConsentForm
from frontend.forms import refusal_to_form
from frontend.http import actor_of
from frontend.refusals import sentences, status_of
from frontend.templatetags.jishi import bilingual


@login_required
@require_http_methods(["GET", "POST"])
def colleague_list(request: HttpRequest) -> HttpResponse:
    """What holds today, and letting one more colleague."""
    actor, now = actor_of(request), timezone.now()
    form = ConsentForm(_people(actor), request.POST if request.method == "POST" else None)
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
    return _page(request, actor, form, status)


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
        return _page(request, actor, ConsentForm(_people(actor)), status_of(refusal), refusal)
    messages.success(request, _("Ended. What has been booked stays as it is; both of you have been told."))
    return redirect("colleague_list")


def _page(request: HttpRequest, actor: Actor, form: ConsentForm, status: int, refusal: Refusal | None = None) -> HttpResponse:
    rows = list(consent_queries.mine(actor, timezone.now())[: consent_queries.MOST])
    context = {
        "form": form,
        "has_colleagues": bool(form.fields["taker"].choices[1:]),  # type: ignore[attr-defined]
        "given": [(row, display.date_words(row.until_on)) for row in rows if row.giver_id == actor.user_id],
        "taken": [(row, display.date_words(row.until_on)) for row in rows if row.taker_id == actor.user_id],
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "booking/colleagues.html", context, status=status)


def _people(actor: Actor) -> list[tuple[str, str]]:
    """Every colleague with whom the actor may book for an organisation, as "organisation:person" and a name."""
    organisations = queries.bookable_organisations(actor)
    return [
        (f"{one.pk}:{person.pk}", f"{person} · {bilingual(one)}" if len(organisations) > 1 else str(person))
        for one in organisations
        for person in consents.colleagues(actor, one.pk)
    ]
