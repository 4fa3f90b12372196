"""The page that lists the open data, for people and (JSON-LD within it) for search engines."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from config.kernel.errors import NotFound
from frontend.presenters.page_head import page_head
from instruments.models import Organisation
from instruments.queries import open_data as queries
from instruments.queries.public_records import public_owner
from instruments.rules.standards import open_catalogue
from instruments.rules.standards.public import LICENCE_NAME, LICENCE_URL
from instruments.rules.standards.schema_org import script_text


@require_safe
def open_data(request: HttpRequest) -> HttpResponse:
    """Every set with its files, how much is in it, and the licence; ``?owner=`` is the number of an owner, whose part alone is meant."""
    owner = _owner_of(request.GET.get("owner", ""))
    sets = queries.open_sets(owner.pk if owner is not None else None)
    document = open_catalogue.schema_org(queries.page_address(), (_("Jishi"), settings.PUBLIC_URL), sets)
    english = (get_language() or "").startswith("en")
    shown = [(one, one.title if english else one.title_zh, one.description if english else one.description_zh) for one in sets]
    summary = _(
        "Instruments, test items, data sets, literature and germplasm as files under an open licence, without personal data."
    )
    context = {
        "sets": shown,
        "owner": owner,
        "licence_name": LICENCE_NAME,
        "licence_url": LICENCE_URL,
        "json_ld": mark_safe(script_text(document)),  # noqa: S308  (escaped by script_text)
        **page_head(reverse("open_data"), request.GET.get("lang", ""), summary, ""),
    }
    return render(request, "pages/open_data.html", context)


def _owner_of(typed: str) -> Organisation | None:
    """The owner that an address names. Raises NotFound."""
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) < 19):
        raise NotFound.of("access.not_found", model="organisation")
    return public_owner(int(typed))
