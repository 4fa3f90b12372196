"""What a running session would cost if it went on for longer, before anything is taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Sum

from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.settlement.services import assessing
from billing.settlement.services.assessing import Pins
from billing.settlement.services.reservation_money import RESERVATION
from billing.subsidy.rules.assess import Assessment
from booking.models import Reservation
from config.kernel.time_range import TimeRange


def extension_figures(reservation: Reservation, ends_at: datetime, now: datetime) -> Assessment:
    """The whole session until ``ends_at``, as ``ReservationMoney.on_extend`` would hold it at this moment; writes nothing.

    ``reservation`` comes with its instrument, site, owner and customer and is one that the actor was given.
    """
    held = reservation.quotes.filter(held_at__isnull=False).latest("revision")
    during = TimeRange(reservation.starts_at, ends_at)
    planned = assessing.plan_of(reservation, during, now, Pins.of(held.inputs), assessing.approved_on(held.inputs))
    keys = [spec.key for spec in planned.specs()]
    return planned.with_balances(_without_own(keys, reservation), (RESERVATION, reservation.pk)).inputs.assess()


def _without_own(keys: list[str], reservation: Reservation) -> Mapping[str, Account]:
    """The accounts as if nothing were held for the reservation itself."""
    accounts = ledger.known(keys)
    own = Transfer.objects.filter(source_type=RESERVATION, source_id=reservation.pk, kind=TransferKind.HOLD, ends__isnull=True)
    held = dict(own.values_list("debit_id").annotate(held=Sum("amount_fen")))
    for account in accounts.values():
        account.held_fen -= held.get(account.pk, 0)
    assessing.know_awards(accounts.values(), but_for=reservation.pk)
    return accounts
