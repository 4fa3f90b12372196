"""Payment lists for the treasury: making, signing, and recording what was paid."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.claims import queries
from billing.claims.models import PaymentLine
from billing.claims.services import paying
from billing.claims.services.office import OFFICE, right_of
from billing.claims.services.paying import Outcome
from billing.claims.signing import is_free
from billing.settlement.queries import local_today
from billing.wording import payer_word
from config.kernel.access import Role, get_visible
from config.kernel.api.problems import status_of
from config.kernel.errors import Forbidden, NotFound, Refusal
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


def _detail(request: HttpRequest, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    actor = actor_of(request)
    found: Any = queries.list_for(actor, pk)
    lines = list(found.lines.all())
    paid = [getattr(line, "payout", None) for line in lines]
    issuer_id, now = found.batch.programme.issuer_id, timezone.now()
    signs, finance = right_of(actor, issuer_id, OFFICE, now), right_of(actor, issuer_id, (Role.FINANCE,), now)
    pays, people = finance is not None, finance.people(actor) if finance is not None else frozenset()
    refunds = queries.surplus_of(found)
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
        "may_record": pays and found.approved_by_id is not None and found.cancelled_at is None,
        "surplus": [(each, may_confirm(each, people)) for each in refunds],
        "may_cancel": pays
        and found.cancelled_at is None
        and not any(paid)
        and not any(each.confirmed_at is not None and each.ended_at is None for each in refunds),
        "today": local_today(now),
        "problems": sentences(refusal) if refusal else [],
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
