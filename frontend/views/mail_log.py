"""What was sent, to whom, when and how it went; never what it said."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from config.kernel.errors import NotFound, Refusal
from frontend.http import actor_of
from frontend.presenters.notices import delivery_row
from frontend.refusals import say_refusal
from instruments.models import DeliveryState
from instruments.queries import notices as queries
from instruments.services import notice_log

PAGE = 50


@login_required
@require_GET
def mail_log(request: HttpRequest) -> HttpResponse:
    """Newest first; failed ones are the dead letters."""
    actor = actor_of(request)
    state, text = request.GET.get("state", ""), request.GET.get("q", "").strip()[:200]
    rows = queries.mail_log(actor, state if state in DeliveryState.values else "", text.replace("\x00", ""))
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    counts = queries.log_states(actor)
    states = [(value, counts.get(value, 0)) for value in DeliveryState.values]
    context = {"page": page, "rows": [delivery_row(one) for one in page], "states": states, "chosen": state, "q": text}
    return render(request, "notices/log.html", context)


@login_required
@require_POST
def mail_resend(request: HttpRequest, pk: int) -> HttpResponse:
    """Send one again."""
    try:
        notice_log.resend(actor_of(request), pk, timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        say_refusal(request, refusal)
    else:
        messages.success(request, _("It is sent again."))
    state = request.POST.get("state", "")
    query = f"?{urlencode({'state': state})}" if state in DeliveryState.values else ""
    return redirect(reverse("mail_log") + query)
