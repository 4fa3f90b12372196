"""Rules that need a whole batch of claims: a rate fixed afterwards, a pool divided in proportion, caps used up one claim after another.

Pure like ``evaluate``, which decides every single claim; what the batch adds is told with the same kind of steps.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, NamedTuple, Protocol, TypeVar

from billing.ledger.rules.money import split_whole
from billing.pricing.rules.steps import Step
from billing.subsidy.rules import sides
from billing.subsidy.rules.evaluate import Balances, evaluate, unmet_conditions
from billing.subsidy.rules.fact_fields import FIELDS
from billing.subsidy.rules.facts import BatchTotals, Facts
from billing.subsidy.rules.outcome import Award, Balance, Home, Outcome, paid_by_homes
from billing.subsidy.rules.parts.caps import SUBJECT, YEARLY, Cap, CapPer
from billing.subsidy.rules.parts.rate import ExPostRate
from billing.subsidy.rules.programme import Programme

#: Who is meant where the fact of a cap's subject is not known: a firm without a controller is its own, a person is the applicant.
_INSTEAD = {CapPer.CONTROLLER_YEAR: "applicant.id", CapPer.PERSON_YEAR: "applicant.id"}


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a batch. ``homes``: by cap id what other regions pay of it, which no pool is asked for."""

    id: str
    facts: Facts
    homes: Mapping[str, tuple[Home, ...]] = field(default_factory=dict)


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


C = TypeVar("C", bound=Claim)


class Deciding(Protocol[C]):
    """How single claims are decided: as ``evaluate`` decides them, whatever is remembered on the way. ``of_side``: a claim on the facts on
    which one side of its programme is decided."""

    def unmet(self, programme: Programme, claim: C, balances: Balances) -> bool: ...

    def decide(self, programme: Programme, claim: C, balances: Balances) -> Outcome: ...

    def told(self, claim: C, totals: BatchTotals) -> C: ...

    def of_side(self, claim: C, own: Facts) -> C: ...


class Decided(NamedTuple):
    """The outcomes of claims in their order, worked out one by one as they are asked for, and the steps of the batch as a whole."""

    outcomes: Iterator[Outcome]
    steps: tuple[Step, ...]


def has_batch_rules(programme: Programme) -> bool:
    """Whether something of a programme is only decided for the whole batch."""
    return any(isinstance(each.rate, ExPostRate) for each in _each_side(programme)) or divides_a_pool(programme)


def divides_a_pool(programme: Programme) -> bool:
    """Whether claims share a pool in proportion."""
    return any(cap.pro_rata for cap in programme.caps)


def evaluate_batch(programme: Programme, claims: Sequence[Claim], opening: Opening) -> BatchOutcome:
    """Decide the claims of a batch. Their order matters only for caps that are used up first come, first served, and for the last fen at
    a tie.

    A pool that is divided in proportion is shared by what each claim would ask of it without it, in whole rounding steps by largest
    remainder. Raises ValueError when an id is given twice.
    """
    if len({claim.id for claim in claims}) != len(claims):
        raise ValueError("every claim of a batch has an id of its own")
    decided = over_batch(programme, claims, opening, _Evaluating())
    outcomes = {claim.id: outcome for claim, outcome in zip(claims, decided.outcomes, strict=True)}
    return BatchOutcome(outcomes, decided.steps)


def over_batch(programme: Programme, claims: Iterable[C], opening: Opening, deciding: Deciding[C]) -> Decided:
    """``evaluate_batch`` for claims that are gone through several times and not kept, as many as they may be."""
    steps: list[Step] = []
    claims = _with_totals(programme, claims, opening, deciding, steps)
    divided = [cap for cap in programme.caps if cap.pro_rata]
    if not divided:
        return Decided(_in_order(programme, claims, opening, deciding), tuple(steps))
    shares = _shares(programme, claims, opening, divided, deciding, steps)
    ids = frozenset(cap.id for cap in divided)
    limited = _limited(programme, ids, frozenset(shares))
    return Decided(_in_order(limited, claims, opening, deciding, ids, shares), tuple(steps))


