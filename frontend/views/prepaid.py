"""Prepaid money, what labs ask of new customers, spending limits, purchase-order numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.bills.queries import owners_of
from billing.payments import prepaid_queries as queries
from billing.payments.services import checkouts, prepaid_refunds, prepaying
from billing.prepaid.services import setting
from billing.prepaid.services.setting import LimitFacts
from billing.settlement.queries import local_today
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from frontend.booking_form import read_day
from frontend.http import actor_of, stands_at
from frontend.once import once_per_form
from frontend.refusals import sentences
from frontend.views.bills import number
from frontend.views.bookings import detail_response as reservation_response
from frontend.views.credit_notes import fen
from frontend.views.payments import detail_response as payment_response
from frontend.views.samples import job_page


@login_required
@require_GET
def prepaid_list(request: HttpRequest) -> HttpResponse:
    """Balances, what came in and was used, what labs ask, and spending limits: what of it concerns the actor."""
    return _page(request)


def _page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    today = local_today(timezone.now())
    organisations, online = queries.payers(actor), checkouts.online_payee()
    payers = [one for one in organisations if online is not None and one.pk != online.pk]
    context: dict[str, Any] = {
        "balances": queries.balances(actor),
        "entries": queries.entries(actor),
        "terms": queries.terms(actor),
        "owners": owners_of(actor),
        "customers": queries.customers(actor),
        "limits": queries.limits(actor),
        "organisations": organisations,
        "online": online if payers else None,
        "payers": payers,
        "members": queries.members(actor),
        "today": today,
        "year_end": today.replace(month=12, day=31),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "prepaid_list")
    return render(request, "prepaid/list.html", context, status=status_of(refusal) if refusal else 200)


def _done(request: HttpRequest, work: Callable[[], object], said: str) -> HttpResponse:
    """Do it and come back to the page; what was refused is shown there with what was typed."""
    try:
        work()
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _page(request, refusal)
    messages.success(request, said)
    return redirect("prepaid_list")


@login_required
@require_POST
def prepaid_terms(request: HttpRequest) -> HttpResponse:
    """Ask one customer, or all, to pay in advance, or no longer."""
    typed = request.POST
    customer_id = number(typed.get("customer", "")) or None
    asks, reason = typed.get("asks") == "yes", typed.get("reason", "")
    owner_id, now = number(typed.get("owner", "")), timezone.now()
    return _done(
        request,
        lambda: setting.ask_for_prepaid(actor_of(request), owner_id, customer_id, asks, reason, now),
        _("Noted. It counts for new bookings."),
    )


@login_required
@require_POST
@once_per_form
def prepaid_withdraw(request: HttpRequest) -> HttpResponse:
    """Give a customer's prepaid money back."""
    typed, now = request.POST, timezone.now()
    owner_id, customer_id, amount = (
        number(typed.get("owner", "")),
        number(typed.get("customer", "")),
        fen(typed.get("amount", "")),
    )
    return _done(
        request,
        lambda: prepaid_refunds.withdraw(actor_of(request), owner_id, customer_id, amount, typed.get("reason", ""), now),
        _("Noted. What goes back stands with the payment."),
    )


@login_required
@require_POST
def prepaid_pay(request: HttpRequest) -> HttpResponse:
    """A page with the way to the payment service, where a customer pays in advance. What comes back from there proves nothing: the
    service tells us itself."""
    actor, typed = actor_of(request), request.POST
    owner_id, customer_id = number(typed.get("owner", "")), number(typed.get("customer", ""))
    back = request.build_absolute_uri(reverse("prepaid_list"))
    amount = fen(typed.get("amount", ""))
    try:
        url = checkouts.start_deposit(actor, owner_id, customer_id, amount, back, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _page(request, refusal)
    return render(request, "prepaid/pay.html", {"pay_url": url, "amount_fen": amount, "payee": checkouts.online_payee()})


@login_required
@require_POST
@once_per_form
def payment_keep(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep free money of a payment as prepaid."""
    typed = request.POST
    try:
        customer_id = number(typed.get("customer", ""))
        prepaying.deposit(actor_of(request), pk, customer_id, fen(typed.get("amount", "")), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return payment_response(request, pk, refusal)
    messages.success(request, _("The money is kept as prepaid. The next bill takes it."))
    return redirect("payment_detail", pk)


@login_required
@require_POST
@once_per_form
def limit_set(request: HttpRequest) -> HttpResponse:
    """Limit what a member, or a project, may spend."""
    typed, now = request.POST, timezone.now()
    today = local_today(now)
    who = number(typed.get("member", "")) or None
    until = read_day(typed.get("until", "")) or today
    facts = LimitFacts(
        who, typed.get("project", ""), fen(typed.get("amount", "")), read_day(typed.get("from", "")) or today, until
    )
    organisation_id = number(typed.get("organisation", ""))
    return _done(
        request,
        lambda: setting.set_limit(actor_of(request), organisation_id, facts, now),
        _("The limit counts for new bookings."),
    )


@login_required
@require_POST
def limit_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Another amount."""
    amount = fen(request.POST.get("amount", ""))
    work: Callable[[], object] = lambda: setting.change_limit(actor_of(request), pk, amount, timezone.now())  # noqa: E731
    return _done(request, work, _("The limit is changed."))


@login_required
@require_POST
def limit_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a limit away."""
    work: Callable[[], object] = lambda: setting.close_limit(actor_of(request), pk, timezone.now())  # noqa: E731
    return _done(request, work, _("The limit is taken away."))


@login_required
@require_POST
def sample_job_order_number(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer's purchase-order number of a sample job."""
    try:
        setting.set_job_order_number(actor_of(request), pk, request.POST.get("number", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return job_page(request, pk, refusal)
    messages.success(request, _("The purchase-order number is kept and stands on the bill."))
    return redirect("sample_job", pk)


@login_required
@require_POST
def reservation_order_number(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer's purchase-order number of a booking."""
    try:
        setting.set_order_number(actor_of(request), pk, request.POST.get("number", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return reservation_response(request, pk, timezone.now(), refusal)
    messages.success(request, _("The purchase-order number is kept and stands on the bill."))
    return redirect("reservation_detail", pk)
