"""The rules of a programme that need the whole batch: a rate fixed afterwards from the pool, a pool divided in proportion.

They decide once, when a batch is closed, about what was handed in. What they give less than was awarded as an estimate becomes a line of
its own with its steps, and goes back to the programme; more than the award was promised is never given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from billing.bills.models import ReversalCause
from billing.claims.models import Claim, ClaimBatch, ClaimLine
from billing.claims.rules.totals import LineKind, Standing, split_like
from billing.claims.services import reversing
from billing.ledger.models import Account
from billing.ledger.rules.money import split_largest_remainder
from billing.settlement.models import Award
from billing.settlement.services.assessing import thaw
from billing.subsidy import services as subsidy
from billing.subsidy.rules import sample_codec
from billing.subsidy.rules.batch import BatchOutcome, Opening, has_batch_rules
from billing.subsidy.rules.batch import Claim as OneOfBatch
from billing.subsidy.rules.codec import steps_to_json
from billing.subsidy.rules.engines import OtherEngine, as_read_by, current, engine
from billing.subsidy.rules.facts import Facts
from billing.subsidy.rules.outcome import Award as AwardOutcome
from billing.subsidy.rules.outcome import Balance, Home, SettlementMode, home_platform
from billing.subsidy.rules.parts.caps import Cap
from billing.subsidy.rules.programme import Programme
from billing.subsidy.rules.sides import in_one_way
from billing.vouchers.rules.backing import is_issued
from config.kernel.errors import Refusal


class Applied(TypedDict):
    """What one version's rules over a batch were worked out from, by which engine, and what they came to, as JSON.

    ``opening``: by cap id what the pool had (``limit_fen``, None for none; ``used_fen``). ``lines``: the lines in the order in which they
    were decided. ``given``: what each of them gets (fen) where nothing of its award went back. ``homes``: by line what regions elsewhere
    pay of it (payer -> fen); what was closed before that was told has none.
    """

    engine: str
    programme_version: int
    sha256: str
    mode: str
    opening: dict[str, dict[str, int | None]]
    lines: list[int]
    steps: list[dict[str, Any]]
    given: list[int]
    homes: NotRequired[dict[str, dict[str, int]]]


def apply(batch: ClaimBatch, claims: Sequence[Claim], now: datetime) -> list[Applied]:
    """Apply what a batch's programme says of whole batches to its locked claims; what was applied, to be frozen with the batch."""
    rows = ClaimLine.objects.filter(claim__in=claims, kind=LineKind.AWARD, standing=Standing.INCLUDED)
    of_version: dict[int, list[ClaimLine]] = {}
    reversing.lock_awards(rows.values_list("award_id", flat=True))
    found = rows.select_related("award__charge", "award__programme_version").prefetch_related("award__reversals")
    for line in found.order_by("award__service_on", "pk"):
        if not _ours(reversing.left_by_payer(line.award)):
            continue  # a region pays its own vouchers whatever our pool comes to
        of_version.setdefault(line.award.programme_version_id, []).append(line)
    by_pk = {claim.pk: claim for claim in claims}
    applied: list[Applied] = []
    for version_id, lines in sorted(of_version.items()):
        programme = subsidy.in_force(version_id).programme
        if not has_batch_rules(programme):
            continue
        opening = _opening(programme, lines)
        homes = _homes(lines)
        try:
            decided = decide(current(), programme, lines, opening, homes)
        except OtherEngine as error:
            raise Refusal.of("claims.inconsistent", what=str(error)) from error
        given = []
        for line in lines:
            outcome = decided.outcomes[str(line.pk)]
            if not isinstance(outcome, AwardOutcome):
                unmet = ", ".join(reason.code for reason in outcome.reasons)
                raise Refusal.of("claims.inconsistent", what=f"{by_pk[line.claim_id].number}, line {line.position}: {unmet}")
            given.append(outcome.given_fen(SettlementMode(batch.mode)))
            kept = _kept(line.award, outcome, SettlementMode(batch.mode))
            _cut(by_pk[line.claim_id], line, kept, steps_to_json(outcome.steps), now)
        applied.append(
            {
                "engine": current(),
                "programme_version": version_id,
                "sha256": programme.sha256,
                "mode": batch.mode,
                "opening": {
                    name: {"limit_fen": each.limit_fen, "used_fen": each.used_fen} for name, each in opening.caps.items()
                },
                "lines": [line.pk for line in lines],
                "steps": steps_to_json(decided.steps),
                "given": given,
                "homes": homes,
            }
        )
    for claim in claims:
        _set_total(claim)
    return applied


