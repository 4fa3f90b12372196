"""A person's saved searches."""

from __future__ import annotations

from django.db.models import QuerySet

from config.kernel.access import Actor, visible_to
from instruments.models import SavedSearch


def my_searches(actor: Actor) -> QuerySet[SavedSearch]:
    """Mine, the newest first."""
    return visible_to(SavedSearch.objects.all(), actor).order_by("-created_at", "-pk")
