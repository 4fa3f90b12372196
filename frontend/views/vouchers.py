"""Vouchers: announcements, applications with their review and issue, a firm's wallet, and what labs redeem."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing import wording
from billing.bills.redemptions import redeemed, references
from billing.firms import queries as firms
from billing.firms.wording import MODES
from billing.ledger.models import TransferKind
from billing.ledger.rules.money import plain_yuan
from billing.ledger.wording import KINDS, account_word, reason_word
from billing.vouchers import queries
from billing.vouchers.models import VoucherAnnouncement
from billing.vouchers.services import announcing, applying, holding
from billing.vouchers.services.applying import Application
from billing.vouchers.services.holding import Recognised
from config.kernel.access import Actor, Role, visible_to
from config.kernel.api.problems import status_of
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.http import attachment
from frontend.firm_forms import MoneyForm, ReasonedForm, fen
from frontend.form_page import FormPage, answer
from frontend.http import actor_of, stands_at
from frontend.once import once_per_form
from frontend.templatetags.jishi import bilingual
from frontend.voucher_forms import (
    AnnouncementForm,
    ApplicationForm,
    RecogniseForm,
    ReviewForm,
    area_word,
    zone_word,
    zones_of,
)
from instruments.models import Organisation, OrganisationIdentifier
from instruments.queries.facet_labels import Names, zone_names
from instruments.services import uploads

PER_PAGE = 25


def _programme_choices(actor: Actor) -> list[tuple[str, str]]:
    """Programmes with the caps that vouchers are issued for."""
    return [
        (f"{programme.code}|{cap_id}", f"{programme.code} · {wording.document_text(programme.name)} · {cap_id}")
        for programme, cap_id in queries.issuable(actor)
    ]


def _quota_rows(row: VoucherAnnouncement, zones: Names) -> list[dict[str, Any]]:
    return [
        {
            "area": area_word(quota, zones),
            "amount_fen": quota.amount_fen,
            "left_fen": quota.account.left_fen if quota.account else None,
        }
        for quota in row.quotas.all()
    ]


@require_GET
def announcement_list(request: HttpRequest) -> HttpResponse:
    """What is announced, as anybody may read it."""
    actor, today = actor_of(request), timezone.localdate()
    page = Paginator(queries.announcements(actor), PER_PAGE).get_page(request.GET.get("page"))
    zones = zones_of(quota for row in page.object_list for quota in row.quotas.all())
    rows = [
        {"row": row, "state": queries.announcement_state(row, today), "quotas": _quota_rows(row, zones)}
        for row in page.object_list
    ]
    context = {
        "page": page,
        "rows": rows,
        "announces": actor.has(Role.PROGRAMME_OFFICER),
        "decides": actor.has(*queries.ISSUED_BY),
        "wallets": _own(actor),
        "redeems": actor.has(Role.OWNER_FINANCE, Role.LAB_MANAGER),
    }
    return render(request, "vouchers/announcements.html", context)


def _own(actor: Actor) -> list[Organisation]:
    """The firms and teams that the actor books for."""
    mine = actor.organisations(Role.FIRM_ADMIN, Role.RESEARCHER)
    rows = Organisation.objects.filter(pk__in=mine, kind__in=("firm", "team"))
    return list(visible_to(rows, actor).order_by("name")) if mine else []


@require_GET
def announcement_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One announcement: who, how much, where, until when."""
    actor, today = actor_of(request), timezone.localdate()
    row = queries.announcement_for(actor, pk)
    state = queries.announcement_state(row, today)
    asks = state == "current" and actor.has(Role.FIRM_ADMIN)
    may_apply = asks and applying.is_open_to(row, actor.organisations(Role.FIRM_ADMIN), today)
    context = {
        "row": row,
        "state": state,
        "quotas": _quota_rows(row, zones_of(row.quotas.all())),
        "may_apply": may_apply,
        "lies_elsewhere": asks and not may_apply,
        "may_publish": state == "draft" and actor.has(Role.PROGRAMME_OFFICER) and row.author_id != actor.user_id,
        "own_draft": state == "draft" and row.author_id == actor.user_id,
    }
    return render(request, "vouchers/announcement.html", context)


