"""The codes at the lab's instruments: a page to print, new codes, and what has to be confirmed before a start."""

from __future__ import annotations

from io import BytesIO

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from booking.models import CheckInPoint
from booking.queries import usage as usage_queries
from booking.services import check_in_points
from config.kernel.access import Role, get_visible
from config.kernel.errors import NotFound, Refusal
from frontend.http import actor_of, stands_at
from frontend.refusals import sentences, status_of


@login_required
@require_GET
def session_labels(request: HttpRequest) -> HttpResponse:
    """A label for each instrument of the lab."""
    return _response(request)


def _response(request: HttpRequest, failed: int = 0, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Role.LAB_MANAGER)
    points = usage_queries.check_in_points(actor)
    context = {
        "rows": [(one, points.get(one.pk)) for one in usage_queries.managed_instruments(actor)],
        "failed": failed,
        "typed": request.POST.get("ticks", ""),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "session_labels")
    return render(request, "sessions/labels.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_GET
def session_label_code(request: HttpRequest, pk: int) -> HttpResponse:
    """The address behind an instrument's code, for cameras."""
    actor = actor_of(request)
    point = get_visible(CheckInPoint.objects.all(), actor, instrument_id=pk)
    out = BytesIO()
    address = settings.PUBLIC_URL + reverse("here_scan", args=[point.code])
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", scale=8, border=4, dark="#000", light="#fff", svgns=True, omitsize=False
    )
    response = HttpResponse(out.getvalue(), content_type="image/svg+xml")
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@login_required
@require_POST
def session_label_renew(request: HttpRequest, pk: int) -> HttpResponse:
    """The first code of an instrument, or another one."""
    actor, now = actor_of(request), timezone.now()
    if pk in usage_queries.check_in_points(actor):
        check_in_points.renew(actor, pk, now)
        messages.success(request, _("There is a new code. Print its label; the old one leads nowhere now."))
    else:
        check_in_points.ensure(actor, pk, now)
        messages.success(request, _("The code is made. Print its label."))
    return redirect(f"{reverse('session_labels')}#code-{pk}")


@login_required
@require_POST
def session_label_ticks(request: HttpRequest, pk: int) -> HttpResponse:
    """What has to be confirmed before a start."""
    ticks = request.POST.get("ticks", "").replace("\x00", "").splitlines()
    try:
        check_in_points.set_ticks(actor_of(request), pk, ticks, timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _response(request, pk, refusal)
    messages.success(request, _("Saved. It is asked from the next start on."))
    return redirect(f"{reverse('session_labels')}#code-{pk}")
