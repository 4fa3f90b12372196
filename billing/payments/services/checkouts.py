"""Paying a bill online: an attempt is written down, the provider is asked, its answer is kept. No call is made in a transaction."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import cast

from billing.bills.models import Bill
from billing.bills.queries import PAYERS
from billing.payments.models import Checkout
from billing.payments.provider import PaymentProvider, ProviderError, SessionRequest, configured, payee_code
from billing.payments.rules.states import LIVE, CheckoutState
from billing.payments.services import settling
from billing.payments.services.allocating import open_fen
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions
from instruments.models import OrganisationIdentifier

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


def start(actor: Actor, bill_id: int, back_url: str, now: datetime) -> str:
    """The address at which the customer pays what is open of a bill; ``back_url`` is where the provider leads back to.

    Raises NotFound, Forbidden, Refusal ``checkout.off`` / ``checkout.nothing_open`` / ``checkout.unreachable``.
    """
    provider = configured()
    bill = get_visible(Bill.objects.all(), actor, pk=bill_id)
    actor.require_in(bill.customer_id, *PAYERS)
    if provider is None or not pays_online(bill.owner_id):
        raise Refusal.of("checkout.off")
    _close_stale(provider, bill, now)
    checkout = transactions.run(lambda: _attempt(actor, bill, provider, now))
    if checkout.state == CheckoutState.OPEN and checkout.url:
        return checkout.url
    asked = SessionRequest(checkout.key, bill.reference, checkout.amount_fen, back_url, back_url)
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
    live = Checkout.objects.filter(bill=bill, state__in=[each.value for each in LIVE]).first()
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


def _close_stale(provider: PaymentProvider, bill: Bill, now: datetime) -> None:
    """Close an attempt that is old, or over another amount than is open now, after looking whether it was paid meanwhile."""
    live = Checkout.objects.filter(bill=bill, state__in=[each.value for each in LIVE]).first()
    if live is None or (live.amount_fen == open_fen(bill) and now - live.asked_at < FRESH):
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
