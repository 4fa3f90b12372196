"""What the office does with claims: look, pass, send back, leave a line out, reject, approve; one by one or all that are clean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.bills.models import ReversalCause
from billing.claims import accounts, queries
from billing.claims.models import Claim, ClaimLine, Objection
from billing.claims.rules.checks import is_clean, look
from billing.claims.rules.states import ClaimEvent, ClaimState
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.services import batches, clawbacks, reversing
from billing.claims.services.moving import locked, move
from billing.claims.services.office import OFFICE, REASON_LENGTH, checked_text, plain_text, require_office, require_reviewer
from billing.claims.services.proving import prove
from billing.ledger.services import Source
from config.kernel.access import Actor
from config.kernel.errors import Conflict, NotFound, Reason, Refusal
from config.kernel.services import transactions

LEFT_OUT = (Standing.EXCLUDED, Standing.POSTPONED)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one claim in an action about many: no reasons means it was done."""

    claim_id: int
    number: str
    reasons: tuple[Reason, ...] = ()

    @property
    def done(self) -> bool:
        return not self.reasons


def pass_on(actor: Actor, claim_id: int, now: datetime, note: str = "", *, at_step: int | None = None) -> Claim:
    """Let a claim pass the step at which it waits; ``at_step``: the one that was seen (from 0), so that nobody passes two with one look.
    Raises NotFound, Forbidden ``claims.other_office`` / ``claims.three_people``, Conflict ``claims.not_now``, Refusal
    ``claims.inconsistent``."""

    def work() -> Claim:
        claim = locked(actor, claim_id)
        if at_step not in (None, claim.step):
            raise Conflict.of("claims.not_now", state=claim.state, number=claim.number)
        right = require_reviewer(actor, claim, now)
        prove([claim])
        move(actor, claim, ClaimEvent.PASS, now, plain_text(note, REASON_LENGTH), behalf_id=right.behalf_id)
        return claim

    return transactions.run(work)


def pass_clean(actor: Actor, batch_id: int, now: datetime) -> list[Result]:
    """Let every claim of a batch pass its step at which nothing was found and that the actor may look at; each by itself, so that one that
    is refused stops no other. Raises NotFound, Forbidden."""
    waiting = _of_batch(actor, batch_id, ClaimState.IN_REVIEW)
    actor.require(*OFFICE)
    inputs = queries.check_inputs(waiting)
    clean = [claim for claim in waiting if is_clean(look(inputs[claim.pk]))]
    report = _each(clean, lambda claim: pass_on(actor, claim.pk, now, at_step=claim.step))
    found = Reason("claims.not_clean")
    return report + [Result(claim.pk, claim.number, (found,)) for claim in waiting if claim not in clean]


def send_back(actor: Actor, claim_id: int, reason: str, now: datetime) -> Claim:
    """Send a claim back to be completed (退回补正), which is no rejection: it comes back to the same step.

    Raises NotFound, Forbidden, Conflict ``claims.not_now``, Refusal ``claims.text_*``.
    """
    return _decide(actor, claim_id, ClaimEvent.SEND_BACK, reason, now)


def reject(actor: Actor, claim_id: int, reason: str, now: datetime) -> Claim:
    """Reject a claim for good: what stood on it goes back to the programme.

    Raises NotFound, Forbidden, Conflict ``claims.not_now``, Refusal ``claims.text_*``.
    """
    return _decide(actor, claim_id, ClaimEvent.REJECT, reason, now)


def _decide(actor: Actor, claim_id: int, event: ClaimEvent, reason: str, now: datetime) -> Claim:
    why = checked_text(reason)

    def work() -> Claim:
        claim = locked(actor, claim_id)
        right = require_reviewer(actor, claim, now)
        move(actor, claim, event, now, why, behalf_id=right.behalf_id)
        if event is ClaimEvent.REJECT:
            _give_back(claim, (Standing.INCLUDED, Standing.EXCLUDED), actor, now)
            taken = ClaimLine.objects.filter(claim=claim, kind=LineKind.CLAWBACK, standing=Standing.INCLUDED)
            taken.update(standing=Standing.REPLACED)  # still to be clawed back: from the next claim
            ClaimLine.objects.filter(claim=claim, standing=Standing.INCLUDED).update(standing=Standing.EXCLUDED, reason=why)
            batches.set_total(claim)
        return claim

    return transactions.run(work)


