"""Giving back a part of an award for another cause than a credit note: written down once, and back on the accounts that had paid it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import datetime

from billing.bills.models import AwardReversal, ReversalCause
from billing.bills.services import returning
from billing.claims.rules.totals import split_like
from billing.ledger.services import Source
from billing.settlement.models import Award, StatementLine
from config.kernel.errors import Refusal


def lock_awards(ids: Iterable[int]) -> None:
    """In id order, as everywhere, and before any account of a pool: whoever waited here finds what the other one did."""
    list(Award.objects.select_for_update(no_key=True).filter(pk__in=list(ids)).order_by("pk").values_list("pk"))


def left_by_payer(award: Award, but: ReversalCause | None = None) -> dict[str, int]:
    """What of an award has not gone back (``but``: for another cause than this), by payer."""
    left = {each["payer"]: each["amount_fen"] for each in award.payers}
    for reversal in award.reversals.all():
        if reversal.cause == but:
            continue
        for each in reversal.payers:
            left[each["payer"]] -= each["amount_fen"]
    return left


def reverse(
    award_id: int,
    amount_fen: int,
    cause: ReversalCause,
    actor_id: int | None,
    now: datetime,
    among: Container[str] | None = None,
    parts: Mapping[str, int] | None = None,
) -> AwardReversal:
    """Let ``amount_fen`` of an award go back to its payers (``among``: to these of them; ``parts``: to each of them so much), in the
    caller's transaction. Raises Refusal ``claims.more_than_left``."""
    award = Award.objects.select_for_update(no_key=True, of=("self",)).select_related("charge").get(pk=award_id)
    left = {payer: fen for payer, fen in left_by_payer(award).items() if among is None or payer in among}
    if not 0 < amount_fen <= sum(left.values()) or any(fen > left.get(payer, 0) for payer, fen in (parts or {}).items()):
        raise Refusal.of("claims.more_than_left", field="amount", left_fen=sum(left.values()))
    written = AwardReversal.objects.create(
        award=award,
        cause=cause,
        amount_fen=amount_fen,
        payers=[{"payer": payer, "amount_fen": part} for payer, part in (parts or split_like(amount_fen, left)).items()],
        claimed=StatementLine.objects.filter(award=award).exists(),
        created_at=now,
    )
    source = Source("award_reversal", written.pk, cause.value, actor_id=actor_id)
    own = AwardReversal.objects.filter(pk=written.pk)
    returning.give_back(award.charge, award.programme_version_id, own, source, now)
    return written
