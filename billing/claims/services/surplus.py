"""Money that payees sent too much for a claw-back: taken for another notice of theirs, or sent back, each by two people."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime

from django.db.models import F

from billing.bills.services.issuing import local_day
from billing.claims import accounts
from billing.claims.clawback_queries import free_fen
from billing.claims.models import Clawback, PaymentList
from billing.claims.notices import tell_surplus_refunded
from billing.claims.repayment_models import Repayment, SurplusRefund
from billing.claims.services import repaying
from billing.claims.services.office import Right, checked_text, require_office
from billing.claims.services.repaying import Money
from billing.ledger.services import Source
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.services import audit, idempotency, transactions

ROUTE = "claims.surplus.form"


@dataclass(frozen=True, slots=True)
class Transfer:
    """What the office transferred, on a local day, under a reference of the bank's."""

    amount_fen: int
    paid_on: date
    reference: str


def send_back(actor: Actor, repayment_id: int, transfer: Transfer, now: datetime) -> SurplusRefund:
    """Write down that money which came too much was sent back. It counts once another person has confirmed it.

    Raises NotFound, Forbidden, Refusal ``surplus.amount`` / ``surplus.on`` / ``claims.text_*``.
    """
    reference = checked_text(transfer.reference, "reference")

    def work() -> SurplusRefund:
        row, right = _locked(actor, repayment_id, now)
        _require_left(row, transfer.amount_fen)
        if not row.received_on <= transfer.paid_on <= local_day(now):
            raise Refusal.of("surplus.on", field="paid_on", received_on=row.received_on.isoformat())
        written = SurplusRefund.objects.create(
            repayment=row,
            amount_fen=transfer.amount_fen,
            paid_on=transfer.paid_on,
            reference=reference,
            recorded_by_id=actor.person_id,
            recorded_for_id=right.behalf_id,
            recorded_at=now,
        )
        after = {"number": row.clawback.number, "amount_fen": transfer.amount_fen}
        audit.record(actor, "surplus.send_back", written, now, after=after)
        return written

    return transactions.run(work)


@dataclass(frozen=True, slots=True)
class Free:
    """Money of a payee that came too much, with what of it is left (fen)."""

    row: Repayment
    amount_fen: int

    @property
    def payee_id(self) -> int:
        return self.row.clawback.payee_id


def free_of(programme_id: int, payee_ids: Collection[int], *, lock: bool = False) -> list[Free]:
    """What came too much of payees under a programme and went nowhere yet, the oldest first; three queries. ``lock``: held until the
    transaction ends."""
    rows = Repayment.objects.filter(
        clawback__programme=programme_id,
        clawback__payee__in=payee_ids,
        confirmed_at__isnull=False,
        ended_at__isnull=True,
        received_fen__gt=F("amount_fen"),
    ).order_by("pk")
    if lock:
        list(rows.select_for_update(no_key=True, of=("self",)).values_list("pk"))
    found = [Free(row, free_fen(row)) for row in rows.select_related("clawback__payee").prefetch_related("refunds", "moved_to")]
    return [each for each in found if each.amount_fen > 0]


def put_on_list(actor: Actor, right: Right, made: PaymentList, rows: Iterable[Free], now: datetime) -> None:
    """Have locked money that came too much go with a list that was just made, beside what it pays. It counts once the list is approved and
    another person has confirmed it."""
    for each in rows:
        written = SurplusRefund.objects.create(
            repayment=each.row,
            payment_list=made,
            amount_fen=each.amount_fen,
            paid_on=local_day(now),
            reference=made.number,
            recorded_by_id=actor.person_id,
            recorded_for_id=right.behalf_id,
            recorded_at=now,
        )
        after = {"number": each.row.clawback.number, "list": made.number, "amount_fen": each.amount_fen}
        audit.record(actor, "surplus.on_list", written, now, after=after)


def leave_list(actor: Actor, made: PaymentList, reason: str, now: datetime) -> None:
    """A locked list is cancelled: what was to go with it is free again. Raises Conflict ``claims.list_paid`` where some of it went."""
    rows = SurplusRefund.objects.select_for_update(no_key=True).filter(payment_list=made, ended_at__isnull=True).order_by("pk")
    refunds = list(rows)
    if any(each.confirmed_at is not None for each in refunds):
        raise Conflict.of("claims.list_paid", number=made.number)
    for each in refunds:
        SurplusRefund.objects.filter(pk=each.pk).update(ended_by_id=actor.person_id, ended_at=now, end_reason=reason)
        audit.record(actor, "surplus.end", each, now, after={"list": made.number, "amount_fen": each.amount_fen}, reason=reason)


def list_allows(refund: SurplusRefund) -> bool:
    """Whether what goes with a list may be confirmed, or said not to have gone; what goes alone may."""
    made = refund.payment_list
    return made is None or (made.approved_at is not None and made.cancelled_at is None)


def send_back_once(actor: Actor, repayment_id: int, transfer: Transfer, now: datetime, idempotency_key: str) -> None:
    """``send_back`` at most once for a key, however often a form is sent. Raises as that, Refusal ``idempotency.*``."""
    payload = {"repayment": repayment_id, **asdict(transfer)}

    def effect() -> dict[str, int]:
        return {"id": send_back(actor, repayment_id, transfer, now).pk}

    transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, payload, now, effect))


