"""What a manager does with requests for the test of samples that wait: one, or many with one key. As ``services.inbox`` does for times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from booking.models import SampleJob
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.rules.deciding import Verdict
from booking.services import reject_reasons, sample_decisions, sample_jobs
from booking.services.deciding_many import Outcome, each_once, outcome_of, require_why
from booking.services.decision_rows import UNDOABLE
from booking.services.reject_reasons import Why
from config.kernel.access import Actor, visible_to

_FIELD = "sample_jobs"


@dataclass(frozen=True, slots=True)
class Seen:
    """What stood beside a request that is accepted: the day that would be promised (None: the one that is worked out now), the figures."""

    promised_on: date | None = None
    expected: ExpectedFigures = NOTHING_EXPECTED


AS_IT_IS = Seen()


def accept(actor: Actor, job_id: int, now: datetime, seen: Seen = AS_IT_IS) -> None:
    """Accept one, told after the seconds in which it can be taken back. Raises as ``sample_jobs.accept``."""
    sample_jobs.accept(actor, job_id, now, promised_on=seen.promised_on, expected=seen.expected, how=UNDOABLE)


def refuse(actor: Actor, job_id: int, why: Why, now: datetime) -> None:
    """Refuse one, told after those seconds. Raises as ``sample_jobs.refuse``, and Refusal ``decision.reason_unknown``."""
    rows = visible_to(SampleJob.objects.filter(pk=job_id), actor)
    language = rows.values_list("requested_by__language", flat=True).first() or ""
    sample_jobs.refuse(actor, job_id, reject_reasons.text_for(actor, language, why), now, UNDOABLE)


def decide_all(
    actor: Actor, job_ids: Iterable[int], verdict: Verdict, why: Why, now: datetime, *, seen: Mapping[int, Seen]
) -> list[Outcome]:
    """Decide each by itself, in the order given: what cannot be decided stays as it was and says why, and the others are done.

    Raises Refusal ``decision.none_chosen``, ``decision.too_many``, ``booking.reason_missing`` before anything is done.
    """
    chosen = each_once(job_ids, _FIELD)
    require_why(verdict, why)

    def one(pk: int) -> None:
        if verdict is Verdict.REJECT:
            refuse(actor, pk, why, now)
        else:
            accept(actor, pk, now, seen.get(pk, AS_IT_IS))

    return [outcome_of(pk, one) for pk in chosen]


def take_back_all(actor: Actor, job_ids: Iterable[int], now: datetime) -> list[Outcome]:
    """Take back each by itself. Raises Refusal ``decision.none_chosen``, ``decision.too_many``."""
    return [outcome_of(pk, lambda pk: sample_decisions.take_back(actor, pk, now)) for pk in each_once(job_ids, _FIELD)]