@login_required
@require_http_methods(["GET", "POST"])
@once_per_form
def announcement_create(request: HttpRequest) -> HttpResponse:
    """Draft an announcement."""
    actor = actor_of(request)
    actor.require(Role.PROGRAMME_OFFICER)
    form = AnnouncementForm(_programme_choices(actor), request.POST if request.method == "POST" else None)

    def act() -> HttpResponse:
        code, terms = form.terms()
        made = announcing.draft(actor, code, terms, timezone.now())
        messages.success(request, _("Kept as a draft. A second officer publishes it."))
        return redirect("announcement_detail", made.pk)

    page = FormPage(
        title=_("Announce vouchers"),
        lead=_("The limit has to be one that the programme leaves to issuing. A second officer publishes the announcement."),
        back_url=reverse("announcement_list"),
        back=_("Vouchers"),
        submit=_("Keep as a draft"),
        keep="announcement",
    )
    return answer(request, page, form, act)


@login_required
@require_POST
def announcement_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """A second officer opens it."""
    announcing.publish(actor_of(request), pk, timezone.now())
    messages.success(request, _("Published. The quotas are open."))
    return redirect("announcement_detail", pk)


@login_required
@require_http_methods(["GET", "POST"])
@once_per_form
def application_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Apply for a voucher."""
    actor = actor_of(request)
    actor.require(Role.FIRM_ADMIN)
    found = queries.announcement_for(actor, pk)
    mine = visible_to(Organisation.objects.filter(pk__in=actor.organisations(Role.FIRM_ADMIN)), actor).order_by("name")
    zones = zones_of(found.quotas.all())
    quotas = [(str(quota.pk), area_word(quota, zones)) for quota in found.quotas.all()]
    data = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ApplicationForm([(str(one.pk), bilingual(one)) for one in mine], quotas, found.face_fen, *data)

    def act() -> HttpResponse:
        typed = form.cleaned_data
        given = Application(int(typed["quota"]), form.asked_fen(), typed["purpose"], uploads.received(typed["file"]))
        made = applying.apply(actor, pk, int(typed["organisation"]), given, timezone.now())
        messages.success(request, _("Your application is handed in."))
        return redirect("application_detail", made.pk)

    page = FormPage(
        title=_("Apply: %(title)s") % {"title": bilingual(found, "title")},
        lead=_("What is decided on are the verified facts of your organisation on the day."),
        back_url=reverse("announcement_detail", args=[pk]),
        back=bilingual(found, "title"),
        submit=_("Hand in"),
        submit_icon="send",
        keep="application",
        upload=True,
    )
    return answer(request, page, form, act)


@login_required
@require_GET
def application_list(request: HttpRequest) -> HttpResponse:
    """Applications that wait, the oldest first."""
    actor = actor_of(request)
    page = Paginator(queries.waiting(actor), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "vouchers/applications.html", {"page": page, "rows": page.object_list})


@login_required
@require_GET
def application_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One application, and what can be done with it."""
    return _application(request, pk)


def _refused(request: HttpRequest, pk: int, form: MoneyForm, refusal: Refusal) -> HttpResponse:
    """The page again with what was typed and why not. NotFound goes on."""
    if isinstance(refusal, NotFound):
        raise refusal
    form.add_refusal(refusal)
    return _application(request, pk, form, status=status_of(refusal))


