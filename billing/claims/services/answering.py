"""What the office does about money that an inspector found to be paid too much: it comes back, or it does not, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.claims import findings
from billing.claims.models import Claim
from billing.claims.recheck_models import RecheckAnswer, RecheckItem
from billing.claims.rules.findings import spread
from billing.claims.services import waiting_findings
from billing.claims.services.clawbacks import rechecked
from billing.claims.services.moving import locked
from billing.claims.services.office import OFFICE, checked_text, require_office
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.services import audit, transactions


@dataclass(frozen=True, slots=True)
class Answer:
    """``amount_fen`` of what was found comes back, nil: nothing; of the line at ``position``, or (None) of those that hold it. ``finding``:
    the place of the finding that was read, among those of the claim in its sample."""

    finding: int
    amount_fen: int
    reason: str
    position: int | None = None


def answer(actor: Actor, item_id: int, given: Answer, now: datetime) -> RecheckAnswer:
    """Answer the finding of a claim of a sample. Raises NotFound, Forbidden (``recheck.own_finding``), Conflict ``recheck.answered`` /
    ``claims.not_now``, Refusal ``recheck.more_than_found`` / ``claims.more_than_left`` / ``claims.text_*``."""
    actor.require(*OFFICE)
    item = get_visible(RecheckItem.objects.all(), actor, pk=item_id)

    def work() -> RecheckAnswer:
        claim = locked(actor, item.claim_id)
        right = require_office(actor, claim.batch, now, *OFFICE)
        RecheckItem.objects.select_for_update(no_key=True).values_list("pk").get(pk=item.pk)
        finding: Any = findings.waiting().filter(item=item, position=given.finding).first()
        if finding is None:
            raise Conflict.of("recheck.answered", number=claim.number)
        if not findings.is_apart(finding, right.people(actor)):
            raise Forbidden.of("recheck.own_finding")
        if not 0 <= given.amount_fen <= finding.due_fen:
            raise Refusal.of("recheck.more_than_found", field="amount", most_fen=finding.due_fen)
        written = RecheckAnswer.objects.create(
            finding=finding,
            taken_fen=given.amount_fen,
            reason=checked_text(given.reason),
            answered_by_id=actor.person_id,
            answered_for_id=right.behalf_id,
            answered_at=now,
        )
        rechecked(actor, claim, right, _lines(claim, given), written.reason, now, written)
        after = {"claim": claim.number, "found_fen": finding.difference_fen, "taken_fen": given.amount_fen}
        audit.record(actor, "recheck.answer", written, now, after=after, reason=written.reason)
        waiting_findings.tell_of(claim, now)
        return written

    return transactions.run(work)


def _lines(claim: Claim, given: Answer) -> dict[int, int]:
    """Line -> what comes back of it."""
    if not given.amount_fen:
        return {}
    if given.position is not None:
        return {given.position: given.amount_fen}
    left = findings.left_by_line(claim)
    if sum(left.values()) < given.amount_fen:
        raise Refusal.of("claims.more_than_left", field="amount", left_fen=sum(left.values()))
    return spread(given.amount_fen, left)
