"""A quality grade that a second person confirmed, in what a charge is worked out from: it may lower what was held and never raises it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from billing.settlement.models import Quote
from billing.settlement.services import awarding
from billing.settlement.services.awarding import AnyInputs
from billing.subsidy import services as subsidy
from billing.subsidy.rules.assess import Assessment, Candidate
from billing.subsidy.rules.given_here import OTHERS
from billing.subsidy.rules.outcome import Award, Outcome


def counts(held: Quote) -> bool:
    """Whether a programme that gave something under the quote multiplies by the quality grade."""
    pairs = zip(held.inputs["candidates"], held.result["outcomes"], strict=True)
    awarded = [tried["programme"]["programme_version"] for tried, outcome in pairs if outcome["outcome"] == "award"]
    return any(subsidy.in_force(version_id).programme.uses_quality for version_id in awarded)


def under(grade: str, inputs: AnyInputs, assessment: Assessment[Any]) -> tuple[AnyInputs, Assessment[Any]]:
    """The inputs under the grade and what they come to, where no programme gives more by it; else as they are, which came to
    ``assessment``. One that counts what others give would give more where these give less: what it came to stays the most."""
    graded = replace(inputs, candidates=tuple(_graded(each, grade) for each in inputs.candidates))
    lower = graded.assess()
    outcomes = zip(graded.candidates, assessment.outcomes, lower.outcomes, strict=True)
    kept = tuple(_no_more(*each) for each in outcomes)
    if kept != graded.candidates:
        graded = replace(graded, candidates=kept)
        lower = graded.assess()
    covered = all(one <= other for one, other in zip(_totals(lower), _totals(assessment), strict=True))
    return (graded, lower) if covered else (inputs, assessment)


def _graded(candidate: Candidate, grade: str) -> Candidate:
    return replace(candidate, facts=replace(candidate.facts, grade=grade))


def _no_more(candidate: Candidate, was: Outcome, now: Outcome) -> Candidate:
    """A programme that looks at what others give and not at the grade, or of whose sides one leaves more to the other by it, with its
    limits promised what it came to."""
    if not isinstance(was, Award):
        return candidate
    beside_others = OTHERS in candidate.told and not candidate.programme.uses_quality
    of_sides = bool(candidate.programme.sides) and isinstance(now, Award) and now.total_fen <= was.total_fen
    return awarding.cut_to(was.draws, candidate, now) if beside_others or of_sides else candidate


def _totals(assessment: Assessment[Any]) -> Sequence[int]:
    return [outcome.total_fen if isinstance(outcome, Award) else 0 for outcome in assessment.outcomes]
