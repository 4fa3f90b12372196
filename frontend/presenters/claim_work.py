"""What waits at an office, as rows for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing.claims import wording
from billing.claims.models import ClaimBatch
from billing.claims.rules.waiting import Work
from billing.claims.worklist import Waiting


@dataclass(frozen=True, slots=True)
class WorkRow:
    """What is next for claims of a batch; ``level``: whose look it is, where they wait for a review; ``late``: the last day has passed."""

    batch: ClaimBatch
    word: wording.Word
    level: wording.Word
    claims: int
    total_fen: int
    since: datetime
    due_on: date | None
    late: bool


def work_rows(found: Sequence[Waiting], now: datetime) -> list[WorkRow]:
    """Work in words, in its order."""
    return [
        WorkRow(
            each.batch,
            wording.WORK[each.work],
            wording.LEVELS[each.review.steps[each.place].level] if each.work is Work.REVIEW else "",
            each.claims,
            each.total_fen,
            each.since,
            each.due_on,
            each.is_overdue(now),
        )
        for each in found
    ]
