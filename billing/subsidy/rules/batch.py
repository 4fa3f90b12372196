"""Rules that need a whole batch of claims: a rate fixed afterwards, a pool divided in proportion, caps used up one claim after another.

Pure like ``evaluate``, which decides every single claim; what the batch adds is told with the same kind of steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from billing.ledger.rules.money import split_whole
from billing.pricing.rules.steps import Step
from billing.subsidy.rules.evaluate import evaluate, unmet_conditions
from billing.subsidy.rules.fact_fields import FIELDS
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Award, Balance, Outcome
from billing.subsidy.rules.parts.caps import SUBJECT, YEARLY, Cap, CapPer
from billing.subsidy.rules.parts.rate import ExPostRate
from billing.subsidy.rules.programme import Programme

#: Who is meant where the fact of a cap's subject is not known: a firm without a controller is its own, a person is the applicant.
_INSTEAD = {CapPer.CONTROLLER_YEAR: "applicant.id", CapPer.PERSON_YEAR: "applicant.id"}


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a batch."""

    id: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Opening:
    """What accounts say before the batch: by cap id, and by cap id and subject where a cap has one account for each."""

    caps: Mapping[str, Balance]
    subjects: Mapping[tuple[str, str], Balance]


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """The outcome of every claim by its id, in their order; ``steps`` are those of the batch as a whole. Amounts in fen."""

    outcomes: Mapping[str, Outcome]
    steps: tuple[Step, ...]

    @property
    def total_fen(self) -> int:
        return sum(outcome.total_fen for outcome in self.outcomes.values() if isinstance(outcome, Award))


def evaluate_batch(programme: Programme, claims: Sequence[Claim], opening: Opening) -> BatchOutcome:
    """Decide the claims of a batch. Their order matters only for caps that are used up first come, first served, and for the last fen at
    a tie.

    A pool that is divided in proportion is shared by what each claim would get without it, in whole rounding steps by largest remainder.
    Raises ValueError when an id is given twice.
    """
    if len({claim.id for claim in claims}) != len(claims):
        raise ValueError("every claim of a batch has an id of its own")
    steps: list[Step] = []
    claims = _with_totals(programme, claims, opening, steps)
    divided = [cap for cap in programme.caps if cap.pro_rata]
    if not divided:
        return BatchOutcome(_in_order({claim.id: programme for claim in claims}, claims, opening), tuple(steps))
    shares = _shares(programme, claims, opening, divided, steps)
    rules = {claim.id: _limited(programme, shares[claim.id]) for claim in claims}
    return BatchOutcome(_in_order(rules, claims, opening, frozenset(cap.id for cap in divided)), tuple(steps))


def subject_of(cap: Cap, facts: Facts) -> str | None:
    """Whose account of a cap a claim draws on: an id, empty for what is everybody's, None for a claim by itself."""
    path = SUBJECT.get(cap.per)
    if path is None:
        return "" if cap.per is CapPer.POOL else None
    found = FIELDS[path].read(facts)
    if found is None and cap.per in _INSTEAD:
        found = FIELDS[_INSTEAD[cap.per]].read(facts)
    return None if found is None else str(found)


class _Running:
    """The balances of all caps while claims are decided one after the other; of ``divided`` ones each claim has its own part already."""

    def __init__(self, caps: Iterable[Cap], opening: Opening, divided: frozenset[str]) -> None:
        self.caps = tuple(cap for cap in caps if cap.id not in divided)
        self.opening = opening
        self.parts = {cap_id: replace(opening.caps[cap_id], used_fen=0) for cap_id in divided if cap_id in opening.caps}
        self.used: dict[tuple[str, str, int], int] = {}

    def seen_by(self, programme: Programme, facts: Facts) -> dict[str, Balance]:
        """The balances that a claim meets, by cap id."""
        found = dict(self.parts)
        for cap in self.caps:
            before = self._opening(cap, facts)
            key = self._key(programme, cap, facts)
            used = self.used.get(key, 0) if key is not None else 0
            if before is not None or used:
                balance = before or Balance()
                found[cap.id] = replace(balance, used_fen=balance.used_fen + used)
        return found

    def use(self, programme: Programme, facts: Facts, award: Award) -> None:
        """Count what an award draws."""
        for cap in self.caps:
            key = self._key(programme, cap, facts)
            if key is not None and cap.applies(facts):
                drawn = award.draws.get(cap.id, 0) if cap.on_account else _amount_under(cap, award)
                self.used[key] = self.used.get(key, 0) + drawn

    def _opening(self, cap: Cap, facts: Facts) -> Balance | None:
        subject = subject_of(cap, facts)
        own = self.opening.subjects.get((cap.id, subject)) if subject is not None else None
        return own or self.opening.caps.get(cap.id)

    def _key(self, programme: Programme, cap: Cap, facts: Facts) -> tuple[str, str, int] | None:
        subject = subject_of(cap, facts)
        if subject is None:
            return None
        on = programme.validity.basis_on(facts)
        return cap.id, subject, programme.cap_year(on) if cap.per in YEARLY and on is not None else 0


def _in_order(
    rules: Mapping[str, Programme], claims: Sequence[Claim], opening: Opening, divided: frozenset[str] = frozenset()
) -> dict[str, Outcome]:
    """Each claim under its rules and under what the claims before it left."""
    outcomes: dict[str, Outcome] = {}
    if not claims:
        return outcomes
    running = _Running(rules[claims[0].id].caps, opening, divided)
    for claim in claims:
        programme = rules[claim.id]
        outcome = evaluate(programme, claim.facts, running.seen_by(programme, claim.facts))
        if isinstance(outcome, Award):
            running.use(programme, claim.facts, outcome)
        outcomes[claim.id] = outcome
    return outcomes


