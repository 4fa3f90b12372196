"""Refusals as pages: which status, which words."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel.api.problems import status_of
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from frontend.http import is_fragment, stands_before

TITLES: dict[int, Promise | str] = {
    400: _("This request could not be read"),
    403: _("You may not do this"),
    404: _("Not found"),
    409: _("Somebody was faster"),
    413: _("This file is too large"),
    422: _("This cannot be done as asked"),
    503: _("Very busy right now"),
}
RETRY_AFTER_SECONDS = 2

_REFUSED = "refused_on_the_next_page"


def sentences(refusal: Refusal) -> list[str]:
    """Every reason in the reader's language."""
    return [reason_sentence(reason) for reason in refusal.reasons]


def say_refusal(request: HttpRequest, refusal: Refusal) -> None:
    """Every reason as a message on the page that comes next; ``was_refused`` tells that nothing was done before it."""
    setattr(request, _REFUSED, True)
    for sentence in sentences(refusal):
        messages.error(request, sentence)


def was_refused(request: HttpRequest) -> bool:
    """Whether a refusal is said on the page that comes next."""
    return bool(getattr(request, _REFUSED, False))


def refusal_response(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A page, or for htmx the same words as a fragment, with the refusal's status."""
    status = status_of(refusal)
    context = {"status": status, "title": TITLES[status], "sentences": sentences(refusal), "refusal": refusal}
    stands_before(request)
    template = "errors/fragment.html" if is_fragment(request) else "errors/page.html"
    response = render(request, template, context, status=status)
    if status == 503:
        response["Retry-After"] = str(refusal.reasons[0].params.get("retry_after_seconds", RETRY_AFTER_SECONDS))
    return response
