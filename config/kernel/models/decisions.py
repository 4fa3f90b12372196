"""What one person asks for (``asked_by``, ``state`` is ``asked``) and another one grants or refuses (``decided_by``, ``decided_at``,
``answer``): what the database holds of such rows."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from config.kernel.models.guards import no_truncate

ASKED = "asked"


def two_people(name: str, granted: str) -> list[models.CheckConstraint]:
    """Who decided and when stand with what is decided, and nobody grants what they asked for. ``granted``: the state that says so."""
    return [
        models.CheckConstraint(
            condition=Q(state=ASKED, decided_by__isnull=True, decided_at__isnull=True)
            | (~Q(state=ASKED) & Q(decided_by__isnull=False, decided_at__isnull=False)),
            name=f"{name}_decided_by_somebody",
        ),
        models.CheckConstraint(condition=~Q(state=granted) | ~Q(decided_by=F("asked_by")), name=f"{name}_two_people"),
    ]


def decided_once(name: str) -> list[pgtrigger.Trigger]:
    """Nothing but the decision is written later, and that once; no row goes."""
    return [
        pgtrigger.ReadOnly(name=f"{name}_frozen", exclude=["state", "decided_by", "decided_at", "answer"]),
        pgtrigger.Protect(name=f"{name}_decided_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__state=ASKED)),
        pgtrigger.Protect(name=f"{name}_kept", operation=pgtrigger.Delete),
        no_truncate(f"{name}_no_truncate"),
    ]
