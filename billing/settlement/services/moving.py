"""What a reservation would cost at another time or on another instrument, before it moves: with what it holds now given back first."""

from __future__ import annotations

from datetime import datetime

from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.settlement.services import assessing, quote_rows
from billing.settlement.services.quotes import QuotePreview, caps_left
from billing.settlement.services.reservation_money import RESERVATION
from booking.models import Reservation
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Instrument


def preview(
    actor: Actor, reservation_id: int, during: TimeRange, now: datetime, instrument_id: int | None = None
) -> QuotePreview:
    """Price and subsidise ``during`` for a reservation's customer, on its instrument or on another of the same lab; writes nothing.

    Raises NotFound, Refusal ``price.none``, ``change.instrument_of_lab``.
    """
    rows = Reservation.objects.select_related("instrument__site", "instrument__organisation", "organisation")
    reservation = get_visible(rows, actor, pk=reservation_id)
    if instrument_id is not None and instrument_id != reservation.instrument_id:
        reservation.instrument = _other(actor, reservation, instrument_id)
    accepted = quote_rows.last_agreed(reservation.pk)
    agreed = assessing.agreed_pins(reservation, during, now, accepted)
    planned = assessing.plan_of(reservation, during, now, agreed)
    known = ledger.known(spec.key for spec in planned.specs())
    _give_back(known, reservation.pk)
    prepared = planned.with_balances(known, (RESERVATION, reservation.pk))
    assessment = prepared.inputs.assess()
    return QuotePreview(prepared, assessment, caps_left([each.programme for each in prepared.versions], assessment.outcomes))


def _other(actor: Actor, reservation: Reservation, instrument_id: int) -> Instrument:
    """Another instrument of the booking's lab, which who sees the booking may see by its figures."""
    rows = Instrument.objects.select_related("site", "organisation")
    other = get_visible(rows, actor, pk=instrument_id)
    if other.organisation_id != reservation.instrument.organisation_id:
        raise Refusal.of("change.instrument_of_lab", field="instrument")
    return other


def _give_back(known: dict[str, Account], reservation_id: int) -> None:
    """Take the reservation's own open holds off the accounts in hand; nothing is stored."""
    by_id = {account.pk: account for account in known.values()}
    own = Transfer.objects.filter(source_type=RESERVATION, source_id=reservation_id, kind=TransferKind.HOLD, ends__isnull=True)
    for hold in own:
        if hold.debit_id in by_id:
            by_id[hold.debit_id].held_fen -= hold.amount_fen
    assessing.know_awards(known.values(), but_for=reservation_id)
