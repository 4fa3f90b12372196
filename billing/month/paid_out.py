"""What of settlement statements is paid: their awards stand on claims, and claims are paid by payment lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.bills.models import AwardReversal
from billing.claims.models import ClaimLine
from billing.claims.rules.states import ClaimState
from billing.claims.rules.totals import LineKind, Standing
from billing.settlement.models import Statement, StatementLine

#: What a line of a statement waits for while its claim stands so, as a code that says also who has to act.
WAITS: Mapping[ClaimState, str] = {
    ClaimState.DRAFT: "payee_hands_in",
    ClaimState.SENT_BACK: "payee_completes",
    ClaimState.SUBMITTED: "office_closes_batch",
    ClaimState.IN_REVIEW: "office_reviews",
    ClaimState.PASSED: "office_publicises",
    ClaimState.PUBLICISED: "office_approves",
    ClaimState.APPROVED: "office_lists",
    ClaimState.PARTLY_PAID: "office_lists",
    ClaimState.PAYMENT_FAILED: "office_lists",
    ClaimState.LISTED: "treasury_pays",
}
#: Of awards that stand on no claim.
NOT_CLAIMED = "office_gathers"


@dataclass(frozen=True, slots=True)
class PaidOut:
    """``paid``: the statements of which nothing waits any more. ``waits``: how many statements wait for what, in the order of the way
    (one may wait for several things)."""

    paid: QuerySet[Statement]
    waits: tuple[tuple[str, int], ...]


def paid_out(rows: QuerySet[Statement]) -> PaidOut:
    """What is paid of some statements. One query, and what is asked of ``paid``."""
    waiting = _waiting(StatementLine.objects.filter(statement=OuterRef("pk")))
    found: dict[str, int] = {}
    states = _waiting(StatementLine.objects.filter(statement__in=rows)).values("claim_state").order_by()
    for state, count in states.annotate(statements=Count("statement", distinct=True)).values_list("claim_state", "statements"):
        code = NOT_CLAIMED if state is None else WAITS[ClaimState(state)]
        found[code] = found.get(code, 0) + count
    order = dict.fromkeys((NOT_CLAIMED, *WAITS.values()))
    return PaidOut(
        rows.filter(~Exists(waiting)),
        tuple((code, found[code]) for code in order if code in found),
    )


def _waiting(lines: QuerySet[StatementLine]) -> QuerySet[Any]:
    """Those of which something is to be paid still, with the state of their claim (None: on no claim). What went back whole, because it
    was left out or credited, waits for nothing."""
    on = ClaimLine.objects.filter(
        award_id=OuterRef("award_id"), kind=LineKind.AWARD, standing__in=(Standing.INCLUDED, Standing.EXCLUDED)
    )
    back = AwardReversal.objects.filter(award_id=OuterRef("award_id")).order_by().values("award_id")
    gone = Coalesce(Subquery(back.annotate(fen=Sum("amount_fen")).values("fen")), 0)
    rows = lines.annotate(claim_state=Subquery(on.values("claim__state")[:1]), gone_fen=gone)
    unpaid = Q(claim_state__isnull=True) | Q(claim_state__in=[state.value for state in WAITS])
    return rows.filter(unpaid, award__total_fen__gt=F("gone_fen"))
