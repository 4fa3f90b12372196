"""Prices as a lab keeps them: what is in force, writing the next one, looking at what it changes, publishing it with a date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.ledger.rules.documents import DocumentError
from billing.ledger.rules.money import plain_yuan
from billing.pricing import drafts, families, overview
from billing.pricing.models import PriceDraft
from billing.pricing.overview import KnownVersion
from billing.pricing.rules.cost_recovery import recover, sheet_from_json, sheet_to_json
from billing.pricing.rules.typed import NotTyped, codes_of, typed_of
from billing.pricing.rules.typed_costs import CostsNotRead, sheet_of, typed_sheet
from billing.pricing.subjects import PRICERS, Kind, Subject, subject_for
from billing.settlement.services import price_effects
from config.kernel.access import Actor, visible_to
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from frontend.http import actor_of
from frontend.presenters import price_pages as present
from frontend.price_forms import PriceForm, PublishForm, empty_price, typed_from
from frontend.refusals import say_refusal
from instruments.models import Organisation

PAGE_SIZE = 50
_CHOICES = 500


@login_required
@require_GET
def price_list(request: HttpRequest) -> HttpResponse:
    """What the lab's things cost, by kind."""
    actor, now = actor_of(request), timezone.now()
    actor.require(*PRICERS)
    asked = request.GET.get("what", "")
    kind = Kind(asked) if asked in list(Kind) else Kind.INSTRUMENT
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    page = Paginator(overview.things_of(actor, kind, text), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = overview.with_prices(kind, list(page.object_list), timezone.localtime(now).date())
    context = {
        "kind": kind,
        "kinds": [(each.value, word) for each, word in present.KIND_WORDS.items()],
        "text": text,
        "page": page,
        "rows": [present.list_row(each) for each in rows],
        "labs": visible_to(Organisation.objects.filter(pk__in=actor.organisations(*PRICERS)), actor).order_by("pk"),
    }
    return render(request, "prices/list.html", context)


@login_required
@require_POST
def price_family_create(request: HttpRequest) -> HttpResponse:
    """A new, empty family."""
    actor = actor_of(request)
    lab = request.POST.get("lab", "")
    try:
        family = families.create_family(actor, int(lab) if lab.isdecimal() else 0, request.POST.get("name", ""), timezone.now())
    except Refusal as refusal:
        if not refusal.reasons[0].code.startswith("price."):
            raise
        say_refusal(request, refusal)
        return redirect("/prices/?what=family")
    messages.success(request, _("The family is there. Put its instruments or test items into it."))
    return redirect("price_show", Kind.FAMILY.value, family.pk)


@login_required
@require_POST
def price_members(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a thing into a family, or take it out: ``member`` is ``kind-id``."""
    actor, now = actor_of(request), timezone.now()
    family = subject_for(actor, Kind.FAMILY, pk)
    kind, _dash, number = request.POST.get("member", "").partition("-")
    change: Callable[..., None] = families.remove_member if request.POST.get("go") == "remove" else families.add_member
    try:
        change(actor, family, kind, int(number) if number.isdecimal() else 0, now)
    except Refusal as refusal:
        say_refusal(request, refusal)
    else:
        messages.success(request, _("Saved. Prices that are published stay as they are."))
    return redirect("price_show", Kind.FAMILY.value, pk)


@login_required
@require_GET
def price_show(request: HttpRequest, what: str, pk: int) -> HttpResponse:
    """One thing's price in words, as a table, and with its history."""
    actor, now = actor_of(request), timezone.now()
    subject = subject_for(actor, what, pk)
    versions = overview.versions_of(subject)
    in_force = overview.in_force_of(versions, subject.today(now))
    asked = request.GET.get("version", "")
    shown = next((each for each in versions if str(each.pk) == asked), in_force or (versions[-1] if versions else None))
    price = present.version_words(shown) if shown is not None else None
    names = _class_names(shown)
    context = {
        "subject": subject,
        "versions": versions,
        "in_force": in_force,
        "shown": shown,
        "price": price,
        "standard": present.standard_text(shown, subject) if shown is not None else "",
        "costs": present.cost_words(shown.cost_sheet, names) if shown is not None and shown.cost_sheet else None,
        "draft": drafts.draft_of(subject),
        "choices": _member_choices(actor, subject),
    }
    return render(request, "prices/show.html", context)


def _class_names(version: KnownVersion | None) -> dict[str, dict[str, str]]:
    classes = (version.document or {}).get("classes", []) if version is not None else []
    return {each["code"]: each["name"] for each in classes if "name" in each}


def _member_choices(actor: Actor, subject: Subject) -> list[tuple[str, Any]]:
    """What can be put into a family: the lab's instruments or test items that are in none, of the kind that it holds."""
    if subject.kind is not Kind.FAMILY:
        return []
    kinds = (
        [Kind.TEST_ITEM]
        if subject.test_items
        else [Kind.INSTRUMENT]
        if subject.instruments
        else [Kind.INSTRUMENT, Kind.TEST_ITEM]
    )
    found = []
    for kind in kinds:
        path = "price_family_member" if kind is Kind.INSTRUMENT else "test_item__price_family_member"
        rows = overview.things_of(actor, kind).filter(organisation_id=subject.organisation_id, **{f"{path}__isnull": True})
        found += [(f"{kind}-{row.pk}", row) for row in rows[:_CHOICES]]
    return found


@login_required
@require_http_methods(["GET", "POST"])
def price_draft(request: HttpRequest, what: str, pk: int) -> HttpResponse:
    """Write the next price: whatever is sent is kept, also while it is no price yet."""
    actor, now = actor_of(request), timezone.now()
    subject = subject_for(actor, what, pk)
    if request.method == "POST":
        return _draft_sent(request, actor, subject, now)
    draft = drafts.draft_of(subject)
    try:
        typed = draft.typed if draft is not None else _typed_in_force(subject, now)
    except NotTyped:
        return render(request, "prices/not_typed.html", {"subject": subject}, status=422)
    return _draft_page(request, subject, PriceForm(typed, counts=subject.counts), draft)


def _draft_sent(request: HttpRequest, actor: Actor, subject: Subject, now: datetime) -> HttpResponse:
    typed, go = typed_from(request.POST), request.POST.get("go", "save")
    if go == "propose":
        typed |= _proposed(typed)
    seen = request.POST.get("revision", "0")
    try:
        draft = drafts.save_draft(actor, subject, typed, int(seen) if seen.isdecimal() and len(seen) < 10 else 0, now)
    except Refusal as refusal:
        form = PriceForm(typed, counts=subject.counts)
        form.tell([])
        for reason in refusal.reasons:
            form.add_error(None, reason_sentence(reason))
        return _draft_page(request, subject, form, drafts.draft_of(subject), status=409)
    typed = draft.typed
    faults = drafts.faults_of(subject, typed)
    if go == "review" and not faults:
        return redirect("price_review", subject.kind.value, subject.pk)
    if go == "review":
        form = PriceForm(typed, counts=subject.counts)
        form.tell(faults)
        return _draft_page(request, subject, form, draft, status=422)
    messages.success(request, _("Kept as a draft. Nothing is published yet."))
    return redirect("price_draft", subject.kind.value, subject.pk)


def _draft_page(
    request: HttpRequest, subject: Subject, form: PriceForm, draft: PriceDraft | None, status: int = 200
) -> HttpResponse:
    context = {"subject": subject, "form": form, "draft": draft, "revision": draft.revision if draft is not None else 0}
    return render(request, "prices/draft.html", context, status=status)


def _typed_in_force(subject: Subject, now: datetime) -> dict[str, str | list[str]]:
    """What the form begins with: the price in force (with its cost sheet), or the platform's classes without a rate."""
    version = overview.in_force_of(overview.versions_of(subject), subject.today(now))
    if version is None or version.document is None:
        return empty_price("sample" if subject.counts else "hour")
    costs = typed_sheet(sheet_from_json(version.cost_sheet)) if version.cost_sheet else {}
    return typed_of(version.document) | costs


def _proposed(typed: dict[str, str | list[str]]) -> dict[str, str]:
    """The rates that the cost sheet proposes, for the rows of their classes; nothing where it cannot be read."""
    codes = codes_of({**typed, **{f"class-{row}-rate": "0" for row in range(30) if typed.get(f"class-{row}-who")}})
    try:
        sheet = sheet_of(typed, codes.values())
    except CostsNotRead:
        return {}
    if sheet is None:
        return {}
    proposed = recover(sheet).proposed_fen
    return {f"class-{row}-rate": plain_yuan(proposed[code]) for row, code in codes.items()}


def _day_sent(request: HttpRequest) -> date | None:
    """The day that was chosen, with whose prices the new ones are compared; None where it cannot be read."""
    try:
        return parse_date(request.POST.get("effective_from", ""))
    except ValueError:
        return None


@login_required
@require_POST
def price_discard(request: HttpRequest, what: str, pk: int) -> HttpResponse:
    """Throw the draft away."""
    actor = actor_of(request)
    drafts.discard_draft(actor, subject_for(actor, what, pk), timezone.now())
    messages.success(request, _("The draft is gone. The price in force stays."))
    return redirect("price_show", what, pk)


@login_required
@require_http_methods(["GET", "POST"])
def price_review(request: HttpRequest, what: str, pk: int) -> HttpResponse:
    """What the draft changes and what it would have made of the last quarter; POST publishes it with a date."""
    actor, now = actor_of(request), timezone.now()
    subject = subject_for(actor, what, pk)
    draft = drafts.draft_of(subject)
    if draft is None:
        return redirect("price_show", what, pk)
    try:
        made = drafts.written(subject, draft.typed)
    except (DocumentError, CostsNotRead):
        messages.error(request, _("The draft is no price yet. Mend what is marked."))
        return redirect("price_draft", what, pk)
    today = subject.today(now)
    changes = present.change_rows(made, drafts.changes_of(subject, made, _day_sent(request) or today))
    form = PublishForm([(each.change, each.sentence) for each in changes if each.word], today, request.POST or None)
    if request.method == "POST" and form.is_valid():
        revision = request.POST.get("revision", "")
        seen = int(revision) if revision.isdecimal() and len(revision) < 10 else 0
        try:
            count = drafts.publish_draft(actor, subject, form.cleaned_data["effective_from"], form.confirmed, seen, now)
        except Refusal as refusal:
            for reason in refusal.reasons:
                form.add_error("effective_from" if reason.field == "effective_from" else None, reason_sentence(reason))
        else:
            said = ngettext("The price is published for %(count)s thing.", "The price is published for %(count)s things.", count)
            messages.success(request, said % {"count": count})
            return redirect("price_show", what, pk)
    effects = price_effects.effects_of(subject, made, now)
    names = present.names_of(made)
    context = {
        "subject": subject,
        "draft": draft,
        "form": form,
        "price": present.written_words(made),
        "changes": changes,
        "effects": effects,
        "effect_rows": present.effect_rows(effects, names),
        "costs": present.cost_words(sheet_to_json(made.sheet), names) if made.sheet is not None else None,
        "zone": settings.TIME_ZONE,
    }
    return render(request, "prices/review.html", context, status=422 if form.errors else 200)
