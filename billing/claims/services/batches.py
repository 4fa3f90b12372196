"""Batches: opening one, filling it with what can be claimed, and closing it, which fixes its figures and begins the review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from billing.bills.models import AwardReversal
from billing.bills.services.issuing import local_day
from billing.claims.models import Claim, ClaimBatch, ClaimLine
from billing.claims.notices import tell_opened
from billing.claims.rules.numbers import Series
from billing.claims.rules.states import ClaimEvent, ClaimState
from billing.claims.rules.totals import LineKind, Standing, Totals
from billing.claims.services import batch_rules, clawbacks, real_days, reversing
from billing.claims.services.moving import move
from billing.claims.services.office import OFFICE, Right, locked_batch, next_number, require_office
from billing.claims.services.proving import prove
from billing.settlement.models import Award
from billing.settlement.period_models import held
from billing.settlement.services.statements import CREDITED
from billing.subsidy.models import Programme, ProgrammeVersion
from billing.subsidy.rules.outcome import SettlementMode
from config.kernel.access import NOBODY, Actor, get_visible
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, idempotency, transactions
from config.kernel.services.transactions import constraint_name

ONCE = "claim_batch_once"
ROUTE = "claims.open"
#: A batch has at most this many lines: more are for the next one.
MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class BatchInput:
    """What a batch is to be: all days local and included."""

    programme_id: int
    mode: str
    from_on: date
    until_on: date
    opens_on: date
    closes_on: date
    fund_year: int

    def faults(self) -> list[Reason]:
        found = []
        if self.mode not in list(SettlementMode):
            found.append(Reason("claims.mode", {}, "mode"))
        if self.from_on > self.until_on:
            found.append(Reason("claims.days_in_order", {}, "until_on"))
        if self.opens_on > self.closes_on:
            found.append(Reason("claims.days_in_order", {}, "closes_on"))
        if not 2000 <= self.fund_year <= 2099:
            found.append(Reason("claims.fund_year", {}, "fund_year"))
        return found


@dataclass(frozen=True, slots=True)
class Gathered:
    """What filling a batch did: claims that were begun, lines that came in; ``waiting``: awards of payees who handed in already."""

    claims: int
    lines: int
    waiting: int


def open_batch(actor: Actor, given: BatchInput, now: datetime) -> ClaimBatch:
    """Open a batch of a programme; its way of a claim is that of the version valid on the last day of service, else of the latest.

    Raises Forbidden, NotFound, Refusal ``claims.mode`` / ``claims.days_in_order`` / ``claims.fund_year`` / ``claims.no_version`` /
    ``claims.batch_outside_window``, Conflict ``claims.batch_exists``.
    """
    actor.require(*OFFICE)
    programme = get_visible(Programme.objects.all(), actor, pk=given.programme_id)
    Refusal.raise_any(given.faults())
    versions = ProgrammeVersion.objects.filter(programme=programme, published_at__isnull=False)
    version = versions.filter(valid__contains=given.until_on).first() or versions.order_by("-valid").first()
    if version is None:
        raise Refusal.of("claims.no_version", field="programme")
    real_days.refuse_batch(version, given.opens_on, given.closes_on)

    def work() -> ClaimBatch:
        batch = ClaimBatch(
            programme=programme,
            programme_version=version,
            mode=given.mode,
            fund_year=given.fund_year,
            from_on=given.from_on,
            until_on=given.until_on,
            opens_on=given.opens_on,
            closes_on=given.closes_on,
            opened_by_id=actor.person_id,
            opened_at=now,
        )
        require_office(actor, batch, now, *OFFICE)
        batch.number = next_number(Series.BATCH, now)
        try:
            batch.save(force_insert=True)
        except IntegrityError as error:
            if constraint_name(error) != ONCE:
                raise
            raise Conflict.of("claims.batch_exists") from error
        after = {"number": batch.number, "programme": programme.code, "mode": batch.mode}
        audit.record(actor, "claim_batch.open", batch, now, after=after)
        return batch

    return transactions.run(work)


def open_once(actor: Actor, given: BatchInput, now: datetime, *, idempotency_key: str) -> tuple[int, bool]:
    """As ``open_batch``, at most once for a key: the batch's id and whether it was there. Raises Refusal ``idempotency.*`` besides."""
    payload = {name: str(getattr(given, name)) for name in given.__slots__}

    def effect() -> dict[str, Any]:
        return {"id": open_batch(actor, given, now).pk}

    result, replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, payload, now, effect))
    return result["id"], replayed


