"""What is asked of a claim besides its papers, and what an award comes to with the answer.

An award whose programme looks at what others gave, at what does not count or at what is asked for was promised as if nothing of it were so.
With what the payee declares it is worked out again from what was frozen with its charge, by the engine that froze it, under the same
balances. No payer gives more than it was promised: what comes out less goes back to the programme, what comes out more is not given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from billing.bills.models import ReversalCause
from billing.claims.declared_models import ClaimDeclaration
from billing.claims.models import Claim, ClaimLine
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.services import reversing
from billing.ledger.rules.money import split_largest_remainder
from billing.settlement.models import Award
from billing.settlement.services.assessing import thaw
from billing.subsidy import services as subsidy
from billing.subsidy.rules import sample_codec, with_claim
from billing.subsidy.rules.codec import beside_others, steps_to_json
from billing.subsidy.rules.for_customers import by_side
from billing.subsidy.rules.given_here import GIVEN_HERE, OTHERS
from billing.subsidy.rules.outcome import Award as AwardOutcome
from billing.subsidy.rules.outcome import SettlementMode, Unmet
from billing.subsidy.rules.sides import in_one_way
from billing.subsidy.rules.with_claim import DECLARATION


@dataclass(frozen=True, slots=True)
class Worked:
    """What an award comes to with a declaration: what goes back, by payer, and how that was worked out."""

    less: Mapping[str, int]
    engine: str
    steps: list[dict[str, Any]]
    unmet: tuple[Unmet, ...]

    @property
    def less_fen(self) -> int:
        return sum(self.less.values())


@dataclass(frozen=True, slots=True)
class AskedLine:
    """A line of a claim of which something is asked: the facts, what was declared last (None: nothing yet), and what that leaves to go
    back when the claim is handed in (None once it was)."""

    line: ClaimLine
    paths: tuple[str, ...]
    declared: ClaimDeclaration | None
    worked: Worked | None

    @property
    def given_here_fen(self) -> int | None:
        """What other programmes here gave for the same service, which counted from the promise on and is not to be declared; None where
        that did not count. Who claims for the user is not told what an owner got."""
        if OTHERS not in self.paths:
            return None
        charge, place = self.line.award.charge, _place(self.line.award)
        if OTHERS not in charge.inputs["candidates"][place].get("told", ()):
            return None
        outcomes = charge.result["outcomes"]
        told = next((step["params"] for step in outcomes[place]["steps"] if step["key"] == GIVEN_HERE), None)
        if told is None:
            return 0
        if self.line.award.mode == SettlementMode.PAID_BESIDE:
            return int(told["given_fen"])
        return sum(sum(by_side(each).values()) for each in outcomes if each["programme"] in told["programmes"])

    @property
    def less_fen(self) -> int:
        """What goes back of the award with it, or went."""
        if self.worked is not None:
            return self.worked.less_fen
        return self.declared.less_fen if self.declared is not None else 0


def asked_of(award: Award) -> tuple[str, ...]:
    """Which facts the programme of an award asks of its payee: none of money that was off the bill at once, and none where the award was
    promised before it was told to expect a declaration. The charge and the version are loaded."""
    programme = subsidy.in_force(award.programme_version_id).programme
    if not programme.asks_with_claim or award.mode == SettlementMode.DEDUCTED_NOW:
        return ()
    facts = award.charge.inputs["candidates"][_place(award)]["facts"]
    return programme.asks_with_claim if DECLARATION in facts.get("service", {}).get("awaited", ()) else ()


def lines_asked(claims: Iterable[Claim]) -> list[AskedLine]:
    """The lines of claims that count and of which something is asked, in order; two queries."""
    rows = ClaimLine.objects.filter(claim__in=list(claims), kind=LineKind.AWARD, standing=Standing.INCLUDED)
    found = rows.select_related(
        "claim", "award__charge__reservation", "award__charge__sample_job", "award__programme_version"
    ).prefetch_related("award__reversals")
    lines = [(line, paths) for line in found.order_by("claim_id", "position") if (paths := asked_of(line.award))]
    last = latest(line for line, _paths in lines)
    return [_asked(line, paths, last.get((line.claim_id, line.award_id))) for line, paths in lines]


def unanswered(lines: Iterable[ClaimLine]) -> set[int]:
    """The lines (ids) of which something is asked and nothing was declared; their charges are loaded. No query where nothing is asked."""
    asking = [line for line in lines if asked_of(line.award)]
    told = latest(asking)
    return {line.pk for line in asking if (line.claim_id, line.award_id) not in told}


def told_of(lines: Iterable[ClaimLine]) -> dict[int, Mapping[str, int]]:
    """What was declared last of the lines (ids) of which something is asked; their charges are loaded."""
    asking = [line for line in lines if line.kind == LineKind.AWARD and asked_of(line.award)]
    told = latest(asking)
    return {line.pk: told[line.claim_id, line.award_id].amounts for line in asking if (line.claim_id, line.award_id) in told}


def latest(lines: Iterable[ClaimLine]) -> dict[tuple[int, int], ClaimDeclaration]:
    """What was declared last, by claim and award; one query, none without lines."""
    wanted = list(lines)
    if not wanted:
        return {}
    rows = ClaimDeclaration.objects.filter(
        claim__in={line.claim_id for line in wanted}, award__in={line.award_id for line in wanted}
    ).select_related("evidence__file", "added_by")
    return {(row.claim_id, row.award_id): row for row in rows.order_by("position")}


def worked(award: Award, amounts: Mapping[str, int]) -> Worked:
    """What an award comes to with what was declared. Its charge, version and reversals are loaded. Raises OtherEngine, Refusal
    ``replay.version_changed``."""
    inputs, place = _inputs(award), _place(award)
    candidate = beside_others(inputs, place)
    alone = replace(candidate, facts=with_claim.declared(candidate.facts, amounts))
    assessment = replace(inputs, candidates=(alone,)).assess()
    outcome = assessment.outcomes[0]
    steps = steps_to_json(outcome.steps)
    if not isinstance(outcome, AwardOutcome):
        return Worked(_less(award, {}), assessment.engine, steps, tuple(outcome.reasons))
    given: dict[str, int] = {}
    for line in in_one_way(outcome, SettlementMode(award.mode)).lines:
        given[line.payer] = given.get(line.payer, 0) + line.amount_fen
    return Worked(_less(award, given), assessment.engine, steps, ())


def is_as_worked_out(row: ClaimDeclaration) -> bool:
    """Whether what was applied is what the same engine makes of the same facts again, and what went back is what it says."""
    found = worked(row.award, row.amounts)
    gone = row.reversal.amount_fen if row.reversal is not None else 0
    unmet = [each["code"] for each in row.unmet]
    return (found.engine, found.steps, [each.code for each in found.unmet], gone) == (row.engine, row.steps, unmet, row.less_fen)


def _less(award: Award, given: Mapping[str, int]) -> dict[str, int]:
    """What each payer gives less than is left of its part: of a part of which something went back for another cause the same share of
    what it gives now, rounded once; what an earlier claim declared is decided anew."""
    left, counts = reversing.left_by_payer(award), reversing.left_by_payer(award, but=ReversalCause.DECLARED)
    found = {}
    for payer, whole in _parts(award).items():
        kept = min(given.get(payer, 0), whole)
        share = split_largest_remainder(kept, [counts[payer], whole - counts[payer]])[0] if kept else 0
        found[payer] = left[payer] - share
    return {payer: fen for payer, fen in found.items() if fen > 0}


def _parts(award: Award) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in award.payers:
        found[each["payer"]] = found.get(each["payer"], 0) + each["amount_fen"]
    return found


def _asked(line: ClaimLine, paths: tuple[str, ...], told: ClaimDeclaration | None) -> AskedLine:
    pending = told is not None and told.applied_at is None
    return AskedLine(line, paths, told, worked(line.award, told.amounts) if told is not None and pending else None)


def _inputs(award: Award) -> Any:
    frozen = award.charge.inputs
    if sample_codec.is_of_samples(frozen):
        tried: Sequence[int] = [each["programme"]["programme_version"] for each in frozen["candidates"]]
        return sample_codec.inputs_under([subsidy.in_force(pk).programme for pk in tried], frozen)
    return thaw(frozen)


def _place(award: Award) -> int:
    tried = [each["programme"]["programme_version"] for each in award.charge.inputs["candidates"]]
    return tried.index(award.programme_version_id)
