"""What a provider tells us: written down once and answered at once; the worker then asks for the object itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from billing.bills.services.issuing import checked_reason
from billing.payments.models import ProviderEvent
from billing.payments.provider import NotThere, PaymentProvider, ProviderError, UnknownObject, configured
from billing.payments.rules.provider import EventHead, foreign_event
from billing.payments.rules.states import EventState
from billing.payments.services import settling
from config.kernel.access import Actor, Role
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.jobs import defer_once

TASK = "billing.handle_provider_event"
QUEUE = "payments"
MOST_TRIES = 10
#: The waits between tries are the powers of this many seconds: 4, 16, 64, ... (three days before the last).
WAIT = 4
#: An event that waits longer than this has lost its job.
STALE = timedelta(minutes=5)
#: What we listen to; anything else is ignored.
KINDS = ("checkout.session.", "payment_intent.", "charge.", "refund.")

_INSERT = """
INSERT INTO billing_providerevent (provider, event_ref, kind, object_ref, account_ref, live, happened_at, received_at, state, tries, note)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'waiting', 0, '') ON CONFLICT (provider, event_ref) DO NOTHING RETURNING id
"""


def receive(provider: PaymentProvider, head: EventHead, now: datetime) -> bool:
    """Write an event down with its job; False where it was known. One short transaction."""
    values: list[Any] = [provider.code, head.ref[:255], head.kind[:100], head.object_ref[:255], head.account_ref[:255], head.live]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [*values, head.happened_at, now])
            inserted = cursor.fetchone()
        if inserted is None:
            return False
        queue(inserted[0])
    return True


def job_name(event_id: int) -> str:
    """What the job of an event is called."""
    return f"provider_event:{event_id}"


def queue(event_id: int) -> None:
    """One job for an event."""
    name = job_name(event_id)
    defer_once(TASK, name, queue=QUEUE, lock=name, event_id=event_id)


def handle(event_id: int, now: datetime) -> None:
    """Look at the object of an event and apply what it is now; nothing where that was done.

    Raises ProviderError when the provider cannot be asked, or one of the two sides does not know the object: news may come before what it
    is about. The queue then tries again, after longer and longer waits; after ``MOST_TRIES`` the event is given up.
    """
    event = ProviderEvent.objects.get(pk=event_id)
    if event.state != EventState.WAITING:
        return
    provider = configured()
    if provider is None:
        _end(event, EventState.IGNORED, "provider.off", now)
        return
    try:
        state, note = _look(provider, event, now)
    except ProviderError as error:
        _tried(event, error, now)
        raise
    _end(event, state, note, now)


def _look(provider: PaymentProvider, event: ProviderEvent, now: datetime) -> tuple[EventState, str]:
    head = EventHead(event.event_ref, event.kind, event.object_ref, event.account_ref, event.live, event.happened_at)
    foreign = foreign_event(head, provider.account_ref, provider.live)
    if foreign:
        return EventState.QUARANTINED, foreign
    if not event.kind.startswith(KINDS):
        return EventState.IGNORED, ""
    try:
        session_ref = provider.session_of(event.object_ref)
    except UnknownObject:
        return EventState.QUARANTINED, "provider.unknown_object"
    if not session_ref:
        return EventState.IGNORED, ""
    facts = provider.fetch(session_ref)
    outcome = settling.apply(provider, facts, now)
    if outcome == "done":
        return EventState.DONE, ""
    if outcome == "unknown":
        if facts.key:
            raise ProviderError("provider.unknown_key", for_good=False)
        return EventState.IGNORED, ""
    return EventState.QUARANTINED, outcome


def _end(event: ProviderEvent, state: EventState, note: str, now: datetime) -> None:
    rows = ProviderEvent.objects.filter(pk=event.pk, state=EventState.WAITING)
    rows.update(state=state.value, note=note, handled_at=now, tries=event.tries + 1)


def _tried(event: ProviderEvent, error: ProviderError, now: datetime) -> None:
    tries = event.tries + 1
    dead = tries >= MOST_TRIES or (error.for_good and not isinstance(error, NotThere))
    changes = {"state": EventState.DEAD.value, "handled_at": now} if dead else {}
    ProviderEvent.objects.filter(pk=event.pk, state=EventState.WAITING).update(tries=tries, note=error.code, **changes)


def again(actor: Actor, event_id: int, now: datetime) -> None:
    """Look at an event again that was given up or put into quarantine. Raises Forbidden, NotFound, Refusal ``provider.event_done``."""
    actor.require(Role.OPERATOR)

    def work() -> None:
        event = ProviderEvent.objects.filter(pk=event_id).first()
        if event is None:
            raise NotFound.of("access.not_found", model="providerevent")
        stopped = [EventState.DEAD.value, EventState.QUARANTINED.value]
        rows = ProviderEvent.objects.filter(pk=event_id, state__in=stopped)
        if rows.update(state=EventState.WAITING.value, tries=0, handled_at=None) != 1:
            raise Refusal.of("provider.event_done")
        audit.record(actor, "payment.event_again", event, now)
        queue(event_id)

    transactions.run(work)


def close(actor: Actor, event_id: int, reason: str, now: datetime) -> None:
    """Say that nothing is to be done about an event that was given up or put into quarantine, and why (kept in the audit trail).

    Raises Forbidden, NotFound, Refusal ``provider.event_done`` / ``bill.reason_*``.
    """
    actor.require(Role.OPERATOR)
    text = checked_reason(reason)

    def work() -> None:
        event = ProviderEvent.objects.filter(pk=event_id).first()
        if event is None:
            raise NotFound.of("access.not_found", model="providerevent")
        rows = ProviderEvent.objects.filter(pk=event_id, state__in=[EventState.DEAD.value, EventState.QUARANTINED.value])
        if rows.update(state=EventState.DONE.value, handled_at=now) != 1:
            raise Refusal.of("provider.event_done")
        audit.record(actor, "payment.event_close", event, now, reason=text)

    transactions.run(work)


def requeue_stale(now: datetime) -> int:
    """Queue what waits without a job; returns how many."""
    stale = ProviderEvent.objects.filter(state=EventState.WAITING, received_at__lt=now - STALE).order_by("pk")
    found = list(stale.values_list("pk", flat=True)[:500])
    for event_id in found:
        queue(event_id)
    return len(found)
