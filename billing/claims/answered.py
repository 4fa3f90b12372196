"""What whoever booked answered to the questions of the programme that a line of a claim is of, as it stands frozen with the charge."""

from __future__ import annotations

from billing.settlement.models import Award
from billing.subsidy import services as subsidy
from billing.subsidy.rules.questions import Question, answered


def answers_of(award: Award) -> list[tuple[Question, str]]:
    """Each question with its answer; its charge is loaded. Nothing where the programme asks nothing."""
    questions = subsidy.in_force(award.programme_version_id).programme.asks
    if not questions:
        return []
    candidates = award.charge.inputs["candidates"]
    own = next(each for each in candidates if each["programme"]["programme_version"] == award.programme_version_id)
    return answered(questions, own["facts"])