def decide(
    version: str, programme: Programme, lines: Sequence[ClaimLine], opening: Opening, homes: Mapping[str, Mapping[str, int]]
) -> BatchOutcome:
    """What an engine makes of the lines as a batch, from the facts frozen with their charges. ``homes`` as in ``Applied``. Raises
    OtherEngine."""
    backed = next((cap.id for cap in programme.joint_caps if is_issued(cap)), "")
    claims = [
        OneOfBatch(
            str(line.pk),
            _facts(line),
            {backed: tuple(Home(payer, fen) for payer, fen in paid.items())} if (paid := homes.get(str(line.pk))) else {},
        )
        for line in lines
    ]
    return engine(version).batch(as_read_by(version, programme), claims, opening)


def _homes(lines: Sequence[ClaimLine]) -> dict[str, dict[str, int]]:
    """What regions elsewhere pay of awards, as they were given; lines of which they pay nothing are left out."""
    found = {}
    for line in lines:
        paid = {each["payer"]: each["amount_fen"] for each in line.award.payers if home_platform(each["payer"])}
        if any(paid.values()):
            found[str(line.pk)] = paid
    return found


def _ours(parts: Mapping[str, int]) -> dict[str, int]:
    """The payers of an award (payer -> fen) without the regions that pay their own vouchers."""
    return {payer: fen for payer, fen in parts.items() if not home_platform(payer)}


def _kept(award: Award, outcome: AwardOutcome, mode: SettlementMode) -> int:
    """What a rule leaves of an award to our payers: what it gives beside what a region pays itself, so that both together are no more than
    it says (ADR 54); and of an award of which a part went back, before it was handed in or since, the same share, rounded once. What a
    rule over another batch took is decided anew.
    """
    given_fen = sum(line.amount_fen for line in in_one_way(outcome, mode).lines if not home_platform(line.payer))
    whole_fen = sum(_ours({each["payer"]: each["amount_fen"] for each in award.payers}).values())
    counts = sum(_ours(reversing.left_by_payer(award, but=ReversalCause.BATCH_RULE)).values())
    return split_largest_remainder(given_fen, [counts, whole_fen - counts])[0] if given_fen > 0 else 0


def _cut(claim: Claim, line: ClaimLine, given_fen: int, steps: list[dict[str, Any]], now: datetime) -> None:
    """Take off what is left of an award above ``given_fen``, from its payers here. What went back of it since it was handed in is clawed
    back and taken here no second time."""
    ours = _ours(reversing.left_by_payer(line.award))
    less = sum(ours.values()) - given_fen
    if less <= 0:
        return
    parts = split_like(less, _ours({each["payer"]: each["amount_fen"] for each in line.payers}))
    ClaimLine.objects.create(
        claim=claim,
        position=ClaimLine.objects.filter(claim=claim).count() + 1,
        kind=LineKind.BATCH_RULE,
        award_id=line.award_id,
        amount_fen=-less,
        payers=[{"payer": payer, "amount_fen": -part} for payer, part in parts.items()],
        steps=steps,
        created_at=now,
    )
    reversing.reverse(line.award_id, less, ReversalCause.BATCH_RULE, None, now, among=ours)


def _set_total(claim: Claim) -> None:
    amounts = ClaimLine.objects.filter(claim=claim, standing=Standing.INCLUDED).values_list("amount_fen", flat=True)
    claim.total_fen = sum(amounts)
    Claim.objects.filter(pk=claim.pk).update(total_fen=claim.total_fen)


def _facts(line: ClaimLine) -> Facts:
    """The facts frozen with the charge under the line's version, completed by its price as they were for the award. Raises OtherEngine."""
    frozen, version_id = line.award.charge.inputs, line.award.programme_version_id
    tried = [each["programme"]["programme_version"] for each in frozen["candidates"]]
    place = tried.index(version_id)
    if sample_codec.is_of_samples(frozen):
        return sample_codec.inputs_under([subsidy.in_force(pk).programme for pk in tried], frozen).facts_of(place)
    return thaw(frozen).facts_of(place)


def _opening(programme: Programme, lines: Sequence[ClaimLine]) -> Opening:
    """What the programme's pools have for these lines: granted, less what others took."""
    caps = {cap.id: cap for cap in subsidy.pools(programme) if cap.share_of is None}
    keys = {subsidy.pool_key(programme.code, programme.version, cap): cap_id for cap_id, cap in caps.items()}
    found = {}
    for account in Account.objects.filter(key__in=keys):
        cap = caps[keys[account.key]]
        others = account.posted_fen + account.held_fen - _drawn(cap, lines)
        found[cap.id] = Balance(account.granted_fen if account.limited else None, max(others, 0))
    return Opening(found, {})


def _drawn(cap: Cap, lines: Sequence[ClaimLine]) -> int:
    """What these lines' awards draw still: what went back of them is in the pool again."""
    parts = [_ours(reversing.left_by_payer(line.award)) for line in lines]
    return sum(amount for each in parts for payer, amount in each.items() if not cap.payer or payer == cap.payer)
