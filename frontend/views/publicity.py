"""Publicity for everybody, without logging in: which claims are about to be paid, and saying something against one."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from rest_framework.throttling import SimpleRateThrottle

from billing.claims import queries
from billing.claims.services import publishing
from config.kernel.api.problems import status_of
from config.kernel.api.throttling import ObjectionThrottle
from config.kernel.errors import NotFound, Refusal
from frontend.presenters.claims import batch_name
from frontend.refusals import sentences
from frontend.views.bills import number

PER_PAGE = 25
TYPED = ("claim", "name", "contact", "text")


@require_GET
def publicity_list(request: HttpRequest) -> HttpResponse:
    """What is and was public, the latest first."""
    page = Paginator(queries.publicities(), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(each, batch_name(each.batch)) for each in page.object_list]
    return render(request, "claims/publicities.html", {"page": page, "rows": rows})


@require_http_methods(["GET", "POST"])
def publicity_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One publicity with its claims; POST says something against one of them."""
    found = queries.public_publicity(pk)
    refusal = None
    if request.method == "POST":
        try:
            _refuse_too_often(request)
            claim, name, contact, text = (request.POST.get(field, "") for field in TYPED)
            publishing.object_to(pk, number(claim), name, contact, text, timezone.now())
            messages.success(request, _("Thank you. The office looks at it; until then this claim is not paid."))
            return redirect("publicity_detail", pk=pk)
        except NotFound:
            raise
        except Refusal as refused:
            refusal = refused
    content = found.content
    context = {
        "publicity": found,
        "name": batch_name(found.batch),
        "content": content,
        "from_on": date.fromisoformat(content["batch"]["first_day"]),
        "last_on": date.fromisoformat(content["batch"]["last_day"]),
        "open": found.closed_at is None,
        "typed": {field: request.POST.get(field, "") for field in TYPED} if refusal else {},
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "claims/publicity.html", context, status=status_of(refusal) if refusal else 200)


def _refuse_too_often(request: HttpRequest) -> None:
    """Raises Refusal ``claims.too_often``."""
    throttle: SimpleRateThrottle = ObjectionThrottle()
    if not throttle.allow_request(request, None):  # type: ignore[arg-type]
        raise Refusal.of("claims.too_often")
