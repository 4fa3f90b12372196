"""What search engines may read, and where it is."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from config.kernel.access import NOBODY
from config.kernel.errors import NotFound
from instruments.queries import records, resource_pages

#: Addresses in one file; a file may hold 50,000.
PER_FILE = 10_000
MOST_FILES = 10_000
_ALSO = ("home", "instrument_list", "search", "programme_list", "help")
#: Places behind the log-in, and the many views of a page that differ only in what was chosen.
_NOT_READ = ("/accounts/", "/api/", "/admin/", "/bookings/", "/*?*week=", "/*?*on=", "/*?*from=", "/*?*sort=")


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Which addresses crawlers leave alone."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _NOT_READ), f"Sitemap: {_address('sitemap')}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """The files with the addresses of all public pages."""
    pages = _instrument_files() + -(-resource_pages.public_count(NOBODY) // PER_FILE)
    context = {"addresses": [_address("sitemap_page", page) for page in range(1, pages + 1)]}
    return render(request, "crawlers/sitemap_index.xml", context, content_type="application/xml")


@require_safe
def sitemap_page(request: HttpRequest, page: int) -> HttpResponse:
    """One of these files: those of instruments first, then those of the other resources."""
    name, rows = _file(page) if 1 <= page <= MOST_FILES else ("", [])
    if page != 1 and not rows:
        raise NotFound.of("access.not_found", model="page")
    context = {
        "rows": [(_address(name, pk), changed_at) for pk, changed_at in rows],
        "others": [_address(name) for name in _ALSO] if page == 1 else [],
    }
    return render(request, "crawlers/sitemap.xml", context, content_type="application/xml")


def _instrument_files() -> int:
    return -(-records.public_count(NOBODY) // PER_FILE) or 1


def _file(page: int) -> tuple[str, list[tuple[int, datetime]]]:
    """The pages of one file, as ids with when they changed, and what kind of page they are."""
    first = _instrument_files()
    if page <= first:
        return "instrument_detail", records.public_pages(NOBODY, (page - 1) * PER_FILE, PER_FILE)
    return "resource_detail", resource_pages.public_pages(NOBODY, (page - first - 1) * PER_FILE, PER_FILE)


def _address(name: str, *args: object) -> str:
    return settings.PUBLIC_URL + reverse(name, args=args)
