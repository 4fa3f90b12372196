"""A lab's other calendars: added, paused and removed by its managers. What they say is read by ``subscription_refresh``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from booking.models import CalendarSubscription
from booking.services import subscription_news
from booking.services.subscription_refresh import settle
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit, outbound
from config.kernel.services.jobs import defer_once
from config.kernel.services.transactions import whole
from instruments.rules.names import clean_name
from instruments.services import schedule_store
from instruments.services.instrument_changes import managed_instrument, require_manager

TASK = "booking.refresh_subscription"
LOCK = "outbound"
"""One address is read at a time, so that slow servers never keep all workers from the mail."""
MAX_A_CALENDAR = 10


@whole
def subscribe(actor: Actor, instrument_id: int, address: str, title: str, now: datetime) -> CalendarSubscription:
    """Have the calendar at ``address`` block time on this instrument; it is read by a job right away.

    Raises NotFound, Forbidden, Refusal ``name.*``, ``outbound.*``, ``subscriptions.known``, ``subscriptions.too_many``.
    """
    instrument = managed_instrument(actor, instrument_id)
    title = clean_name(title, 200, field="title")
    target = outbound.destination(address.strip())
    schedule_store.lock_calendars([instrument.calendar_id])
    others = CalendarSubscription.objects.filter(calendar_id=instrument.calendar_id)
    if others.filter(address=target.url).exists():
        raise Refusal.of("subscriptions.known", "address")
    if others.count() >= MAX_A_CALENDAR:
        raise Refusal.of("subscriptions.too_many", maximum=MAX_A_CALENDAR)
    made = CalendarSubscription.objects.create(
        calendar_id=instrument.calendar_id,
        instrument=instrument,
        title=title,
        address=target.url,
        created_by_id=actor.person_id,
        created_at=now,
        due_at=now,
    )
    audit.record(actor, "subscription.create", made, now, after=_told(made, host=target.host))
    defer_refresh(made.pk)
    return made


@whole
def refresh_now(actor: Actor, subscription_id: int, now: datetime) -> CalendarSubscription:
    """Read it as soon as a worker is free, whenever it is due. Raises NotFound, Refusal ``subscriptions.paused``."""
    subscription = _managed(actor, subscription_id)
    if not subscription.enabled:
        raise Refusal.of("subscriptions.paused")
    CalendarSubscription.objects.filter(pk=subscription.pk).update(due_at=now)
    defer_refresh(subscription.pk)
    return subscription


@whole
def set_enabled(actor: Actor, subscription_id: int, enabled: bool, now: datetime) -> CalendarSubscription:
    """Pause it, which frees the time that it takes, or go on. Raises NotFound, Conflict."""
    subscription = _managed(actor, subscription_id)
    if subscription.enabled != enabled:
        before, subscription.enabled = _told(subscription), enabled
        subscription.due_at, subscription.failures = now, 0
        subscription.save(update_fields=["enabled", "due_at", "failures"])
        if not enabled:
            subscription_news.forget(subscription, now)
        settle(subscription.calendar_id, now)
        audit.record(actor, "subscription.switch", subscription, now, before=before, after=_told(subscription))
        if enabled:
            defer_refresh(subscription.pk)
    return subscription


@whole
def remove(actor: Actor, subscription_id: int, now: datetime) -> CalendarSubscription:
    """Forget it; the time that it takes from now on becomes free. Raises NotFound."""
    subscription = _managed(actor, subscription_id)
    audit.record(actor, "subscription.remove", subscription, now, before=_told(subscription))
    subscription_news.forget(subscription, now)
    CalendarSubscription.objects.filter(pk=subscription.pk).delete()
    settle(subscription.calendar_id, now)
    return subscription


def defer_refresh(subscription_id: int) -> None:
    """Queue the reading of one subscription, unless it waits already."""
    defer_once(TASK, f"{TASK}-{subscription_id}", lock=LOCK, subscription_id=subscription_id)


def _managed(actor: Actor, subscription_id: int) -> CalendarSubscription:
    """The subscription behind its calendar's lock."""
    found = get_visible(CalendarSubscription.objects.select_related("instrument"), actor, pk=subscription_id)
    require_manager(actor, found.instrument.organisation_id)
    schedule_store.lock_calendars([found.calendar_id])
    rows = CalendarSubscription.objects.select_related("instrument").select_for_update(of=("self",), no_key=True)
    return get_visible(rows, actor, pk=subscription_id)


def _told(subscription: CalendarSubscription, **more: Any) -> dict[str, Any]:
    """What the audit trail keeps: the address itself may be a secret."""
    return {
        "title": subscription.title,
        "calendar": subscription.calendar_id,
        "enabled": subscription.enabled,
        **more,
    }
