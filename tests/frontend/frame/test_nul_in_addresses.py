"""An address may hold anything: a byte that no text of the database can hold is passed over on every page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from tests.frontend.acting import as_, ask, clock  # noqa: F401

#: What the views take from an address by name.
_ASKED = re.compile(r"""(?:request\.GET|asked|given|data|typed|query)(?:\.get\(|\.getlist\(|\[)\s*["']([a-z_]+)["']""")
_VIEWS = Path(settings.BASE_DIR) / "frontend"
_NOT_PAGES = ("admin", "logout", "healthz", "api/")


def names_asked() -> list[str]:
    """Every name that some page reads from its address, and those that forms read."""
    found = {name for path in _VIEWS.rglob("*.py") for name in _ASKED.findall(path.read_text())}
    assert {"q", "show", "page", "state"} <= found
    return sorted(found)


def addresses(patterns: Iterable[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, route)
        else:
            yield "/" + route.replace("^", "").replace("$", "").replace("\\Z", "")


def listings(cast, reservation_id: int) -> list[str]:
    """The pages without a thing of their own in the address, and those of the cast's lab, instrument and a request."""
    found = set()
    for address in addresses(get_resolver().url_patterns):
        if any(part in address for part in _NOT_PAGES):
            continue
        pk = cast.xrd.pk if "instrument" in address else reservation_id
        pk = cast.lab.pk if any(part in address for part in ("organisation", "utilis", "lab")) else pk
        address = re.sub(r"<int:[a-z_]+>", str(pk), address)
        if "<" not in address and "(" not in address:
            found.add(address)
    return sorted(found)


def test_a_nul_in_any_parameter_of_a_page_breaks_none(cast, as_, ask, clock, programmes):  # noqa: F811
    """Each page is asked for by people of a lab, a firm and an office in turn, until one of them may see it."""
    query = "&".join(f"{name}=%00" for name in names_asked())
    answers: dict[str, int] = {}
    pages = listings(cast, ask(9, 11))
    assert {"/utilisation/", "/prices/", "/bookings/"} <= set(pages)
    for who in ("wang", "zhou", "li"):
        browser = as_(who)
        browser.raise_request_exception = False
        left = [page for page in pages if answers.get(page, 404) in (302, 403, 404)]
        answers |= {page: browser.get(f"{page}?{query}").status_code for page in left}
        assert {page: code for page, code in answers.items() if code >= 500} == {}
    assert sum(code == 200 for code in answers.values()) > 120
