"""What is left of every cap after an example, those of a single piece of work included, which are kept on no account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Award, Balance, Outcome, Refused
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.sides import steps_of_sides

Left = Mapping[str, int]


def left_of_one(programme: Programme, facts: Facts, balances: Mapping[str, Balance], outcome: Outcome) -> Left:
    """By cap id what is left (fen). A cap that does not concern the claim, or that has no limit, is not in it; a refusal draws nothing."""
    if isinstance(outcome, Refused):
        rooms = {cap.id: cap.room(balances.get(cap.id), facts, balances) for cap in programme.caps if cap.applies(facts)}
        return {cap_id: room for cap_id, room in rooms.items() if room is not None}
    return left_of_award(programme, outcome)


def left_of_award(programme: Programme, outcome: Outcome) -> dict[str, int]:
    """As ``left_of_one`` where only the outcome is known, which says nothing of caps when it is a refusal."""
    if isinstance(outcome, Refused):
        return {}
    single = {cap.id: cap.payer for cap in programme.caps if not cap.on_account}
    return _of_single_pieces(single, outcome) | dict(outcome.left_after)


def left_of_batch(each: Iterable[Left], outcomes: Iterable[Outcome], steps: Iterable[Step]) -> Left:
    """After the last claim that a cap concerned. Of a pool that was divided: what all parts together leave of the whole."""
    left: dict[str, int] = {}
    for own in each:
        left |= own
    awards = [outcome for outcome in outcomes if isinstance(outcome, Award)]
    for step in steps:
        if step.key == "subsidy.step.divided":
            cap_id = step.params["cap"]
            left[cap_id] = step.params["left_fen"] - sum(award.draws.get(cap_id, 0) for award in awards)
    return left


def _of_single_pieces(payer_of: Mapping[str, str], award: Award) -> dict[str, int]:
    """Each side is a piece of work of its own: the last one that such a cap limited counts."""
    left: dict[str, int] = {}
    place = 0
    counts = [side.lines for side in award.sides] if award.sides is not None else [len(award.lines)]
    for count, steps in zip(counts, steps_of_sides(award.steps), strict=True):
        lines = award.lines[place : place + count]
        place += count
        for cap_id, room in _rooms(steps).items():
            if cap_id in payer_of:
                payer = payer_of[cap_id]
                left[cap_id] = room - sum(line.amount_fen for line in lines if payer in ("", line.payer))
    return left


def _rooms(steps: Iterable[Step]) -> dict[str, Any]:
    """What there was of each cap that was looked at."""
    return {step.params["cap"]: step.params["left_fen"] for step in steps if "left_fen" in step.params}
