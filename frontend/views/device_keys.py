"""The keys with which devices and campus systems speak for the lab's instruments."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from booking.models import DeviceKey
from booking.queries import usage as usage_queries
from booking.services import device_keys
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from frontend.http import actor_of
from frontend.refusals import sentences, status_of
from frontend.templatetags.jishi import bilingual
from frontend.views.usage_problems import clock_words
from instruments.models import Instrument


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def session_devices(request: HttpRequest) -> HttpResponse:
    """All keys of the lab, and a form for another one; a new key is shown this once."""
    actor = actor_of(request)
    actor.require(Role.LAB_MANAGER)
    instruments = list(usage_queries.managed_instruments(actor))
    if request.method == "GET":
        return _response(request, actor, instruments)
    try:
        organisation_id, instrument_id = _scope(request.POST.get("scope", ""), instruments)
        made, key = device_keys.issue(actor, organisation_id, instrument_id, request.POST.get("name", ""), timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _response(request, actor, instruments, refusal=refusal)
    return _response(request, actor, instruments, made, key)


def _response(
    request: HttpRequest,
    actor: Actor,
    instruments: list[Instrument],
    made: DeviceKey | None = None,
    key: str = "",
    refusal: Refusal | None = None,
) -> HttpResponse:
    owners = {one.organisation_id: one.organisation for one in instruments}
    scopes = [(f"lab-{pk}", _("all instruments: %(lab)s") % {"lab": bilingual(owner)}) for pk, owner in owners.items()]
    scopes += [(f"one-{one.pk}", bilingual(one)) for one in instruments]
    typed = {"name": "", "scope": ""} if made else {name: request.POST.get(name, "") for name in ("name", "scope")}
    context = {
        "made": made,
        "key": key,
        "scopes": scopes,
        "typed": typed,
        "rows": [{"key": one, "clock": clock_words(one.skew_seconds)} for one in usage_queries.device_keys(actor)],
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "sessions/devices.html", context, status=status_of(refusal) if refusal else 200)


def _scope(text: str, instruments: list[Instrument]) -> tuple[int, int | None]:
    """Organisation and instrument (None: all). Raises NotFound for what is not the actor's."""
    for one in instruments:
        if text == f"one-{one.pk}":
            return one.organisation_id, one.pk
        if text == f"lab-{one.organisation_id}":
            return one.organisation_id, None
    raise NotFound.of("access.not_found", model="instrument")


@login_required
@require_POST
def session_device_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a key useless at once."""
    device_keys.revoke(actor_of(request), pk, timezone.now())
    messages.success(request, _("Revoked. What is sent with this key is refused from now on."))
    return redirect("session_devices")
