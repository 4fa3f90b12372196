"""The pages for what went wrong before or outside our own refusals."""

from __future__ import annotations

import json

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from config.kernel.api import problems
from frontend.http import is_fragment, stands_before
from frontend.refusals import TITLES


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _page(request, 413, _("What you sent is larger than we accept. Send less, or a smaller file."))
    return _page(request, 400, _("Go back and try again. If it happens again, tell us what you did."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403, _("This needs another role. Ask your organisation's administrator."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404, _("There is no such page here. It may have moved, or the address has a typing error."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without a database, a session or a person; for the API as a problem like every other."""
    if request.path.startswith("/api/"):
        problem = problems.body(500, "http.error", _("Something went wrong on our side"), [])
        return HttpResponseServerError(json.dumps(problem), content_type=problems.MEDIA_TYPE)
    return HttpResponseServerError(render_to_string("errors/server_error.html"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token is missing or old, usually because one logged in or out in another tab."""
    sentence = _("This form was open for too long, or you logged in or out in another tab. Nothing was changed.")
    advice = _("Go back with your browser: what you typed is still there. Reload the page there if sending fails again.")
    return _page(request, 403, sentence, advice, title=_("The form has expired"))


def _page(request: HttpRequest, status: int, *sentences: str, title: str = "") -> HttpResponse:
    context = {"status": status, "title": title or TITLES[status], "sentences": sentences}
    stands_before(request)
    template = "errors/fragment.html" if is_fragment(request) else "errors/page.html"
    return render(request, template, context, status=status)
