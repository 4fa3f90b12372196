"""The limited accounts of programmes: what is left, every movement, and what finance and officers do with them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing.ledger import life, queries, top_ups
from billing.ledger.models import Account
from billing.ledger.rules.money import yuan
from billing.ledger.wording import ACCOUNTS, KINDS, account_word, reason_word
from config.kernel.access import Role
from frontend.firm_forms import LastDayForm, ReasonedForm, TopUpDecisionForm, TopUpForm, fen
from frontend.form_page import FormPage, answer
from frontend.http import actor_of
from frontend.once import once_per_form

PER_PAGE = 50


@login_required
@require_GET
def account_list(request: HttpRequest) -> HttpResponse:
    """All of them, by programme; ``?kind=`` shows one kind."""
    actor, kind = actor_of(request), request.GET.get("kind", "")
    accounts = queries.programme_accounts(actor, kind if kind in ACCOUNTS else "")
    page = Paginator(accounts, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [(row, account_word(row.kind)) for row in page.object_list],
        "kinds": ACCOUNTS.items(),
        "kind": kind,
        "named": queries.VERY_MANY,
        "seal": queries.newest_seal(actor),
        "loads": actor.has(Role.FINANCE),
    }
    return render(request, "accounts/list.html", context)


@login_required
@require_GET
def account_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One account with its movements."""
    actor = actor_of(request)
    found = queries.account_for(actor, pk)
    page = Paginator(queries.movements(actor, found), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "account": found,
        "kind": account_word(found.kind),
        "page": page,
        "rows": [
            (row, KINDS[row.kind], reason_word(row.reason, row.source_type), row.debit_id == found.pk) for row in page.object_list
        ],
        "asked": top_ups.waiting(actor, found),
        "tops_up": found.kind != life.ISSUED,
        "ends_here": found.kind in life.ENDED_BY_OFFICERS,
        "keeps": actor.has(*life.KEEPERS) and found.state != "closed",
    }
    return render(request, "accounts/detail.html", context)


def _act(
    request: HttpRequest,
    pk: int,
    title: str,
    lead: str,
    do: Callable[[ReasonedForm], str],
    form_class: type[ReasonedForm] = ReasonedForm,
) -> HttpResponse:
    actor = actor_of(request)
    actor.require(*life.KEEPERS)
    found = queries.account_for(actor, pk)
    data = request.POST if request.method == "POST" else None
    form = form_class(data)

    def act() -> HttpResponse:
        messages.success(request, do(form))
        return redirect("account_detail", pk)

    page = FormPage(title, reverse("account_detail", args=[pk]), _name(found), title, lead)
    return answer(request, page, form, act)


def _name(account: Account) -> str:
    return f"{account.programme} · {account_word(account.kind)}"


@login_required
@require_http_methods(["GET", "POST"])
@once_per_form
def account_top_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Add money."""

    def do(form: ReasonedForm) -> str:
        amount = fen(form.cleaned_data["amount_yuan"]) or 0
        top_ups.ask(actor_of(request), pk, amount, form.cleaned_data["reason"], timezone.now())
        return _("Asked for. It is added once a second person says yes.")

    lead = _("From the treasury, once a second person says yes. The reason stays with the account.")
    return _act(request, pk, _("Top up"), lead, do, TopUpForm)


@login_required
@require_http_methods(["GET", "POST"])
def top_up_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person's page: what a colleague asked for, and the decision."""
    actor = actor_of(request)
    actor.require(*life.KEEPERS)
    asked = top_ups.top_up_for(actor, pk)
    form = TopUpDecisionForm(request.POST if request.method == "POST" else None)

    def act() -> HttpResponse:
        if form.cleaned_data["decision"] == "add":
            top_ups.add(actor, pk, timezone.now())
            messages.success(request, _("The money is added."))
        else:
            top_ups.refuse(actor, pk, form.cleaned_data["reason"], timezone.now())
            messages.success(request, _("It is not added."))
        return redirect("account_detail", asked.account_id)

    params = {"who": asked.asked_by, "amount": yuan(asked.amount_fen), "reason": asked.reason}
    lead = _("%(who)s asked for ¥%(amount)s: %(reason)s") % params
    back = reverse("account_detail", args=[asked.account_id])
    page = FormPage(_("Money that was asked for"), back, _name(asked.account), _("Decide"), lead)
    return answer(request, page, form, act)


@login_required
@require_http_methods(["GET", "POST"])
def account_suspend(request: HttpRequest, pk: int) -> HttpResponse:
    """Promise nothing new from it, or again."""
    actor_of(request).require(*life.KEEPERS)
    suspended = queries.account_for(actor_of(request), pk).state == "suspended"

    def do(form: ReasonedForm) -> str:
        life.set_suspended(actor_of(request), pk, not suspended, form.cleaned_data["reason"], timezone.now())
        return _("The account is open again.") if suspended else _("The account is suspended.")

    title = _("Open again") if suspended else _("Suspend")
    lead = _("What is promised already stays promised.")
    return _act(request, pk, title, lead, do)


@login_required
@require_http_methods(["GET", "POST"])
def account_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close it for good."""

    def do(form: ReasonedForm) -> str:
        life.close(actor_of(request), pk, form.cleaned_data["reason"], timezone.now())
        return _("The account is closed.")

    lead = _("What is left goes back to where it came from. This cannot be undone.")
    return _act(request, pk, _("Close for good"), lead, do)


@login_required
@require_http_methods(["GET", "POST"])
def account_last_day(request: HttpRequest, pk: int) -> HttpResponse:
    """Say on which day it ends."""

    def do(form: ReasonedForm) -> str:
        life.set_last_day(actor_of(request), pk, form.cleaned_data["last_day"], form.cleaned_data["reason"], timezone.now())
        return _("The last day is set.")

    lead = _("What is left after it goes back to where it came from; what is held for bookings follows when it comes free.")
    return _act(request, pk, _("Last day"), lead, do, LastDayForm)
