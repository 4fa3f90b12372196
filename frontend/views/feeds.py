"""Calendars for people's own calendar programs: public busy times, and private links."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from booking import calendar_queries
from booking.models import FeedKind, FeedToken
from booking.rules.calendar_text import MEDIA_TYPE
from booking.services import feeds
from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.api.throttling import FeedThrottle
from config.kernel.errors import Refusal
from frontend import calendar_file
from frontend.calendar_forms import FEED_KINDS, FeedForm, lab_words
from frontend.forms import refusal_to_form
from frontend.http import actor_of
from frontend.templatetags.jishi import bilingual
from frontend.views.tokens import end_of, state_of
from instruments import queries

BUSY_SECONDS = 300


@require_safe
def instrument_busy(request: HttpRequest, pk: int) -> HttpResponseBase:
    """When an instrument is taken, for everybody who may see it: no names, no reasons."""
    refused = _too_often(request)
    if refused is not None:
        return refused
    instrument = queries.instrument_for(actor_of(request), pk)
    body = calendar_file.busy_feed(calendar_queries.busy_times(instrument, timezone.now()), bilingual(instrument))
    return _answer(request, body, f"{'public' if instrument.published else 'private'}, max-age={BUSY_SECONDS}")


@require_safe
def feed_private(request: HttpRequest, token: str) -> HttpResponseBase:
    """The bookings behind a private link; whatever is wrong with the link, there is nothing."""
    refused = _too_often(request)
    if refused is not None:
        return refused
    now = timezone.now()
    link = feeds.feed_by_key(token, now)
    if link is None:
        return _plain(_("There is no such calendar."), 404)
    with translation.override(link.user.language):
        return _answer(request, _private(link, queries.actor_for(link.user)), "private, no-store")


def _private(link: FeedToken, actor: Actor) -> bytes:
    now, for_lab = timezone.now(), link.kind == FeedKind.LAB
    rows = calendar_queries.lab_feed(actor, link.lab_id, now) if for_lab else calendar_queries.my_feed(actor, now)
    return calendar_file.reservations_feed(rows, link.name, for_lab=for_lab)


@login_required
@require_GET
def feed_list(request: HttpRequest) -> HttpResponse:
    """All of mine, revoked ones too."""
    now = timezone.now()
    rows = [
        {"feed": one, "state": state_of(one, now), "kind": lab_words(one.lab) if one.lab else FEED_KINDS[one.kind]}
        for one in calendar_queries.feeds_of(actor_of(request))
    ]
    return render(request, "feeds/list.html", {"rows": rows})


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def feed_create(request: HttpRequest) -> HttpResponse:
    """A new link. Its address is in the answer to the form and nowhere else, so this one post is not redirected."""
    actor = actor_of(request)
    form = FeedForm(calendar_queries.labs_to_follow(actor), request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            (kind, lab_id), name, last_day = form.what(), form.cleaned_data["name"], form.cleaned_data["expires_on"]
            try:
                feed, key = feeds.issue_feed(actor, kind, name, timezone.now(), end_of(last_day), lab_id)
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                address = request.build_absolute_uri(reverse("feed_private", args=[key]))
                program = address.replace("https://", "webcal://").replace("http://", "webcal://")
                context = {"feed": feed, "address": address, "program": program}
                return render(request, "feeds/created.html", context, status=201)
    return render(request, "feeds/create.html", {"form": form}, status=status)


@login_required
@require_POST
def feed_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    feed = feeds.revoke_feed(actor_of(request), pk, timezone.now())
    messages.success(request, _("The calendar link %(name)s is revoked.") % {"name": feed.name})
    return redirect("feed_list")


def _answer(request: HttpRequest, body: bytes, cache: str) -> HttpResponseBase:
    """The calendar, or 304 when the reader has it already."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response = HttpResponse(body, content_type=MEDIA_TYPE)
    response["Content-Disposition"] = 'inline; filename="calendar.ics"'
    response["ETag"] = etag
    answer = get_conditional_response(request, etag=etag, response=response) or response
    answer["Cache-Control"] = cache
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _too_often(request: HttpRequest) -> HttpResponse | None:
    throttle: Any = FeedThrottle()
    if throttle.allow_request(request, None):  # it reads addresses only, which Django's own request has
        return None
    response = _plain(_("Too many requests. Try again later."), 429)
    response["Retry-After"] = str(int(throttle.wait() or 60))
    return response


def _plain(text: str, status: int) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
