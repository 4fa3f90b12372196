"""What an agreed session is charged for: its billable time under what was frozen when its money was held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from billing.settlement.models import Quote
from billing.settlement.services import assessing, awarding
from billing.settlement.services.still_eligible import looked_at_again
from billing.subsidy.rules.assess import Assessment, Candidate
from billing.subsidy.rules.codec import Inputs, candidate_to_json, use_to_json
from billing.subsidy.rules.outcome import Award
from booking.models import UsageSession


def inputs_for(held: Quote, session: UsageSession, grade: str, now: datetime) -> Inputs:
    """The engine's inputs for the charge of ``session``; ``grade`` is a confirmed quality grade of it, or empty.

    What goes on beyond the booked end is not subsidised. A programme that gave nothing when the money was held gives nothing now,
    because nothing is held for it, and none gives more than is held; the grade may lower what was held but never raise it; and whoever
    is no longer eligible gets nothing.
    """
    frozen = assessing.thaw(held.inputs)
    billable = session.billable
    inputs = replace(frozen, nothing=True) if billable is None else replace(frozen, time_range=billable)
    if billable is not None and billable.ends_at > session.booked_ends_at:
        inputs = replace(inputs, subsidised_until=session.booked_ends_at)
    inputs = awarding.within_held(held, _only_promised(_still_eligible(inputs, session, now), held))
    if not grade:
        return inputs
    graded = replace(inputs, candidates=tuple(_graded(each, grade) for each in inputs.candidates))
    return graded if _is_covered(graded.assess(), inputs.assess()) else inputs


def frozen_under(held: Quote, inputs: Inputs) -> dict[str, Any]:
    """The frozen form of ``inputs``, which came from ``held``: documents by reference as there."""
    references = {each["programme"]["sha256"]: each["programme"] for each in held.inputs["candidates"]}
    candidates = [{**candidate_to_json(each), "programme": references[each.programme.sha256]} for each in inputs.candidates]
    return {
        **held.inputs,
        **use_to_json(inputs),
        "starts_at": inputs.time_range.starts_at.isoformat(),
        "ends_at": inputs.time_range.ends_at.isoformat(),
        "candidates": candidates,
    }


def _still_eligible(inputs: Inputs, session: UsageSession, now: datetime) -> Inputs:
    reservation = session.reservation
    owner_id, service_on = reservation.instrument.organisation_id, inputs.time_range.starts_at.astimezone(inputs.zone).date()
    today = now.astimezone(inputs.zone).date()
    again = looked_at_again(inputs.candidates, owner_id, reservation.organisation, service_on, today)
    return replace(inputs, candidates=again)


def _only_promised(inputs: Inputs, held: Quote) -> Inputs:
    """Without the programmes that would give something now and gave nothing when the money was held."""
    stay = awarding.promised_outcomes(held, inputs.assess().outcomes)
    kept = [each for each, stays in zip(inputs.candidates, stay, strict=True) if stays]
    return replace(inputs, candidates=tuple(kept))


def _graded(candidate: Candidate, grade: str) -> Candidate:
    return replace(candidate, facts=replace(candidate.facts, grade=grade))


def _is_covered(graded: Assessment, frozen: Assessment) -> bool:
    """Whether every award under the grade is within the one without it."""
    return all(one <= other for one, other in zip(_totals(graded), _totals(frozen), strict=True))


def _totals(assessment: Assessment) -> Sequence[int]:
    return [outcome.total_fen if isinstance(outcome, Award) else 0 for outcome in assessment.outcomes]
