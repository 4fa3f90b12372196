"""The request as our views see it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from config.kernel.access import Actor


def actor_of(request: HttpRequest) -> Actor:
    """Who asks; set by ``ActorMiddleware``."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a piece of a page (not a boosted or restored whole page)."""
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def current_page(request: HttpRequest) -> str:
    """The path of the page the person looks at: this one, or the one a form or a fragment came from."""
    if request.method == "GET" and not is_fragment(request):
        return request.get_full_path()
    htmx = getattr(request, "htmx", None)
    came_from = (htmx.current_url if htmx else "") or request.headers.get("Referer", "")
    if came_from and url_has_allowed_host_and_scheme(came_from, {request.get_host()}, request.is_secure()):
        return "/" + came_from.split("/", 3)[3] if came_from.count("/") >= 3 else "/"
    return reverse("home")


def stands_at(request: HttpRequest, route: str, *args: object, **query: str) -> None:
    """Say where the page that answers can be opened: a form that is refused shows it at the form's own address, which only takes forms.
    Templates lead there with ``page_url``. ``query``: what its address needs; for pages without pages and filters."""
    request.page_url = reverse(route, args=args) + (f"?{urlencode(query)}" if query else "")  # type: ignore[attr-defined]


def stands_before(request: HttpRequest) -> None:
    """The same of a page that only says what went wrong: where the form was sent from."""
    if request.method == "POST":
        request.page_url = current_page(request)  # type: ignore[attr-defined]


def page_url(request: HttpRequest) -> str:
    """The path at which the page that answers can be opened, where that is not the one it stands at; else nothing."""
    path: str = getattr(request, "page_url", "")
    return "" if path.partition("?")[0] == request.path else path


def to_login(request: HttpRequest) -> HttpResponse:
    """Ask to log in and come back to the current page."""
    address = f"{reverse('account_login')}?{urlencode({'next': current_page(request)})}"
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
