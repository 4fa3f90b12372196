"""People in front of the browser: a context per person, language and manner, and what went wrong while they looked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from tests.browser.running_site import Site
from tests.browser.stage import CAPPED_FIRM_PLACE, NEWCOMER, SECOND_FACTOR

AXE = settings.BASE_DIR / "node_modules" / "axe-core" / "axe.min.js"
LANGUAGES = ("zh-hans", "en")
DOCUMENT_LANGUAGES = {"zh-hans": "zh-CN", "en": "en"}
ANONYMOUS = "anonymous"
REFUSALS = {409, 422}
"""Statuses with which a form is answered in place; every other one of 400 or more is a fault."""
LEFT_BEFORE_IT_CAME = "net::ERR_ABORTED"
"""A download, or an icon of a page that was left at once."""
SAID_OF_A_FAILED_REQUEST = ("htmx:sendError", "htmx:sendAbort", "htmx:afterRequest")
"""What htmx writes when a request gets no answer or a page is left before it came; whether that is a fault, the request says."""

PERSONAS: dict[str, str] = {
    "researcher": "researcher@demo.jishi.example",
    "firm_admin": "firm-admin@demo.jishi.example",
    "lab_manager": "lab@demo.jishi.example",
    "owner_finance": "lab-finance@demo.jishi.example",
    "programme_officer": "officer@demo.jishi.example",
    "finance": "finance@demo.jishi.example",
    "inspector": "inspector@demo.jishi.example",
    "operator": "operator@demo.jishi.example",
    "group_leader": "group-leader@demo.jishi.example",
    "second_officer": "officer-2@demo.jishi.example",
    "second_finance": "finance-2@demo.jishi.example",
    "newcomer": NEWCOMER,
    "second_factor": SECOND_FACTOR,
    "capped_firm": f"firm-admin.firm{CAPPED_FIRM_PLACE}@demo.jishi.example",
    "unverified_firm": "firm-admin.firm14@demo.jishi.example",
    "reviewed_lab": "lab-manager.owner2@demo.jishi.example",
}
"""Who logs in with what. The last five are states of a person or an organisation rather than roles."""
SIDES: dict[str, str] = {
    ANONYMOUS: "public",
    **dict.fromkeys(("researcher", "firm_admin", "newcomer", "second_factor", "capped_firm", "unverified_firm"), "customer"),
    **dict.fromkeys(("lab_manager", "owner_finance", "reviewed_lab", "group_leader"), "lab"),
    **dict.fromkeys(("programme_officer", "second_officer", "finance", "second_finance", "inspector", "operator"), "office"),
}
"""Whose work a page is for; nobody of two sides need be shown the same."""


@dataclass
class Faults:
    """What the browser complained about since the last ``clear``."""

    found: list[str] = field(default_factory=list)

    def clear(self) -> None:
        self.found.clear()


@dataclass
class Visitor:
    """One person's page. ``faults`` collects console errors, failed requests and requests to other hosts."""

    page: Page
    context: BrowserContext
    site: Site
    faults: Faults

    def open(self, path: str) -> Response:
        """Go to a path of the site and wait until it has loaded and htmx is still."""
        self.faults.clear()
        response = self.page.goto(self.site.address + path, wait_until="load")
        assert response is not None
        return response


MOST_KEPT = 8
"""So many windows stay open; each is a process of the browser with its memory."""


class Visitors:
    """Opens and keeps contexts, so that a person logs in once. Who was not seen for longest leaves when there are ``MOST_KEPT``."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self.browser = browser
        self.site = site
        self._contexts: list[BrowserContext] = []
        self._kept: dict[tuple[Any, ...], Visitor] = {}
        self._cookies: dict[str, dict[str, Any]] = {}

    def get(self, persona: str, language: str, width: int = 1280, **manner: Any) -> Visitor:
        """The visitor with this manner (``color_scheme``, ``forced_colors``, ...), as left by whoever had it before."""
        key = (persona, language, width, *sorted(manner.items()))
        visitor = self._kept.pop(key, None) or self.fresh(persona, language, width, **manner)
        self._kept[key] = visitor
        while len(self._kept) > MOST_KEPT:
            gone = self._kept.pop(next(iter(self._kept)))
            self._contexts.remove(gone.context)
            gone.context.close()
        return visitor

    def fresh(self, persona: str, language: str, width: int = 1280, **manner: Any) -> Visitor:
        """A visitor with a browser profile of their own and the platform's clock, closed with the others at the end."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 900 if width > 700 else 844},
            reduced_motion="reduce",
            **{"timezone_id": settings.TIME_ZONE, **manner},
        )
        context.add_cookies([{"name": "django_language", "value": language, "url": self.site.address}])
        if persona != ANONYMOUS:
            context.add_cookies([self._cookie(persona)])
        self._contexts.append(context)
        return watch(context, self.site)

    def _cookie(self, persona: str) -> dict[str, Any]:
        if persona not in self._cookies:
            self._cookies[persona] = self.site.session_cookie(PERSONAS[persona])
        return self._cookies[persona]

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def watch(context: BrowserContext, site: Site) -> Visitor:
    """A page whose complaints are written down."""
    context.set_default_timeout(15_000)
    page = context.new_page()
    faults = Faults()

    def on_console(message: ConsoleMessage) -> None:
        status = re.search(r"status of (4\d\d)", message.text)
        expected = status and (message.location["url"] == page.url or int(status[1]) in REFUSALS)
        said_by_the_request = message.text.startswith(SAID_OF_A_FAILED_REQUEST)
        if message.type in {"error", "warning"} and not expected and not said_by_the_request:
            faults.found.append(f"console {message.type}: {message.text}")

    def on_request(request: Request) -> None:
        if not request.url.startswith((site.address, "data:", "blob:")):
            faults.found.append(f"foreign request: {request.url}")

    def on_response(response: Response) -> None:
        request = response.request
        refusal = response.status in REFUSALS and request.resource_type in {"xhr", "fetch"}
        if response.status >= 400 and not refusal and not request.is_navigation_request():
            faults.found.append(f"{response.status}: {response.url}")

    def on_failed(request: Request) -> None:
        if request.failure != LEFT_BEFORE_IT_CAME:
            faults.found.append(f"failed: {request.url} ({request.failure})")

    page.on("console", on_console)
    page.on("pageerror", lambda error: faults.found.append(f"script error: {error}"))
    page.on("request", on_request)
    page.on("response", on_response)
    page.on("requestfailed", on_failed)
    return Visitor(page, context, site, faults)
