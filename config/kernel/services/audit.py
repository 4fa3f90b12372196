"""The one way to write the audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model

from config.kernel.access import Actor
from config.kernel.models import AuditEntry

#: Worded by hand: nearly every change writes one.
_RECORD = """
INSERT INTO kernel_auditentry (at, actor_id, actor_name, action, object_type, object_id, before, after, reason)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def record(
    actor: Actor,
    action: str,
    target: Model,
    now: datetime,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Write who did ``action`` to ``target``; call it inside the transaction of the change."""
    label, key = target._meta.label_lower, str(target.pk)
    documents = json.dumps(before or {}), json.dumps(after or {})
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [now, actor.user_id, actor.name[:200], action, label, key, *documents, reason])


def record_many(
    actor: Actor, action: str, model: type[Model], changes: Iterable[tuple[int, dict[str, Any], dict[str, Any]]], now: datetime
) -> None:
    """As ``record`` for many objects of one model at once: (primary key, before, after) of each."""
    AuditEntry.objects.bulk_create(
        (
            AuditEntry(
                at=now,
                actor_id=actor.user_id,
                actor_name=actor.name[:200],
                action=action,
                object_type=model._meta.label_lower,
                object_id=str(pk),
                before=before,
                after=after,
            )
            for pk, before, after in changes
        ),
        batch_size=1000,
    )
