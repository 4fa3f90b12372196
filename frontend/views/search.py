"""Finding: the results of a search, suggestions while typing, things side by side."""

from __future__ import annotations

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from billing.settlement import time_finding
from billing.settlement.time_finding import Customer
from booking.queries import bookable_organisations
from booking.queries.availability import calculating_anywhere
from config.kernel.access import Actor, Role
from frontend.http import actor_of, is_fragment
from frontend.presenters.compare import comparison
from frontend.presenters.offers import find_a_time, offers_of
from frontend.presenters.search import FIXED, MOST_COMPARED, PICKED, calculating_note, picked_ids, results_view
from frontend.presenters.suggestions import mended_option, suggestion_groups
from instruments import queries
from instruments.models import CatalogueEntry
from instruments.queries import SearchResult, divisions
from instruments.rules.asking import parse_asking
from instruments.rules.search_state import canonical_query, read_search


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Everything that can be found, with facets; everything that was chosen stands in the address."""
    return _results(request, "search")


@require_GET
def instrument_list(request: HttpRequest) -> HttpResponse:
    """The same for instruments alone."""
    return _results(request, "instrument_list")


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """Up to four things side by side (``?ids=1,2``), with the results they were chosen from to go back to."""
    ids = picked_ids(request.GET, "ids")
    actor, now = actor_of(request), timezone.now()
    found = queries.compared(actor, ids, now)
    asked = read_search(request.GET.dict())
    meant = parse_asking(asked.text, divisions.known_places())
    offers = offers_of(actor, [one.entry for one in found], meant, _reader(actor), now)
    kept = [canonical_query(asked), f"{PICKED}={','.join(str(one.entry.pk) for one in found)}" if found else ""]
    context = {
        "table": comparison(found, MOST_COMPARED, offers, canonical_query(asked)),
        "back": f"{reverse('search')}?{'&'.join(filter(None, kept))}",
    }
    return render(request, "search/compare.html", context)


@require_GET
def search_suggest(request: HttpRequest) -> HttpResponse:
    """Suggestions for what was typed so far (``?q=``), as a list box; empty when there is nothing to suggest."""
    found = queries.suggest(request.GET.get("q", ""))
    mended = mended_option(found)
    context = {"groups": suggestion_groups(found), "mended": mended, "count": found.total + (mended is not None)}
    response = render(request, "search/_suggestions.html", context) if context["count"] else HttpResponse(status=204)
    response["Cache-Control"] = "private, max-age=60"
    return response


def _results(request: HttpRequest, page_name: str) -> HttpResponse:
    actor = actor_of(request)
    now = timezone.now()
    asked = read_search(request.GET.dict() | FIXED[page_name])
    result = queries.search_catalogue(actor, asked, now, _page_number(request.GET.get("page", "")))
    offers = offers_of(actor, result.items, result.asked, _reader(actor), now, next_days=result.search.next_free)
    waiting = calculating_anywhere()
    missing = queries.count_at(actor, result, waiting, now)
    may_create = page_name == "instrument_list" and bool(_owners(actor))
    mended = queries.mend(asked.text) if asked.text and (result.any_word or not result.total) else ""
    context = {
        "mended": mended,
        "result": result,
        "view": results_view(result, request.GET, page_name, offers, frozenset(waiting)),
        "calculating": calculating_note(missing) if missing else "",
        "find_a_time": find_a_time(result, now),
        "page": _page(result),
        "typed": asked.text,
        "kept_query": canonical_query(asked),
        "instruments_only": page_name == "instrument_list",
        "may_create": may_create,
        "may_import": page_name == "instrument_list" and actor.has(Role.LAB_MANAGER, Role.OPERATOR),
        "managed": sorted(_owners(actor)) if may_create else [],
    }
    return render(request, "search/_browse.html" if is_fragment(request) else "search/results.html", context)


def _reader(actor: Actor) -> Customer:
    """For whom costs are shown: the first organisation on whose account the person books, else a visitor of whom nothing is known."""
    own = bookable_organisations(actor)
    return time_finding.customer_of(own[0], actor.user_id) if own else time_finding.assumed_customer("", "")


def _page(result: SearchResult) -> Page[CatalogueEntry]:
    """The page that was read, for the page links."""
    return Paginator(range(result.pages * result.page_size), result.page_size).page(result.page)  # type: ignore[return-value]


def _page_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 else 1


def _owners(actor: Actor) -> frozenset[int]:
    return actor.organisations(Role.LAB_MANAGER)
