"""Handing a claim in applies what its payee declared: what an award comes to less goes back to the programme."""

from __future__ import annotations

from datetime import datetime

from billing.bills.models import ReversalCause
from billing.claims import declared
from billing.claims.models import Claim
from billing.claims.services import reversing
from config.kernel.access import Actor


def apply(actor: Actor, claim: Claim, now: datetime) -> None:
    """Work the awards of a locked draft out with what was declared of them, and let what they come to less go back to the programme. The
    lines are not changed: ``batches.refresh`` does that."""
    asked = declared.lines_asked([claim])
    reversing.lock_awards(each.line.award_id for each in asked)
    for each in declared.lines_asked([claim]) if asked else ():
        if each.declared is None or each.worked is None:
            continue
        row, found = each.declared, each.worked
        if found.less:
            row.reversal = reversing.reverse(
                each.line.award_id, found.less_fen, ReversalCause.DECLARED, actor.user_id, now, parts=found.less
            )
        row.applied_at, row.less_fen, row.engine, row.steps = now, found.less_fen, found.engine, found.steps
        row.unmet = [{"clause": one.clause, "code": one.code, "params": dict(one.params)} for one in found.unmet]
        row.save(update_fields=["applied_at", "less_fen", "reversal", "engine", "steps", "unmet"])
