"""Whether the office was asked for an award's money. Claims lie above bills, so that their lines are reached by name."""

from __future__ import annotations

from django.apps import apps
from django.db.models import Exists, OuterRef

#: States of a claim in which nobody is asked for anything; the guard of a void repeats them (``guards.VOID_UNTOUCHED``).
NOT_ASKED = ("draft", "rejected", "withdrawn")


def handed_in() -> Exists:
    """Whether an award (the outer row) stands on a claim that was handed in and has not ended without money."""
    lines = apps.get_model("billing", "ClaimLine")._default_manager
    standing = lines.filter(award_id=OuterRef("pk"), kind="award", standing__in=("included", "excluded"))
    return Exists(standing.exclude(claim__state__in=NOT_ASKED))
