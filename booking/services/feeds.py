"""The links with which people follow their bookings in their own calendar programs."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db.models import Q

from booking.models import FeedKind, FeedToken
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Forbidden, Refusal
from config.kernel.services import audit
from config.kernel.services.tokens import digest
from config.kernel.services.transactions import whole
from instruments.rules.names import clean_name
from instruments.services.people import one_at_a_time

MAX_VALID = 20


@whole
def issue_feed(
    actor: Actor, kind: str, name: str, now: datetime, expires_at: datetime | None = None, lab_id: int | None = None
) -> tuple[FeedToken, str]:
    """A new link of the actor and the key in it (256 bits), which is shown this once; ``lab_id`` narrows a lab's link to one lab.

    Raises Forbidden ``access.login_needed`` / ``feeds.lab_only``, Refusal ``name.*``, ``feeds.kind_unknown``,
    ``tokens.expires_in_past``, ``feeds.too_many``, ``feeds.lab_not_yours``.
    """
    user_id = one_at_a_time(actor)
    if kind not in FeedKind.values:
        raise Refusal.of("feeds.kind_unknown", "kind")
    if kind == FeedKind.LAB and not actor.has(Role.LAB_MANAGER):
        raise Forbidden.of("feeds.lab_only", "kind")
    if lab_id is not None and (kind != FeedKind.LAB or lab_id not in actor.organisations(Role.LAB_MANAGER)):
        raise Refusal.of("feeds.lab_not_yours", "lab")
    clean = clean_name(name, 100, "name")
    if expires_at is not None and expires_at <= now:
        raise Refusal.of("tokens.expires_in_past", "expires_at")
    if visible_to(FeedToken.objects.filter(_valid(now)), actor).count() >= MAX_VALID:
        raise Refusal.of("feeds.too_many", maximum=MAX_VALID)
    key = secrets.token_urlsafe(32)
    made = FeedToken.objects.create(
        user_id=user_id, kind=kind, lab_id=lab_id, name=clean, key_sha256=digest(key), created_at=now, expires_at=expires_at
    )
    audit.record(actor, "feed.issue", made, now, after={"name": clean, "kind": kind, "lab": lab_id})
    return made, key


@whole
def revoke_feed(actor: Actor, feed_id: int, now: datetime) -> FeedToken:
    """Make one of the actor's links useless at once; a revoked one stays as it is. Raises NotFound."""
    found = get_visible(FeedToken.objects.select_for_update(no_key=True), actor, pk=feed_id)
    if found.revoked_at is None:
        found.revoked_at = now
        found.save(update_fields=["revoked_at"])
        audit.record(actor, "feed.revoke", found, now)
    return found


def feed_by_key(key: str, now: datetime) -> FeedToken | None:
    """The link that the key opens, with its person; none when it is unknown, revoked, over, or the person may not log in.

    It is found by its digest, so how long that takes says nothing about other keys.
    """
    rows = FeedToken.objects.filter(_valid(now), user__is_active=True).select_related("user")
    return rows.filter(key_sha256=digest(key)).first()


def _valid(now: datetime) -> Q:
    return Q(revoked_at__isnull=True) & (Q(expires_at__isnull=True) | Q(expires_at__gt=now))
