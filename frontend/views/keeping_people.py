"""How long what is kept of people is kept, what is due, who has no account, and names that still stand in texts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from billing.erasure import mentions, retention
from billing.erasure.rules.schedule import How
from billing.erasure.wording import KEEPINGS
from config.kernel.access import Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.http import actor_of
from frontend.refusals import sentences
from frontend.views.bills import number

MOST_MARKED = 500


@login_required
@require_http_methods(["GET", "POST"])
def person_retention(request: HttpRequest) -> HttpResponse:
    """The schedule; POST erases what is due (``act=due``) or somebody who objected and has no account (``act=objector``)."""
    actor, now = actor_of(request), timezone.now()
    actor.require(Role.OPERATOR)
    refusal, typed = None, request.POST
    if request.method == "POST":
        try:
            if typed.get("act") == "objector":
                count = retention.erase_objector(actor, typed.get("contact", "")[:200], typed.get("reason", ""), now)
            else:
                count = sum(retention.erase_due(actor, now).values())
        except Forbidden:
            raise
        except Refusal as error:
            refusal = error
        else:
            messages.success(request, ngettext("Erased in %(count)s row.", "Erased in %(count)s rows.", count) % {"count": count})
            return redirect("person_retention")
    found = retention.due(actor, now)
    context: dict[str, Any] = {
        "rows": [(each, *KEEPINGS[each.keeping.code], each.keeping.how is How.JOB) for each in found],
        "due": sum(each.count or 0 for each in found),
        "typed": typed,
        "problems": _problems(refusal),
    }
    return render(request, "erasing/retention.html", context, status=status_of(refusal) if refusal else 200)


def _problems(refusal: Refusal | None) -> list[str]:
    if isinstance(refusal, NotFound):
        return [_("Nobody is found by that. Type it as it was given.")]
    return sentences(refusal) if refusal else []


@login_required
@require_http_methods(["GET", "POST"])
def person_mentions(request: HttpRequest) -> HttpResponse:
    """Where the name of an erased person stands in texts (``act=look``), and replacing it where somebody marked it (``act=replace``).
    Posted, so that the name stands in no address."""
    actor, now, typed = actor_of(request), timezone.now(), request.POST
    actor.require(Role.OPERATOR)
    refusal, found, marked = None, None, typed.getlist("place")[:MOST_MARKED]
    whose, name = number(typed.get("person", "")), typed.get("name", "")[:200]
    if typed.get("act") == "replace":
        try:
            count = mentions.replace(actor, whose, name, marked, typed.get("reason", ""), now)
        except Forbidden:
            raise
        except Refusal as error:
            refusal = error
        else:
            said = ngettext("Replaced in %(count)s place.", "Replaced in %(count)s places.", count)
            messages.success(request, said % {"count": count})
            return redirect("person_mentions")
    if request.method == "POST":
        try:
            found = mentions.mentions(actor, whose, name, now)
        except Refusal as error:
            refusal = refusal or error
    context = {"found": found, "typed": typed, "marked": marked, "most": mentions.MOST, "problems": _problems(refusal)}
    return render(request, "erasing/mentions.html", context, status=status_of(refusal) if refusal else 200)
