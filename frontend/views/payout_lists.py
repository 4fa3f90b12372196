"""Payment lists for the treasury: making, signing, and recording what was paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.claims import queries
from billing.claims.models import PaymentLine
from billing.claims.services import paying, paying_many
from billing.claims.services.office import OFFICE, right_of
from billing.claims.services.paying import Outcome
from billing.claims.services.paying_many import LineResult
from billing.claims.signing import is_free
from billing.payments.rules.bank_rows import MOST_BYTES
from billing.settlement.queries import local_today
from billing.wording import payer_word
from config.kernel.access import Role, get_visible
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.messages import reason_sentence
from frontend.booking_form import read_day
from frontend.http import actor_of, stands_at
from frontend.once import once_per_form
from frontend.presenters.claims import list_state, paper_row
from frontend.refusals import sentences
from frontend.views import claim_batches
from frontend.views.bills import number
from frontend.views.claims import fen_of
from frontend.views.clawbacks import may_confirm


@login_required
@require_POST
@once_per_form
def payout_list_make(request: HttpRequest, pk: int) -> HttpResponse:
    """Put what is approved and not paid of a batch on lists, one for each payer."""
    actor = actor_of(request)
    try:
        expected, beside = (number(request.POST.get(name, "0")) for name in ("total_fen", "surplus_fen"))
        made = paying.make(actor, pk, timezone.now(), expected_fen=expected, surplus_fen=beside)
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return claim_batches.detail_response(request, pk, refusal)
    for each in made:
        messages.success(request, _("The list %(number)s is made. Two more people sign it.") % {"number": each.number})
    if len(made) > 1:
        return redirect("claim_batch_detail", pk=pk)
    return redirect("payout_list_detail", pk=made[0].pk)


@login_required
@require_GET
def payout_list_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One list: its lines, who signed it, what was paid, its documents."""
    return _detail(request, pk)


def _detail(
    request: HttpRequest,
    pk: int,
    refusal: Refusal | None = None,
    *,
    report: Sequence[LineResult] = (),
    faults: Sequence[tuple[int, str]] = (),
) -> HttpResponse:
    """``report``: what became of lines recorded together; ``faults``: what is wrong in which rows of a file."""
    actor = actor_of(request)
    found: Any = queries.list_for(actor, pk)
    lines = list(found.lines.all())
    paid = [getattr(line, "payout", None) for line in lines]
    issuer_id, now = found.batch.programme.issuer_id, timezone.now()
    signs, finance = right_of(actor, issuer_id, OFFICE, now), right_of(actor, issuer_id, (Role.FINANCE,), now)
    pays, people = finance is not None, finance.people(actor) if finance is not None else frozenset()
    refunds = queries.surplus_of(found)
    may_record = pays and found.approved_by_id is not None and found.cancelled_at is None
    unpaid = [line for line, payout in zip(lines, paid, strict=True) if payout is None]
    context = {
        "list": found,
        "state": list_state(found),
        "content": found.content,
        "lines": [
            {"line": line, "said": said, "payout": payout}
            for line, said, payout in zip(lines, found.content["lines"], paid, strict=True)
        ],
        "payers": [(payer_word(each["payer"]), each["amount_fen"]) for each in found.content["totals"]["payers"]],
        "paid_fen": sum(each.paid_fen for each in paid if each is not None),
        "documents": paper_row(found),
        "may_sign": signs is not None and is_free(found, *signs.people(actor)),
        "may_record": may_record,
        "unpaid": unpaid if may_record else [],
        "unpaid_fen": sum(line.amount_fen for line in unpaid),
        "report": [(each, [reason_sentence(reason) for reason in each.reasons]) for each in report if not each.done],
        "recorded": [each for each in report if each.done],
        "recorded_fen": sum(each.amount_fen for each in report if each.done),
        "faults": faults,
        "surplus": [(each, may_confirm(each, people)) for each in refunds],
        "may_cancel": pays
        and found.cancelled_at is None
        and not any(paid)
        and not any(each.confirmed_at is not None and each.ended_at is None for each in refunds),
        "today": local_today(now),
        "problems": [] if faults else sentences(refusal) if refusal else [],
    }
    stands_at(request, "payout_list_detail", pk)
    return render(request, "claims/payout_list.html", context, status=status_of(refusal) if refusal else 200)


@login_required
@require_POST
def payout_list_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Check a list, or approve one that was checked."""
    try:
        paying.sign(actor_of(request), pk, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _detail(request, pk, refusal)
    messages.success(request, _("Signed."))
    return redirect("payout_list_detail", pk=pk)


@login_required
@require_POST
def payout_list_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a list before anything of it is paid."""
    try:
        paying.cancel(actor_of(request), pk, request.POST.get("reason", ""), timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _detail(request, pk, refusal)
    messages.success(request, _("The list is cancelled. Its claims can be put on another one."))
    return redirect("payout_list_detail", pk=pk)


@login_required
@require_POST
@once_per_form
def payout_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what the treasury paid on a line."""
    actor = actor_of(request)
    line = get_visible(PaymentLine.objects.all(), actor, pk=pk)
    outcome = Outcome(
        fen_of(request.POST.get("amount", "")),
        read_day(request.POST.get("paid_on", "")) or date.min,
        request.POST.get("reference", ""),
        request.POST.get("reason", ""),
    )
    try:
        paying.record(actor, pk, outcome, timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _detail(request, line.payment_list_id, refusal)
    messages.success(request, _("The payment is recorded."))
    return redirect("payout_list_detail", pk=line.payment_list_id)


@login_required
@require_POST
def payout_record_rest(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down that the lines that were shown as not recorded were paid in full, each by itself, with a report."""
    day, lines = read_day(request.POST.get("paid_on", "")) or date.min, map(number, request.POST.getlist("line"))
    try:
        report = paying_many.record_in_full(
            actor_of(request), pk, list(lines), day, request.POST.get("reference", ""), timezone.now()
        )
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        return _detail(request, pk, refusal)
    return _detail(request, pk, report=report)


@login_required
@require_POST
def payout_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Take in what the treasury's file says of the lines, whole or not at all."""
    actor, file = actor_of(request), request.FILES.get("file")
    try:
        if file is None:
            queries.list_for(actor, pk)
            raise Refusal.of("bank.file_unreadable", field="file")
        content = file.read(min(MOST_BYTES, settings.MAX_UPLOAD_BYTES) + 1)
        taken = paying_many.take_answer(actor, pk, content, file.name or "", timezone.now())
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        rows = [(reason.params["row"], reason_sentence(reason)) for reason in refusal.reasons if reason.params.get("row")]
        return _detail(request, pk, refusal, faults=rows)
    said = {"lines": taken.recorded, "known": taken.known}
    if taken.recorded:
        messages.success(request, _("%(lines)s lines recorded; %(known)s were recorded just so before.") % said)
    else:
        messages.info(request, _("All of it was recorded before; nothing was added."))
    return redirect("payout_list_detail", pk=pk)
