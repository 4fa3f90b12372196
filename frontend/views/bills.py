"""Bills: what can be billed, looking and issuing, the bill with its documents, voiding it, paying it online."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.bills import queries
from billing.bills.models import Bill
from billing.bills.rules.standing import Standing, is_overdue
from billing.bills.services import issuing, proposing, writing_off
from billing.bills.services.issuing import DUE_DAYS, BillRequest
from billing.bills.wording import tax_sentences
from billing.dunning import queries as dunning
from billing.payments import queries as payments
from billing.payments.services import checkouts
from billing.settlement.proposal_models import ProposalState
from billing.settlement.queries import local_today
from billing.settlement.rules.lines_digest import Expected
from billing.settlement.rules.period import first_day, last_day, previous_month
from config.kernel.access import Actor, Role
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.http import attachment
from frontend.booking_form import read_day
from frontend.http import actor_of, is_fragment, stands_at
from frontend.once import once_per_form
from frontend.presenters.bills import METHODS, bill_rows, line_row, party_row
from frontend.presenters.statements import documents_view
from frontend.refusals import say_refusal, sentences
from frontend.yuan_typed import typed_fen
from instruments.models import Organisation

PER_PAGE = 25
LINES_PER_PAGE = 100
POLL_SECONDS = 3
#: Refusals after which what would be issued is shown anew.
_LOOK_AGAIN = ("bill.figures_differ", "bill.lines_differ")


@login_required
@require_GET
def bill_list(request: HttpRequest) -> HttpResponse:
    """The bills that the actor issues or pays; ``?open=1``: those of which something is to pay, ``?owner=`` and
    ``?month=2026-11``: those of an owner's month."""
    actor = actor_of(request)
    only_open = request.GET.get("open") == "1"
    rows = queries.bills_visible(actor)
    owner_id, month = number(request.GET.get("owner", "")), read_day(f"{request.GET.get('month', '')}-01")
    if owner_id:
        rows = rows.filter(owner_id=owner_id)
    if month is not None:
        rows = rows.filter(until_on__range=(month, last_day(month)), void__isnull=True)
    page = Paginator(queries.still_open(rows) if only_open else rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": bill_rows(actor, list(page.object_list), local_today(timezone.now())),
        "only_open": only_open,
        "month": month,
        "may_issue": bool(queries.owners_of(actor)),
    }
    return render(request, "bills/list.html", context)


@login_required
@require_GET
def bill_open(request: HttpRequest) -> HttpResponse:
    """What an owner can bill, by customer, up to and with a day (``?owner=``, ``?until=``)."""
    return _open_response(request, timezone.now())


