"""What pages and API read of news, of the mail log and of webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Forbidden
from instruments.models import (
    ChannelAddress,
    Delivery,
    Notice,
    NoticeSettings,
    Organisation,
    Webhook,
    WebhookDelivery,
)

MOST_COUNTED = 100
"""The bell says 99+ above; counting further would read more the longer nobody looks."""


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """``show``: all, unread, or action (somebody waits). ``group``: one group's code, or empty."""

    show: str = "all"
    group: str = ""


def my_notices(actor: Actor, wanted: NoticeFilter = NoticeFilter()) -> QuerySet[Notice]:
    """The actor's, newest first."""
    rows = visible_to(Notice.objects.all(), actor)
    if wanted.show == "unread":
        rows = rows.filter(read_at=None)
    elif wanted.show == "action":
        rows = rows.filter(needs_action=True)
    if wanted.group:
        rows = rows.filter(group=wanted.group)
    return rows.order_by("-pk")


def my_notice(actor: Actor, notice_id: int) -> Notice:
    """Raises NotFound."""
    return get_visible(Notice.objects.all(), actor, pk=notice_id)


def unread(actor: Actor) -> QuerySet[Notice]:
    """Those that are not read, ``MOST_COUNTED`` at most, in no order."""
    return visible_to(Notice.objects.filter(read_at=None), actor).order_by()[:MOST_COUNTED]


def unread_count(actor: Actor) -> int:
    """At most ``MOST_COUNTED``: one statement on a partial index."""
    return unread(actor).count()


def my_settings(actor: Actor) -> NoticeSettings | None:
    """None while the defaults hold."""
    return visible_to(NoticeSettings.objects.all(), actor).first()


def my_addresses(actor: Actor) -> dict[str, ChannelAddress]:
    """By channel."""
    return {one.channel: one for one in visible_to(ChannelAddress.objects.all(), actor)}


# --- The log ----------------------------------------------------------------------------------------------------------
def may_read_log(actor: Actor) -> bool:
    """Whether there is a log for the actor."""
    return actor.has(Role.OPERATOR, Role.LAB_MANAGER)


def mail_log(actor: Actor, state: str = "", text: str = "") -> QuerySet[Delivery]:
    """Newest first, without any text that was sent. ``text``: a part of an address or a name. Raises Forbidden."""
    if not may_read_log(actor):
        raise Forbidden.of("access.role_needed", roles=[Role.OPERATOR.value, Role.LAB_MANAGER.value])
    rows = visible_to(Delivery.objects.select_related("user", "notice").defer("content"), actor)
    if state:
        rows = rows.filter(state=state)
    if text:
        rows = rows.filter(Q(address__icontains=text) | Q(user__email__icontains=text) | Q(user__full_name__icontains=text))
    return rows.order_by("-pk")


def log_states(actor: Actor) -> dict[str, int]:
    """How many deliveries are in each state."""
    rows = visible_to(Delivery.objects.all(), actor).order_by().values("state").annotate(number=Count("pk"))
    return {row["state"]: row["number"] for row in rows}


# --- Webhooks ---------------------------------------------------------------------------------------------------------
def webhooks_of(actor: Actor, organisation: Organisation) -> list[Webhook]:
    """The organisation's, oldest first."""
    rows = Webhook.objects.filter(organisation=organisation, removed_at=None)
    return list(visible_to(rows, actor).order_by("pk"))


def webhook_for(actor: Actor, webhook_id: int) -> Webhook:
    """Raises NotFound."""
    return get_visible(Webhook.objects.select_related("organisation").filter(removed_at=None), actor, pk=webhook_id)


def webhook_log(actor: Actor, webhook: Webhook) -> QuerySet[WebhookDelivery]:
    """Newest first."""
    rows: QuerySet[Any] = visible_to(WebhookDelivery.objects.filter(webhook=webhook), actor)
    return rows.order_by("-pk")


def webhook_delivery_for(actor: Actor, delivery_id: int) -> WebhookDelivery:
    """Raises NotFound."""
    return get_visible(WebhookDelivery.objects.all(), actor, pk=delivery_id)