def claimable(batch: ClaimBatch) -> QuerySet[Award]:
    """Awards of a batch's programme, way of settlement and days of which something is left, that stand on no claim, that finance does
    not hold back in the month of the batch's last day, and whose use is agreed and not disputed; by payee and day."""
    standing = ClaimLine.objects.filter(
        award_id=OuterRef("pk"), kind=LineKind.AWARD, standing__in=[Standing.INCLUDED, Standing.EXCLUDED]
    )
    agreed = Q(charge__reservation__state="agreed") | Q(charge__sample_job__state="closed")
    rows = Award.objects.filter(
        agreed,
        ~Exists(standing),
        ~held("award", batch.until_on),
        programme_version__programme_id=batch.programme_id,
        mode=batch.mode,
        service_on__range=(batch.from_on, batch.until_on),
    )
    return rows.annotate(gone_fen=CREDITED).filter(total_fen__gt=F("gone_fen")).order_by("payee_id", "service_on", "pk")


def gather(actor: Actor, batch_id: int, now: datetime) -> Gathered:
    """Fill an open batch: a draft claim for each payee with everything that is claimable, and what is to be clawed back of the payee.

    Raises NotFound, Forbidden (``claims.three_people``: of a claim that the actor completed for its payee), Conflict
    ``claims.batch_closed``, Refusal ``claims.too_many``.
    """

    def work() -> Gathered:
        batch, right = _open(actor, batch_id, now)
        clawbacks.raise_due(batch.programme_id, now)
        ids = list(claimable(batch).values_list("pk", flat=True)[: MOST_LINES + 1])
        if len(ids) > MOST_LINES:
            raise Refusal.of("claims.too_many", most=MOST_LINES)
        reversing.lock_awards(ids)
        of_payee: dict[int, list[Award]] = {}
        for award in claimable(batch).filter(pk__in=ids).prefetch_related("reversals"):
            of_payee.setdefault(award.payee_id, []).append(award)
        found = _claims_of(batch, of_payee, now)
        waiting = sum(len(awards) for payee, awards in of_payee.items() if found[payee].state != ClaimState.DRAFT)
        lines = 0
        for payee, awards in of_payee.items():
            if found[payee].state == ClaimState.DRAFT:
                lines += _add(found[payee], awards, now)
                move(actor, found[payee], ClaimEvent.FILL, now, behalf_id=right.behalf_id)
                if found[payee].created_at == now:
                    tell_opened(found[payee], now)
        drafts = [claim for claim in found.values() if claim.state == ClaimState.DRAFT]
        prove(drafts)
        after = {"number": batch.number, "claims": len(drafts), "lines": lines}
        audit.record(actor, "claim_batch.gather", batch, now, after=after)
        return Gathered(len(drafts), lines, waiting)

    return transactions.run(work)


def close(actor: Actor, batch_id: int, now: datetime) -> Totals:
    """Close a batch after its claim window: claims that were not handed in fall out of it, rules over the whole batch are applied, and the
    first step of the review begins. Returns the proven totals.

    Raises as ``gather``, Refusal ``claims.window_open`` / ``claims.inconsistent``.
    """

    def work() -> Totals:
        batch, right = _open(actor, batch_id, now)
        if local_day(now) <= batch.closes_on:
            raise Refusal.of("claims.window_open", closes_on=batch.closes_on.isoformat())
        rows = Claim.objects.select_for_update(no_key=True, of=("self",)).filter(batch=batch).exclude(state=ClaimState.WITHDRAWN)
        claims = list(rows.select_related("batch__programme", "batch__programme_version", "payee").order_by("pk"))
        for claim in claims:
            if claim.state == ClaimState.DRAFT:
                drop(NOBODY, claim, now)
        handed_in = [claim for claim in claims if claim.state == ClaimState.SUBMITTED]
        applied = batch_rules.apply(batch, handed_in, now)
        proven = prove(handed_in)
        for claim in handed_in:
            move(actor, claim, ClaimEvent.BEGIN, now, behalf_id=right.behalf_id)
        steps = [step for each in applied for step in each["steps"]]
        ClaimBatch.objects.filter(pk=batch.pk).update(
            closed_at=now, closed_by_id=actor.user_id, rule_steps=steps, rules_applied=applied
        )
        after = {"number": batch.number, "claims": proven.claims, "total_fen": proven.total_fen}
        audit.record(actor, "claim_batch.close", batch, now, after=after)
        return proven

    return transactions.run(work)


