"""The question to a group's leader and its answer, as rows; what they are about is the caller's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from booking.models import LeaderApproval
from booking.rules.spending import LEADER_FIRST, LeaderState, after_pricing
from config.kernel.access import Actor
from config.kernel.errors import Forbidden, Refusal
from config.kernel.services import audit
from instruments.models import FundCard
from instruments.rules.spending import asks_the_leader


def ask(row: LeaderApproval | None, amount_fen: int, now: datetime, **about: Any) -> None:
    """Ask anew in ``row``, or in a new one ``about`` a reservation or a sample job; an answer given before counts no more."""
    asked: dict[str, Any] = {
        "asked_fen": amount_fen,
        "asked_at": now,
        "state": LeaderState.WAITING.value,
        "decided_at": None,
        "decided_by": None,
        "reason": "",
    }
    if row is None:
        LeaderApproval.objects.create(**about, **asked)
        return
    for name, value in asked.items():
        setattr(row, name, value)
    row.save(update_fields=list(asked))


def require_leader_of(actor: Actor, card: FundCard | None) -> None:
    """Raises Forbidden ``card.not_the_leader`` for everybody else."""
    if card is None or card.group.leader_id != actor.user_id:
        raise Forbidden.of("card.not_the_leader", leader=str(card.group.leader) if card else "")


def refuse_more(card: FundCard, row: LeaderApproval | None, requested_by_id: int | None, total_fen: int, actor: Actor) -> None:
    """What the lab adds to something that was asked for: where it costs so much with it that the leader is asked (and has not agreed to
    that much in ``row``), the leader alone agrees to it. Raises Refusal ``card.leader_first``."""
    asks = asks_the_leader(total_fen, card.asks_above_fen, own=requested_by_id == card.group.leader_id)
    after = after_pricing(LeaderState(row.state) if row else None, row.asked_fen if row else 0, total_fen, asks=asks)
    if after is LeaderState.WAITING and actor.user_id != card.group.leader_id:
        raise Refusal.of(LEADER_FIRST, amount_fen=total_fen, leader=str(card.group.leader))


def decide(row: LeaderApproval, state: LeaderState, actor: Actor, now: datetime, reason: str = "") -> None:
    """Keep the answer and who gave it, also in the audit trail."""
    before = {"state": row.state}
    row.state, row.decided_at, row.decided_by_id, row.reason = state.value, now, actor.user_id, reason
    row.save(update_fields=["state", "decided_at", "decided_by", "reason"])
    after = {"state": row.state, "asked_fen": row.asked_fen}
    audit.record(actor, "spending.answer", row, now, before=before, after=after, reason=reason)
