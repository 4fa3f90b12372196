"""The pages of test items, germplasm, data sets and literature: looking at one, keeping one's own."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.ordering import queries as orders
from billing.pricing import sample_prices
from billing.pricing.customers import customer_of
from billing.settlement.services import sample_quotes
from booking import record_queries
from booking.access import CUSTOMERS
from booking.queries import bookable_organisations
from booking.queries.enquiries import may_ask
from config.kernel.access import Actor, Role
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.messages import reason_sentence
from frontend.http import actor_of, is_fragment
from frontend.presenters import resources as present
from frontend.presenters.instruments import place_name
from frontend.presenters.page_head import page_head
from frontend.presenters.price_pages import flat_change_rows
from frontend.presenters.resources import QuoteForm, SampleQuoteView
from frontend.refusals import sentences, status_of
from frontend.resource_forms import MOST_INSTRUMENTS, ResourceForm, TestPriceForm, form_class
from frontend.templatetags.jishi import bilingual
from instruments.models import Organisation, Resource, ResourceKind
from instruments.queries import records, resource_pages
from instruments.queries import resources as queries
from instruments.queries.places import resource_place
from instruments.resource_wording import FORMAT_NAMES
from instruments.rules.resource_values import KINDS, STANDARDS
from instruments.rules.spending import is_in_house
from instruments.rules.standards.schema_org import script_text
from instruments.services import resource_exports, resource_reviews, resource_sheets, resources

PER_PAGE = 30


# --- Looking ----------------------------------------------------------------------------------------------------------
@require_GET
def resource_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that is public about a resource; of a test item also what it costs and what customers think."""
    return detail_response(request, pk)


