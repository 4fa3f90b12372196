"""What search engines may read, and where it is."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from config.kernel.access import NOBODY
from config.kernel.errors import NotFound
from instruments.queries import records

#: Addresses in one file; a file may hold 50,000.
PER_FILE = 10_000
MOST_FILES = 10_000
_ALSO = ("home", "instrument_list", "programme_list", "help")
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
    pages = -(-records.public_count(NOBODY) // PER_FILE) or 1
    context = {"addresses": [_address("sitemap_page", page) for page in range(1, pages + 1)]}
    return render(request, "crawlers/sitemap_index.xml", context, content_type="application/xml")


@require_safe
def sitemap_page(request: HttpRequest, page: int) -> HttpResponse:
    """One of these files."""
    rows = records.public_pages(NOBODY, (page - 1) * PER_FILE, PER_FILE) if 1 <= page <= MOST_FILES else []
    if page != 1 and not rows:
        raise NotFound.of("access.not_found", model="page")
    context = {
        "rows": [(_address("instrument_detail", pk), changed_at) for pk, changed_at in rows],
        "others": [_address(name) for name in _ALSO] if page == 1 else [],
    }
    return render(request, "crawlers/sitemap.xml", context, content_type="application/xml")


def _address(name: str, *args: object) -> str:
    return settings.PUBLIC_URL + reverse(name, args=args)
