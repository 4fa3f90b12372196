"""A form that is sent twice does what it says once: a double press, a page that was sent again, two answers to one click."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from config.kernel.services import idempotency, transactions
from frontend.http import actor_of
from frontend.refusals import was_refused

FIELD = "once"
"""The hidden field that ``{% once_key %}`` writes into a form."""
_NOT_WHAT_IS_ASKED = frozenset({FIELD, "csrfmiddlewaretoken"})
View = Callable[..., HttpResponse]


class _Refused(Exception):
    """The view did nothing: its answer is shown, and the form may be mended and sent again."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response


def once_per_form(view: View) -> View:
    """A view that answers a POST with a redirect once it is done; the second time that the same form comes, that redirect is all.

    The key's row is the first in the view's transaction (ADR 5). A form without a key does what it says each time. What is done must live
    in the database alone: a call to somebody else belongs in a job. Raises Refusal ``idempotency.other_payload`` for another content under
    the same key.
    """

    @wraps(view)
    def call(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = key_of(request)
        if not key:
            return view(request, *args, **kwargs)
        done: list[HttpResponse] = []

        def effect() -> dict[str, Any]:
            response = view(request, *args, **kwargs)
            if response.status_code != 302 or was_refused(request):
                raise _Refused(response)
            done.append(response)
            return {"location": response["Location"]}

        actor, asked = actor_of(request), (f"form:{view.__name__}", key, _asked(request), timezone.now())
        try:
            result, replayed = transactions.run(lambda: idempotency.once(actor, *asked, effect))
        except _Refused as refused:
            return refused.response
        return redirect(result["location"]) if replayed else done[-1]

    call.once_per_form = True  # type: ignore[attr-defined]
    return call


def key_of(request: HttpRequest) -> str:
    """The key that ``{% once_key %}`` wrote into the form; empty where there is none that can be read."""
    text = request.POST.get(FIELD, "") if request.method == "POST" else ""
    try:
        return str(UUID(text)) if len(text) <= 36 else ""
    except ValueError:
        return ""


def _asked(request: HttpRequest) -> dict[str, Any]:
    """What makes two forms the same."""
    fields = {name: values for name, values in request.POST.lists() if name not in _NOT_WHAT_IS_ASKED}
    files = {name: [(each.name, each.size) for each in request.FILES.getlist(name)] for name in request.FILES}
    return {"path": request.path, "fields": fields, "files": files}
