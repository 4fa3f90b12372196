"""Credit notes: what one would do, shown before it is done, and the note with its documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.bills import queries
from billing.bills.models import BillLine, CreditNote
from billing.bills.services import issuing
from billing.bills.wording import CREDIT_REASONS
from billing.ledger.rules.money import plain_yuan
from billing.payments.services import crediting
from billing.payments.services.crediting import CreditRequest, Shown
from config.kernel.access import Actor, get_visible
from config.kernel.api.problems import status_of
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.http import attachment
from frontend.http import actor_of, is_fragment
from frontend.presenters.bills import line_row, party_row, posting_rows
from frontend.presenters.statements import documents_view
from frontend.refusals import sentences
from frontend.views.bills import POLL_SECONDS
from frontend.yuan_typed import typed_fen


@login_required
@require_http_methods(["GET", "POST"])
def bill_credit(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """GET asks how much and why; POST shows what it would do, and with ``confirm`` does it once for the form's key."""
    actor = actor_of(request)
    bill = queries.bill_for(actor, pk)
    actor.require_in(bill.owner_id, *queries.ISSUERS)
    line = get_visible(BillLine.objects.all(), actor, bill_id=bill.pk, position=position)
    (standing,) = queries.standings([line])
    typed = {name: request.POST.get(name, "").replace("\x00", "") for name in ("amount", "reason_code", "reason")}
    context: dict[str, Any] = {
        "bill": bill,
        "line": line_row(bill.content["lines"][position - 1], standing),
        "reasons": CREDIT_REASONS.items(),
        "typed": typed,
        "problems": [],
    }
    if request.method == "GET":
        fell = standing.fell_away_fen
        context["typed"] = {
            "amount": plain_yuan(fell or standing.left_fen),
            "reason_code": "fee_fell_away" if fell else "",
            "reason": "",
        }
        return render(request, "bills/credit.html", context)
    asked = CreditRequest(bill.pk, position, fen(typed["amount"]), typed["reason_code"], typed["reason"])
    changed: list[str] = []
    try:
        if request.POST.get("confirm"):
            try:
                return _issue(request, actor, asked)
            except Conflict as conflict:
                if conflict.reasons[0].code != crediting.EFFECT_DIFFERS:
                    raise
                changed = sentences(conflict)
        effect, postings = crediting.preview(actor, asked)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        context["problems"] = sentences(refusal)
        return render(request, "bills/credit.html", context, status=status_of(refusal))
    context |= {
        "problems": changed,
        "effect": effect,
        "digest": crediting.digest_of(effect),
        "prepaid": bill.prepaid.exists(),
        "postings": posting_rows(postings),
        "key": uuid4(),
        "asked": asked,
    }
    return render(request, "bills/credit.html", context, status=HTTPStatus.CONFLICT if changed else HTTPStatus.OK)


def _issue(request: HttpRequest, actor: Actor, asked: CreditRequest) -> HttpResponse:
    shown = Shown(digest=request.POST.get("shown", ""))
    note_id, _replayed = crediting.issue_once(
        actor, asked, timezone.now(), idempotency_key=request.POST.get("key", ""), shown=shown
    )
    messages.success(request, _("The credit note is issued. The documents are being made."))
    return redirect("credit_note_detail", pk=note_id)


@login_required
@require_GET
def credit_note_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One credit note: the line that it corrects, why, what went back, and its documents."""
    actor = actor_of(request)
    note = queries.credit_note_for(actor, pk)
    content = note.content
    context = {
        "note": note,
        "content": content,
        "line": line_row(content["line"]),
        "owner": party_row(content["owner"]),
        "customer": party_row(content["customer"]),
        "reason_word": CREDIT_REASONS[note.reason_code],
        **_documents(actor, note),
    }
    return render(request, "bills/credit_note.html", context)


def _documents(actor: Actor, note: CreditNote) -> dict[str, Any]:
    documents = documents_view(note, "credit_note")
    may_retry = documents.failed and note.owner_id in actor.organisations(*queries.ISSUERS)
    return {"documents": documents, "may_retry": may_retry, "poll_seconds": POLL_SECONDS}


@login_required
@require_GET
def credit_note_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Where the documents stand (htmx); anybody else is led to the note."""
    actor = actor_of(request)
    note = queries.credit_note_for(actor, pk)
    if not is_fragment(request):
        return redirect("credit_note_detail", pk=pk)
    return render(request, "finance/_documents.html", {**_documents(actor, note), "arrived": True})


@login_required
@require_POST
def credit_note_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the documents again after they failed."""
    issuing.retry(actor_of(request), CreditNote, pk, timezone.now())
    messages.success(request, _("The documents are being made again."))
    return redirect("credit_note_detail", pk=pk)


@login_required
@require_GET
def credit_note_download(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The stored PDF or XLSX, byte for byte."""
    found = queries.document(actor_of(request), CreditNote, pk, kind)
    return attachment(found.content, found.stored.media_type, found.stored.file_name)


def fen(text: str) -> int:
    """What was typed in yuan; 0, which is never an amount to move, for what cannot be read."""
    return typed_fen(text) or 0
