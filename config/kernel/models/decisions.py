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


def declared_decided(name: str, yes: str) -> list[models.CheckConstraint]:
    """The same of what is declared (``declared_by``) and decided with a yes or no in the column ``yes``: decided whole, by another person,
    and a no says why (``reason``)."""
    columns = ("decided_at", "decided_by", yes)
    open_, done = (Q(**{f"{each}__isnull": empty for each in columns}) for empty in (True, False))
    return [
        models.CheckConstraint(condition=open_ | done, name=f"{name}_decided_whole"),
        models.CheckConstraint(condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("declared_by")), name=f"{name}_two_people"),
        models.CheckConstraint(condition=~Q(**{yes: False}) | ~Q(reason=""), name=f"{name}_refusal_says_why"),
    ]


def declared_once(name: str, yes: str) -> list[pgtrigger.Trigger]:
    """Nothing but the decision about what is declared is written later, and that once; no row goes."""
    return [
        pgtrigger.ReadOnly(name=f"{name}_frozen", exclude=["decided_by", "decided_at", yes, "reason"]),
        pgtrigger.Protect(
            name=f"{name}_decided_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__decided_at__isnull=False)
        ),
        pgtrigger.Protect(name=f"{name}_kept", operation=pgtrigger.Delete),
        no_truncate(f"{name}_no_truncate"),
    ]
