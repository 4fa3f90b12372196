"""What could not be found: put to several labs of the search's results, and seen together by who asks."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from booking.queries import enquiries as queries
from booking.rules.enquiries import MOST_LABS
from booking.services import enquiries
from booking.services.enquiries import UnmetNeed
from booking.services.enquiry_files import attachments_of
from config.kernel.access import Actor
from config.kernel.errors import NotFound, Refusal
from frontend.booking_form import read_key
from frontend.enquiry_forms import NeedForm
from frontend.forms import refusal_to_form
from frontend.http import actor_of
from frontend.presenters import enquiries as present
from frontend.presenters.instruments import place_name
from frontend.refusals import status_of
from instruments import queries as registry
from instruments.rules.search_state import CatalogueSearch, canonical_query, read_search

MOST_OFFERED = 30
_CHOSEN_AT_FIRST = 3


@login_required
@require_http_methods(["GET", "POST"])
def need_create(request: HttpRequest) -> HttpResponse:
    """Put a need to labs that the search in the address found (all labs, when it found none)."""
    actor, now = actor_of(request), timezone.now()
    asked = read_search(request.GET.dict())
    organisations = queries.asking_organisations(actor)
    labs = _labs(actor, asked)
    initial = {
        "subject": asked.text,
        "region_code": asked.region_code,
        "labs": [pk for pk, _name in labs[:_CHOSEN_AT_FIRST]] if asked.active else [],
    }
    form = NeedForm(organisations, labs, request.POST or None, request.FILES or None, initial=initial)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            typed = form.cleaned_data
            need = UnmetNeed(
                int(typed["organisation"] or 0),
                typed["subject"],
                typed["text"],
                tuple(int(pk) for pk in typed["labs"]),
                typed["technique"],
                typed["region_code"],
            )
            try:
                made = enquiries.post_need(
                    actor, need, attachments_of(request.FILES.getlist("attachments")), now, idempotency_key=read_key(request.POST)
                )
            except NotFound:
                raise
            except Refusal as refusal:
                refusal_to_form(form, refusal)
                status = status_of(refusal)
            else:
                count = len(set(need.lab_ids))
                words = ngettext("%(count)s lab is asked.", "%(count)s labs are asked.", count) % {"count": count}
                messages.success(request, words + " " + _("Their answers come by mail too."))
                return redirect("need_detail", made.pk)
    context = {"form": form, "organisations": organisations, "asked": asked, "query": canonical_query(asked), "most": MOST_LABS}
    return render(request, "enquiries/need_create.html", context, status=status)


@login_required
@require_GET
def need_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One need with what each lab says."""
    need, threads = queries.need_for(actor_of(request), pk)
    rows = present.rows(threads, timezone.now())
    context = {"need": need, "rows": rows, "place": place_name(need.region_code) if need.region_code else ""}
    return render(request, "enquiries/need.html", context)


def _labs(actor: Actor, asked: CatalogueSearch) -> list[tuple[str, str]]:
    """The owners of what the search finds, those with most of it first; without a find the owners of everything."""
    english = (get_language() or "").startswith("en")
    for search in (asked, CatalogueSearch()):
        result = registry.search_catalogue(actor, search, timezone.now())
        counts = {int(value.value): value.count or 0 for value in result.facets.get("owner", [])}
        counts |= {} if counts else {entry.organisation_id: 1 for entry in result.items}
        own = actor.organisations()
        labs = [lab for lab in queries.labs_by_id(actor, counts) if lab.pk not in own]
        if labs:
            labs.sort(key=lambda lab: (-counts[lab.pk], lab.name_pinyin, lab.pk))
            return [(str(lab.pk), (english and lab.name_en) or lab.name) for lab in labs[:MOST_OFFERED]]
    return []
