"""What was used in a session besides its time: entered by the lab, answered by the customer on the booking's page."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing.settlement.extra_models import SessionExtra
from billing.settlement.services import session_extras
from billing.settlement.services.session_extras import Used
from booking.rules.samples import ExtraEvent
from config.kernel.access import Actor, get_visible
from config.kernel.errors import NotFound
from frontend.http import actor_of
from frontend.once import once_per_form
from frontend.views.usage_review import acted
from instruments.rules.registry_values import money_fen


@login_required
@require_POST
@once_per_form
def session_extra_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter what was used."""

    def act(actor: Actor, now: datetime) -> str:
        given = request.POST
        addon, count = given.get("addon", ""), given.get("quantity", "")
        quantity = int(count) if count.isascii() and count.isdigit() and len(count) < 6 else 0
        rate = 0 if addon else money_fen(given.get("rate", ""), "yuan", "rate") or 0
        session_extras.propose(actor, pk, Used(quantity, addon, given.get("words", ""), rate), now)
        return _("Entered. It is charged once the customer agrees.")

    return acted(request, pk, act)


@login_required
@require_POST
def session_extra_answer(request: HttpRequest, pk: int, answer: str) -> HttpResponse:
    """Agree to it or decline it; the lab withdraws it."""
    extra = get_visible(SessionExtra.objects.all(), actor_of(request), pk=pk)
    if answer not in list(ExtraEvent):
        raise NotFound.of("access.not_found", model="sessionextra")
    words = {
        ExtraEvent.AGREE: _("Agreed. It is charged with the session."),
        ExtraEvent.DECLINE: _("Declined. It is not charged."),
        ExtraEvent.WITHDRAW: _("Withdrawn. It is not charged."),
    }

    def act(actor: Actor, now: datetime) -> str:
        event, shown = ExtraEvent(answer), request.POST.get("amount_fen", "")
        seen = int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 16 else None
        session_extras.answer(actor, pk, event, now, amount_fen=seen)
        return words[event]

    return acted(request, extra.reservation_id, act)