def _application(request: HttpRequest, pk: int, form: MoneyForm | None = None, status: int = 200) -> HttpResponse:
    actor = actor_of(request)
    row = queries.application_for(actor, pk)
    is_open = row.state in queries.WAITING
    decides = is_open and actor.has(*queries.ISSUED_BY) and row.organisation_id not in actor.organisations()
    reviewing = decides and row.state == "applied" and actor.has(Role.PROGRAMME_OFFICER)
    issuing = decides and row.state == "reviewed"
    applicant = row.facts.get("applicant", {})
    zones = zone_names({row.quota.zone, *applicant.get("policy_zones", ())} - {""})
    context = {
        "row": row,
        "area": area_word(row.quota, zones),
        "quota_left": row.quota.account.left_fen if row.quota.account else None,
        "reviewing": reviewing or isinstance(form, ReviewForm),  # what somebody typed stays, also if it came too late
        "issuing": issuing,
        "own_review": issuing and row.reviewed_by_id == actor.user_id,
        "decides": decides or isinstance(form, ReasonedForm),
        "may_withdraw": is_open and row.organisation_id in actor.organisations(Role.FIRM_ADMIN),
        "review_form": form
        if isinstance(form, ReviewForm)
        else ReviewForm(initial={"recommended_yuan": plain_yuan(row.asked_fen)}),
        "refuse_form": form if isinstance(form, ReasonedForm) else ReasonedForm(auto_id="refuse_%s"),
        "voucher": getattr(row, "voucher", None),
        "sees_facts": actor.has(Role.PROGRAMME_OFFICER, Role.FINANCE, Role.INSPECTOR),
        "applicant": applicant,
        "zones": [zone_word(slug, zones) for slug in applicant.get("policy_zones", ())],
    }
    stands_at(request, "application_detail", pk)
    return render(request, "vouchers/application.html", context, status=status)


@login_required
@require_GET
def application_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence, as a download."""
    stored, content = applying.evidence_for(actor_of(request), pk)
    return attachment(content, stored.media_type, stored.file_name)


@login_required
@require_POST
def application_review(request: HttpRequest, pk: int) -> HttpResponse:
    """Recommend an amount."""
    actor = actor_of(request)
    actor.require(*applying.REVIEWERS)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _application(request, pk, form, status=422)
    amount = fen(form.cleaned_data["recommended_yuan"]) or 0
    try:
        applying.review(actor, pk, amount, form.cleaned_data["note"], timezone.now())
    except Refusal as refusal:
        return _refused(request, pk, form, refusal)
    messages.success(request, _("Reviewed. Somebody else issues the voucher."))
    return redirect("application_detail", pk)


@login_required
@require_POST
def application_issue(request: HttpRequest, pk: int) -> HttpResponse:
    """Issue the voucher."""
    made = applying.issue(actor_of(request), pk, timezone.now())
    messages.success(request, _("Issued: voucher %(number)s.") % {"number": made.number})
    return redirect("application_detail", pk)


@login_required
@require_POST
def application_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse, with a reason that the firm reads."""
    actor_of(request).require(*applying.ISSUERS)
    form = ReasonedForm(request.POST, auto_id="refuse_%s")
    if not form.is_valid():
        return _application(request, pk, form, status=422)
    try:
        applying.refuse(actor_of(request), pk, form.cleaned_data["reason"], timezone.now())
    except Refusal as refusal:
        return _refused(request, pk, form, refusal)
    messages.success(request, _("Refused; the firm reads your reason."))
    return redirect("application_detail", pk)


@login_required
@require_POST
def application_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """The firm takes it back."""
    applying.withdraw(actor_of(request), pk, timezone.now())
    messages.success(request, _("The application is withdrawn."))
    return redirect("application_detail", pk)


@login_required
@require_GET
def wallet(request: HttpRequest, pk: int) -> HttpResponse:
    """A firm's vouchers, the limits it has used, and its applications."""
    actor, today = actor_of(request), timezone.localdate()
    organisation = queries.holder(actor, pk)
    purses, caps = queries.wallet(actor, organisation, today)
    context = {
        "organisation": organisation,
        "purses": purses,
        "left_fen": sum(each.left_fen for each in purses if each.state == "valid"),
        "held_fen": sum(each.held_fen for each in purses),
        "caps": [(each, account_word(each.kind)) for each in caps],
        "applications": queries.applications(actor).filter(organisation=organisation),
    }
    return render(request, "vouchers/wallet.html", context)


