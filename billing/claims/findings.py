"""Findings of money paid too much that wait for the office. Pages, API, notices and services read the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BigIntegerField, Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.bills.models import ReversalCause
from billing.claims.models import Claim, ClaimLine, Clawback
from billing.claims.recheck_models import RecheckFinding
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.services.office import OFFICE, Right, right_of
from billing.claims.services.reversing import left_by_payer
from config.kernel.access import Actor, visible_to


def waiting() -> QuerySet[Any]:
    """The findings that wait, the oldest first: the latest of a claim of a sample, of money paid too much, that nobody has answered; with
    ``due_fen``, what of it no re-check of the claim, of whichever sample or none, has clawed back yet, and ``finders``, who found something
    of the claim."""
    later = RecheckFinding.objects.filter(item=OuterRef("item"), position__gt=OuterRef("position"))
    back = Clawback.objects.filter(claim=OuterRef("item__claim"), cause=ReversalCause.RECHECK).order_by().values("claim")
    taken = Coalesce(Subquery(back.annotate(fen=Sum("total_fen")).values("fen")), 0, output_field=BigIntegerField())
    found_by = RecheckFinding.objects.filter(item__claim=OuterRef("item__claim")).order_by("recorded_by")
    rows = RecheckFinding.objects.filter(~Exists(later), answer__isnull=True, difference_fen__gt=0)
    rows = rows.annotate(due_fen=F("difference_fen") - taken, finders=ArraySubquery(found_by.values("recorded_by").distinct()))
    return (
        rows.filter(due_fen__gt=0).select_related("item__sample", "item__claim__batch__programme", "recorded_by").order_by("pk")
    )


def is_apart(finding: Any, people: Iterable[int | None]) -> bool:
    """Whether none of some people found something of the claim of a finding from ``waiting``."""
    return not set(finding.finders) & set(people)


def mine(actor: Actor, now: datetime) -> list[Any]:
    """The findings that wait for the actor, who does it at an office in their own right or stands in; one query, and one for each office
    where they may stand in."""
    if not actor.has(*OFFICE):
        return []
    rights: dict[int | None, Right | None] = {}
    found = []
    for finding in visible_to(waiting(), actor):
        office_id = finding.item.claim.batch.programme.issuer_id
        if office_id not in rights:
            rights[office_id] = right_of(actor, office_id, OFFICE, now)
        right = rights[office_id]
        if right is not None and is_apart(finding, right.people(actor)):
            found.append(finding)
    return found


def of_claim(actor: Actor, claim: Claim) -> list[Any]:
    """Those of a claim that the actor may read."""
    return list(visible_to(waiting().filter(item__claim=claim), actor))


def left_by_line(claim: Claim) -> dict[int, int]:
    """What is left of the awards of a claim's lines that count (fen), by position."""
    lines = ClaimLine.objects.filter(claim=claim, kind=LineKind.AWARD, standing=Standing.INCLUDED).select_related("award")
    rows = lines.prefetch_related("award__reversals").order_by("position")
    return {line.position: sum(left_by_payer(line.award).values()) for line in rows}
