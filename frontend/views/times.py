"""Find a time: over all instruments, with what each costs; and hearing of a time that becomes free."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.settlement import time_finding
from billing.settlement.sample_finding import PricedItem, find_items
from billing.settlement.time_finding import PROFILES, Customer
from booking.queries import bookable_organisations
from booking.queries.alerts import waiting_alerts
from booking.queries.candidates import calculating_of
from booking.queries.day_counts import count_by_day
from booking.queries.relaxing import Blocked, Relaxed, blocked
from booking.rules.time_search import TimeSearch
from booking.services import time_alerts
from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from frontend.display import platform_zone
from frontend.http import actor_of, is_fragment, to_login
from frontend.presenters import item_finds
from frontend.presenters import times as present
from frontend.presenters.item_finds import ItemsView
from frontend.presenters.times import Alternatives, Link
from frontend.refusals import status_of
from frontend.time_form import USUAL_DAYS, USUAL_HOURS, TimeForm
from instruments.models import Organisation
from instruments.queries.promises import ItemSearch, items_without
from instruments.rules.regions import division_prefix, regions

ITEMS_SHOWN = 5
NEAREST_SHOWN = 3
#: What is rather given up than what comes behind it, to show what is nearest to the wish.
GIVEN_UP_FIRST = (
    "region_code",
    "zone",
    "owner",
    "days",
    "class_code",
    "service_mode",
    "no_training",
    "no_approval",
    "technique",
    "text",
)
#: Which input a reason is about.
INPUTS = {
    "duration": "hours",
    "hours": "hours",
    "from": "from",
    "to": "to",
    "last_on": "to",
    "region_code": "region_code",
    "technique": "technique",
}


@require_GET
def find_a_time(request: HttpRequest) -> HttpResponse:
    """The form and, beside it, the times; everything that was chosen stands in the address."""
    actor, now = actor_of(request), timezone.now()
    form = TimeForm.read(request.GET)
    today = now.astimezone(platform_zone()).date()
    if (meant := form.understood(today)) != form:
        return _to(request, reverse("find_a_time") + meant.query())
    organisations = bookable_organisations(actor)
    customer = _customer(actor, form, organisations)
    context: dict[str, Any] = {"form": form, "problems": {}, **_choices(form, organisations, customer, today)}
    status = 200
    try:
        search = form.search(today)
    except Refusal as refusal:
        context["problems"] = {INPUTS.get(reason.field, "hours"): reason_sentence(reason) for reason in refusal.reasons}
        status = status_of(refusal)
    else:
        context |= _results(actor, form, search, customer, today, now)
        if context["nothing"] and not form.region_code and (placed := form.understood(today, places_alone=True)) != form:
            return _to(request, reverse("find_a_time") + placed.query())
    return render(request, "times/_results.html" if is_fragment(request) else "times/find.html", context, status=status)


def _to(request: HttpRequest, address: str) -> HttpResponse:
    """The page whose fields say what the words meant."""
    return HttpResponse(status=204, headers={"HX-Redirect": address}) if is_fragment(request) else redirect(address)


def _results(actor: Actor, form: TimeForm, search: TimeSearch, customer: Customer, today: date, now: datetime) -> dict[str, Any]:
    origin = form.place or customer.organisation.region_code or search.region_code
    found = time_finding.find(actor, search, customer, form.sort, now, form.rows, origin)
    days = count_by_day(actor, present.strip_search(search, today), now, time_finding.meant(customer))
    nothing = None if found.rows else blocked(actor, search, now, time_finding.meant(customer))
    known_until = today + timedelta(days=settings.AVAILABILITY_DAYS - 1)
    waiting = calculating_of(search, now)
    return {
        "search": search,
        "customer": customer,
        "view": present.times_view(form, search, found, days, customer, known_until),
        "narrowed": present.narrowed(actor, form, search),
        "calculating": present.calculating_note(waiting) if waiting else "",
        "nothing": present.nothing_view(form, nothing) if nothing else None,
        "alternatives": _alternatives(actor, form, search, nothing, customer, origin, now) if nothing else None,
        "items": _items(form, search, customer, origin, now, beside_nothing=not found.rows),
        "full_query": form.query(**form.fields_of(search)),
    }


def _alternatives(
    actor: Actor, form: TimeForm, search: TimeSearch, nothing: Blocked, customer: Customer, origin: str, now: datetime
) -> Alternatives | None:
    """The times nearest to what was asked for: by place, then by time. Nearest to the place that was asked for where that stands in the
    way; nothing where only a shorter time would do."""
    ways = [way for way in nothing.ways if way.what != "duration"]
    if not ways:
        return None
    way = min(ways, key=_given_up)
    near = search.region_code if "region_code" in way.left_out else origin
    found = time_finding.find(actor, way.search, customer, "nearest", now, NEAREST_SHOWN, near)
    return present.alternatives_view(form, way, found, customer) if found.rows else None


def _given_up(way: Relaxed) -> int:
    return GIVEN_UP_FIRST.index(way.what) if way.what in GIVEN_UP_FIRST else len(GIVEN_UP_FIRST)


def _items(
    form: TimeForm, search: TimeSearch, customer: Customer, origin: str, now: datetime, *, beside_nothing: bool
) -> ItemsView | None:
    """Test items beside the instruments, when somebody said what is to be measured; that there are none only where samples were spoken of
    or nothing else was found either."""
    if not (search.text or search.technique or form.samples):
        return None
    region = division_prefix(search.region_code) if search.region_code else ""
    asked = ItemSearch(search.text, search.technique, region, search.zone, search.owner, int(form.samples or 1))
    found = find_items(asked, customer, form.sort, now, ITEMS_SHOWN, origin)
    if found.rows:
        return item_finds.items_view(form, asked, found, customer, None)
    if not (form.samples or beside_nothing):
        return None
    without = items_without(asked)
    elsewhere: list[PricedItem] = []
    if any(name == "region" for name, _count in without):
        elsewhere = find_items(asked.without("region"), customer, "nearest", now, NEAREST_SHOWN, search.region_code).rows
    nothing = item_finds.no_items(form, asked, without, elsewhere, customer)
    return item_finds.items_view(form, asked, found, customer, nothing)


def _customer(actor: Actor, form: TimeForm, organisations: list[Organisation]) -> Customer:
    """Who is meant: one of the person's organisations, somebody that they say to be, or the first of theirs."""
    if form.who in PROFILES:
        return time_finding.assumed_customer(form.who, form.place or next(iter(regions())))
    own = {str(one.pk): one for one in organisations}
    if organisations:
        return time_finding.customer_of(own.get(form.who, organisations[0]), actor.user_id)
    return time_finding.assumed_customer("", form.place)