@login_required
@require_GET
def voucher_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One voucher with every use of it."""
    actor = actor_of(request)
    found = queries.voucher_for(actor, pk)
    page = Paginator(queries.uses(actor, found), PER_PAGE).get_page(request.GET.get("page"))
    purse = queries.purse(found, timezone.localdate())
    context = {
        "purse": purse,
        "voucher": found,
        "settled": MODES[found.origin.mode] if found.origin is not None else "",
        "page": page,
        "uses": [(row, KINDS[row.kind], reason_word(row.reason, row.source_type)) for row in page.object_list],
        "may_return": found.returned_at is None
        and purse.state == "valid"
        and found.organisation_id in actor.organisations(Role.FIRM_ADMIN),
    }
    return render(request, "vouchers/voucher.html", context)


@login_required
@require_POST
def voucher_return(request: HttpRequest, pk: int) -> HttpResponse:
    """Give back what is not used."""
    found = holding.give_back(actor_of(request), pk, timezone.now())
    messages.success(request, _("What was not used is given back."))
    return redirect("wallet", found.organisation_id)


@login_required
@require_GET
def voucher_redemptions(request: HttpRequest) -> HttpResponse:
    """What vouchers paid at the actor's institutions: what the lab redeems."""
    actor = actor_of(request)
    actor.require(Role.OWNER_FINANCE, Role.LAB_MANAGER)
    page = Paginator(redeemed(actor), PER_PAGE).get_page(request.GET.get("page"))
    named = references(list(page.object_list))
    rows = [
        (row, (row.credit if row.kind == TransferKind.REFUND else row.debit).voucher, named[row.source_type, row.source_id])
        for row in page.object_list
    ]
    context = {"page": page, "rows": rows, "bills": actor.has(Role.OWNER_FINANCE)}
    return render(request, "vouchers/redemptions.html", context)


@login_required
@require_http_methods(["GET", "POST"])
@once_per_form
def voucher_recognise(request: HttpRequest) -> HttpResponse:
    """Register a voucher that a partner region issued."""
    actor = actor_of(request)
    actor.require(Role.PROGRAMME_OFFICER)
    origins = [(str(row.pk), f"{row.name} ({row.platform_id})") for row, _count in firms.partner_regions(actor)]
    data = (request.POST, request.FILES) if request.method == "POST" else ()
    form = RecogniseForm(origins, _programme_choices(actor), *data)

    def act() -> HttpResponse:
        typed = form.cleaned_data
        code, _sep, cap_id = typed["programme"].partition("|")
        named = OrganisationIdentifier.objects.filter(scheme="uscc", value=typed["organisation"].strip().upper())
        holder = named.filter(organisation__in=visible_to(Organisation.objects.all(), actor)).first()
        if holder is None:
            raise Refusal(Reason("voucher.holder_unknown", {}, "organisation"))
        given = Recognised(
            origin_id=int(typed["origin"]),
            number=typed["number"].strip(),
            programme_code=code,
            cap_id=cap_id,
            face_fen=fen(typed["face_yuan"]) or 0,
            valid_from=typed["valid_from"],
            valid_to=typed["valid_to"],
            evidence=uploads.received(typed["file"]),
        )
        made = holding.recognise(actor, holder.organisation_id, given, timezone.now())
        messages.success(request, _("The voucher %(number)s is registered.") % {"number": made.number})
        return redirect("voucher_detail", made.pk)

    page = FormPage(
        title=_("Voucher of a partner region"),
        lead=_("It can be used here like one of ours; its home region pays."),
        back_url=reverse("partner_list"),
        back=_("Partner regions"),
        submit=_("Register"),
        upload=True,
    )
    return answer(request, page, form, act)
