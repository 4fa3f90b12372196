"""What a fund card paid of a line of a bill, and giving it back when the line is credited."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from billing.bills.models import BillLine
from billing.cards.accounts import CARD, CREDIT_NOTE, RESERVATION, SAMPLE_JOB, card_key
from billing.ledger.models import Account, Transfer, TransferKind
from billing.settlement.services import card_money
from booking.models import Reservation, SampleJob
from config.kernel.access import Actor

Paid = tuple[Reservation | SampleJob, int, int]
"""What was paid for, the fund card's id, and how much of it the card has not got back (fen)."""


def card_paid(line: BillLine) -> Paid | None:
    """What the card that its booking or job names has paid of a line and not got back; None without a card. Of a booking a card pays
    one thing only, its use or its fee, and so does a job."""
    paying: Reservation | SampleJob | None
    if line.fee_id is not None and line.fee is not None:
        paying, card_id = line.fee.reservation, line.fee.fund_card_id
    else:
        charge = line.charge
        paying = charge.reservation or charge.sample_job if charge is not None else None
        card_id = paying.fund_card_id if paying is not None else None
    if paying is None or card_id is None:
        return None
    kind = SAMPLE_JOB if isinstance(paying, SampleJob) else RESERVATION
    account = Q(debit__key=card_key(card_id), kind=TransferKind.POST) | Q(credit__key=card_key(card_id), kind=TransferKind.REFUND)
    rows = Transfer.objects.filter(account, source_type=kind, source_id=paying.pk)
    amounts = rows.values_list("kind", "amount_fen")
    left = sum(amount if moved == TransferKind.POST else -amount for moved, amount in amounts)
    return paying, card_id, left


def accounts_of(line: BillLine) -> list[Account]:
    """The account of the line's card, to be locked together with the others of a credit note."""
    paid = card_paid(line)
    return list(Account.objects.filter(kind=CARD, key=card_key(paid[1]))) if paid is not None else []


def give_back(line: BillLine, amount_fen: int, actor: Actor, now: datetime) -> None:
    """Put ``amount_fen`` back on the line's card. Raises Refusal ``ledger.more_than_paid``."""
    paid = card_paid(line)
    if paid is not None and amount_fen:
        card_money.give_back(paid[0], paid[1], amount_fen, CREDIT_NOTE, actor, now)
