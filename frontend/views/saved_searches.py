"""Searches that a person keeps."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.kernel.api.problems import status_of
from config.kernel.errors import NotFound, Refusal
from frontend.http import actor_of, stands_at
from frontend.presenters.search import search_words
from frontend.refusals import say_refusal, sentences
from instruments import queries
from instruments.models import SavedSearch
from instruments.rules.search_state import asks_for_time, search_of_query
from instruments.services import saved_searches


@login_required
@require_GET
def saved_search_list(request: HttpRequest) -> HttpResponse:
    """Mine, each with a link to its results."""
    return _page(request)


def _page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    rows = [_row(saved) for saved in queries.my_searches(actor_of(request))]
    context = {"rows": rows, "problems": sentences(refusal) if refusal else []}
    stands_at(request, "saved_search_list")
    return render(request, "search/saved.html", context, status=status_of(refusal) if refusal else 200)


def _row(saved: SavedSearch) -> dict[str, Any]:
    search = search_of_query(saved.query)
    address = f"{reverse('search')}?{saved.query}"
    return {"saved": saved, "words": search_words(search), "address": address, "asks_for_time": asks_for_time(search)}


@login_required
@require_POST
def saved_search_create(request: HttpRequest) -> HttpResponse:
    """Keep what the results page shows (``query``), named by its words until somebody renames it."""
    search = search_of_query(request.POST.get("query", "")[: saved_searches.LONGEST_QUERY])
    name = request.POST.get("name", "").strip() or search_words(search)[: saved_searches.NAME_LENGTH]
    try:
        saved_searches.save_search(actor_of(request), search, name, request.POST.get("alert") == "on", timezone.now())
    except Refusal as refusal:
        say_refusal(request, refusal)
    else:
        messages.success(request, _("The search is saved."))
    return redirect("saved_search_list")


@login_required
@require_POST
def saved_search_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Another name, alerts on or off."""
    alert = request.POST.get("alert") == "on"
    try:
        saved_searches.change_search(actor_of(request), pk, request.POST.get("name", ""), alert, timezone.now())
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(request, refusal)
    messages.success(request, _("Saved."))
    return redirect("saved_search_list")


@login_required
@require_POST
def saved_search_delete(request: HttpRequest, pk: int) -> HttpResponse:
    saved_searches.delete_search(actor_of(request), pk, timezone.now())
    messages.success(request, _("The search is deleted."))
    return redirect("saved_search_list")


@csrf_exempt  # mail programs post here by themselves (RFC 8058); the link's token is what allows it
@require_http_methods(["GET", "POST"])
def saved_search_unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """End the alerts of a search, from the link in a mail; asking first, since mail scanners follow links."""
    if request.method == "POST":
        saved = saved_searches.unsubscribe(token, actor_of(request), timezone.now())
        return render(request, "search/unsubscribe.html", {"saved": saved, "done": True})
    return render(request, "search/unsubscribe.html", {"saved": saved_searches.search_of_token(token), "done": False})
