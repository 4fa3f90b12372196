"""A programme of several sides (for the user, for the owner, or another way of settlement): each is decided by itself, caps they share
are drawn on one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from billing.pricing.rules.steps import Step
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import (
    Award,
    Balance,
    Outcome,
    PayerLine,
    Refused,
    SettlementMode,
    SideAward,
    Unmet,
    homes_left,
)
from billing.subsidy.rules.programme import Programme, Side
from billing.subsidy.rules.two_sided import OWNER, USER, claimed_by, is_both

Balances = Mapping[str, Balance]
One = Callable[[Programme, Facts, Balances, int | None], Outcome]
CLAIM_OF, CLAIM_REFUSED = "subsidy.step.claim_of", "subsidy.step.claim_refused"
"""The keys of the steps that say whose claim follows, and whose was refused."""


def evaluate_sides(programme: Programme, facts: Facts, balances: Balances, cost_left_fen: int | None, one: One) -> Outcome:
    """The awards of all sides that hold for these facts as one; refused only where none gives anything.

    A side whose condition cannot be told does not hold. ``one`` decides a single side, where both claim on the facts of its own claim.
    """
    holding = claims(programme, facts)
    if not holding:
        reason = Unmet(programme.validity.clause, "subsidy.unmet.no_side", {"count": len(programme.sides)})
        return Refused(programme.code, programme.version, (reason,), ())
    used = dict(balances)
    awards: list[tuple[str, Award]] = []
    refusals: list[Refused] = []
    for side, own in holding:
        outcome = one(side.programme, own, used, cost_left_fen)
        if isinstance(outcome, Refused):
            refusals.append(outcome)
            continue
        awards.append((side.id, outcome))
        _use(used, outcome)
        if cost_left_fen is not None and outcome.mode is not SettlementMode.PAID_BESIDE:
            cost_left_fen -= outcome.total_fen
    return _joined(awards) if awards else _refused(programme, refusals)


def claims(programme: Programme, facts: Facts) -> list[tuple[Side, Facts]]:
    """The sides that hold, each with the facts on which it is decided. Where both claim, a side is the claim of whoever its condition is
    for; where that leaves it open, the owner's if its money is paid beside the bill, and else the user's."""
    if not is_both(facts):
        return [(side, facts) for side in programme.sides if side.when is None or side.when.holds(facts, [])]
    of_user, of_owner = claimed_by(facts, USER), claimed_by(facts, OWNER)
    found = []
    for side in programme.sides:
        beside = side.programme.mode is SettlementMode.PAID_BESIDE
        each = (of_owner, of_user) if beside else (of_user, of_owner)
        own = next((own for own in each if side.when is None or side.when.holds(own, [])), None)
        if own is not None:
            found.append((side, own))
    return found


def evaluate_both(programme: Programme, facts: Facts, balances: Balances, cost_left_fen: int | None, one: One) -> Outcome:
    """``evaluate_sides`` where both claim: the steps of each side begin with whose claim it is. What refused one of them stands behind
    all steps."""
    refused: list[Step] = []

    def saying(side: Programme, own: Facts, used: Balances, left_fen: int | None) -> Outcome:
        outcome, whose = one(side, own, used, left_fen), {"whose": own.more.request.side}
        clause = side.document["settlement"]["clause"]
        if isinstance(outcome, Refused):
            refused.append(Step("gate", clause, CLAIM_REFUSED, whose, 0))
            refused.extend(Step("gate", reason.clause, reason.code, reason.params, 0) for reason in outcome.reasons)
        return outcome._replace(steps=(Step("gate", clause, CLAIM_OF, whose, 0), *outcome.steps))

    outcome = evaluate_sides(programme, facts, balances, cost_left_fen, saying)
    return outcome._replace(steps=(*outcome.steps, *refused))


def in_one_way(award: Award, mode: SettlementMode) -> Award:
    """What an award gives in one way of settlement, as one award: the figures, lines and steps of the sides that settle so.

    The steps of each side end with its total. Of an award of one side: itself, or nothing given where it settles otherwise.
    """
    if award.sides is None:
        return award if award.mode is mode else award._replace(lines=(), total_fen=0)
    payee = next((side.payee for side in award.sides if side.mode is mode), award.payee)
    return of_sides(award, lambda side: side.mode is mode)._replace(mode=mode, payee=payee)


def of_sides(award: Award, chosen: Callable[[SideAward], bool]) -> Award:
    """The figures, lines and steps of some sides of an award of several."""
    lines: list[PayerLine] = []
    steps: list[Step] = []
    total = place = 0
    for side, own in zip(award.sides or (), steps_of_sides(award.steps), strict=True):
        if chosen(side):
            lines += award.lines[place : place + side.lines]
            steps += own
            total += side.total_fen
        place += side.lines
    bases = [step for step in steps if step.part == "base" and step.key != "subsidy.step.line"]
    return award._replace(
        lines=tuple(lines),
        total_fen=total,
        base_fen=bases[-1].amount_fen if bases and bases[-1].key != "subsidy.step.base_quantity" else award.base_fen,
        computed_fen=sum(step.amount_fen for step in steps if step.part == "rounding"),
        steps=tuple(steps),
    )


def steps_of_sides(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """The steps of an award, those of each side by themselves: they end with its total."""
    own: list[Step] = []
    for step in steps:
        own.append(step)
        if step.key == "subsidy.step.total":
            yield own
            own = []


def _use(balances: dict[str, Balance], award: Award) -> None:
    for cap_id, draw in award.draws.items():
        before = balances.get(cap_id, Balance())
        promised = before.promised_fen
        left = None if promised is None else promised - draw
        homes = homes_left(before.homes, draw)
        balances[cap_id] = replace(before, used_fen=before.used_fen + draw, promised_fen=left, homes=homes)


def _joined(awards: list[tuple[str, Award]]) -> Award:
    first = next((award for _, award in awards if award.total_fen), awards[0][1])
    draws: dict[str, int] = {}
    left_after: dict[str, int] = {}
    for _, award in awards:
        for cap_id, draw in award.draws.items():
            draws[cap_id] = draws.get(cap_id, 0) + draw
            left_after[cap_id] = award.left_after[cap_id]
    return first._replace(
        lines=tuple(line for _, award in awards for line in award.lines),
        total_fen=sum(award.total_fen for _, award in awards),
        computed_fen=sum(award.computed_fen for _, award in awards),
        estimate=any(award.estimate for _, award in awards),
        binding_caps=tuple(dict.fromkeys(cap for _, award in awards for cap in award.binding_caps)),
        draws=draws,
        left_after=left_after,
        steps=tuple(step for _, award in awards for step in award.steps),
        sides=tuple(SideAward(side, award.mode, award.payee, award.total_fen, len(award.lines)) for side, award in awards),
    )


def _refused(programme: Programme, refusals: list[Refused]) -> Refused:
    reasons: list[Unmet] = []
    for refusal in refusals:
        reasons += [reason for reason in refusal.reasons if reason not in reasons]
    return Refused(programme.code, programme.version, tuple(reasons), tuple(step for each in refusals for step in each.steps))
