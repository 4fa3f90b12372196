"""A lab's rules for booking: what it says for all, for a class, for one instrument; what a change touches; what they say to somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing.settlement.services import quotes
from booking.models import PolicyLayer
from booking.queries import policies as queries
from booking.queries.policies import STRANGERS, Somebody, Touched
from booking.rules.policy_layers import HOUSE, Combined
from booking.services import deciders, policies
from booking.services.context import policy_for
from booking.services.policies import Scope
from config.kernel.access import Actor, get_visible
from config.kernel.errors import NotFound, Refusal
from config.kernel.messages import reason_sentence
from frontend.booking_form import BookingForm
from frontend.code_choices import class_choices
from frontend.http import actor_of
from frontend.policy_forms import LayerForm
from frontend.presenters.deciders import decided_by_or_why_not
from frontend.presenters.instruments import class_name
from frontend.presenters.policy import layer_words, policy_words
from frontend.refusals import sentences, status_of
from frontend.templatetags.jishi import bilingual
from instruments.models import Instrument, Organisation, OrganisationKind


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer of the list: what it is for, its sentences, and where it is changed."""

    title: str
    sentences: list[str]
    url: str
    changed_at: datetime
    changed_by: str
    instrument_id: int | None


@login_required
@require_GET
def policy_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that a lab says, layer by layer."""
    actor = actor_of(request)
    lab = queries.lab_of(actor, pk)
    layers = queries.layers_of(actor, pk)
    context = {
        "lab": lab,
        "rows": [_row(layer) for layer in layers if layer.instrument_id is None],
        "single_rows": [_row(layer) for layer in layers if layer.instrument_id is not None],
        "house": policy_words(HOUSE),
        "lab_url": _edit_url(Scope(pk)),
        "classes": class_choices(""),
        "instruments": queries.instruments_of(actor, lab),
    }
    return render(request, "policies/list.html", context)


def _row(layer: PolicyLayer) -> LayerRow:
    scope = Scope(layer.organisation_id, layer.class_code, layer.instrument_id)
    return LayerRow(
        title=_title(scope, layer.instrument),
        sentences=layer_words(policies.read_layer(layer).said),
        url=_edit_url(scope),
        changed_at=layer.changed_at,
        changed_by=str(layer.changed_by or ""),
        instrument_id=layer.instrument_id,
    )


def _title(scope: Scope, instrument: Instrument | None) -> str:
    if instrument is not None:
        return bilingual(instrument)
    if scope.class_code:
        return _("Class %(code)s") % {"code": f"{scope.class_code} {class_name(scope.class_code)}".strip()}
    return _("All instruments of the lab")


def _edit_url(scope: Scope) -> str:
    query = (
        f"?instrument={scope.instrument_id}" if scope.instrument_id else f"?class={scope.class_code}" if scope.class_code else ""
    )
    return reverse("policy_edit", args=[scope.organisation_id]) + query


@login_required
@require_http_methods(["GET", "POST"])
def policy_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """What one layer says; before it is kept, the bookings that it would touch are shown."""
    actor, now = actor_of(request), timezone.now()
    lab = queries.lab_of(actor, pk)
    scope, instrument = _scope(request, actor, lab)
    form = LayerForm(policies.spoken(scope), request.POST or None)
    touched: tuple[list[Touched], int] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            touched = queries.touched(actor, scope, form.said, now)
            if request.POST.get("step") == "keep" or (not touched[1] and request.POST.get("step") != "look"):
                policies.say(actor, scope, form.said, now, " ".join(form.cleaned_data["reason"].split()))
                messages.success(request, _("The rules hold from now on. What is booked already stays booked."))
                return redirect("policy_list", pk)
        except NotFound:
            raise
        except Refusal as refusal:
            form.refuse(refusal)
    context = {
        "lab": lab,
        "title": _title(scope, instrument),
        "form": form,
        "touched": touched[0] if touched else [],
        "touched_count": touched[1] if touched else 0,
        "looked": touched is not None,
    }
    return render(request, "policies/edit.html", context, status=422 if form.errors else 200)


def _scope(request: HttpRequest, actor: Actor, lab: Organisation) -> tuple[Scope, Instrument | None]:
    """From the address. Raises NotFound for an instrument of others and for a class that nobody knows."""
    chosen, code = request.GET.get("instrument", ""), request.GET.get("class", "")
    if chosen:
        key = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else 0
        instrument = get_visible(Instrument.objects.filter(organisation=lab), actor, pk=key)
        return Scope(lab.pk, instrument_id=instrument.pk), instrument
    if code and not class_name(code):
        raise NotFound.of("access.not_found", model="class")
    return Scope(lab.pk, code), None


@login_required
@require_http_methods(["GET", "POST"])
def instrument_policy(request: HttpRequest, pk: int) -> HttpResponse:
    """What holds for one instrument, by whose word, and what it says to somebody who would ask for a time. The form is posted, so that
    nobody's address stands in a log."""
    actor, now = actor_of(request), timezone.now()
    instrument, combined = queries.effective(actor, pk)
    people = queries.people_of(actor, instrument.organisation_id)
    typed = request.POST if request.method == "POST" else request.GET
    form, email = BookingForm.read(typed), typed.get("email", "").replace("\x00", "").strip()
    context: dict[str, Any] = {
        "instrument": instrument,
        "sentences": policy_words(policy_for(instrument)),
        "decided_by": _decided_by(actor, instrument),
        "layers": [
            _row(layer) for layer in queries.layers_of(actor, instrument.organisation_id) if str(layer.pk) in _speakers(combined)
        ],
        "edit_url": _edit_url(Scope(instrument.organisation_id, instrument_id=instrument.pk)),
        "people": people,
        "strangers": [(kind.value, _kind_words(kind)) for kind in STRANGERS],
        "form": form,
        "chosen": typed.get("who", ""),
        "email": email,
        "modes": instrument.service_modes,
    }
    status = 200
    try:
        who: Somebody | str = _chosen(people, typed.get("who", ""))
        if email:
            theirs = queries.known_by(actor, instrument.organisation_id, email)
            who = next((one for one in theirs if str(one.organisation_id) == form.organisation), theirs[0])
            context |= {"theirs": theirs, "tried_for": who}
        if form.has_time:
            context |= _tried(actor, instrument, who, form, now)
    except NotFound:
        raise
    except Refusal as refusal:
        context["email_problems"], status = sentences(refusal), status_of(refusal)
    return render(request, "policies/instrument.html", context, status=status)