class _Evaluating:
    """Each claim as ``evaluate`` says, with its steps."""

    def unmet(self, programme: Programme, claim: Claim, balances: Balances) -> bool:
        return bool(unmet_conditions(programme, claim.facts, balances))

    def decide(self, programme: Programme, claim: Claim, balances: Balances) -> Outcome:
        return evaluate(programme, claim.facts, balances)

    def told(self, claim: Claim, totals: BatchTotals) -> Claim:
        return replace(claim, facts=replace(claim.facts, more=replace(claim.facts.more, batch=totals)))

    def of_side(self, claim: Claim, own: Facts) -> Claim:
        return replace(claim, facts=own)


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
        parts = {cap_id: opening.caps[cap_id] for cap_id in divided if cap_id in opening.caps}
        self.parts = {**parts, **{_whole(cap_id): balance for cap_id, balance in parts.items()}}
        self.used: dict[tuple[str, str, int], int] = {}

    def seen_by(self, programme: Programme, claim: Claim) -> dict[str, Balance]:
        """The balances that a claim meets, by cap id."""
        found = dict(self.parts)
        for cap in self.caps:
            before = self._opening(cap, claim.facts)
            key = self._key(programme, cap, claim.facts)
            used = self.used.get(key, 0) if key is not None else 0
            homes = claim.homes.get(cap.id, ())
            if before is not None or used or homes:
                balance = before or Balance()
                found[cap.id] = replace(balance, used_fen=balance.used_fen + used, homes=homes)
        return found

    def use(self, programme: Programme, facts: Facts, award: Award) -> None:
        """Count what an award draws."""
        for cap in self.caps:
            key = self._key(programme, cap, facts)
            if key is not None:
                self.used[key] = self.used.get(key, 0) + award.draws.get(cap.id, 0)

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


_NO_PART = -1
Shares = Mapping[str, Sequence[int]]
"""By the id of a divided cap that is short: what each claim may take of it (fen), in the order of the claims; ``_NO_PART`` where it does
not concern the claim."""


def _in_order(
    programme: Programme,
    claims: Iterable[C],
    opening: Opening,
    deciding: Deciding[C],
    divided: frozenset[str] = frozenset(),
    shares: Shares | None = None,
) -> Iterator[Outcome]:
    """Each claim under its own parts (``shares``) and under what the claims before it left."""
    running = _Running(programme.caps, opening, divided)
    for place, claim in enumerate(claims):
        balances = running.seen_by(programme, claim)
        for cap_id, parts in (shares or {}).items():
            if parts[place] != _NO_PART:
                balances[cap_id] = Balance(parts[place])
        outcome = deciding.decide(programme, claim, balances)
        if isinstance(outcome, Award):
            running.use(programme, claim.facts, outcome)
        yield outcome


def _amount_under(cap: Cap, award: Award) -> int:
    """What of an award a cap counts; a pool is not asked for what other regions pay."""
    if cap.payer:
        return sum(line.amount_fen for line in award.lines if line.payer == cap.payer)
    return award.total_fen - sum(paid_by_homes(award).values()) if cap.per is CapPer.POOL else award.total_fen


