"""A person's own API tokens."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from booking.models import FeedToken
from config.kernel.api.problems import status_of
from config.kernel.errors import Refusal
from config.kernel.models import ApiToken
from frontend.forms import refusal_to_form
from frontend.http import actor_of
from frontend.organisation_forms import TokenForm
from instruments import queries
from instruments.services import tokens


@login_required
@require_GET
def token_list(request: HttpRequest) -> HttpResponse:
    """All of mine, revoked ones too."""
    now = timezone.now()
    rows = [{"token": token, "state": state_of(token, now)} for token in queries.tokens_of(actor_of(request))]
    return render(request, "tokens/list.html", {"rows": rows})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def token_create(request: HttpRequest) -> HttpResponse:
    """A new token. Its key is in the answer to the form and nowhere else, so this one post is not redirected."""
    form = TokenForm(request.POST if request.method == "POST" else None, initial={"scopes": ["read"]})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            name, scopes, last_day = (form.cleaned_data[field] for field in ("name", "scopes", "expires_on"))
            try:
                token, key = tokens.issue_token(actor_of(request), name, scopes, timezone.now(), end_of(last_day))
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                return render(request, "tokens/created.html", {"token": token, "key": key}, status=201)
    return render(request, "tokens/create.html", {"form": form}, status=status)


@login_required
@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    token = tokens.revoke_token(actor_of(request), pk, timezone.now())
    messages.success(request, _("The token %(name)s is revoked.") % {"name": token.name})
    return redirect("token_list")


def end_of(day: date | None) -> datetime | None:
    """The end of a local day as an instant; the last day of all is as good as none."""
    if day is None or day == date.max:
        return None
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(settings.TIME_ZONE))


def state_of(token: ApiToken | FeedToken, now: datetime) -> str:
    """Whether a key still opens something: active, expired or revoked."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else "active"
