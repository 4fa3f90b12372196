"""What officials keep as data: credit lists, partner regions with their providers, opening balances."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from billing.firms import queries, wording
from billing.firms.partner_models import PartnerRegion
from billing.firms.services import credit, partners
from billing.firms.services.partners import Partner
from billing.settlement.services import openings
from config.kernel.access import Role, get_visible
from config.kernel.api.problems import status_of
from config.kernel.errors import Refusal
from frontend.firm_forms import CreditListForm, OpeningForm, PartnerForm, TableForm
from frontend.form_page import FormPage, answer
from frontend.http import actor_of
from frontend.templatetags.jishi import bilingual
from instruments.services import uploads

PER_PAGE = 25


def _rows_told(count: int) -> str:
    return ngettext("%(count)s row was kept.", "%(count)s rows were kept.", count) % {"count": count}


@login_required
@require_http_methods(["GET", "POST"])
def credit_lists(request: HttpRequest) -> HttpResponse:
    """The lists that were handed in, and handing in another one."""
    actor = actor_of(request)
    actor.require(Role.OPERATOR)
    form = CreditListForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            content = uploads.received(form.cleaned_data["file"])
            try:
                made = credit.import_list(
                    actor, form.cleaned_data["list_code"], form.cleaned_data["source"], content, timezone.now()
                )
            except Refusal as refusal:
                form.add_refusal(refusal)
                status = status_of(refusal)
            else:
                messages.success(request, _rows_told(made.row_count))
                return redirect("credit_lists")
    page = Paginator(queries.credit_imports(actor), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(row, wording.LISTS[row.list_code]) for row in page.object_list]
    return render(request, "firms/credit_lists.html", {"form": form, "page": page, "rows": rows}, status=status)


@require_GET
def partner_list(request: HttpRequest) -> HttpResponse:
    """The regions with which vouchers are recognised, as anybody may read them."""
    actor = actor_of(request)
    rows = [(row, wording.MODES[row.mode], count) for row, count in queries.partner_regions(actor)]
    return render(request, "firms/partners.html", {"rows": rows, "keeps": actor.has(Role.PROGRAMME_OFFICER)})


@login_required
@require_http_methods(["GET", "POST"])
def partner_create(request: HttpRequest) -> HttpResponse:
    """A new partner region."""
    actor = actor_of(request)
    actor.require(Role.PROGRAMME_OFFICER)
    form = PartnerForm(request.POST if request.method == "POST" else None)

    def act() -> HttpResponse:
        partners.keep_region(actor, Partner(**form.cleaned_data), timezone.now())
        messages.success(request, _("The partner region is kept."))
        return redirect("partner_list")

    page = FormPage(_("New partner region"), reverse("partner_list"), _("Partner regions"), _("Save"), keep="partner")
    return answer(request, page, form, act)


@login_required
@require_http_methods(["GET", "POST"])
def partner_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Name, mode, days and agreement of a partner region."""
    actor = actor_of(request)
    actor.require(Role.PROGRAMME_OFFICER)
    found = get_visible(PartnerRegion.objects.all(), actor, pk=pk)
    names = ("name", "name_en", "mode", "valid_from", "valid_to", "basis")
    form = PartnerForm(
        request.POST if request.method == "POST" else None, known=True, initial={name: getattr(found, name) for name in names}
    )

    def act() -> HttpResponse:
        given = Partner(found.region_code, found.platform_id, **form.cleaned_data)
        partners.keep_region(actor, given, timezone.now(), found.pk)
        messages.success(request, _("The partner region is kept."))
        return redirect("partner_list")

    return answer(request, FormPage(bilingual(found), reverse("partner_list"), _("Partner regions"), _("Save")), form, act)


@login_required
@require_http_methods(["GET", "POST"])
def partner_import(request: HttpRequest, pk: int) -> HttpResponse:
    """The list of a partner's providers."""
    actor = actor_of(request)
    actor.require(Role.PROGRAMME_OFFICER)
    found = get_visible(PartnerRegion.objects.all(), actor, pk=pk)
    form = TableForm(*((request.POST, request.FILES) if request.method == "POST" else ()))

    def act() -> HttpResponse:
        made = partners.import_providers(actor, pk, uploads.received(form.cleaned_data["file"]), timezone.now())
        messages.success(request, _rows_told(made.row_count))
        return redirect("partner_list")

    title = _("Providers of %(name)s") % {"name": found.name}
    page = FormPage(title, reverse("partner_list"), _("Partner regions"), _("Hand in"), submit_icon="upload", upload=True)
    return answer(request, page, form, act)


_LOADS = {
    "balances": openings.load_balances,
    "corrections": openings.take_back_balances,
    "items": openings.load_items,
}


@login_required
@require_http_methods(["GET", "POST"])
def opening_load(request: HttpRequest) -> HttpResponse:
    """Load what firms received already, or what was subsidised already."""
    actor = actor_of(request)
    actor.require(Role.FINANCE)
    form = OpeningForm(*((request.POST, request.FILES) if request.method == "POST" else ()))

    def act() -> HttpResponse:
        typed = form.cleaned_data
        load = _LOADS[typed["what"]]
        table, evidence = uploads.received(typed["file"]), uploads.received(typed["evidence"])
        made = load(actor, table, evidence, typed["reason"], timezone.now())
        messages.success(request, _rows_told(made.row_count))
        return redirect("account_list")

    page = FormPage(
        title=_("Opening balances"),
        lead=_("What firms received this year before or elsewhere counts against their limits. All rows are loaded, or none."),
        back_url=reverse("account_list"),
        back=_("Accounts"),
        submit=_("Load"),
        submit_icon="upload",
        upload=True,
    )
    return answer(request, page, form, act)
