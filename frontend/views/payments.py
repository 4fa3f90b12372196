"""Payments: what came in and what it is for, taking a bank's list in, giving money to bills, undoing, sending back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.bills.queries import ISSUERS, owners_of
from billing.payments import prepaid_queries, queries
from billing.payments.models import Allocation
from billing.payments.rules.bank_rows import MOST_BYTES
from billing.payments.services import allocating, bank_import, differences, giving_certain, inbox, reconciling, refunding
from billing.payments.services.differences import ANSWERERS
from billing.payments.services.giving_certain import Given, Wanted
from config.kernel.access import Role, get_visible
from config.kernel.api.problems import status_of
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.messages import reason_sentence, sentence
from frontend.http import actor_of, stands_at
from frontend.once import key_of, once_per_form
from frontend.presenters.bills import LAYOUTS, METHODS, difference_rows, suggestion_rows
from frontend.presenters.given import given_rows
from frontend.refusals import say_refusal, sentences
from frontend.views.bills import number, owner_of
from frontend.views.credit_notes import fen

PER_PAGE = 50
_ANSWER = "answer-"


@login_required
@require_GET
def payment_list(request: HttpRequest) -> HttpResponse:
    """What came in, the latest first; money that is given to no bill yet with what it is probably for (``?all=1``: everything), and what
    can be given at once."""
    return _list_page(request)


def _list_page(request: HttpRequest, report: Sequence[Given] = (), refusal: Refusal | None = None) -> HttpResponse:
    """``report``: what became of money that was just given."""
    actor = actor_of(request)
    rows = queries.payments_visible(actor)
    everything = request.GET.get("all") == "1"
    page = Paginator(rows if everything else queries.with_free_money(rows), PER_PAGE).get_page(request.GET.get("page"))
    payments = list(page.object_list)
    bills = queries.open_bills(actor, sorted({payment.owner_id for payment in payments}))
    known = {bill.bill_id: bill for bill in bills}
    found = queries.suggestions(payments, bills)
    certain = queries.certain_matches(actor) if actor.has(*ISSUERS) else []
    now_given, later = certain[: giving_certain.MOST], certain[giving_certain.MOST :]
    context = {
        "page": page,
        "rows": [
            (payment, queries.standing(payment), METHODS[payment.method], suggestion_rows(found[payment.pk][:2], known))
            for payment in payments
        ],
        "everything": everything,
        "may_import": actor.has(*ISSUERS),
        "statements": list(queries.statements_visible(actor)[:5]),
        "by_hand_waiting": queries.hand_waiting(actor),
        "certain": now_given,
        "certain_fen": sum(each.amount_fen for each in now_given),
        "certain_later": len(later),
        "given": given_rows(actor, report),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "payment_list")
    return render(request, "payments/list.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def payment_give_certain(request: HttpRequest) -> HttpResponse:
    """Give all money of which the page said that it is certain, each by itself, with a report; the same form gives nothing twice."""
    wanted = [Wanted(*map(number, [*text.split(":"), "", "", ""][:3])) for text in request.POST.getlist("match")]
    try:
        report = giving_certain.give_all(actor_of(request), wanted, timezone.now(), key=key_of(request) or str(uuid4()))
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _list_page(request, refusal=refusal)
    return _list_page(request, report)


class StatementForm(forms.Form):
    """A bank's list and how its columns are arranged."""

    file = forms.FileField(
        label=gettext_lazy("The bank's list (CSV)"),
        help_text=gettext_lazy("As your bank exports it, in UTF-8 or GBK, at most 5 MB. Nothing is taken in twice."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt"}),
    )
    layout = forms.ChoiceField(
        label=gettext_lazy("How amounts are written"),
        required=False,
        choices=[("", gettext_lazy("Find out from the headings")), *LAYOUTS.items()],
    )
    owner = forms.ChoiceField(label=gettext_lazy("Institution"))

    def __init__(self, owners: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["owner"]
        field.choices = [(str(each.pk), each.name) for each in owners]


@login_required
@require_http_methods(["GET", "POST"])
def payment_import(request: HttpRequest) -> HttpResponse:
    """Take a bank's list in, whole or not at all."""
    actor = actor_of(request)
    actor.require(*ISSUERS)
    owners = owners_of(actor)
    posted = request.method == "POST"
    form = StatementForm(owners, request.POST if posted else None, request.FILES if posted else None)
    status, faults, doubts = 200, [], []
    if posted and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            content = file.read(min(MOST_BYTES, settings.MAX_UPLOAD_BYTES) + 1)
            owner_id = owner_of(actor, form.cleaned_data["owner"])
            taken = bank_import.import_statement(
                actor,
                owner_id,
                content,
                file.name or "",
                timezone.now(),
                layout=form.cleaned_data["layout"],
                answers=_answers(request),
            )
        except (NotFound, Forbidden):
            raise
        except Conflict as conflict:
            status, doubts = status_of(conflict), _doubts(request, conflict)
            form.add_error("file", _("Nothing was taken in yet: say of each row in doubt what it is, and choose the file again."))
        except Refusal as refusal:
            status = status_of(refusal)
            faults = [(reason.params.get("row", 0), reason_sentence(reason)) for reason in refusal.reasons]
            form.add_error("file", _("Nothing was taken in: the file has faults."))
        else:
            _say_taken(request, taken)
            return redirect("payment_list")
    elif posted:
        status = 400
    return render(request, "payments/import.html", {"form": form, "faults": faults, "doubts": doubts}, status=status)


def _answers(request: HttpRequest) -> dict[str, str]:
    """What was said of rows in doubt, by their fingerprints."""
    return {name.removeprefix(_ANSWER): request.POST[name] for name in request.POST if name.startswith(_ANSWER)}


def _doubts(request: HttpRequest, conflict: Conflict) -> list[dict[str, Any]]:
    """The rows in doubt, and those answered already: the file is sent again with all of it."""
    found = []
    for each in conflict.extra.get("doubtful", []):
        name = f"{_ANSWER}{each['fingerprint']}"
        found.append({**each, "name": name, "answer": request.POST.get(name, ""), "day": date.fromisoformat(each["day"])})
    return found


def _say_taken(request: HttpRequest, taken: bank_import.Taken) -> None:
    if taken.known:
        messages.info(request, _("This very file was taken in before; nothing was added."))
        return
    said = {"new": taken.statement.taken_count, "known": taken.statement.known_count, "out": taken.statement.outgoing_count}
    messages.success(request, _("%(new)s payments taken in; %(known)s were known already, %(out)s rows went out.") % said)


@login_required
@require_GET
def payment_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One payment: what it is probably for, what it was given to, and what went back."""
    return detail_response(request, pk)


def detail_response(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    """The page of a payment; with a refusal, its reasons above and its status."""
    actor = actor_of(request)
    payment: Any = queries.payment_for(actor, pk)
    standing = queries.standing(payment)
    requests = queries.refund_requests_of(actor, payment)
    bills = queries.open_bills(actor, [payment.owner_id])
    found = queries.suggestions([payment], bills)[payment.pk]
    allocations = list(queries.allocations_of(actor, payment=payment))
    context = {
        "payment": payment,
        "standing": standing,
        "method": METHODS[payment.method],
        "suggestions": suggestion_rows(found, {bill.bill_id: bill for bill in bills}),
        "bills": bills,
        "allocations": allocations,
        "payers": sorted({(each.bill.customer_id, each.bill.customer.name) for each in allocations}),
        "refunds": queries.refunds_of(actor, payment),
        "requests": requests,
        "disputes": queries.disputes_of(actor, payment),
        "may_give": payment.owner_id in actor.organisations(*ISSUERS),
        "customers": prepaid_queries.customers(actor),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "payment_detail", pk)
    return render(request, "payments/detail.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
@once_per_form
def payment_give(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a part of a payment to a bill."""
    bill_id, amount = number(request.POST.get("bill", "")), fen(request.POST.get("amount", ""))
    try:
        allocating.give(actor_of(request), pk, bill_id, amount, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, pk, refusal)
    messages.success(request, _("The money is given to the bill."))
    return redirect("payment_list") if request.POST.get("next") == "list" else redirect("payment_detail", pk)


@login_required
@require_POST
def payment_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take money away from a bill again, by a reversing entry."""
    actor = actor_of(request)
    given = get_visible(Allocation.objects.all(), actor, pk=pk)
    try:
        row = allocating.undo(actor, pk, request.POST.get("reason", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, given.payment_id, refusal)
    messages.success(request, _("Taken back. The money is free again."))
    return redirect("payment_detail", row.payment_id)


@login_required
@require_POST
@once_per_form
def payment_refund(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down that free money was sent back, or ask the payment service to send it."""
    try:
        refunding.refund(
            actor_of(request), pk, fen(request.POST.get("amount", "")), request.POST.get("reason", ""), timezone.now()
        )
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, pk, refusal)
    messages.success(request, _("Noted. What goes back stands with the payment."))
    return redirect("payment_detail", pk)


@login_required
@require_GET
def provider_news(request: HttpRequest) -> HttpResponse:
    """What a payment service told us, and where it and our books disagree: what a person has to look at."""
    return _news_page(request)


def _news_page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    actor.require(Role.OPERATOR, Role.OWNER_FINANCE, Role.INSPECTOR)
    page = Paginator(queries.stopped_events(actor), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(event, sentence(event.note, {}) if event.note else "") for event in page.object_list]
    context = {
        "page": page,
        "rows": rows,
        "tried": [(event, sentence(event.note, {}), due, inbox.MOST_TRIES) for event, due in queries.tried_events(actor)],
        "may_retry": actor.has(Role.OPERATOR),
        "differences": difference_rows(prepaid_queries.open_differences(actor)),
        "may_resolve": actor.has(*ANSWERERS),
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "provider_news")
    return render(request, "payments/news.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def provider_news_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Look at one of them again."""
    try:
        inbox.again(actor_of(request), pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        say_refusal(request, refusal)
    else:
        messages.success(request, _("It is looked at again."))
    return redirect("provider_news")


@login_required
@require_POST
def provider_news_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing is to be done about one of them, and why."""
    try:
        inbox.close(actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _news_page(request, refusal)
    messages.success(request, _("Noted."))
    return redirect("provider_news")


@login_required
@require_POST
def provider_difference_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the payment service anew about a difference."""
    try:
        gone = reconciling.look_again(actor_of(request), pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _news_page(request, refusal)
    if gone:
        messages.success(request, _("Our books and the payment service agree now."))
    else:
        messages.warning(
            request, _("It is still different. Look at the payment service's own page, then say here what became of it.")
        )
    return redirect("provider_news")


@login_required
@require_POST
def provider_difference_resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what became of a difference."""
    try:
        differences.resolve(actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _news_page(request, refusal)
    messages.success(request, _("Noted."))
    return redirect("provider_news")
