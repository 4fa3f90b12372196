"""What of settlement statements is paid: their awards stand on claims, and claims are paid by payment lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.bills.models import AwardReversal
from billing.claims.models import Claim, ClaimLine, Payout
from billing.claims.rules.payers import left
from billing.claims.rules.states import ClaimState
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.services.paying import shares_of
from billing.month.rules.came_of import CameOf, ClaimSums
from billing.month.rules.came_of import came_of as amounts
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


def came_of_each(rows: Iterable[Statement]) -> dict[int, CameOf]:
    """What became of each of some statements that are read already, by id; six queries at most, however many there are."""
    return _came_of({each.pk: each.total_fen for each in rows})


def came_of(rows: QuerySet[Statement]) -> dict[int, CameOf]:
    """The same of statements that need not be read for it; one query more."""
    return _came_of(dict(rows.order_by().values_list("pk", "total_fen")))


def _came_of(issued: Mapping[int, int]) -> dict[int, CameOf]:
    statement = "award__statement_line__statement_id"
    back = AwardReversal.objects.filter(claimed=True, **{f"{statement}__in": issued}).order_by().values(statement)
    taken_back = dict(back.annotate(fen=Sum("amount_fen")).values_list(statement, "fen"))
    return amounts(issued, taken_back, _claims_of(issued))


def _claims_of(statement_ids: Collection[int]) -> list[ClaimSums]:
    """The claims of which lines stand on some statements and something was recorded."""
    statement = "award__statement_line__statement_id"
    award_lines = ClaimLine.objects.filter(kind=LineKind.AWARD, standing=Standing.INCLUDED).order_by()
    mine = award_lines.filter(**{f"{statement}__in": statement_ids}, claim__payment_lines__payout__isnull=False)
    ids = set(mine.values_list("claim_id", flat=True))
    claimed: dict[int, dict[int, int]] = {pk: {} for pk in ids}
    sums = award_lines.filter(claim_id__in=ids).values("claim_id", statement).annotate(fen=Sum("amount_fen"))
    for claim_id, statement_id, fen in sums.values_list("claim_id", statement, "fen"):
        claimed[claim_id][statement_id or 0] = fen
    payouts = Payout.objects.filter(line__claim__in=ids).order_by().values("line__claim_id").annotate(fen=Sum("paid_fen"))
    paid = dict(payouts.values_list("line__claim_id", "fen"))
    failed = _failed(ids)
    return [ClaimSums(shares, paid.get(pk, 0), failed.get(pk, 0)) for pk, shares in claimed.items()]


def _failed(claim_ids: Collection[int]) -> dict[int, int]:
    """What of claims a payer was to pay, did not whole, and has on no list again (fen), by id."""
    partly = [ClaimState.PARTLY_PAID.value, ClaimState.PAYMENT_FAILED.value]
    found: dict[int, int] = {}
    for claim, shared in shares_of(Claim.objects.filter(pk__in=claim_ids, state__in=partly).order_by("pk")):
        short = {each.payer for each in shared.listed if each.paid_fen is not None and each.paid_fen < each.amount_fen}
        found[claim.pk] = sum(max(amount, 0) for payer, amount in left(shared).items() if payer in short or "" in short)
    return found