def _decided_by(actor: Actor, instrument: Instrument) -> str:
    """Who would decide about the reader's own request, where the lab approves them."""
    if not policy_for(instrument).approval_required:
        return ""
    owner_id = instrument.organisation_id
    return decided_by_or_why_not(deciders.of_own([actor], owner_id, owner_id))


def _chosen(people: list[Somebody], chosen: str) -> Somebody | str:
    """One of the people of the list, or a kind of organisation."""
    kind = chosen if chosen in {kind.value for kind in STRANGERS} else OrganisationKind.FIRM.value
    return next((one for one in people if one.key == chosen), kind)


def _speakers(combined: Combined) -> set[str]:
    return {source for sources in combined.sources.values() for source in sources}


def _kind_words(kind: OrganisationKind) -> str:
    words = {
        OrganisationKind.FIRM: _("a firm that has booked nothing yet"),
        OrganisationKind.TEAM: _("a start-up team that has booked nothing yet"),
        OrganisationKind.OWNER: _("a university or institute that has booked nothing yet"),
    }
    return words[kind]


def _tried(actor: Actor, instrument: Instrument, who: Somebody | str, form: BookingForm, now: datetime) -> dict[str, Any]:
    """What would be said to who was chosen."""
    mode = form.service_mode if form.service_mode in instrument.service_modes else (instrument.service_modes or [""])[0]
    try:
        during = form.during(ZoneInfo(instrument.site.time_zone))
        found = queries.tried(
            actor,
            instrument.pk,
            who,
            during,
            mode,
            now,
            lambda place, customer: quotes.payable_now(place, customer, during, now, mode),
        )
    except NotFound:
        raise
    except Refusal as refusal:
        return {"said": sentences(refusal), "was_tried": True}
    return {
        "said": [reason_sentence(reason) for reason in found.against],
        "looks_for": [reason_sentence(reason) for reason in found.looks_for],
        "approval_required": found.approval_required,
        "was_tried": True,
    }