def _choices(form: TimeForm, organisations: list[Organisation], customer: Customer, today: date) -> dict[str, Any]:
    """What the form offers."""
    common, listed = present.technique_choices(form.technique)
    who = form.who if form.who in PROFILES or not organisations else str(customer.organisation.pk)
    return {
        "organisations": [(str(one.pk), one.name) for one in organisations],
        "profiles": list(present.PROFILE_NAMES.items()),
        "who": who,
        "regions": present.region_choices(form.region_code),
        "places": present.region_choices(form.place),
        "techniques": common,
        "listed_techniques": listed,
        "classes": present.class_choices(form.class_code),
        "modes": present.mode_choices(),
        "usual_hours": USUAL_HOURS,
        "usual_from": today.isoformat(),
        "usual_to": (today + timedelta(days=USUAL_DAYS)).isoformat(),
        "today": today.isoformat(),
        "more_open": bool(form.class_code or form.service_mode or form.no_training or form.no_approval or form.place),
    }


# --- Hearing of a time ------------------------------------------------------------------------------------------------
@require_POST
def time_alert_create(request: HttpRequest) -> HttpResponse:
    """Remember the search that is shown."""
    actor, now = actor_of(request), timezone.now()
    if actor.is_anonymous:
        return to_login(request)
    form = TimeForm.read(request.POST)
    search = form.search(now.astimezone(platform_zone()).date())
    time_alerts.ask(actor, search, now)
    messages.success(request, _("You will get a mail when such a time becomes free."))
    return redirect("time_alert_list")


@login_required
@require_GET
def time_alert_list(request: HttpRequest) -> HttpResponse:
    """What the person waits for."""
    actor, now = actor_of(request), timezone.now()
    today = now.astimezone(platform_zone()).date()
    alerts = list(waiting_alerts(actor, today))
    searches = [time_alerts.from_json(alert.search) for alert in alerts]
    form = TimeForm()
    links = [
        Link(words, form.query(**form.fields_of(search)))
        for words, search in zip(present.alert_lines(actor, searches), searches, strict=True)
    ]
    rows = list(zip(alerts, links, strict=True))
    return render(request, "times/alerts.html", {"rows": rows})


@login_required
@require_POST
def time_alert_forget(request: HttpRequest, pk: int) -> HttpResponse:
    """No mail after all."""
    time_alerts.forget(actor_of(request), pk, timezone.now())
    messages.success(request, _("You will not be told about it any more."))
    return redirect("time_alert_list")
