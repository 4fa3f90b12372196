"""Drafts that failed and of which something still waits for a document: what was issued some other way since is settled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.bills.models import AwardReversal, BillLine
from billing.month.models import Draft, DraftLine, DraftState
from billing.settlement.models import StatementLine
from billing.settlement.period_models import HeldBack


def open_line(draft: str = "pk") -> Exists:
    """Whether a line of a draft (``draft``: where its id stands) stands on no document that counts, is not held back, and did not go back
    whole."""
    rows: QuerySet[Any] = DraftLine.objects.filter(draft=OuterRef(draft), held__isnull=True)
    billed = BillLine.objects.filter(Q(charge=OuterRef("charge")) | Q(fee=OuterRef("fee")), voided=False)
    stated = StatementLine.objects.filter(award=OuterRef("award"))
    things = Q(charge=OuterRef("charge")) | Q(fee=OuterRef("fee")) | Q(award=OuterRef("award"))
    held = HeldBack.objects.filter(things, lifted_at__isnull=True)
    gone = AwardReversal.objects.filter(award=OuterRef("award")).order_by().values("award").annotate(fen=Sum("amount_fen"))
    rows = rows.annotate(gone_fen=Coalesce(gone.values("fen"), 0))
    left = Q(award__isnull=True) | Q(award__total_fen__gt=F("gone_fen"))
    return Exists(rows.filter(left, ~Exists(billed), ~Exists(stated), ~Exists(held)))


def settled_of(drafts: Iterable[Draft]) -> set[int]:
    """Which of some drafts failed and are settled since; one query, none where none failed."""
    failed = [draft.pk for draft in drafts if draft.state == DraftState.FAILED]
    rows = Draft.objects.filter(~open_line(), pk__in=failed)
    return set(rows.values_list("pk", flat=True)) if failed else set()


def without_settled(drafts: QuerySet[Draft]) -> QuerySet[Draft]:
    """Some drafts but those that failed and of which nothing waits any more."""
    return drafts.exclude(Q(~open_line(), state=DraftState.FAILED))