def _amount_under(cap: Cap, award: Award) -> int:
    if not cap.payer:
        return award.total_fen
    return sum(line.amount_fen for line in award.lines if line.payer == cap.payer)


def _shares(
    programme: Programme, claims: Sequence[Claim], opening: Opening, divided: Sequence[Cap], steps: list[Step]
) -> dict[str, dict[str, int]]:
    """Claim id -> cap id -> what the claim may take of each divided cap (fen); a cap that is enough for all is not there."""
    without = _without(programme, {cap.id for cap in divided})
    wanted = _in_order({claim.id: without for claim in claims}, claims, opening)
    amounts = {
        cap.id: {claim.id: _wanted(cap, claim, wanted[claim.id]) for claim in claims if cap.applies(claim.facts)}
        for cap in divided
    }
    shares: dict[str, dict[str, int]] = {claim.id: {} for claim in claims}
    for cap in divided:
        asked = {claim_id: _least(amount, shares[claim_id]) for claim_id, amount in amounts[cap.id].items()}
        facts = next((claim.facts for claim in claims if claim.id in asked), None)
        room = cap.room(opening.caps.get(cap.id), facts, opening.caps) if facts is not None else None
        whole = sum(asked.values())
        if room is None or whole <= room:
            continue
        step_fen = programme.rounding.step_fen
        split = split_whole(room // step_fen, list(asked.values()))
        for claim_id, units in zip(asked, split, strict=True):
            shares[claim_id][cap.id] = units * step_fen
        params = {"cap": cap.id, "per": cap.per, "payer": cap.payer, "left_fen": room, "claims_fen": whole, "count": len(asked)}
        steps.append(Step("cap", cap.clause, "subsidy.step.divided", params, room))
    return shares


def _wanted(cap: Cap, claim: Claim, outcome: Outcome) -> int:
    return _amount_under(cap, outcome) if isinstance(outcome, Award) else 0


def _least(amount: int, shares: Mapping[str, int]) -> int:
    return min(amount, *shares.values()) if shares else amount


def _without(programme: Programme, ids: set[str]) -> Programme:
    """The programme as if some caps were not there."""
    return replace(
        programme,
        joint_caps=tuple(cap for cap in programme.joint_caps if cap.id not in ids),
        payer_caps=tuple(cap for cap in programme.payer_caps if cap.id not in ids),
        sides=tuple(replace(side, programme=_without(side.programme, ids)) for side in programme.sides),
    )


def _limited(programme: Programme, shares: Mapping[str, int]) -> Programme:
    """The programme for one claim: each divided cap gives what is this claim's part, one that is enough for all limits nobody."""

    def own(caps: tuple[Cap, ...]) -> tuple[Cap, ...]:
        return tuple(_own_part(cap, shares) if cap.pro_rata else cap for cap in caps if not cap.pro_rata or cap.id in shares)

    return replace(
        programme,
        joint_caps=own(programme.joint_caps),
        payer_caps=own(programme.payer_caps),
        sides=tuple(replace(side, programme=_limited(side.programme, shares)) for side in programme.sides),
    )


def _own_part(cap: Cap, shares: Mapping[str, int]) -> Cap:
    """A cap of the claim's part alone. It keeps no account here: the parts together are what the pool had."""
    return replace(cap, limit_fen=shares[cap.id], configured=False, cases=(), share=None, share_of=None, pro_rata=False)


def _with_totals(programme: Programme, claims: Sequence[Claim], opening: Opening, steps: list[Step]) -> list[Claim]:
    """The claims with pool and sum of claims, where the rate is fixed afterwards and they are not given."""
    one = next((each for each in _each_side(programme) if isinstance(each.rate, ExPostRate)), None)
    if one is None or not isinstance(one.rate, ExPostRate):
        return list(claims)
    eligible = [claim for claim in claims if not unmet_conditions(one, claim.facts, opening.caps)]
    bases = [one.base.take(claim.facts, []) for claim in eligible]
    claimed = sum(int(base) for base in bases)
    pool = _pool_room(one, claims, opening)
    done = []
    for claim in claims:
        totals = claim.facts.more.batch
        totals = replace(
            totals,
            pool=pool if totals.pool is None else totals.pool,
            claims=claimed if totals.claims is None else totals.claims,
        )
        done.append(replace(claim, facts=replace(claim.facts, more=replace(claim.facts.more, batch=totals))))
    known = done[0].facts.more.batch if done else None
    if known is not None and known.pool is not None and known.claims is not None:
        ratio = one.rate.ratio(known.pool, known.claims)
        params = {"pool_fen": known.pool, "claims_fen": known.claims, "count": len(eligible), "ratio": str(ratio)}
        steps.append(Step("rate", one.rate.clause, "subsidy.step.ex_post_rate", params, known.pool))
    return done


def _each_side(programme: Programme) -> list[Programme]:
    return [side.programme for side in programme.sides] or [programme]


def _pool_room(programme: Programme, claims: Sequence[Claim], opening: Opening) -> int | None:
    """What the first joint pool has left."""
    pool = next((cap for cap in programme.joint_caps if cap.per is CapPer.POOL), None)
    if pool is None or not claims:
        return None
    return pool.room(opening.caps.get(pool.id), claims[0].facts, opening.caps)
