"""Receipts and statements of account: what was issued, issuing, and their files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from operator import itemgetter
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.bills.queries import bills_visible, given_up_between
from billing.claims import account
from billing.ledger.books import Period
from billing.month.queries import names_of
from billing.receipts import queries
from billing.receipts.captions import METHODS, WHAT
from billing.receipts.models import AccountStatement
from billing.receipts.rules.content import ACCOUNT
from billing.receipts.services import issuing
from config.kernel.access import Actor
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.http import attachment
from frontend.booking_form import read_day
from frontend.http import actor_of, is_fragment, stands_at
from frontend.once import once_per_form
from frontend.presenters.bills import party_row
from frontend.presenters.statements import documents_view
from frontend.refusals import sentences
from frontend.templatetags.jishi import bilingual
from frontend.views.bills import POLL_SECONDS, number
from frontend.views.payments import detail_response as payment_response

PER_PAGE = 50
LINES_PER_PAGE = 100


@login_required
@require_GET
def receipt_list(request: HttpRequest) -> HttpResponse:
    """Receipts, or with ``?show=account_statement`` statements of account, and between whom one can be issued."""
    return _list(request)


def _list(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    kind = "account_statement" if request.GET.get("show") == "account_statement" else "receipt"
    page = Paginator(queries.papers_visible(actor, kind), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": page.object_list,
        "kind": kind,
        "pairs": _pairs(actor),
        "detail": f"{kind}_detail",
        "typed": request.POST,
        "problems": sentences(refusal) if refusal else [],
    }
    stands_at(request, "receipt_list")
    return render(request, "receipts/list.html", context, status=status_of(refusal) if refusal else 200)


def _pairs(actor: Actor) -> list[tuple[str, str]]:
    """(``owner-customer``, words) of those between whom something was billed or has to come back, as far as the actor is one side."""
    mine = actor.organisations(*issuing.SIDES)
    rows = bills_visible(actor).order_by().values_list("owner_id", "customer_id").distinct()
    found = {(owner, customer) for owner, customer in rows if {owner, customer} & mine} | account.pairs(actor)
    names = {pk: bilingual(one) for pk, one in names_of([pk for pair in found for pk in pair]).items()}
    return sorted(
        ((f"{owner}-{customer}", f"{names[owner]} – {names[customer]}") for owner, customer in found), key=itemgetter(1)
    )


@login_required
@require_POST
@once_per_form
def receipt_issue(request: HttpRequest) -> HttpResponse:
    """Acknowledge what of a payment pays the bills of a customer."""
    payment = number(request.POST.get("payment", ""))
    try:
        made = issuing.receipt(actor_of(request), payment, number(request.POST.get("customer", "")), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return payment_response(request, payment, refusal)
    return _issued(request, "receipt", made)


@login_required
@require_POST
@once_per_form
def account_statement_issue(request: HttpRequest) -> HttpResponse:
    """Freeze every movement between two sides in a period."""
    owner, _dash, customer = request.POST.get("pair", "").partition("-")
    first, last = (read_day(request.POST.get(name, "")) for name in ("from", "until"))
    try:
        if first is None or last is None:
            actor_of(request).require(*issuing.SIDES, *issuing.OWNERS)
            raise Refusal.of("receipt.days", field="last_on")
        made = issuing.account_statement(actor_of(request), number(owner), number(customer), first, last, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _list(request, refusal)
    return _issued(request, "account_statement", made)


def _issued(request: HttpRequest, kind: str, made: Any) -> HttpResponse:
    messages.success(request, _("Issued as %(number)s. The documents are being made.") % {"number": made.number})
    return redirect(f"{kind}_detail", pk=made.pk)


def _days(content: Mapping[str, Any]) -> dict[str, date]:
    """When the money came, or the days of which a statement of account is."""
    if "period" in content:
        period = content["period"]
        return {"first_on": date.fromisoformat(period["first_day"]), "last_on": date.fromisoformat(period["last_day"])}
    return {"received_on": date.fromisoformat(content["received"]["received_on"])}


@login_required
@require_GET
def paper_detail(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """One paper: its two sides, its lines, its total and its files."""
    actor = actor_of(request)
    paper = queries.paper_for(actor, kind, pk)
    content = paper.content
    page = Paginator(content["lines"], LINES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "paper": paper,
        "kind": kind,
        "content": content,
        "owner": party_row(content["owner"]),
        "customer": party_row(content["customer"]),
        "page": page,
        "lines": [
            (line, date.fromisoformat(line["on"]), WHAT[line["what"]], line["credit_fen"] - line["debit_fen"])
            for line in page.object_list
        ],
        **_days(content),
        "method": METHODS.get(content.get("received", {}).get("method", ""), ""),
        "given_up_fen": _given_up(actor, paper) if kind == ACCOUNT else 0,
        **_documents(actor, paper, kind),
    }
    return render(request, "receipts/detail.html", context)


def _given_up(actor: Actor, paper: AccountStatement) -> int:
    """What of it the owner had given up by its last day, for who reads its books: the paper is the customer's, too, and says nothing."""
    return given_up_between(actor, paper.owner_id, paper.customer_id, Period(None, paper.last_on).ends_at)


def _documents(actor: Actor, paper: Any, kind: str) -> dict[str, Any]:
    documents = documents_view(paper, kind)
    mine = {paper.owner_id, paper.customer_id} & actor.organisations(*issuing.SIDES, *issuing.OWNERS)
    return {"documents": documents, "may_retry": documents.failed and bool(mine), "poll_seconds": POLL_SECONDS}


@login_required
@require_GET
def paper_progress(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Where the files stand (htmx); anybody else is led to the paper."""
    actor = actor_of(request)
    paper = queries.paper_for(actor, kind, pk)
    if not is_fragment(request):
        return redirect(f"{kind}_detail", pk=pk)
    return render(request, "finance/_documents.html", {**_documents(actor, paper, kind), "arrived": True})


@login_required
@require_POST
def paper_retry(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Make the files again after they failed."""
    issuing.retry(actor_of(request), kind, pk, timezone.now())
    messages.success(request, _("The documents are being made again."))
    return redirect(f"{kind}_detail", pk=pk)


@login_required
@require_GET
def paper_download(request: HttpRequest, pk: int, kind: str, layout: str) -> HttpResponse:
    """The stored PDF or XLSX, byte for byte."""
    found = queries.document(actor_of(request), kind, pk, layout)
    return attachment(found.content, found.stored.media_type, found.stored.file_name)
