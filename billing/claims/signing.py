"""Who may sign payment lists next: page, service, work list and notices ask here, and the database repeats it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.models import Q

from billing.claims.models import ClaimStep, PaymentList
from billing.claims.rules.states import Part, kept_from_list

_LIST = "claim__payment_lines__payment_list"


class Signers:
    """Who of some people may sign which of some lists next. One query."""

    def __init__(self, lists: Sequence[PaymentList], people: Collection[int | None]) -> None:
        known = {pk for pk in people if pk is not None}
        waiting = Q(pk__in=())
        for part in (Part.REVIEWER, Part.APPROVER):
            ids = [row.pk for row in lists if row.next_part is part]
            waiting |= Q(**{f"{_LIST}__in": ids, "event__in": sorted(kept_from_list(part))})
        steps = ClaimStep.objects.filter(waiting & (Q(actor__in=known) | Q(behalf__in=known))).order_by()
        self._kept = {row.pk: set(row.had_part) for row in lists}
        for list_id, *who in steps.values_list(_LIST, "actor_id", "behalf_id").distinct():
            self._kept[list_id].update(pk for pk in who if pk is not None)

    def is_free(self, row: PaymentList, *people: int | None) -> bool:
        """Whether a list waits for a signature that somebody may give who acts for these (themselves, and for whom they stand in): its
        maker, reviewer and approver are three people, and none of them claimed, nor is the last one of those who prepared a claim on it."""
        return row.next_part is not None and not self._kept[row.pk] & set(people)


def is_free(row: PaymentList, *people: int | None) -> bool:
    """The same of one list."""
    return Signers([row], people).is_free(row, *people)