def set_line(actor: Actor, claim_id: int, position: int, standing: str, reason: str, now: datetime) -> Claim:
    """Leave a line out of a claim that is looked at (``excluded`` for good, ``postponed`` to a later batch), or take one in again that is
    ``excluded``. A rule over the batch follows its award. Who does it is a reviewer of the claim, and the history says so.

    Raises NotFound, Forbidden ``claims.three_people``, Conflict ``claims.not_now`` / ``claims.taken_elsewhere``, Refusal
    ``claims.standing`` / ``claims.text_*`` / ``claims.below_nothing``.
    """
    if standing not in (Standing.INCLUDED, *LEFT_OUT):
        raise Refusal.of("claims.standing", field="standing")
    why = checked_text(reason)

    def work() -> Claim:
        claim = locked(actor, claim_id)
        right = require_reviewer(actor, claim, now)
        if claim.state != ClaimState.IN_REVIEW:
            raise Conflict.of("claims.not_now", state=claim.state, number=claim.number)
        allowed = [Standing.EXCLUDED] if standing == Standing.INCLUDED else [Standing.INCLUDED]
        line = ClaimLine.objects.filter(claim=claim, position=position, standing__in=allowed).first()
        if line is None or line.kind == LineKind.BATCH_RULE:
            raise NotFound.of("access.not_found", model="claimline")
        same = ClaimLine.objects.filter(claim=claim, pk=line.pk)
        if line.kind == LineKind.AWARD:
            same |= ClaimLine.objects.filter(claim=claim, award_id=line.award_id, kind=LineKind.BATCH_RULE)
        if standing == Standing.INCLUDED and line.clawback_id is not None:
            clawbacks.require_room(line)
        same.update(standing=standing, reason="" if standing == Standing.INCLUDED else why)
        batches.set_total(claim)
        prove([claim])
        said, also = f"{position}: {why}"[:REASON_LENGTH], {"position": position, "standing": standing}
        move(actor, claim, ClaimEvent.LINE, now, said, also, right.behalf_id)
        return claim

    return transactions.run(work)


def approve(actor: Actor, claim_id: int, now: datetime) -> Claim:
    """Approve a claim whose publicity is over and against which nothing stands: its payee is owed the money, and what was left out for good
    goes back to the programme.

    Raises NotFound, Forbidden ``claims.three_people``, Conflict ``claims.not_now``, Refusal ``claims.still_public`` /
    ``claims.objected`` / ``claims.inconsistent``.
    """

    def work() -> Claim:
        claim = locked(actor, claim_id)
        right = require_office(actor, claim.batch, now, *OFFICE)
        if claim.publicity is not None and claim.publicity.closed_at is None:
            raise Refusal.of("claims.still_public", until_on=claim.publicity.until_on.isoformat(), number=claim.number)
        if Objection.objects.filter(claim=claim, answered_at__isnull=True).exists():
            raise Refusal.of("claims.objected", number=claim.number)
        prove([claim])
        move(actor, claim, ClaimEvent.APPROVE, now, behalf_id=right.behalf_id)
        _give_back(claim, (Standing.EXCLUDED,), actor, now)
        if claim.total_fen:
            source = Source("claim", claim.pk, "claim_approve", claim.batch.programme_version_id, actor.user_id)
            accounts.post_approved(claim.batch.programme_id, claim.payee_id, claim.total_fen, source, now)
        else:
            move(actor, claim, ClaimEvent.SETTLE, now)
        return claim

    return transactions.run(work)


def approve_all(actor: Actor, batch_id: int, now: datetime) -> list[Result]:
    """Approve every public claim of a batch that can be approved; each by itself. Raises NotFound, Forbidden."""
    batch = queries.batch_for(actor, batch_id)
    require_office(actor, batch, now, *OFFICE)
    return _each(_of_batch(actor, batch_id, ClaimState.PUBLICISED), lambda claim: approve(actor, claim.pk, now))


def _of_batch(actor: Actor, batch_id: int, state: ClaimState) -> list[Claim]:
    batch = queries.batch_for(actor, batch_id)
    return list(queries.claims_of(actor, batch).filter(state=state))


def _each(claims: Sequence[Claim], work: Callable[[Claim], object]) -> list[Result]:
    """The report of doing something to several claims, each in a transaction of its own."""
    report = []
    for claim in claims:
        try:
            work(claim)
            report.append(Result(claim.pk, claim.number))
        except Refusal as refusal:
            report.append(Result(claim.pk, claim.number, refusal.reasons))
    return report


def _give_back(claim: Claim, standings: Sequence[Standing], actor: Actor, now: datetime) -> None:
    """What of a claim's awards is not paid after all goes back to the accounts that had paid it."""
    lines = ClaimLine.objects.filter(claim=claim, kind=LineKind.AWARD, standing__in=standings).select_related("award")
    reversing.lock_awards(lines.values_list("award_id", flat=True))
    for line in lines.order_by("award_id"):
        left = sum(reversing.left_by_payer(line.award).values())
        if left:
            reversing.reverse(line.award_id, left, ReversalCause.NOT_CLAIMABLE, actor.user_id, now)
