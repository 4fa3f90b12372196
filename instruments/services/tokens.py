"""A person's keys to the API."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from config.kernel.access import Actor, get_visible, visible_to
from config.kernel.errors import Refusal
from config.kernel.models import ApiToken
from config.kernel.services import tokens
from config.kernel.services.transactions import whole
from instruments.rules.names import clean_name
from instruments.services.organisations import require_person

MAX_VALID = 20


@whole
def issue_token(
    actor: Actor, name: str, scopes: list[str], now: datetime, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token of the actor and its key, which is shown this once.

    Raises Forbidden ``access.login_needed``, Refusal ``name.*``, ``tokens.unknown_scopes``, ``tokens.expires_in_past``,
    ``tokens.too_many``.
    """
    require_person(actor)
    clean = clean_name(name, 100, "name")
    if expires_at is not None and expires_at <= now:
        raise Refusal.of("tokens.expires_in_past", field="expires_at")
    valid = Q(revoked_at__isnull=True) & (Q(expires_at__isnull=True) | Q(expires_at__gt=now))
    if visible_to(ApiToken.objects.filter(valid), actor).count() >= MAX_VALID:
        raise Refusal.of("tokens.too_many", maximum=MAX_VALID)
    key = tokens.issue(actor, clean, scopes, now, expires_at)
    return ApiToken.objects.get(key_sha256=tokens.digest(key)), key


@whole
def revoke_token(actor: Actor, token_id: int, now: datetime) -> ApiToken:
    """Make one of the actor's tokens useless at once; a revoked one stays as it is. Raises NotFound."""
    token = get_visible(ApiToken.objects.select_for_update(no_key=True), actor, pk=token_id)
    if token.revoked_at is None:
        tokens.revoke(actor, token, now)
    return token
