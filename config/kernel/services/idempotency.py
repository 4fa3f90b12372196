"""One effect per key, however often the same call arrives.

The key's row is inserted first, inside the transaction of the effect: a second call with the same key waits for the first one
to commit, then finds its stored result. The same key with another payload is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from config.kernel.access import Actor
from config.kernel.errors import Refusal
from config.kernel.models import IdempotencyRecord
from config.kernel.statements import planned_once

KEEP = timedelta(days=7)


def fingerprint(payload: Any) -> str:
    """SHA-256 of the payload's canonical JSON."""
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def once(
    actor: Actor, route: str, key: str, payload: Any, now: datetime, effect: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Run ``effect`` at most once for (actor, route, key) and return (its JSON-able result, whether it was a replay).

    Raises Refusal ``idempotency.key_missing`` / ``idempotency.key_unreadable`` / ``idempotency.key_too_long`` /
    ``idempotency.other_payload``. A refused effect leaves no record, so that the call can be mended and sent again under the
    same key.
    """
    if not key:
        raise Refusal.of("idempotency.key_missing", field="Idempotency-Key")
    if not (key.isascii() and key.isprintable()):
        raise Refusal.of("idempotency.key_unreadable", field="Idempotency-Key")
    if len(key) > 255:
        raise Refusal.of("idempotency.key_too_long", field="Idempotency-Key", max_length=255)
    mark = fingerprint(payload)
    with transaction.atomic(savepoint=False):
        with planned_once() as cursor:
            cursor.execute(
                "INSERT INTO kernel_idempotencyrecord (actor_id, route, key, fingerprint, result, created_at)"
                " VALUES (%s, %s, %s, %s, NULL, %s) ON CONFLICT (actor_id, route, key) DO NOTHING RETURNING id",
                [actor.user_id, route, key, mark, now],
            )
            inserted = cursor.fetchone()
        if inserted is None:
            return _replay(actor, route, key, mark), True
        result = effect()
        with planned_once() as cursor:
            cursor.execute("UPDATE kernel_idempotencyrecord SET result = %s WHERE id = %s", [json.dumps(result), inserted[0]])
        return result, False


def _replay(actor: Actor, route: str, key: str, mark: str) -> dict[str, Any]:
    known = IdempotencyRecord.objects.get(actor_id=actor.user_id, route=route, key=key)
    if known.fingerprint != mark:
        raise Refusal.of("idempotency.other_payload", field="Idempotency-Key")
    return dict(known.result or {})


def forget_old(now: datetime) -> int:
    """Delete records older than the time we promise to keep them; returns how many."""
    return IdempotencyRecord.objects.filter(created_at__lt=now - KEEP).delete()[0]
