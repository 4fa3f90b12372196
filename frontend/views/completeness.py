"""How complete an owner's records are for reports, kind by kind, with the records that lack what one asks for."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.kernel.access import Actor
from frontend.http import actor_of, is_fragment
from frontend.presenters.completeness import kind_links, requirement_name
from instruments import queries
from instruments.field_wording import field_name
from instruments.models import Organisation
from instruments.queries import resource_completeness
from instruments.queries.completeness import completeness_of
from instruments.rules.resource_values import KINDS
from instruments.rules.standards.resource_completeness import requirement_of

PER_PAGE = 50


@login_required
@require_GET
def completeness(request: HttpRequest, pk: int) -> HttpResponse:
    """What reports still lack, field by field and record by record; for htmx only the meter.

    ``?kind=`` is one of the resources besides instruments (which are meant without it), ``?field=`` narrows the list to what lacks it;
    names that are none are not looked at.
    """
    actor = actor_of(request)
    owner = queries.organisation_for(actor, pk)
    kind = request.GET.get("kind", "")
    if kind in KINDS:
        return _of_resources(request, actor, owner, kind)
    return _of_instruments(request, actor, owner)


def _of_instruments(request: HttpRequest, actor: Actor, owner: Organisation) -> HttpResponse:
    found = completeness_of(actor, owner.pk, timezone.now())
    if is_fragment(request):
        return render(request, "standards/_meter.html", {"owner": owner, "found": found})
    asked = request.GET.get("field", "")
    field = asked if any(one.field == asked for one in found.fields) else ""
    page = Paginator(found.lacking(field), PER_PAGE).get_page(request.GET.get("page"))
    context = _common(owner, "") | {
        "found": found,
        "page": page,
        "rows": [(one, [(field_name(gap.field), gap) for gap in one.gaps]) for one in page.object_list],
        "fields": [(field_name(one.field), one) for one in found.fields],
        "field": field,
        "field_word": field_name(field),
    }
    return render(request, "standards/completeness.html", context)


def _of_resources(request: HttpRequest, actor: Actor, owner: Organisation, kind: str) -> HttpResponse:
    found = resource_completeness.share_of(actor, owner.pk, kind)
    common = _common(owner, kind)
    if is_fragment(request):
        return render(request, "standards/_meter.html", common | {"found": found})
    required = requirement_of(kind, request.GET.get("field", ""))
    field = required.field if required is not None else ""
    lacking = resource_completeness.lacking(actor, owner.pk, kind, field)
    page = Paginator(lacking, PER_PAGE).get_page(request.GET.get("page"))
    context = common | {
        "found": found,
        "page": page,
        "rows": [
            (one.resource, [requirement_name(kind, each) for each in one.requirements])
            for one in resource_completeness.told(kind, list(page.object_list))
        ],
        "fields": [(requirement_name(kind, one), one, count) for one, count in found.missing],
        "field": field,
        "field_word": requirement_name(kind, required) if required is not None else "",
    }
    return render(request, "standards/completeness_resources.html", context)


def _common(owner: Organisation, kind: str) -> dict[str, Any]:
    links = kind_links()
    word = next((word for name, word, _icon in links if name == kind), "")
    return {"owner": owner, "kind": kind, "kind_word": word, "kinds": links}
