"""Waiving what is left of a fee for unused time."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing.settlement.services import fees
from config.kernel.errors import NotFound, Refusal
from frontend import display
from frontend.http import actor_of
from frontend.once import once_per_form
from frontend.views.bookings import detail_response
from frontend.views.credit_notes import fen


@login_required
@require_POST
@once_per_form
def fee_waive(request: HttpRequest, pk: int) -> HttpResponse:
    """The lab lets the customer off a part of the fee, or all that is left of it."""
    now = timezone.now()
    try:
        reason = request.POST.get("reason", "").replace("\x00", "")
        relief = fees.waive(actor_of(request), pk, fen(request.POST.get("amount", "")), reason, now)
    except NotFound:
        raise
    except Refusal as refusal:
        return detail_response(request, pk, now, refusal)
    messages.success(request, _("%(amount)s waived. The customer has been told.") % {"amount": display.yuan(relief.amount_fen)})
    return redirect("reservation_detail", pk)
