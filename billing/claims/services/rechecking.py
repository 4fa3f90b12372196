"""Drawing settled claims for the re-check, and writing down what inspectors find of each. What comes back is decided by the office
(``answering.answer``), whom what was paid too much is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Max

from billing.claims.models import Claim
from billing.claims.recheck_models import Outcome, RecheckFinding, RecheckItem, RecheckSample
from billing.claims.rules import sampling
from billing.claims.rules.numbers import Series
from billing.claims.rules.sampling import Plan, Settled
from billing.claims.rules.states import ClaimState
from billing.claims.services import waiting_findings
from billing.claims.services.office import checked_text, next_number
from billing.subsidy.models import Programme
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import Forbidden, Refusal
from config.kernel.services import audit, idempotency, transactions
from config.kernel.services.transactions import constraint_name

ROUTE = "claims.draw_sample"
INDEPENDENT = "recheck_finding_independent"
MOST_FEN = 10**15
SETTLED = (ClaimState.PAID, ClaimState.RECHECKED)


@dataclass(frozen=True, slots=True)
class DrawInput:
    """Claims of which the last part was paid on the local days ``from_on`` to ``until_on`` (included), of a programme or (None) of all,
    drawn by ``plan``."""

    from_on: date
    until_on: date
    plan: Plan
    programme_id: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What an inspector found: ``difference_fen`` is what was paid too much (below nil: too little), with the reason."""

    outcome: str
    difference_fen: int = 0
    reason: str = ""


def settled(actor: Actor, asked: DrawInput) -> list[Settled]:
    """The claims of which all was paid in the period, by id; one more than may be drawn from at the most. One query."""
    rows = visible_to(Claim.objects.filter(state__in=SETTLED, total_fen__gt=0), actor)
    if asked.programme_id is not None:
        rows = rows.filter(batch__programme_id=asked.programme_id)
    rows = rows.annotate(last_paid_on=Max("payment_lines__payout__paid_on"))
    rows = rows.filter(last_paid_on__range=(asked.from_on, asked.until_on))
    return [Settled(pk, fen) for pk, fen in rows.order_by("pk").values_list("pk", "total_fen")[: sampling.MOST_CLAIMS + 1]]


def draw_once(actor: Actor, asked: DrawInput, now: datetime, *, idempotency_key: str) -> tuple[int, bool]:
    """As ``draw``, at most once for a key: the sample's id and whether it was there. Raises Refusal ``idempotency.*`` besides."""
    plan = asked.plan
    payload = {
        "days": [asked.from_on.isoformat(), asked.until_on.isoformat()],
        "programme": asked.programme_id,
        "plan": [plan.method.value, plan.seed, plan.size, plan.share],
    }

    def effect() -> dict[str, Any]:
        return {"id": draw(actor, asked, now).pk}

    result, replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, payload, now, effect))
    return result["id"], replayed


def draw(actor: Actor, asked: DrawInput, now: datetime) -> RecheckSample:
    """Draw a sample and keep what it was drawn from: every draw that is kept has a number, so that none of them goes unseen.

    Raises Forbidden, NotFound, Refusal ``recheck.seed_*`` / ``recheck.size*`` / ``recheck.share`` / ``recheck.days`` / ``recheck.nothing``
    / ``recheck.too_many``.
    """
    actor.require(Role.INSPECTOR)
    faults = sampling.plan_faults(asked.plan)
    Refusal.raise_any(faults)
    if asked.from_on > asked.until_on:
        raise Refusal.of("recheck.days", field="until_on")
    if asked.programme_id is not None:
        get_visible(Programme.objects.all(), actor, pk=asked.programme_id)

    def work() -> RecheckSample:
        claims = settled(actor, asked)
        if not claims:
            raise Refusal.of("recheck.nothing", field="from_on")
        if len(claims) > sampling.MOST_CLAIMS:
            raise Refusal.of("recheck.too_many", field="until_on", most=sampling.MOST_CLAIMS)
        if sampling.drawn_count(asked.plan, len(claims)) > sampling.MOST_DRAWN:
            raise Refusal.of("recheck.size", field="share", most=sampling.MOST_DRAWN)
        return _write(actor, asked, claims, now)

    return transactions.run(work)


def _write(actor: Actor, asked: DrawInput, claims: list[Settled], now: datetime) -> RecheckSample:
    plan, drawn = asked.plan, sampling.draw(claims, asked.plan)
    written = RecheckSample.objects.create(
        number=next_number(Series.SAMPLE, now),
        programme_id=asked.programme_id,
        from_on=asked.from_on,
        until_on=asked.until_on,
        method=plan.method.value,
        seed=plan.seed,
        size=plan.size,
        share=plan.share,
        population=[[each.id, each.amount_fen] for each in claims],
        population_sha256=sampling.fingerprint(claims),
        claim_count=len(claims),
        claim_fen=sum(each.amount_fen for each in claims),
        drawn_count=len(drawn),
        drawn_fen=sum(each.amount_fen for each in drawn),
        drawn_by_id=actor.person_id,
        drawn_at=now,
    )
    RecheckItem.objects.bulk_create(
        [
            RecheckItem(sample=written, position=place, claim_id=each.id, amount_fen=each.amount_fen)
            for place, each in enumerate(drawn, start=1)
        ]
    )
    after = {"number": written.number, "claims": len(claims), "drawn": len(drawn), "seed": plan.seed}
    audit.record(actor, "recheck.draw", written, now, after=after)
    return written


def record(actor: Actor, item_id: int, found: Found, now: datetime) -> RecheckFinding:
    """Write down what was found of a claim of a sample. A later finding takes the place of an earlier one, which stays.

    Raises NotFound, Forbidden ``recheck.own_part`` (a part in the claim), Refusal ``recheck.outcome`` / ``recheck.difference`` /
    ``claims.text_*`` (a difference says why).
    """
    actor.require(Role.INSPECTOR)
    if found.outcome not in Outcome.values:
        raise Refusal.of("recheck.outcome", field="outcome")
    differs = found.outcome == Outcome.DIFFERENCE
    if differs == (found.difference_fen == 0) or abs(found.difference_fen) > MOST_FEN:
        raise Refusal.of("recheck.difference", field="difference")
    reason = checked_text(found.reason) if differs or found.reason.strip() else ""

    def work() -> RecheckFinding:
        claim = Claim.objects.select_for_update(no_key=True).get(
            pk=get_visible(RecheckItem.objects.all(), actor, pk=item_id).claim_id
        )
        item = RecheckItem.objects.select_for_update(no_key=True).get(pk=item_id)
        if found.difference_fen > item.amount_fen:
            raise Refusal.of("recheck.difference", field="difference")
        try:
            written = RecheckFinding.objects.create(
                item=item,
                position=RecheckFinding.objects.filter(item=item).count() + 1,
                outcome=found.outcome,
                difference_fen=found.difference_fen,
                reason=reason,
                recorded_by_id=actor.person_id,
                recorded_at=now,
            )
        except IntegrityError as error:
            if constraint_name(error) != INDEPENDENT:
                raise
            raise Forbidden.of("recheck.own_part") from error
        after = {"claim": item.claim_id, "outcome": found.outcome, "difference_fen": found.difference_fen}
        audit.record(actor, "recheck.find", written, now, after=after, reason=reason)
        waiting_findings.tell_of(claim, now)
        return written

    return transactions.run(work)
