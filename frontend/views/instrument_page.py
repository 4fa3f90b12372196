"""The public page of an instrument, what it is made of, and what search engines and printers get of it."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_safe

from billing.pricing import sample_prices
from billing.settlement.services.example import worked_example
from booking import licence_queries, record_queries
from booking.queries.enquiries import may_ask
from booking.services import downtime_rows
from config.kernel.access import Actor, Role
from config.kernel.api.problems import status_of
from config.kernel.errors import NotFound, Refusal
from config.kernel.http import attachment
from config.kernel.services import files
from frontend.http import actor_of
from frontend.presenters import instruments as present
from frontend.presenters import record
from frontend.presenters.example import example_view
from frontend.presenters.hours import hours_view
from frontend.presenters.page_head import page_head
from frontend.presenters.search import price_words
from frontend.presenters.utilisation import utilisation_view
from frontend.refusals import sentences
from frontend.templatetags.jishi import bilingual
from frontend.views.quotes import booking_panel_context
from instruments import queries
from instruments.models import Instrument, TestItem
from instruments.queries import records, resources
from instruments.queries.public_records import export_one, public_record
from instruments.rules.standards.schema_org import schema_org, script_text
from instruments.rules.wall_time import to_wall

_CSRF = re.compile(rb'name="csrf-token" content="([^"]+)"')


@require_safe
def instrument_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that a visitor wants to know before booking, in the order of the questions; for visitors with a validator."""
    return detail_response(request, pk)


