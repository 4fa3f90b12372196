"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import resolve
from django.utils.functional import SimpleLazyObject

from booking.queries.person_facts import PersonFacts, for_actor
from config.kernel.access import NOBODY, Actor
from frontend import __version__
from frontend.http import page_url
from frontend.navigation import Navigation, navigation

THEMES = frozenset({"light", "dark"})


def page(request: HttpRequest) -> dict[str, Any]:
    """``actor``, ``nav`` (navigation items; current is the page that answers), ``theme`` (light, dark or auto), ``shortcuts_on``,
    ``version``, ``page_name``, ``page_url`` (where the page can be opened, when it answers a form at another address),
    ``platform_zone`` (of times that are on no site's clock), ``unread`` (notices) and ``books_here`` (whether the person may book or has
    booked; read with the person, as is what the navigation asks)."""
    actor = getattr(request, "actor", NOBODY)
    match = request.resolver_match
    name = (match.url_name or "") if match else ""
    theme = request.COOKIES.get("theme", "")
    url = page_url(request)
    place = (resolve(url.partition("?")[0]).url_name or "") if url else name
    user = getattr(request, "user", None)
    facts = SimpleLazyObject(lambda: for_actor(actor, getattr(user, "person_facts", None) or PersonFacts()))
    return {
        "actor": actor,
        "nav": SimpleLazyObject(lambda: _navigation(actor, place, facts)),
        "theme": theme if theme in THEMES else "auto",
        "shortcuts_on": request.COOKIES.get("shortcuts") != "off",
        "version": __version__,
        "platform_zone": settings.TIME_ZONE,
        "page_name": name,
        "page_url": url,
        "unread": SimpleLazyObject(lambda: facts.unread),
        "books_here": SimpleLazyObject(lambda: facts.books),
    }


def _navigation(actor: Actor, page_name: str, facts: Any) -> Navigation:
    """``facts``: of the person, looked up when they are needed."""
    return navigation(actor, page_name, assists=facts.assists, decides=facts.decides, books=facts.books)