def _open_response(request: HttpRequest, now: datetime, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    actor.require(*queries.ISSUERS)
    query = request.POST if request.method == "POST" else request.GET
    owners = queries.owners_of(actor)
    owner_id = number(query.get("owner", "")) or (owners[0].pk if owners else 0)
    until = read_day(query.get("until", "")) or last_day(previous_month(first_day(local_today(now))))
    rows = queries.to_bill(actor, owner_id, until)
    context = {
        "rows": rows,
        "total_fen": sum(row.open.amount_fen for row in rows),
        "owners": owners,
        "owner_id": owner_id,
        "until": until,
        "today": local_today(now),
        "proposals": list(queries.proposals_visible(actor).filter(owner_id=owner_id, state=ProposalState.WAITING)[:50]),
        "write_offs": list(queries.write_offs_waiting(actor, owner_id)[:50]),
        "to_credit": list(queries.fell_away_since(actor, owner_id)[:50]),
        "problems": sentences(refusal) if refusal else [],
    }
    return render(request, "bills/open.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_http_methods(["GET", "POST"])
def bill_issue(request: HttpRequest) -> HttpResponse:
    """GET shows exactly what would be billed; POST issues it once for the form's key, or proposes it to another person."""
    now, actor = timezone.now(), actor_of(request)
    actor.require(*queries.ISSUERS)
    query = request.POST if request.method == "POST" else request.GET
    until = read_day(query.get("until", ""))
    days = query.get("days", str(DUE_DAYS))
    if until is None:
        raise NotFound.of("access.not_found", model="day")
    due_days = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else -1
    asked = BillRequest(number(query.get("owner", "")), number(query.get("customer", "")), until, due_days)
    try:
        if request.method == "POST":
            lines, total_fen = (number(request.POST.get(name, "")) for name in ("lines", "total_fen"))
            expected = Expected(lines, total_fen, request.POST.get("lines_sha256", "")[:64])
            if request.POST.get("act") == "propose":
                key = request.POST.get("key", "")
                proposal_id = proposing.propose_once(actor, asked, now, idempotency_key=key, expected=expected)
                messages.success(request, _("Proposed. Another person of finance issues it."))
                return redirect("bill_proposal", pk=proposal_id)
            issued = issuing.issue_once(actor, asked, now, idempotency_key=request.POST.get("key", ""), expected=expected)
            messages.success(request, _("Issued as %(number)s. The documents are being made.") % {"number": issued.number})
            return redirect("bill_detail", pk=issued.bill_id)
        return _preview_response(request, actor, asked, now)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        if refusal.reasons[0].code in _LOOK_AGAIN:
            return _preview_response(request, actor, asked, now, refusal)
        return _open_response(request, now, refusal)


def _preview_response(
    request: HttpRequest, actor: Actor, asked: BillRequest, now: datetime, refusal: Refusal | None = None
) -> HttpResponse:
    content, seen = issuing.look(actor, asked, now)
    context = {
        **content_context(content),
        "asked": asked,
        "seen": seen,
        "needs_second": proposing.needs_second(actor, asked, seen.total_fen, now),
        "key": uuid4(),
        "problems": sentences(refusal) if refusal else [],
        "back_url": f"{reverse('bill_open')}?owner={asked.owner_id}&until={asked.until_on}",
    }
    return render(request, "bills/issue.html", context, status=status_of(refusal) if refusal else 200)


def content_context(content: dict[str, Any]) -> dict[str, Any]:
    """What both the look before and the bill itself show."""
    return {
        "content": content,
        "owner": party_row(content["owner"]),
        "customer": party_row(content["customer"]),
        "totals": content["totals"],
        "taxes": tax_sentences(content),
        "first_on": date.fromisoformat(content["period"]["first_day"]),
        "last_on": date.fromisoformat(content["period"]["last_day"]),
        "due_on": date.fromisoformat(content["due_on"]),
        "lines": [line_row(line) for line in content["lines"][:LINES_PER_PAGE]],
    }


@login_required
@require_GET
def bill_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One bill: where it stands, its lines, credit notes, payments and documents."""
    return detail_response(request, pk)


def detail_response(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    """The page of a bill; with a refusal, its reasons above and its status."""
    actor = actor_of(request)
    bill: Any = queries.bill_for(actor, pk)
    page = Paginator(range(bill.line_count), LINES_PER_PAGE).get_page(request.GET.get("page"))
    only = slice(page.start_index() - 1, page.end_index())
    standing = queries.standing_for(actor, bill)
    issues = bill.owner_id in actor.organisations(*queries.ISSUERS)
    pays = bill.customer_id in actor.organisations(*queries.PAYERS) and standing.open_fen > 0
    standings = queries.lines_of(actor, bill, only)
    shown = bill.content["lines"][only]
    context = {
        **content_context(bill.content),
        "bill": bill,
        "standing": standing,
        "lines": [line_row(line, each) for line, each in zip(shown, standings, strict=True)],
        "page": page,
        "credits": queries.credits_of(actor, bill),
        "given": [(each, METHODS[each.payment.method]) for each in payments.allocations_of(actor, bill=bill)],
        "issues": issues,
        "may_void": issues and standing.may_void,
        **_given_up(actor, bill, standing, issues),
        "pays_online": pays and checkouts.pays_online(bill.owner_id),
        "paying": pays,
        "dispute": dunning.dispute_of(actor, bill),
        "void": getattr(bill, "void", None) if standing.voided else None,
        "problems": sentences(refusal) if refusal else [],
        **_documents(actor, bill),
    }
    stands_at(request, "bill_detail", pk)
    return render(request, "bills/detail.html", context, status=status_of(refusal) if refusal else 200)


def _given_up(actor: Actor, bill: Bill, standing: Standing, issues: bool) -> dict[str, Any]:
    """What who reads the owner's books sees and may do about writing a bill off."""
    found = queries.given_up(actor, bill)
    overdue = is_overdue(standing, (local_today(timezone.now()) - bill.due_on).days)
    return {
        "given_up": found,
        "own_write_off": found.waiting is not None and found.waiting.proposed_by_id == actor.user_id,
        "may_write_off": issues and overdue and standing.expected_fen > 0 and found.waiting is None,
    }


def _documents(actor: Actor, bill: Bill) -> dict[str, Any]:
    documents = documents_view(bill, "bill")
    may_retry = documents.failed and bill.owner_id in actor.organisations(Role.OWNER_FINANCE)
    return {"documents": documents, "may_retry": may_retry, "poll_seconds": POLL_SECONDS}


@login_required
@require_GET
def bill_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Where the documents stand (htmx, asked again every few seconds); anybody else is led to the bill."""
    actor = actor_of(request)
    bill = queries.bill_for(actor, pk)
    if not is_fragment(request):
        return redirect("bill_detail", pk=pk)
    return render(request, "finance/_documents.html", {**_documents(actor, bill), "arrived": True})


@login_required
@require_POST
def bill_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the documents again after they failed."""
    issuing.retry(actor_of(request), Bill, pk, timezone.now())
    messages.success(request, _("The documents are being made again."))
    return redirect("bill_detail", pk=pk)


@login_required
@require_GET
def bill_download(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The stored PDF or XLSX, byte for byte."""
    found = queries.document(actor_of(request), Bill, pk, kind)
    return attachment(found.content, found.stored.media_type, found.stored.file_name)


@login_required
@require_POST
def bill_void(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a bill that nobody has paid."""
    try:
        issuing.void(actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, pk, refusal)
    messages.success(request, _("The bill is void. What stood on it can be billed anew."))
    return redirect("bill_detail", pk=pk)


@login_required
@require_POST
@once_per_form
def bill_write_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose to give a bill up (``act=propose``), write it off as another person (``agree``), send that back (``decline``), or expect the
    money again (``take_back``)."""
    actor, reason, now = actor_of(request), request.POST.get("reason", ""), timezone.now()
    act = request.POST.get("act", "")
    try:
        if act == "agree":
            writing_off.write_off(actor, pk, now)
        elif act == "propose":
            writing_off.propose(actor, pk, reason, now, _part(request.POST.get("amount", "")))
        elif act in _WRITE_OFF_ACTS:
            _WRITE_OFF_ACTS[act](actor, pk, reason, now)
        else:
            raise NotFound.of("access.not_found", model="action")
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return detail_response(request, pk, refusal)
    messages.success(request, str(_WRITE_OFF_DONE[act]))
    return redirect("bill_detail", pk=pk)


def _part(typed: str) -> int | None:
    """How much of a bill is given up; empty: all that is expected."""
    if not typed.strip():
        return None
    fen = typed_fen(typed)
    return -1 if fen is None else fen


_WRITE_OFF_ACTS: Mapping[str, Callable[[Actor, int, str, datetime], Any]] = {
    "decline": writing_off.decline,
    "take_back": writing_off.take_back,
}
_WRITE_OFF_DONE: Mapping[str, Promise] = {
    "propose": gettext_lazy("Proposed. Another person of finance writes it off."),
    "agree": gettext_lazy("Written off. Nobody is reminded of it any more; what comes in for it can still be given to it."),
    "decline": gettext_lazy("Nothing is written off."),
    "take_back": gettext_lazy("The bill is expected to be paid again, and reminders go on."),
}


@login_required
@require_POST
def bill_pay(request: HttpRequest, pk: int) -> HttpResponse:
    """A page with the way to the payment service: our policy lets no form lead to another server. What comes back from there proves
    nothing: the service tells us itself."""
    actor = actor_of(request)
    back = request.build_absolute_uri(reverse("bill_detail", args=[pk]))
    try:
        url = checkouts.start(actor, pk, back, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        say_refusal(request, refusal)
        return redirect("bill_detail", pk=pk)
    return render(request, "bills/pay.html", {"bill": queries.bill_for(actor, pk), "pay_url": url})


def number(text: str) -> int:
    """A whole number from a form or an address; 0, which names nothing, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def owner_of(actor: Actor, text: str) -> int:
    """The institution that a form names, else the first one for which the actor accounts. Raises Forbidden."""
    actor.require(*queries.ISSUERS)
    owners: list[Organisation] = queries.owners_of(actor)
    return number(text) or (owners[0].pk if owners else 0)
