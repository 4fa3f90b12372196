"""Drafts that failed and of which something still waits for a document: what was issued some other way since is settled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from billing.bills.services.collecting import billable_charges, billable_fees
from billing.month.models import Draft, DraftLine, DraftState
from billing.settlement.services.statements import statable


def open_line(draft: str = "pk") -> Exists:
    """Whether a line of a draft (``draft``: where its id stands) can still go on a document of its month: what bills and statements take
    themselves decides, so that what is on one, is held back beyond the month or fell away whole is not open."""
    month = OuterRef(OuterRef("month"))
    rows: QuerySet[Any] = DraftLine.objects.filter(draft=OuterRef(draft), held__isnull=True)
    rows = rows.annotate(month=F("draft__run__period_on"))
    charges = billable_charges(month).filter(pk=OuterRef("charge"))
    fees = billable_fees(month).filter(pk=OuterRef("fee"))
    return Exists(rows.filter(Exists(charges) | Exists(fees) | Exists(statable(month).filter(pk=OuterRef("award")))))


def settled_of(drafts: Iterable[Draft]) -> set[int]:
    """Which of some drafts failed and are settled since; one query, none where none failed."""
    failed = [draft.pk for draft in drafts if draft.state == DraftState.FAILED]
    rows = Draft.objects.filter(~open_line(), pk__in=failed)
    return set(rows.values_list("pk", flat=True)) if failed else set()


def without_settled(drafts: QuerySet[Draft]) -> QuerySet[Draft]:
    """Some drafts but those that failed and of which nothing waits any more."""
    return drafts.exclude(Q(~open_line(), state=DraftState.FAILED))