def drop(actor: Actor, claim: Claim, now: datetime, reason: str = "") -> None:
    """Withdraw a locked claim: what stood on it can be claimed in another batch. Raises as ``moving.move``."""
    move(actor, claim, ClaimEvent.WITHDRAW, now, reason)
    ClaimLine.objects.filter(claim=claim).exclude(standing=Standing.REPLACED).update(standing=Standing.REPLACED)
    set_total(claim)


def set_total(claim: Claim) -> None:
    """Write what a locked claim's lines come to; the lines are read anew. Raises Refusal ``claims.below_nothing``."""
    amounts = ClaimLine.objects.filter(claim=claim, standing=Standing.INCLUDED).values_list("amount_fen", flat=True)
    total = sum(amounts)
    if total < 0:
        raise Refusal.of("claims.below_nothing", number=claim.number)
    Claim.objects.filter(pk=claim.pk).update(total_fen=total)
    claim.total_fen = total


def refresh(claim: Claim, now: datetime) -> None:
    """Bring a locked draft up to what the books say now: what went back of its awards since, what finance holds back, and what is to be
    clawed back."""
    rows = ClaimLine.objects.filter(claim=claim, kind=LineKind.AWARD, standing=Standing.INCLUDED)
    ids = list(rows.values_list("award_id", flat=True))
    reversing.lock_awards(ids)
    held_back = set(Award.objects.filter(held("award", claim.batch.until_on), pk__in=ids).values_list("pk", flat=True))
    stale = []
    for line in rows.select_related("award").prefetch_related("award__reversals"):
        if line.award_id in held_back or line.credited_fen != sum(each.amount_fen for each in line.award.reversals.all()):
            stale.append(line)
    ClaimLine.objects.filter(pk__in=[line.pk for line in stale]).update(standing=Standing.REPLACED)
    numbers = {line.award_id: line.invoice_number for line in stale}
    again = [line.award for line in stale if line.award_id not in held_back and _left(line.award)]
    _add(claim, again, now, numbers)


def _open(actor: Actor, batch_id: int, now: datetime) -> tuple[ClaimBatch, Right]:
    batch = locked_batch(actor, batch_id)
    right = require_office(actor, batch, now, *OFFICE)
    if batch.closed_at is not None:
        raise Conflict.of("claims.batch_closed", number=batch.number)
    return batch, right


def _claims_of(batch: ClaimBatch, of_payee: Mapping[int, Sequence[Award]], now: datetime) -> dict[int, Claim]:
    """The claim of each payee in a batch, begun where there is none, locked."""
    rows = Claim.objects.select_for_update(no_key=True).filter(batch=batch, payee_id__in=of_payee)
    found = {claim.payee_id: claim for claim in rows.exclude(state=ClaimState.WITHDRAWN).order_by("pk")}
    for payee_id in sorted(set(of_payee) - set(found)):
        found[payee_id] = Claim.objects.create(
            batch=batch, payee_id=payee_id, number=next_number(Series.CLAIM, now), since=now, created_at=now
        )
    for claim in found.values():
        claim.batch = batch
    return found


def _add(claim: Claim, awards: Sequence[Award], now: datetime, invoices: Mapping[int, str] | None = None) -> int:
    """Put awards on a draft and take off what is to be clawed back; how many lines came in."""
    last = ClaimLine.objects.filter(claim=claim).count()
    lines = [
        _line(claim, place, award, (invoices or {}).get(award.pk, ""), now) for place, award in enumerate(awards, start=last + 1)
    ]
    ClaimLine.objects.bulk_create(lines, batch_size=1000)
    clawbacks.take_back(claim, now)
    set_total(claim)
    return len(lines)


def _left(award: Award) -> int:
    return award.total_fen - sum(each.amount_fen for each in award.reversals.all())


def _line(claim: Claim, position: int, award: Award, invoice_number: str, now: datetime) -> ClaimLine:
    reversals: list[AwardReversal] = list(award.reversals.all())
    left = {each["payer"]: each["amount_fen"] for each in award.payers}
    for reversal in reversals:
        for each in reversal.payers:
            left[each["payer"]] -= each["amount_fen"]
    gone = sum(each.amount_fen for each in reversals)
    return ClaimLine(
        claim=claim,
        position=position,
        kind=LineKind.AWARD,
        award=award,
        amount_fen=award.total_fen - gone,
        credited_fen=gone,
        netted=[each.pk for each in reversals],
        payers=[{"payer": payer, "amount_fen": amount} for payer, amount in left.items()],
        invoice_number=invoice_number,
        created_at=now,
    )