def detail_response(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    """The page of a resource; with a refusal, its reasons on top and its status."""
    actor, now = actor_of(request), timezone.now()
    resource = queries.resource_for(actor, pk)
    context = _shown(actor, resource, now) | _for_machines(request, actor, resource)
    if resource.kind == ResourceKind.TEST_ITEM:
        context |= _priced(request, actor, resource, now)
        counted = context["price"] is not None and context["price"].counts_samples
        context["may_send"] = resource.published and (counted or _ordered(actor, resource))
        context |= _rated(actor, resource)
    context["problems"] = sentences(refusal) if refusal else []
    return render(request, "resources/detail.html", context, status=status_of(refusal) if refusal else 200)


def _rated(actor: Actor, resource: Resource) -> dict[str, Any]:
    return {
        "ratings": record_queries.ratings_of_test(actor, resource),
        "may_answer": resource.organisation_id in actor.organisations(Role.LAB_MANAGER),
        "may_hide": actor.has(Role.OPERATOR),
    }


def _ordered(actor: Actor, resource: Resource) -> bool:
    """Whether a commission of the actor's prices a test whose list price counts no samples, or is given on request."""
    return bool(orders.sheets_for_test(actor, resource, sorted(actor.organisations(*CUSTOMERS))))


def _for_machines(request: HttpRequest, actor: Actor, resource: Resource) -> dict[str, Any]:
    """What search engines read; the description only for who comes without logging in, as they do."""
    about = bilingual(resource, "description")
    summary = f"{bilingual(resource)}, {present.kind_word(resource.kind)}, {bilingual(resource.organisation)}. {about}"
    head = page_head(reverse("resource_detail", args=[resource.pk]), request.GET.get("lang", ""), summary)
    public = actor.is_anonymous and resource.published
    json_ld = script_text(resource_pages.described(resource)) if public else ""
    return head | {"json_ld": mark_safe(json_ld)}  # noqa: S308  (escaped by script_text)


@require_GET
def resource_quote(request: HttpRequest, pk: int) -> HttpResponse:
    """The live quote for what stands in the form (htmx); anybody else is led to the page with the same values."""
    actor, now = actor_of(request), timezone.now()
    resource = queries.test_item_for(actor, pk)
    if not is_fragment(request):
        return redirect(f"{reverse('resource_detail', args=[pk])}?{request.GET.urlencode()}")
    return render(request, "resources/_quote.html", _priced(request, actor, resource, now) | {"resource": resource})


@require_GET
def resource_statistics(request: HttpRequest) -> HttpResponse:
    """What is shared and how it is asked for, for everybody; ``?owner=`` of one of the person's own institutions."""
    owners = queries.sharing_owners(actor_of(request))
    asked = request.GET.get("owner", "")
    owner = next((one for one in owners if str(one.pk) == asked), None)
    if asked and owner is None:
        raise NotFound.of("access.not_found", model="organisation")
    rows = [(present.kind_word(row.kind), present.kind_icon(row.kind), row) for row in queries.statistics(owner)]
    return render(request, "resources/statistics.html", {"rows": rows, "owners": owners, "owner": owner})


def _shown(actor: Actor, resource: Resource, now: datetime) -> dict[str, Any]:
    today = _today(now)
    is_test = resource.kind == ResourceKind.TEST_ITEM
    return {
        "resource": resource,
        "kind_word": present.kind_word(resource.kind),
        "kind_icon": present.kind_icon(resource.kind),
        "facts": present.facts(resource),
        "further": present.further_columns(resource),
        "analytes": resource.test_item.analytes if is_test else [],
        "qualifications": present.qualifications(resource.test_item, today) if is_test else [],
        "instruments": queries.linked_instruments(actor, resource),
        "place": place_name(resource_place(resource.pk)),
        "formats": [(name, FORMAT_NAMES[name]) for name in _formats(resource)],
        "may_manage": queries.may_manage_resource(actor, resource),
        "may_read_history": records.may_read_history(actor, resource),
        **_reviewed(actor, resource),
        "open_request": queries.open_request_of(actor, resource),
        "is_own": resource.organisation_id in actor.organisations(),
        "asks": may_ask(actor, resource.organisation_id),
    }


def _reviewed(actor: Actor, resource: Resource) -> dict[str, Any]:
    """For those who keep it: whether the operator looks first, and the change that waits or was refused."""
    if not queries.may_manage_resource(actor, resource):
        return {}
    return {
        "waits_for_review": records.waits_for_review(actor, resource),
        "change": records.last_resource_change(actor, resource),
    }


def _formats(resource: Resource) -> list[str]:
    """The formats in which this one comes out: germplasm only in its own standard."""
    names = resource_exports.formats_of(resource.kind)
    if resource.kind != ResourceKind.GERMPLASM:
        return names
    return ["mcpd" if resource.germplasm.standard == "mcpd" else "darwin-core"]


def _priced(request: HttpRequest, actor: Actor, resource: Resource, now: datetime) -> dict[str, Any]:
    """The price in words, and the quote for the numbers in the address."""
    found = sample_prices.in_force([resource.pk], _today(now)).get(resource.pk)
    price = found.price if found is not None else None
    customers = list(bookable_organisations(actor))
    typed = QuoteForm(
        request.GET.get("samples", "1")[:10],
        request.GET.get("elements", "1")[:10],
        request.GET.get("organisation", str(customers[0].pk) if customers else "")[:19],
    )
    customer = next((each for each in customers if str(each.pk) == typed.organisation), None)
    asked = customer_of(customer, resource.organisation_id) if customer is not None else None
    own = [price.class_of(asked)] if price is not None and asked is not None else []
    return {
        "price": present.price_words(price, own),
        "customers": customers,
        "typed": typed,
        "quote": _quote(actor, resource, customer, typed, now) if price is not None and customer is not None else None,
        "promised_on": sample_quotes.promise(resource, max(1, typed.numbers()[0]), _today(now)),
    }


def _quote(actor: Actor, resource: Resource, customer: Organisation, typed: QuoteForm, now: datetime) -> SampleQuoteView:
    samples, elements = typed.numbers()
    try:
        found = sample_quotes.preview(actor, resource.pk, customer.pk, samples, elements, now)
        return present.quote_view(found, in_house=is_in_house(customer.pk, resource.organisation_id))
    except NotFound:
        raise
    except Refusal as refusal:
        return SampleQuoteView(problems=[reason_sentence(reason) for reason in refusal.reasons])


# --- Keeping ----------------------------------------------------------------------------------------------------------
@login_required
@require_GET
def resource_list(request: HttpRequest) -> HttpResponse:
    """What the person's own institutions share, drafts too; the kind stands in the address."""
    actor = actor_of(request)
    owners = sorted(actor.organisations(Role.LAB_MANAGER))
    if not owners:
        raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    text = request.GET.get("q", "")[:200]
    rows = queries.own_resources(actor, owners, kind, text)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    prices = sample_prices.in_force([row.pk for row in page.object_list if row.kind == ResourceKind.TEST_ITEM], _today())
    context = {
        "page": page,
        "rows": [(row, present.title(row, row.name), present.kind_word(row.kind), prices.get(row.pk)) for row in page],
        "kind": kind,
        "table_kind": kind if kind in resource_sheets.KINDS else ResourceKind.DATASET.value,
        "text": text,
        "kinds": [(name, present.kind_word(name), present.kind_icon(name)) for name in KINDS],
        "owners": owners,
        "exports": _exports(kind, owners),
        "open_requests": queries.request_inbox(actor).filter(state="requested").count(),
    }
    return render(request, "resources/list.html", context)


def _exports(kind: str, owners: list[int]) -> list[tuple[str, str]]:
    """Words and address of each file with everything of a kind; with the owner's number where there are several."""
    return [
        (
            str(FORMAT_NAMES[name]) if len(owners) == 1 else f"{FORMAT_NAMES[name]} · {owner}",
            f"{reverse('api_resource-export-all', args=[name])}?owner={owner}",
        )
        for owner in owners
        for name in resource_exports.formats_of(kind)
    ]


@login_required
@require_http_methods(["GET", "POST"])
def resource_create(request: HttpRequest, kind: str) -> HttpResponse:
    """A new resource of an owner (``?organisation=``, the only one that the person manages by default)."""
    actor = actor_of(request)
    owners = sorted(actor.organisations(Role.LAB_MANAGER))
    asked = request.GET.get("organisation", "")
    owner = next((pk for pk in owners if str(pk) == asked), owners[0] if owners else None)
    if owner is None:
        raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])
    if kind not in KINDS:
        raise NotFound.of("access.not_found", model="resource")
    standard = request.GET.get("standard", "")
    instruments = queries.instruments_to_name(actor, owner, None, MOST_INSTRUMENTS)
    form = form_class(kind, standard if standard in STANDARDS else "")(None, instruments, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            resource = resources.create_resource(actor, owner, kind, form.core(), form.part(), timezone.now())
        except Refusal as refusal:
            form.add_refusal(refusal)
        else:
            return _saved(request, resource, created=True)
    return _edit_page(request, form, None)


@login_required
@require_http_methods(["GET", "POST"])
def resource_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The facts of a resource, for those who manage it."""
    actor = actor_of(request)
    resource = _managed(actor, pk)
    standard = resource.germplasm.standard if resource.kind == ResourceKind.GERMPLASM else ""
    instruments = queries.instruments_to_name(actor, resource.organisation_id, resource, MOST_INSTRUMENTS)
    form = form_class(resource.kind, standard)(resource, instruments, request.POST or None)
    change = records.last_resource_change(actor, resource)
    if change is not None:
        form.show(resource, change.values)
    if request.method == "POST" and form.is_valid():
        try:
            handed_in = resource_reviews.save(actor, pk, form.core(), form.part(), timezone.now())
        except Refusal as refusal:
            form.add_refusal(refusal)
        else:
            return _saved(request, resource, created=False) if handed_in is None else _handed_in(request, resource)
    return _edit_page(request, form, resource)


@login_required
@require_POST
def resource_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Show it to everybody, or make it a draft again."""
    published = request.POST.get("published") == "1"
    change = resource_reviews.save(actor_of(request), pk, {"published": published}, {}, timezone.now())
    if change is not None:
        return _handed_in(request, change.resource)
    messages.success(request, _("Everybody can find it now.") if published else _("It is a draft again; only your lab sees it."))
    return redirect("resource_detail", pk)


@login_required
@require_http_methods(["GET", "POST"])
def resource_price(request: HttpRequest, pk: int) -> HttpResponse:
    """What a test costs, for the lab's managers and its finance."""
    actor, now = actor_of(request), timezone.now()
    resource = queries.managed_test_item(actor, pk)
    today = _today(now)
    in_force = sample_prices.in_force([pk], today).get(pk)
    form = TestPriceForm(in_force, resource.test_item.price_unit, today, request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed, classes, on = form.cleaned_data, form.class_fen(), form.cleaned_data["effective_from"]
        known = sample_prices.in_force([pk], on).get(pk)
        large = flat_change_rows(sample_prices.flat_changes(known, typed["unit"], typed["amount"], classes))
        form.ask_about([(row.change.key, row.sentence) for row in large])
        try:
            sample_prices.publish_test_price(
                actor, resource, typed["unit"], typed["amount"], classes, on, now, today, form.confirmed
            )
        except Refusal as refusal:
            _show_refusal(form, refusal)
        else:
            messages.success(request, _("The price is published. Quotes given before keep the price they were given under."))
            return redirect("resource_detail", pk)
    context = {"form": form, "resource": resource, "title": present.title(resource, resource.name), "in_force": in_force}
    return render(request, "resources/price.html", context, status=422 if form.errors else 200)


def _show_refusal(form: TestPriceForm, refusal: Refusal) -> None:
    """Each reason at its field; a large change that was not confirmed at its tick."""
    for reason in refusal.reasons:
        if reason.code == "price.jump_not_confirmed":
            form.add_error(f"yes-{reason.params['key']}", _("Look at this change and tick it, or go back and change it."))
            continue
        place = {"amount_fen": "amount"}.get(reason.field, reason.field)
        form.add_error(place if place in form.fields else None, reason_sentence(reason))


def _edit_page(request: HttpRequest, form: ResourceForm, resource: Resource | None) -> HttpResponse:
    context = {"form": form, "resource": resource, "kind_word": present.kind_word(form.kind)}
    return render(request, "resources/edit.html", context, status=422 if form.errors else 200)


def _saved(request: HttpRequest, resource: Resource, *, created: bool) -> HttpResponse:
    if created and resource.kind == ResourceKind.TEST_ITEM:
        messages.success(request, _("The test item is added. Now say what it costs."))
        return redirect("resource_price", resource.pk)
    messages.success(request, _("Saved."))
    return redirect("resource_detail", resource.pk)


def _handed_in(request: HttpRequest, resource: Resource) -> HttpResponse:
    messages.success(request, _("Handed in. You get a mail when the operator has decided."))
    return redirect("resource_detail", resource.pk)


def _managed(actor: Actor, pk: int) -> Resource:
    """The resource, when the actor keeps it. Raises NotFound, Forbidden."""
    resource = queries.resource_for(actor, pk)
    if not queries.may_manage_resource(actor, resource):
        raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])
    return resource


def _today(now: datetime | None = None) -> date:
    return (now or timezone.now()).astimezone(ZoneInfo(settings.TIME_ZONE)).date()
