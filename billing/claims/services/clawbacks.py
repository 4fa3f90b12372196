"""What has to come back after it was claimed: raised once for every entry that gives something back, and taken off the next claims."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet

from billing.bills.models import AwardReversal, ReversalCause
from billing.bills.services.issuing import local_day
from billing.claims import findings
from billing.claims.models import Claim, ClaimLine, Clawback
from billing.claims.notices import tell_clawback
from billing.claims.paper_kinds import NOTICE
from billing.claims.recheck_models import RecheckAnswer, RecheckFinding
from billing.claims.rules import content as papers
from billing.claims.rules.numbers import Series
from billing.claims.rules.repaying import due_on as due_of
from billing.claims.rules.repaying import reference_of
from billing.claims.rules.states import PROMISED, SUBMITTED, ClaimEvent, ClaimState
from billing.claims.rules.totals import LineKind, Standing, fitting, split_like
from billing.claims.services import reversing
from billing.claims.services.documents import queue_documents
from billing.claims.services.moving import locked, move
from billing.claims.services.office import OFFICE, Right, checked_text, next_number, require_office
from billing.claims.services.papers import AWARDED, batch_paper, codes_of, line_paper, payee_paper
from billing.ledger.rules.documents import sha256_of
from billing.papers import codes as paper_codes
from billing.settlement.models import Award
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Forbidden
from config.kernel.services import audit, transactions
from instruments.models import Organisation


def _due(programme_id: int | None) -> QuerySet[Any]:
    """Lines that were handed in and of whose award something went back with a credit note that nothing claws back yet; one row for each
    reversal, its id as ``back_id``."""
    rows = ClaimLine.objects.filter(
        kind=LineKind.AWARD,
        standing=Standing.INCLUDED,
        claim__state__in=SUBMITTED,
        award__reversals__cause=ReversalCause.CREDIT_NOTE,
        award__reversals__clawback__isnull=True,
    )
    if programme_id is not None:
        rows = rows.filter(claim__batch__programme_id=programme_id)
    return rows.annotate(back_id=F("award__reversals"))


def raise_due(programme_id: int | None, now: datetime) -> int:
    """Write a claw-back with its notice for everything that went back of a claimed award; of one programme, or of all. Safe to repeat;
    returns how many."""

    def work() -> int:
        awards = set(_due(programme_id).values_list("award_id", flat=True))
        if not awards:
            return 0
        list(Award.objects.select_for_update(no_key=True).filter(pk__in=awards).order_by("pk").values_list("pk"))
        rows = (
            _due(programme_id)
            .filter(award_id__in=awards)
            .select_related("claim__batch__programme__issuer", "claim__batch__programme_version", "claim__payee", *AWARDED)
        )
        due = [line for line in rows.order_by("award_id", "back_id") if line.back_id not in line.netted]
        reversals = AwardReversal.objects.select_related("credit_note__issued_by").in_bulk([line.back_id for line in due])
        codes = codes_of(line.claim.payee_id for line in due)
        for line in due:
            reversal = reversals[line.back_id]
            note = reversal.credit_note
            if note is None:
                raise ValueError("a credit note's reversal names it")
            code = codes.get(line.claim.payee_id, "")
            _write(line, reversal, code, f"{note.number}: {note.reason}"[:500], note.issued_by_id, str(note.issued_by), now)
        return len(due)

    return transactions.run(work)


def _write(
    line: ClaimLine,
    reversal: AwardReversal,
    code: str,
    reason: str,
    actor_id: int,
    maker: str,
    now: datetime,
    answer: RecheckAnswer | None = None,
) -> Clawback:
    claim, number = line.claim, next_number(Series.CLAWBACK, now)
    # Nothing of a claim that is not approved was promised, so nothing of it is payable yet.
    due_on = due_of(local_day(now)) if ClaimState(claim.state) in PROMISED else None
    line.payers = reversal.payers
    content = paper_codes.with_code(
        papers.clawback_notice(
            batch_paper(claim.batch),
            payee_paper(claim.payee, code, bank=False),
            number,
            line_paper(line, reversal.amount_fen),
            claim.number,
            reversal.cause,
            reason,
            maker,
            local_day(now),
            _repay(claim.batch.programme.issuer, number, due_on),
        )
    )
    written = Clawback.objects.create(
        number=number,
        programme_id=claim.batch.programme_id,
        payee_id=claim.payee_id,
        award_id=line.award_id,
        claim=claim,
        reversal=reversal,
        cause=reversal.cause,
        reason=reason,
        due_on=due_on,
        answer=answer,
        total_fen=reversal.amount_fen,
        content=content,
        content_sha256=sha256_of(content),
        issued_at=now,
        issued_by_id=actor_id,
    )
    paper_codes.register(NOTICE, written.pk, content, now)
    queue_documents(written)
    tell_clawback(written, now)
    return written


def _repay(office: Organisation | None, number: str, due_on: date | None) -> papers.Repay:
    """How the money is paid back to an office, as the notice says it."""
    if office is None:
        return papers.Repay(due_on, reference_of(number))
    return papers.Repay(due_on, reference_of(number), office.bank_name, office.bank_account_name, office.bank_account_number)


def recheck(actor: Actor, claim_id: int, failed: dict[int, int], reason: str, now: datetime) -> list[Clawback]:
    """Record that a paid claim was looked at again, and what of its lines (position -> fen) did not stand: that is clawed back.

    Raises NotFound, Forbidden (``recheck.own_finding``), Conflict ``claims.not_now`` / ``recheck.finding_waits`` (what an inspector
    found is answered first, so that it does not come back twice), Refusal ``claims.text_*`` / ``claims.more_than_left``.
    """
    why = checked_text(reason)

    def work() -> list[Clawback]:
        claim = locked(actor, claim_id)
        right = require_office(actor, claim.batch, now, *OFFICE)
        if findings.waiting().filter(item__claim=claim).exists():
            raise Conflict.of("recheck.finding_waits", number=claim.number)
        if RecheckFinding.objects.filter(item__claim=claim, recorded_by__in=right.people(actor)).exists():
            raise Forbidden.of("recheck.own_finding")
        return rechecked(actor, claim, right, failed, why, now)

    return transactions.run(work)


def rechecked(
    actor: Actor, claim: Claim, right: Right, failed: dict[int, int], why: str, now: datetime, answer: RecheckAnswer | None = None
) -> list[Clawback]:
    """The same of a locked claim by a known right, in the caller's transaction; ``answer``: the office's to what an inspector found."""
    move(actor, claim, ClaimEvent.RECHECK, now, why, behalf_id=right.behalf_id)
    cause = ReversalCause.RECHECK
    return [_claw(actor, claim, place, amount, cause, why, now, answer) for place, amount in sorted(failed.items())]


def dispute(actor: Actor, claim_id: int, position: int, amount_fen: int, reason: str, now: datetime) -> Clawback:
    """Claw back what a dispute about a line, settled after the claim was handed in, leaves without reason.

    Raises NotFound, Forbidden, Conflict ``claims.not_now``, Refusal ``claims.text_*`` / ``claims.more_than_left``.
    """
    why = checked_text(reason)

    def work() -> Clawback:
        claim = locked(actor, claim_id)
        require_office(actor, claim.batch, now, *OFFICE)
        if ClaimState(claim.state) not in SUBMITTED:
            raise Conflict.of("claims.not_now", state=claim.state, number=claim.number)
        return _claw(actor, claim, position, amount_fen, ReversalCause.DISPUTE, why, now)

    return transactions.run(work)


def _claw(
    actor: Actor,
    claim: Claim,
    position: int,
    amount_fen: int,
    cause: ReversalCause,
    reason: str,
    now: datetime,
    answer: RecheckAnswer | None = None,
) -> Clawback:
    rows = ClaimLine.objects.select_related(
        "claim__batch__programme__issuer", "claim__batch__programme_version", "claim__payee", *AWARDED
    )
    counted = rows.filter(kind=LineKind.AWARD, standing=Standing.INCLUDED)
    line = get_visible(counted, actor, claim_id=claim.pk, position=position)
    reversal = reversing.reverse(line.award_id, amount_fen, cause, actor.user_id, now)
    code = codes_of([claim.payee_id]).get(claim.payee_id, "")
    written = _write(line, reversal, code, reason, actor.person_id, actor.name, now, answer)
    after = {"number": written.number, "claim": claim.number, "amount_fen": amount_fen}
    audit.record(actor, "claim.claw_back", written, now, after=after, reason=reason)
    return written


def _waiting(programme_id: int, payee_id: int) -> QuerySet[Clawback]:
    """Claw-backs of claims that were approved, of lines that count: what was never promised is not taken back."""
    counts = ClaimLine.objects.filter(
        claim_id=OuterRef("claim_id"), award_id=OuterRef("award_id"), kind=LineKind.AWARD, standing=Standing.INCLUDED
    )
    rows = Clawback.objects.filter(Exists(counts), programme_id=programme_id, payee_id=payee_id, claim__state__in=PROMISED)
    return rows.order_by("pk")


def outstanding(programme_id: int, payee_id: int) -> list[tuple[Clawback, int]]:
    """What is to be clawed back of a payee, stands on no claim that counts and did not come back, the oldest first, with how much of it
    (fen)."""
    rows = _waiting(programme_id, payee_id).select_related("reversal").prefetch_related("lines", "repayments")
    found = []
    for clawback in rows:
        left = clawback.total_fen - _gone(clawback)
        if left > 0:
            found.append((clawback, left))
    return found


def _gone(clawback: Clawback) -> int:
    """What of a notice is taken off claims or came back."""
    taken = -sum(line.amount_fen for line in clawback.lines.all() if line.standing == Standing.INCLUDED)
    return taken + sum(each.amount_fen for each in clawback.repayments.all() if each.ended_at is None)


def require_room(line: ClaimLine) -> None:
    """Whether a line that is left out may take back again; its claw-back is locked. Raises Conflict ``claims.taken_elsewhere``."""
    rows = Clawback.objects.select_for_update(no_key=True, of=("self",))
    clawback = rows.get(lines=line)
    if clawback.total_fen < _gone(clawback) - line.amount_fen:
        raise Conflict.of("claims.taken_elsewhere", number=clawback.number)


def take_back(claim: Claim, now: datetime) -> None:
    """Put on a locked draft what is to be clawed back of its payee, as far as the awards on it go; what stood there is replaced."""
    own = ClaimLine.objects.filter(claim=claim)
    own.filter(kind=LineKind.CLAWBACK, standing=Standing.INCLUDED).update(standing=Standing.REPLACED)
    waiting = _waiting(claim.batch.programme_id, claim.payee_id)
    list(waiting.select_for_update(no_key=True, of=("self",)).values_list("pk"))
    room = sum(own.filter(standing=Standing.INCLUDED).values_list("amount_fen", flat=True))
    left = outstanding(claim.batch.programme_id, claim.payee_id)
    parts = dict(fitting([(clawback.pk, amount) for clawback, amount in left], room))
    position = own.count()
    for clawback, _amount in left:
        part = parts.get(clawback.pk, 0)
        if part:
            position += 1
            _take_off(claim, clawback, part, position, now)


def off_claims(clawback: Clawback, claims: Sequence[Claim]) -> int:
    """What of a notice these claims take off (fen)."""
    lines = ClaimLine.objects.filter(clawback=clawback, claim__in=claims, standing=Standing.INCLUDED)
    return -sum(lines.values_list("amount_fen", flat=True))


def ease(
    actor: Actor, clawback: Clawback, claims: Sequence[Claim], amount_fen: int, now: datetime, behalf_id: int | None
) -> None:
    """So much of a locked notice came back as money: of these locked claims, which were handed in, less is taken off, the first first.
    Each says so in its history."""
    for claim in claims:
        line = ClaimLine.objects.filter(clawback=clawback, claim=claim, standing=Standing.INCLUDED).first()
        if amount_fen <= 0 or line is None:
            continue
        part = min(amount_fen, -line.amount_fen)
        ClaimLine.objects.filter(pk=line.pk).update(standing=Standing.REPLACED)
        if part < -line.amount_fen:
            _take_off(claim, clawback, -line.amount_fen - part, ClaimLine.objects.filter(claim=claim).count() + 1, now)
        amount_fen -= part
        total = sum(ClaimLine.objects.filter(claim=claim, standing=Standing.INCLUDED).values_list("amount_fen", flat=True))
        Claim.objects.filter(pk=claim.pk).update(total_fen=total)
        claim.total_fen = total
        also = {"clawback": clawback.number, "amount_fen": part}
        move(actor, claim, ClaimEvent.PAID_BACK, now, clawback.number, also, behalf_id)


def _take_off(claim: Claim, clawback: Clawback, part_fen: int, position: int, now: datetime) -> None:
    """A line of a claim that takes so much of a notice off."""
    shares = {each["payer"]: each["amount_fen"] for each in clawback.reversal.payers}
    ClaimLine.objects.create(
        claim=claim,
        position=position,
        kind=LineKind.CLAWBACK,
        award_id=clawback.award_id,
        clawback=clawback,
        amount_fen=-part_fen,
        payers=[{"payer": payer, "amount_fen": -share} for payer, share in split_like(part_fen, shares).items()],
        created_at=now,
    )
