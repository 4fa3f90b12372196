"""What became of the bills of a month: paid, given up, credited and open are four things, in bills and in fen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.month.rules.drafts import Identity


@dataclass(frozen=True, slots=True)
class Ends:
    """Each bill is counted once: ``credited`` whole, else ``open`` while anything of it is to come, else ``given_up`` if part of it is,
    else ``paid`` with money (or there was nothing to pay). The sums (fen) are of all bills: what was billed, taken back with credit
    notes, came in, was given up, and is to come.
    """

    count: int
    open: int
    paid: int
    given_up: int
    credited: int
    paid_in_part: int
    credited_in_part: int
    billed_fen: int
    taken_back_fen: int
    came_in_fen: int
    given_up_fen: int
    to_come_fen: int

    @property
    def net_fen(self) -> int:
        """What was issued without what was credited of it."""
        return self.billed_fen - self.taken_back_fen

    @property
    def identities(self) -> tuple[Identity, ...]:
        """The equations of the board: every fen that was billed is in one place. Both sides are summed for themselves."""
        return (Identity("bills_ended", self.net_fen, self.came_in_fen + self.given_up_fen + self.to_come_fen),)


_OWED = F("total_fen") - F("credited_fen")
_LEFT = F("net_fen") - F("paid_fen") - F("written_off_fen")
_WHOLE, _OPEN = Q(credited_fen__gt=0, net_fen__lte=0), Q(left_fen__gt=0)
_DONE = ~_WHOLE & Q(left_fen__lte=0)


def ends_of(rows: QuerySet[Any]) -> Ends:
    """What became of some bills that are not void (``rows`` from ``with_standing``); one query."""
    rows = rows.annotate(net_fen=_OWED).annotate(left_fen=_LEFT)
    found = rows.order_by().aggregate(
        count=Count("pk"),
        open=Count("pk", filter=_OPEN),
        paid=Count("pk", filter=_DONE & Q(written_off_fen=0)),
        given_up=Count("pk", filter=_DONE & Q(written_off_fen__gt=0)),
        credited=Count("pk", filter=_WHOLE),
        paid_in_part=Count("pk", filter=Q(paid_fen__gt=0, paid_fen__lt=F("net_fen"))),
        credited_in_part=Count("pk", filter=Q(credited_fen__gt=0, net_fen__gt=0)),
        billed_fen=Coalesce(Sum("total_fen"), 0),
        taken_back_fen=Coalesce(Sum("credited_fen"), 0),
        came_in_fen=Coalesce(Sum("paid_fen"), 0),
        given_up_fen=Coalesce(Sum("written_off_fen"), 0),
        to_come_fen=Coalesce(Sum("left_fen", filter=_OPEN), 0),
    )
    return Ends(**found)