def _shares(
    programme: Programme,
    claims: Iterable[C],
    opening: Opening,
    divided: Sequence[Cap],
    deciding: Deciding[C],
    steps: list[Step],
) -> dict[str, Sequence[int]]:
    """The parts of each divided cap that is not enough for all."""
    without = _without(programme, {cap.id for cap in divided})
    amounts = {cap.id: array("q") for cap in divided}
    first: dict[str, Facts] = {}
    for claim, outcome in zip(claims, _in_order(without, claims, opening, deciding), strict=True):
        for cap in divided:
            applies = cap.applies(claim.facts)
            amounts[cap.id].append(_wanted(cap, outcome) if applies else _NO_PART)
            if applies:
                first.setdefault(cap.id, claim.facts)
    shares: dict[str, Sequence[int]] = {}
    for cap in divided:
        asked = _least(amounts[cap.id], shares.values())
        concerned = [amount for amount in asked if amount != _NO_PART]
        facts = first.get(cap.id)
        room = cap.room(opening.caps.get(cap.id), facts, opening.caps) if facts is not None else None
        whole = sum(concerned)
        if room is None or whole <= room:
            continue
        step_fen = programme.rounding.step_fen
        parts = iter(split_whole(room // step_fen, concerned))
        shares[cap.id] = array("q", [next(parts) * step_fen if amount != _NO_PART else _NO_PART for amount in asked])
        params = {
            "cap": cap.id,
            "per": cap.per,
            "payer": cap.payer,
            "left_fen": room,
            "claims_fen": whole,
            "count": len(concerned),
        }
        steps.append(Step("cap", cap.clause, "subsidy.step.divided", params, room))
    return shares


def _wanted(cap: Cap, outcome: Outcome) -> int:
    return _amount_under(cap, outcome) if isinstance(outcome, Award) else 0


def _least(amounts: Sequence[int], before: Iterable[Sequence[int]]) -> Sequence[int]:
    """What each claim asks for: at most its part of the caps that were divided before."""
    for parts in before:
        amounts = array("q", [min(one, part) if part != _NO_PART else one for one, part in zip(amounts, parts, strict=True)])
    return amounts


def _without(programme: Programme, ids: set[str]) -> Programme:
    """The programme as if some caps were not there."""
    return replace(
        programme,
        joint_caps=tuple(cap for cap in programme.joint_caps if cap.id not in ids),
        payer_caps=tuple(cap for cap in programme.payer_caps if cap.id not in ids),
        sides=tuple(replace(side, programme=_without(side.programme, ids)) for side in programme.sides),
    )


def _limited(programme: Programme, divided: frozenset[str], short: frozenset[str]) -> Programme:
    """The programme for claims that have their parts: a divided cap gives what each claim's balance says, one that is enough for all limits
    nobody."""

    def own(caps: tuple[Cap, ...]) -> tuple[Cap, ...]:
        return tuple(_own_part(cap, divided) for cap in caps if cap.id not in divided or cap.id in short)

    return replace(
        programme,
        joint_caps=own(programme.joint_caps),
        payer_caps=own(programme.payer_caps),
        sides=tuple(replace(side, programme=_limited(side.programme, divided, short)) for side in programme.sides),
    )


def _own_part(cap: Cap, divided: frozenset[str]) -> Cap:
    """A divided cap of the claim's part alone: it keeps no account here, the parts together are what the pool had. Another one that is a
    share of a divided one stays a share of the whole."""
    if cap.id in divided:
        return replace(cap, limit_fen=None, cases=(), share=None, share_of=None, pro_rata=False)
    whole = cap.share_of
    if whole is not None and whole.id in divided:
        return replace(cap, share_of=replace(whole, id=_whole(whole.id)))
    return cap


def _whole(cap_id: str) -> str:
    """The name under which balances have all of a divided cap, beside the part of a claim."""
    return f"{cap_id} as a whole"


def _with_totals(
    programme: Programme, claims: Iterable[C], opening: Opening, deciding: Deciding[C], steps: list[Step]
) -> Iterable[C]:
    """The claims with pool and sum of claims, where the rate is fixed afterwards and they are not given.

    Of several sides each whose rate is fixed so counts with the claims for which it holds, on the facts on which it is decided. They have
    one rate together: the first one's pool by the sum of all.
    """
    one = next((each for each in _each_side(programme) if isinstance(each.rate, ExPostRate)), None)
    if one is None or not isinstance(one.rate, ExPostRate):
        return claims
    count, claimed = 0, 0
    for claim in claims:
        for programme_of_side, own in _fixed_afterwards(programme, claim, deciding):
            if not deciding.unmet(programme_of_side, own, opening.caps):
                count += 1
                claimed += int(programme_of_side.base.take(own.facts, []))
    first = next(iter(claims), None)
    told = _Told(claims, deciding, _pool_room(one, first, opening), claimed)
    known = told.totals(first) if first is not None else None
    if known is not None and known.pool is not None and known.claims is not None:
        ratio = one.rate.ratio(known.pool, known.claims)
        params = {"pool_fen": known.pool, "claims_fen": known.claims, "count": count, "ratio": str(ratio)}
        steps.append(Step("rate", one.rate.clause, "subsidy.step.ex_post_rate", params, known.pool))
    return told


class _Told(Generic[C]):
    """Claims that are told what the pool and all claims together are, each time they are gone through."""

    def __init__(self, claims: Iterable[C], deciding: Deciding[C], pool_fen: int | None, claimed_fen: int) -> None:
        self._claims, self._deciding = claims, deciding
        self._pool_fen, self._claimed_fen = pool_fen, claimed_fen

    def __iter__(self) -> Iterator[C]:
        for claim in self._claims:
            yield self._deciding.told(claim, self.totals(claim))

    def totals(self, claim: C) -> BatchTotals:
        """What the claim says itself, completed."""
        own = claim.facts.more.batch
        pool = self._pool_fen if own.pool is None else own.pool
        return replace(own, pool=pool, claims=self._claimed_fen if own.claims is None else own.claims)


def _fixed_afterwards(programme: Programme, claim: C, deciding: Deciding[C]) -> Iterator[tuple[Programme, C]]:
    """The sides that hold for a claim and whose rate is fixed afterwards, each with the claim as it is decided on; without sides the
    programme itself."""
    if not programme.sides:
        yield programme, claim
        return
    for side, own in sides.claims(programme, claim.facts):
        if isinstance(side.programme.rate, ExPostRate):
            yield side.programme, deciding.of_side(claim, own)


def _each_side(programme: Programme) -> list[Programme]:
    return [side.programme for side in programme.sides] or [programme]


def _pool_room(programme: Programme, first: Claim | None, opening: Opening) -> int | None:
    """What the first joint pool has left."""
    pool = next((cap for cap in programme.joint_caps if cap.per is CapPer.POOL), None)
    if pool is None or first is None:
        return None
    return pool.room(opening.caps.get(pool.id), first.facts, opening.caps)