def take_for(actor: Actor, repayment_id: int, clawback_id: int, now: datetime, amount_fen: int | None = None) -> Repayment:
    """Take money that came too much for a notice of the same payee and programme of which something is open: so much of it, or as
    much as is there and open. As money that came in it waits for another person.

    Raises NotFound, Forbidden, Conflict ``repaid.not_promised``, Refusal ``surplus.amount`` / ``surplus.other`` / ``repaid.settled``.
    """

    def work() -> Repayment:
        target = get_visible(Clawback.objects.select_related("claim__batch__programme"), actor, pk=clawback_id)
        require_office(actor, target.claim.batch, now, Role.FINANCE)
        notice = repaying.locked_notice(target.pk)
        source, right = _locked(actor, repayment_id, now)
        of = (source.clawback.payee_id, source.clawback.programme_id)
        if of != (target.payee_id, target.programme_id):
            raise Refusal.of("surplus.other", field="clawback")
        wanted = repaying.open_for_money(notice)
        amount = min(free_fen(source), wanted) if amount_fen is None else amount_fen
        if wanted <= 0:
            raise Refusal.of("repaid.settled", number=target.number)
        _require_left(source, amount, wanted)
        money = Money(amount, source.received_on, source.payer_name, source.clawback.number)
        written = repaying.write(actor, right, notice, money, now, moved_from=source)
        if written is None:
            raise Refusal.of("repaid.settled", number=target.number)
        return written

    return transactions.run(work)


def confirm(actor: Actor, refund_id: int, now: datetime) -> SurplusRefund:
    """Say that what somebody else recorded was sent back: it is in the books, and the payee is told.

    Raises NotFound, Forbidden (``repaid.two_people``), Conflict ``repaid.decided`` / ``surplus.list_open``.
    """

    def work() -> SurplusRefund:
        refund, right = _locked_refund(actor, refund_id, now)
        if not refund.waits:
            raise Conflict.of("repaid.decided")
        if not list_allows(refund):
            raise Conflict.of("surplus.list_open", number=refund.reference)
        if {refund.recorded_by_id, refund.recorded_for_id} & right.people(actor):
            raise Forbidden.of("repaid.two_people")
        changes = {"confirmed_by_id": actor.person_id, "confirmed_for_id": right.behalf_id, "confirmed_at": now}
        SurplusRefund.objects.filter(pk=refund.pk).update(**changes)
        clawback = refund.repayment.clawback
        source = _source(refund, "surplus_refunded", actor)
        accounts.post_surplus_gone(clawback.programme_id, clawback.payee_id, refund.amount_fen, source, now)
        after = {"number": clawback.number, "amount_fen": refund.amount_fen}
        audit.record(actor, "surplus.sent_back", refund, now, after=after)
        refund.refresh_from_db()
        tell_surplus_refunded(refund, now)
        return refund

    return transactions.run(work)


def end(actor: Actor, refund_id: int, reason: str, now: datetime) -> SurplusRefund:
    """Say that it was not sent back after all, or came back from the bank: it is the payee's and with the office again. What stands on a
    list that is not approved yet leaves it with that list alone, whose paper says what is transferred.

    Raises NotFound, Forbidden, Conflict ``repaid.decided`` / ``surplus.leaves_with_list``, Refusal ``claims.text_*``.
    """
    why = checked_text(reason)

    def work() -> SurplusRefund:
        refund, _right = _locked_refund(actor, refund_id, now)
        if refund.ended_at is not None:
            raise Conflict.of("repaid.decided")
        if not list_allows(refund):
            raise Conflict.of("surplus.leaves_with_list", number=refund.reference)
        SurplusRefund.objects.filter(pk=refund.pk).update(ended_by_id=actor.person_id, ended_at=now, end_reason=why)
        clawback = refund.repayment.clawback
        if refund.confirmed_at is not None:
            source = _source(refund, "surplus_not_refunded", actor)
            accounts.post_surplus(clawback.programme_id, clawback.payee_id, refund.amount_fen, source, now)
        after = {"number": clawback.number, "amount_fen": refund.amount_fen}
        audit.record(actor, "surplus.end", refund, now, after=after, reason=why)
        refund.refresh_from_db()
        return refund

    return transactions.run(work)


def _require_left(row: Repayment, amount_fen: int, most_fen: int | None = None) -> None:
    left = free_fen(row) if most_fen is None else min(free_fen(row), most_fen)
    if not 0 < amount_fen <= left:
        raise Refusal.of("surplus.amount", field="amount_fen", left_fen=left)


def _locked(actor: Actor, repayment_id: int, now: datetime) -> tuple[Repayment, Right]:
    """Money behind the lock of its row; notices are locked before it."""
    found = get_visible(Repayment.objects.all(), actor, pk=repayment_id)
    rows = Repayment.objects.select_for_update(no_key=True, of=("self",))
    row = rows.select_related("clawback__claim__batch__programme", "clawback__payee").get(pk=found.pk)
    return row, require_office(actor, row.clawback.claim.batch, now, Role.FINANCE)


def _locked_refund(actor: Actor, refund_id: int, now: datetime) -> tuple[SurplusRefund, Right]:
    found = get_visible(SurplusRefund.objects.all(), actor, pk=refund_id)
    row, right = _locked(actor, found.repayment_id, now)
    rows = SurplusRefund.objects.select_for_update(no_key=True, of=("self",)).select_related("payment_list")
    refund = rows.get(pk=found.pk)
    refund.repayment = row
    return refund, right


def _source(refund: SurplusRefund, reason: str, actor: Actor) -> Source:
    version = refund.repayment.clawback.claim.batch.programme_version_id
    return Source("surplus_refund", refund.pk, reason, version, actor.user_id)
