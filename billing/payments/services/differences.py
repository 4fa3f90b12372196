"""Writing down where the provider and our books disagree, and what became of it. The only writer of ``PaymentDifference``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from billing.bills.services.issuing import checked_reason
from billing.payments.difference_models import PaymentDifference
from billing.payments.rules.states import DifferenceState
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions

#: Who may say what became of a difference: who runs the platform, and who accounts for the institution whose bill it is.
ANSWERERS = (Role.OPERATOR, Role.OWNER_FINANCE)


@dataclass(frozen=True, slots=True)
class Fact:
    """A disagreement as ``PaymentDifference`` keeps it; amounts in fen."""

    code: str
    session_ref: str
    checkout_id: int | None
    provider_fen: int
    ours_fen: int
    note: str = ""


def note(fact: Fact, now: datetime) -> None:
    """Write a disagreement down, once; part of the caller's transaction."""
    values = asdict(fact)
    PaymentDifference.objects.bulk_create([PaymentDifference(**values, found_at=now)], ignore_conflicts=True)


def settle(sessions: Collection[str], still: Collection[tuple[str, str]], now: datetime) -> int:
    """Settle the open disagreements about these ``sessions`` but those that are there ``still`` (code, session); how many. Whether money
    went back of which the provider knows nothing, only a person can say."""
    rows = PaymentDifference.objects.filter(state=DifferenceState.OPEN, session_ref__in=sessions).exclude(code="refund_lost")
    gone = [row.pk for row in rows if (row.code, row.session_ref) not in still]
    open_still = PaymentDifference.objects.filter(pk__in=gone, state=DifferenceState.OPEN)
    return open_still.update(state=DifferenceState.SETTLED.value, closed_at=now)


def open_one(actor: Actor, difference_id: int) -> PaymentDifference:
    """A difference that waits for somebody. Raises Forbidden, NotFound, Refusal ``difference.done``."""
    actor.require(*ANSWERERS)
    row = get_visible(PaymentDifference.objects.all(), actor, pk=difference_id)
    if row.state != DifferenceState.OPEN:
        raise Refusal.of("difference.done")
    return row


def resolve(actor: Actor, difference_id: int, reason: str, now: datetime) -> None:
    """Say what became of a difference. Nothing is booked by it. Raises as ``open_one``, Refusal ``bill.reason_*``."""
    text = checked_reason(reason)

    def work() -> None:
        row = open_one(actor, difference_id)
        rows = PaymentDifference.objects.filter(pk=row.pk, state=DifferenceState.OPEN)
        changes = {"state": DifferenceState.RESOLVED.value, "reason": text, "closed_by_id": actor.user_id, "closed_at": now}
        if rows.update(**changes) != 1:
            raise Refusal.of("difference.done")
        audit.record(actor, "payment.difference_resolve", row, now, after={"code": row.code}, reason=text)

    transactions.run(work)
