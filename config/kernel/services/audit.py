"""The one way to write the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Model

from config.kernel.access import Actor
from config.kernel.models import AuditEntry


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
    AuditEntry.objects.create(
        at=now,
        actor_id=actor.user_id,
        actor_name=actor.name[:200],
        action=action,
        object_type=target._meta.label_lower,
        object_id=str(target.pk),
        before=before or {},
        after=after or {},
        reason=reason,
    )


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
