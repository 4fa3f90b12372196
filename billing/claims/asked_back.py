"""Whether what a claw-back notice asks for is asked for at all: of a claim that ended, or a line that was left out, no money was or will be
given, so none comes back."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from billing.claims.models import ClaimLine, Clawback
from billing.claims.rules.states import ENDS
from billing.claims.rules.totals import LineKind, Standing


def still_claimed() -> Exists:
    """Of a row of ``Clawback``: its claim goes on, and the line that it is about counts."""
    lines = ClaimLine.objects.filter(kind=LineKind.AWARD, standing=Standing.INCLUDED).exclude(claim__state__in=ENDS)
    return Exists(lines.filter(claim_id=OuterRef("claim_id"), award_id=OuterRef("award_id")))


def is_asked_back(notice: Clawback) -> bool:
    """The same of one notice; one query."""
    return Clawback.objects.filter(still_claimed(), pk=notice.pk).exists()