def detail_response(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    """The page of an instrument; with a refusal, its reasons on top and its status."""
    actor, now = actor_of(request), timezone.now()
    instrument = queries.instrument_for(actor, pk)
    panel = booking_panel_context(request, instrument)
    booking = panel["booking_context"]
    own_quote = panel["panel"].quote is not None
    example = None if own_quote else worked_example(booking, now)  # one's own figures are better than an example's
    context = _shown(actor, instrument, now) | panel
    test_items = resources.test_items_of(actor, pk)
    context |= {
        "example": example_view(example, booking.zone.key) if example else None,
        "use": utilisation_view(record_queries.use_of(booking, now)),
        "ratings": record_queries.ratings_of(actor, instrument),
        "test_items": [(each, _listed_price(each)) for each in test_items],
        "sendable": sample_prices.counted([each.pk for each in test_items], now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()),
        "supported": resources.supported_by(actor, pk),
        "problems": records.known_problems(actor, instrument),
        "may_answer": instrument.organisation_id in actor.organisations(Role.LAB_MANAGER),
        "may_hide": actor.has(Role.OPERATOR),
        **_licence(actor, booking.instrument, now),
        "refused": sentences(refusal) if refusal else [],
        "json_ld": _for_machines(instrument, now) if actor.is_anonymous else "",
        **_addresses(request, instrument),
    }
    response = render(request, "instruments/detail.html", context, status=status_of(refusal) if refusal else 200)
    return _validated(request, response) if actor.is_anonymous else response


def _listed_price(item: TestItem) -> str:
    """The lowest public price with its unit; empty without one, and for what is not in the catalogue yet."""
    entry = getattr(item.resource, "entry", None)
    return price_words(entry) if entry is not None else ""


def _licence(actor: Actor, instrument: Instrument, now: datetime) -> dict[str, bool]:
    """Whether who works alone, or is assisted, needs a licence, and whether the person holds one to work alone: one query at most."""
    needed = licence_queries.is_licence_needed(instrument)
    holds = needed and actor.user_id is not None and licence_queries.may_work_alone(actor.user_id, instrument.pk, now)
    assisted = licence_queries.is_assisted_licence_needed(instrument)
    return {"licence_needed": needed, "assisted_licence_needed": assisted, "licence_held": holds}


def _for_machines(instrument: Instrument, now: datetime) -> str:
    """The schema.org description that search engines read; they come without logging in."""
    return mark_safe(script_text(schema_org(public_record(instrument, now))))  # noqa: S308  (escaped by script_text)


def _shown(actor: Actor, instrument: Instrument, now: datetime) -> dict[str, Any]:
    zone = present.zone(instrument)
    attached = records.attached_to(actor, instrument)
    may_manage = queries.may_manage(actor, instrument)
    inside = instrument.organisation_id in actor.organisations()
    facility = records.facility_of(instrument)
    return {
        "instrument": instrument,
        "class_name": present.class_name(instrument.class_code),
        "card_icon": present.card_icon(instrument.class_code),
        "place": present.place_name(instrument.site.region_code),
        "modes": present.mode_names(instrument),
        "hours": hours_view(queries.stored_calendar(instrument), zone, to_wall(now, zone).date()),
        "attached": attached,
        "capability": record.capability(instrument),
        "provenance": record.provenance(instrument),
        "sharing": record.sharing(instrument),
        "facility": facility,
        "facility_facts": record.facility_facts(facility) if facility is not None else [],
        "core_instruments": records.core_instruments_of(actor, instrument) if facility is not None else [],
        "status_meaning": record.status_meaning(instrument),
        "works_again_at": downtime_rows.works_again_at(instrument, now),
        "asks": may_ask(actor, instrument.organisation_id),
        "customs_warning": not inside and records.customs_unclear(actor, instrument),
        "may_manage": may_manage,
        "may_read_history": records.may_read_history(actor, instrument),
        "change": records.open_change_of(actor, instrument) if may_manage else None,
        "publishes_itself": may_manage and not records.waits_for_review(actor, instrument),
    }


def _addresses(request: HttpRequest, instrument: Instrument) -> dict[str, Any]:
    """What search engines read: the one address of the page, the same in other languages, and a summary."""
    text = bilingual(instrument, "description") or instrument.functions or instrument.technique
    picture = ""
    if instrument.photo is not None:
        picture = settings.PUBLIC_URL + reverse("instrument_photo", args=[instrument.pk, instrument.photo.sha256[:16]])
    summary = f"{bilingual(instrument)}, {bilingual(instrument.organisation)}. {text}"
    return page_head(reverse("instrument_detail", args=[instrument.pk]), request.GET.get("lang", ""), summary, picture)


def _validated(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """With a validator of everything but the form token, so that an unchanged page is not sent again."""
    content = response.content
    token = _CSRF.search(content)
    plain = content.replace(token[1], b"") if token else content
    etag = f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponseNotModified()
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


# --- Pieces -----------------------------------------------------------------------------------------------------------
@require_GET
def instrument_export(request: HttpRequest, pk: int, layout: str) -> HttpResponse:
    """The instrument in a format of others: public ones for everybody, the national record for who manages it."""
    export = export_one(actor_of(request), pk, layout, timezone.now())
    return attachment(export.content, export.media_type, export.file_name)


@require_GET
def instrument_photo(request: HttpRequest, pk: int, version: str) -> HttpResponse:
    """The photo or a further picture; the address changes with its content, so that it can be kept for long."""
    actor = actor_of(request)
    instrument = queries.instrument_for(actor, pk)
    stored = instrument.photo
    if stored is None or not stored.sha256.startswith(version):
        picture = records.picture_for(actor, pk, version) if re.fullmatch("[0-9a-f]{12,64}", version) else None
        stored = None if picture is None else picture.file
    if stored is None:
        raise NotFound.of("access.not_found", model="photo")
    response = HttpResponse(files.read(stored), content_type=stored.media_type)
    response["Cache-Control"] = "private, max-age=604800, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@require_GET
def instrument_document(request: HttpRequest, pk: int, document: int) -> HttpResponse:
    """A document, as a download."""
    stored = records.document_for(actor_of(request), pk, document).file
    return attachment(files.read(stored), stored.media_type, stored.file_name)


@require_GET
def instrument_qr(request: HttpRequest, pk: int) -> HttpResponse:
    """The page's address as a code for cameras."""
    instrument = queries.instrument_for(actor_of(request), pk)
    out = BytesIO()
    code = segno.make(page_address(instrument), error="m", micro=False)
    code.save(out, kind="svg", scale=8, border=4, dark="#000", light="#fff", svgns=True, omitsize=False)
    response = HttpResponse(out.getvalue(), content_type="image/svg+xml")
    response["Cache-Control"] = "private, max-age=86400"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def page_address(instrument: Instrument) -> str:
    """The whole address of the page, as it stands in the code."""
    return settings.PUBLIC_URL + reverse("instrument_detail", args=[instrument.pk])


@require_GET
def instrument_label(request: HttpRequest, pk: int) -> HttpResponse:
    """A label to print and stick on the instrument."""
    instrument = queries.instrument_for(actor_of(request), pk)
    return render(request, "instruments/label.html", {"instrument": instrument, "address": page_address(instrument)})
