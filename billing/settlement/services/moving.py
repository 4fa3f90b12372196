"""What a reservation would cost at another time, before it moves: with what it holds now given back first."""

from __future__ import annotations

from datetime import datetime

from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.settlement.services import assessing
from billing.settlement.services.quotes import QuotePreview, caps_left
from billing.settlement.services.reservation_money import RESERVATION
from booking.models import Reservation
from config.kernel.access import Actor, get_visible
from config.kernel.time_range import TimeRange


def preview(actor: Actor, reservation_id: int, during: TimeRange, now: datetime) -> QuotePreview:
    """Price and subsidise ``during`` for a reservation's customer; writes nothing. Raises NotFound, Refusal ``price.none``."""
    rows = Reservation.objects.select_related("instrument__site", "instrument__organisation", "organisation")
    reservation = get_visible(rows, actor, pk=reservation_id)
    planned = assessing.plan_of(reservation, during, now)
    known = ledger.known(spec.key for spec in planned.specs())
    _give_back(known, reservation.pk)
    prepared = planned.with_balances(known, (RESERVATION, reservation.pk))
    assessment = prepared.inputs.assess()
    return QuotePreview(prepared, assessment, caps_left(prepared.versions, assessment.outcomes))


def _give_back(known: dict[str, Account], reservation_id: int) -> None:
    """Take the reservation's own open holds off the accounts in hand; nothing is stored."""
    by_id = {account.pk: account for account in known.values()}
    own = Transfer.objects.filter(source_type=RESERVATION, source_id=reservation_id, kind=TransferKind.HOLD, ends__isnull=True)
    for hold in own:
        if hold.debit_id in by_id:
            by_id[hold.debit_id].held_fen -= hold.amount_fen
    assessing.know_awards(known.values(), but_for=reservation_id)
