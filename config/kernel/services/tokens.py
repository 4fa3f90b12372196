"""Scoped API tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.models import ApiToken
from config.kernel.services import audit

SCOPES: tuple[str, ...] = ("read", "book", "manage", "settle")
PREFIX = "jishi_"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def issue(actor: Actor, name: str, scopes: list[str], now: datetime, expires_at: datetime | None = None) -> str:
    """Create a token and return its key, which is never shown again. Raises Refusal on unknown scopes."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise Refusal.of("tokens.unknown_scopes", field="scopes", unknown=unknown, known=list(SCOPES))
    key = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user_id=actor.person_id,
        name=name,
        key_sha256=digest(key),
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=expires_at,
    )
    audit.record(actor, "token.issue", token, now, after={"name": name, "scopes": token.scopes})
    return key


def revoke(actor: Actor, token: ApiToken, now: datetime) -> None:
    """Make the token useless at once."""
    token.revoked_at = now
    token.save(update_fields=["revoked_at"])
    audit.record(actor, "token.revoke", token, now)
