"""Paying a bill, or a deposit, online: an attempt is written down, the provider is asked, its answer is kept. No call is made in a
transaction."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import cast
from uuid import uuid4

from django.db.models import QuerySet

from billing.bills.models import Bill
from billing.bills.queries import PAYERS
from billing.payments.models import Checkout
from billing.payments.provider import PaymentProvider, ProviderError, SessionRequest, configured, payee_code
from billing.payments.rules import deposits
from billing.payments.rules.states import LIVE, CheckoutState
from billing.payments.services import settling
from billing.payments.services.allocating import open_fen
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.services import audit, transactions
from instruments.models import Organisation, OrganisationIdentifier

_log = logging.getLogger(__name__)
#: The provider's session lives a day; somebody who comes back within this time is led to the same one.
FRESH = timedelta(hours=22)
#: The provider forgets a key after a day: an attempt that was never answered is not asked for again later than this.
ASK_AGAIN = timedelta(hours=20)
#: A session that is thought to be open is looked at again after this time, in case its news was lost.
LOOK_AGAIN = timedelta(minutes=15)


def pays_online(owner_id: int) -> bool:
    """Whether bills of an owner can be paid online here: the provider's account is one institution's."""
    code = payee_code()
    return bool(code) and OrganisationIdentifier.objects.filter(organisation_id=owner_id, scheme="uscc", value=code).exists()


def online_payee() -> Organisation | None:
    """The institution that can be paid online here; None where payments online are off."""
    code = payee_code()
    if not code:
        return None
    return Organisation.objects.filter(identifiers__scheme="uscc", identifiers__value=code).first()


def start(actor: Actor, bill_id: int, back_url: str, now: datetime) -> str:
    """The address at which the customer pays what is open of a bill; ``back_url`` is where the provider leads back to.

    Raises NotFound, Forbidden, Refusal ``checkout.off`` / ``checkout.nothing_open`` / ``checkout.unreachable``.
    """
    provider = configured()
    bill = get_visible(Bill.objects.all(), actor, pk=bill_id)
    actor.require_in(bill.customer_id, *PAYERS)
    if provider is None or not pays_online(bill.owner_id):
        raise Refusal.of("checkout.off")
    of_bill = Checkout.objects.filter(bill=bill)
    _close_stale(provider, of_bill, open_fen(bill), now)
    return _led_to(provider, transactions.run(lambda: _attempt(actor, bill, provider, now)), back_url, now)


def start_deposit(actor: Actor, owner_id: int, customer_id: int, amount_fen: int, back_url: str, now: datetime) -> str:
    """The address at which a customer pays money that the owner keeps as prepaid for it.

    Raises Forbidden, NotFound (another organisation's money), Refusal ``checkout.off`` / ``prepaid.own`` / ``checkout.deposit_amount`` /
    ``checkout.unreachable``, Conflict ``checkout.under_way``.
    """
    if customer_id not in actor.organisations(*PAYERS):
        actor.require(*PAYERS)
        raise NotFound.of("access.not_found", model="organisation")
    provider = configured()
    if provider is None or not pays_online(owner_id):
        raise Refusal.of("checkout.off")
    if customer_id == owner_id:
        raise Refusal.of("prepaid.own", field="customer")
    if not deposits.may_be_paid(amount_fen):
        raise Refusal.of("checkout.deposit_amount", field="amount_fen", least_fen=deposits.LEAST_FEN, most_fen=deposits.MOST_FEN)
    of_pair = Checkout.objects.filter(bill=None, owner_id=owner_id, customer_id=customer_id)
    if not _is_a_colleagues(of_pair, actor, amount_fen, now):
        _close_stale(provider, of_pair, amount_fen, now)
    asked = transactions.run(lambda: _deposit_attempt(actor, owner_id, customer_id, amount_fen, provider, now))
    return _led_to(provider, asked, back_url, now)


def _led_to(provider: PaymentProvider, checkout: Checkout, back_url: str, now: datetime) -> str:
    """Where the customer pays: the session that is open, or a new one."""
    if checkout.state == CheckoutState.OPEN and checkout.url:
        return checkout.url
    asked = SessionRequest(checkout.key, checkout.reference, checkout.amount_fen, back_url, back_url)
    try:
        facts = provider.start(asked)
    except ProviderError as error:
        if error.for_good:
            _fail(checkout, error.code, now)
        raise Refusal.of("checkout.unreachable") from error
    settling.apply(provider, facts, now)
    return facts.url


def look(provider: PaymentProvider, checkout: Checkout, now: datetime) -> str:
    """Ask for a session again whose news may have been lost; returns what ``settling.apply`` does. Raises ProviderError."""
    if checkout.session_ref is None:
        if now - checkout.asked_at > ASK_AGAIN:
            _fail(checkout, "provider.never_answered", now)
        return "done"
    return settling.apply(provider, provider.fetch(checkout.session_ref), now)


def due_for_a_look(now: datetime) -> list[Checkout]:
    """The attempts whose news may have been lost."""
    rows = Checkout.objects.filter(state__in=[each.value for each in LIVE], changed_at__lt=now - LOOK_AGAIN)
    return list(rows.order_by("pk")[:500])


def look_at_all(provider: PaymentProvider, now: datetime) -> int:
    """Look at every attempt that is due; returns how many could be looked at. One that cannot be asked for holds up no other."""
    looked = 0
    for checkout in due_for_a_look(now):
        try:
            look(provider, checkout, now)
            looked += 1
        except ProviderError as error:
            _log.warning("the attempt %s could not be looked at: %s", checkout.key, error.code)
    return looked


def _attempt(actor: Actor, bill: Bill, provider: PaymentProvider, now: datetime) -> Checkout:
    """The attempt that is under way, or a new one over what is open now."""
    Bill.objects.select_for_update(no_key=True).values_list("pk").get(pk=bill.pk)
    amount = open_fen(bill)
    if amount <= 0:
        raise Refusal.of("checkout.nothing_open")
    live = _live(Checkout.objects.filter(bill=bill))
    if live is not None:
        return live
    attempt = Checkout.objects.filter(bill=bill).count() + 1
    checkout = Checkout.objects.create(
        bill=bill,
        provider=provider.code,
        attempt=attempt,
        key=f"pay:{bill.reference}:{attempt}",
        amount_fen=amount,
        asked_by_id=cast(int, actor.user_id),  # who has a role is somebody
        asked_at=now,
        changed_at=now,
    )
    audit.record(actor, "payment.checkout", checkout, now, after={"bill": bill.number, "amount_fen": amount})
    return checkout


def _deposit_attempt(
    actor: Actor, owner_id: int, customer_id: int, amount_fen: int, provider: PaymentProvider, now: datetime
) -> Checkout:
    """The attempt over this amount that is under way, or a new one."""
    Organisation.objects.select_for_update(no_key=True).values_list("pk").get(pk=customer_id)
    live = _live(Checkout.objects.filter(bill=None, owner_id=owner_id, customer_id=customer_id))
    if live is not None and live.amount_fen != amount_fen:
        raise Conflict.of("checkout.under_way")
    if live is not None:
        return live
    checkout = Checkout.objects.create(
        owner_id=owner_id,
        customer_id=customer_id,
        provider=provider.code,
        attempt=1,
        key=f"deposit:{uuid4().hex[:16]}",
        amount_fen=amount_fen,
        asked_by_id=cast(int, actor.user_id),  # who has a role is somebody
        asked_at=now,
        changed_at=now,
    )
    audit.record(actor, "payment.checkout", checkout, now, after={"customer": customer_id, "amount_fen": amount_fen})
    return checkout


def _live(rows: QuerySet[Checkout]) -> Checkout | None:
    return rows.filter(state__in=[each.value for each in LIVE]).first()


def _is_a_colleagues(rows: QuerySet[Checkout], actor: Actor, amount_fen: int, now: datetime) -> bool:
    """Whether somebody else is paying another amount in advance just now: that is no mistake which a new attempt puts right."""
    live = _live(rows)
    return (
        live is not None and live.asked_by_id != actor.user_id and live.amount_fen != amount_fen and now - live.asked_at < FRESH
    )


def _close_stale(provider: PaymentProvider, rows: QuerySet[Checkout], amount_fen: int, now: datetime) -> None:
    """Close an attempt that is old, or over another amount than is to be paid now, after looking whether it was paid meanwhile."""
    live = _live(rows)
    if live is None or (live.amount_fen == amount_fen and now - live.asked_at < FRESH):
        return
    try:
        if live.session_ref is None:
            _fail(live, "provider.never_answered", now)
            return
        settling.apply(provider, provider.fetch(live.session_ref), now)
        if Checkout.objects.filter(pk=live.pk, state=CheckoutState.OPEN).exists():
            provider.expire(live.session_ref)
            settling.apply(provider, provider.fetch(live.session_ref), now)
    except ProviderError as error:
        raise Refusal.of("checkout.unreachable") from error


def _fail(checkout: Checkout, note: str, now: datetime) -> None:
    rows = Checkout.objects.filter(pk=checkout.pk, state__in=[each.value for each in LIVE])
    rows.update(state=CheckoutState.FAILED.value, note=note, changed_at=now)
