"""What a programme of several sides says to the customer: its own subsidy with its own working. What its owner gets beside the bill, and
what the owner's limits have left, is the owner's to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from billing.pricing.rules.steps import Step
from billing.subsidy.rules.given_here import GIVEN_HERE
from billing.subsidy.rules.outcome import Award, Outcome, Refused, SettlementMode, SideAward, Unmet
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.sides import CLAIM_OF, CLAIM_REFUSED, of_sides
from billing.subsidy.rules.two_sided import USER

#: Steps that say that an amount rests on an assumption, or on a day that has not come.
_UNSURE = frozenset(
    f"subsidy.step.{name}"
    for name in (
        *("rate_not_chosen", "ex_post_assumed", "quality_assumed", "declared_later"),
        *("window_open", "lifetime_open", "lifetime_after"),
    )
)
_CUT = frozenset({"subsidy.step.cap_cut", "subsidy.step.promise_cut"})


def for_customers(outcomes: Sequence[Outcome], programmes: Iterable[Programme]) -> list[Outcome]:
    """``for_customer`` of every programme of an assessment; what those before it gave is told without what their owners got."""
    found = [for_customer(outcome, programme) for outcome, programme in zip(outcomes, programmes, strict=True)]
    less = {told.programme: _fen(told) - _fen(own) for told, own in zip(outcomes, found, strict=True)}
    return [_told_less(each, less) for each in found]


def for_customer(outcome: Outcome, programme: Programme) -> Outcome:
    """The outcome without the sides that are paid beside the bill; the same where there is one side, or none is so. Where the customer gets
    nothing and its owner something, it is refused, with why."""
    if isinstance(outcome, Refused):
        return _refused(outcome, outcome) if _whose(outcome.steps) else outcome
    if outcome.sides is None:
        return outcome
    own = tuple(side for side in outcome.sides if not _is_beside(side))
    if own:
        return _given(outcome, own, programme)
    if not _whose(outcome.steps):
        return outcome
    reason = Unmet(programme.validity.clause, "subsidy.unmet.no_side", {"count": len(programme.sides)})
    return _refused(Refused(outcome.programme, outcome.version, (reason,), ()), outcome)


def is_cost_unsure(award: Award) -> bool:
    """Whether what the customer pays in the end is an estimate because of this award: of one that both sides claimed, whether the user's
    part is."""
    if award.sides is None or not _whose(award.steps):
        return award.estimate
    return _is_unsure(of_sides(award, lambda side: not _is_beside(side)))


def unmet_by_customer(steps: Iterable[Step]) -> tuple[Unmet, ...]:
    """What refused the user's claim, as the steps of a programme tell it of which both sides claim."""
    unmet = (step for step in _of_user(steps, CLAIM_REFUSED) if step.key != CLAIM_REFUSED)
    return tuple(Unmet(step.clause, step.key, step.params) for step in unmet)


def by_side(outcome: Mapping[str, Any]) -> dict[str, int]:
    """What a frozen outcome gives (fen), of several sides by those that the customer sees; nothing of a refusal."""
    if outcome["outcome"] == "refused":
        return {}
    if outcome.get("sides") is None:
        return {"": outcome["total_fen"]}
    return {each["side"]: each["total_fen"] for each in outcome["sides"] if each["mode"] != SettlementMode.PAID_BESIDE}


def _fen(outcome: Outcome) -> int:
    return outcome.total_fen if isinstance(outcome, Award) else 0


def _told_less(outcome: Outcome, less: Mapping[str, int]) -> Outcome:
    """With what was given to the customer alone; steps that would say the whole of it are left out."""
    told = next((step for step in outcome.steps if step.key == GIVEN_HERE), None)
    if told is None:
        return outcome
    hidden = sum(less.get(programme, 0) for programme in told.params["programmes"])
    if not hidden:
        return outcome
    whole = told.params["given_fen"]
    less_told = told._replace(params={**told.params, "given_fen": whole - hidden})
    own = (less_told if step is told else step for step in outcome.steps)
    return outcome._replace(
        steps=tuple(step for step in own if whole not in step.params.values() and step.params.get("given_fen") != 0)
    )


def _is_beside(side: SideAward) -> bool:
    return side.mode is SettlementMode.PAID_BESIDE


def _is_unsure(award: Award) -> bool:
    return any(step.key in _UNSURE for step in award.steps)


def _given(award: Award, own: tuple[SideAward, ...], programme: Programme) -> Award:
    ids = {side.side for side in own}
    caps = {cap.id for side in programme.sides if side.id in ids for cap in side.programme.caps}
    found = of_sides(award, lambda side: not _is_beside(side))
    first = next((side for side in own if side.total_fen), own[0])
    cut = (step.params["cap"] for step in found.steps if step.key in _CUT)
    own_steps = (step for step in found.steps if step.key != GIVEN_HERE)
    return found._replace(
        mode=first.mode,
        payee=first.payee,
        estimate=_is_unsure(found),
        binding_caps=tuple(dict.fromkeys(cut)),
        draws={cap: fen for cap, fen in award.draws.items() if cap in caps},
        left_after={cap: fen for cap, fen in award.left_after.items() if cap in caps},
        steps=(*_before(award.steps), *own_steps, *_of_user(award.steps, CLAIM_REFUSED)),
        sides=own,
    )


def _refused(refused: Refused, told: Outcome) -> Refused:
    """With the reasons of the user's claim alone, as the steps of ``told`` have them."""
    met = tuple(step for step in _of_user(told.steps, CLAIM_OF) if step.key != CLAIM_OF)
    return refused._replace(reasons=unmet_by_customer(told.steps) or refused.reasons, steps=(*_before(told.steps), *met))


def _before(steps: Iterable[Step]) -> list[Step]:
    """What was told of other programmes, which stands before the first side, whosever that is."""
    return [step for step in steps if step.key == GIVEN_HERE]


def _whose(steps: Iterable[Step]) -> bool:
    """Whether steps say whose claim they are of."""
    return any(step.key in (CLAIM_OF, CLAIM_REFUSED) for step in steps)


def _of_user(steps: Iterable[Step], key: str) -> list[Step]:
    """The steps from each that begins a part of the user's claim (``key``) to the next part."""
    found: list[Step] = []
    inside = False
    for step in steps:
        if step.key in (CLAIM_OF, CLAIM_REFUSED):
            inside = step.key == key and step.params["whose"] == USER
        if inside:
            found.append(step)
    return found
