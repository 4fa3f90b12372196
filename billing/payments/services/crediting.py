"""Credit notes: what one would do, shown before it is done, and doing it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from django.db.models import Exists, F, OuterRef

from billing.bills import accounts, queries
from billing.bills.claimed import handed_in
from billing.bills.models import AwardReversal, Bill, BillLine, CreditNote
from billing.bills.papers import CREDIT_NOTE
from billing.bills.rules import content as rules
from billing.bills.rules.crediting import AwardLeft, CreditReason, card_back, subsidy_back
from billing.bills.rules.numbers import Series
from billing.bills.services import returning, writing_off
from billing.bills.services.documents import queue_documents
from billing.bills.services.issuing import checked_reason, local_day, next_number
from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.rules.documents import sha256_of
from billing.ledger.services import Source
from billing.papers import codes
from billing.payments.models import Allocation, Payment
from billing.payments.services import card_credit
from billing.payments.services.allocating import free_up, freed, open_fen
from billing.prepaid.accounts import prepaid
from billing.settlement.models import Award, Charge, StatementLine
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, idempotency, transactions

ROUTE = "bill.credit"
EFFECT_DIFFERS = "credit.effect_differs"
_PAID_FOR = (
    "charge__reservation__instrument",
    "charge__sample_job",
    "fee__reservation__instrument",
)


@dataclass(frozen=True, slots=True)
class CreditRequest:
    """Credit ``amount_fen`` of the line at ``position`` of a bill, and why."""

    bill_id: int
    position: int
    amount_fen: int
    reason_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody saw before they credited; None: they did not look at it. ``digest``: of all that a preview shows."""

    freed_fen: int | None = None
    subsidy_fen: int | None = None
    card_fen: int | None = None
    digest: str | None = None

    def differs(self, effect: rules.CreditEffect) -> bool:
        """Whether anything of it is not so (any more)."""
        figures = ((self.freed_fen, effect.freed_fen), (self.subsidy_fen, effect.subsidy_fen), (self.card_fen, effect.card_fen))
        if any(seen is not None and seen != now for seen, now in figures):
            return True
        return self.digest is not None and self.digest != digest_of(effect)


NOT_LOOKED = Shown()


@dataclass(frozen=True, slots=True)
class Posting:
    """A movement that a credit note makes: account kinds and fen."""

    debit: str
    credit: str
    amount_fen: int


def preview(actor: Actor, asked: CreditRequest) -> tuple[rules.CreditEffect, tuple[Posting, ...]]:
    """What the credit note would do for the customer, the subsidy and the ledger; writes nothing.

    Raises NotFound, Forbidden, Refusal ``credit.amount`` / ``credit.reason_code`` / ``bill.reason_*`` / ``credit.void``.
    """
    bill, line, left = _line(actor, asked)
    effect = _effect(bill, line, asked.amount_fen, left)
    return effect, postings(effect)


def digest_of(effect: rules.CreditEffect) -> str:
    """Of every figure of an effect and its postings: what is owed less, what becomes free, whose subsidy goes back and how, the card."""
    return sha256_of(_told(effect))


def _told(effect: rules.CreditEffect) -> dict[str, Any]:
    """An effect in full, as JSON."""
    told: dict[str, Any] = json.loads(json.dumps({**asdict(effect), "postings": [asdict(each) for each in postings(effect)]}))
    return {**told, "subsidy_fen": effect.subsidy_fen}


def postings(effect: rules.CreditEffect) -> tuple[Posting, ...]:
    """The movements of an effect, in their order."""
    found = [Posting("receivable", "unassigned", effect.freed_fen)] if effect.freed_fen else []
    found.append(Posting("revenue", "receivable", effect.amount_fen))
    found += [Posting("awarded", each.programme, each.amount_fen) for each in effect.subsidy]
    if effect.card_fen:
        found.append(Posting("card_income", "fund_card", effect.card_fen))
    return tuple(found)


def issue_once(
    actor: Actor, asked: CreditRequest, now: datetime, *, idempotency_key: str, shown: Shown = NOT_LOOKED
) -> tuple[int, bool]:
    """Issue a credit note, at most once for a key; returns its id and whether it was there. ``shown``: what it was said to do.

    Raises what ``preview`` raises, Conflict ``credit.effect_differs``, Refusal ``idempotency.*``.
    """
    payload: Mapping[str, Any] = {
        "bill": asked.bill_id,
        "line": asked.position,
        "amount_fen": asked.amount_fen,
        "reason": [asked.reason_code, asked.reason],
    }

    def effect() -> dict[str, Any]:
        return {"id": issue(actor, asked, now, shown=shown).pk}

    result, replayed = transactions.run(lambda: idempotency.once(actor, ROUTE, idempotency_key, payload, now, effect))
    return result["id"], replayed


def issue(actor: Actor, asked: CreditRequest, now: datetime, *, shown: Shown = NOT_LOOKED) -> CreditNote:
    """Credit a part of a line: the customer owes less, money paid beyond the rest becomes free, and the subsidy's share goes back to its
    programmes. Raises as ``issue_once``, but for keys."""

    def work() -> CreditNote:
        bill, line, _ = _line(actor, asked)
        _lock(bill, line)
        _, line, left = _line(actor, asked)
        effect = _effect(bill, line, asked.amount_fen, left)
        if shown.differs(effect):
            figures = {"freed_fen": effect.freed_fen, "subsidy_fen": effect.subsidy_fen}
            raise Conflict(Reason(EFFECT_DIFFERS, figures), extra={"effect": _told(effect)})
        return _write(actor, asked, bill, line, left, effect, now)

    return transactions.run(work)


def _line(actor: Actor, asked: CreditRequest) -> tuple[Bill, BillLine, int]:
    """The bill, the line and what may be credited of it still."""
    bill = get_visible(Bill.objects.all(), actor, pk=asked.bill_id)
    actor.require_in(bill.owner_id, Role.OWNER_FINANCE)
    line = get_visible(BillLine.objects.select_related(*_PAID_FOR), actor, bill_id=bill.pk, position=asked.position)
    if line.voided:
        raise Refusal.of("credit.void")
    left = queries.standings([line])[0].left_fen
    faults = []
    if asked.reason_code not in [each.value for each in CreditReason]:
        faults.append(Reason("credit.reason_code", {}, "reason_code"))
    if not 0 < asked.amount_fen <= left:
        faults.append(Reason("credit.amount", {"left_fen": left}, "amount_fen"))
    Refusal.raise_any(faults)
    checked_reason(asked.reason)
    return bill, line, left


def _lock(bill: Bill, line: BillLine) -> None:
    """Payments before the bill, as everywhere; then the awards, in id order."""
    paying = Exists(Allocation.objects.filter(bill=bill, payment_id=OuterRef("pk")))
    list(Payment.objects.select_for_update(no_key=True).filter(paying).order_by("pk").values_list("pk"))
    Bill.objects.select_for_update(no_key=True).values_list("pk").get(pk=bill.pk)
    list(Award.objects.select_for_update(no_key=True).filter(charge=line.charge_id).order_by("pk").values_list("pk"))
    own = Account.objects.filter(key=prepaid(bill.owner_id, bill.customer_id).key)
    ledger.lock([*_paid_from(line), *card_credit.accounts_of(line), *own])


def _paid_from(line: BillLine) -> list[Account]:
    """The limited accounts that paid awards for the booking or job of a line."""
    charge = line.charge
    if charge is None:
        return []
    of = "reservation" if charge.reservation_id is not None else "sample_job"
    posted = Transfer.objects.filter(
        kind=TransferKind.POST, source_type=of, source_id=charge.reservation_id or charge.sample_job_id or 0
    )
    return list(Account.objects.filter(pk__in=posted.values("debit_id")))


def _effect(bill: Bill, line: BillLine, amount_fen: int, left_fen: int) -> rules.CreditEffect:
    unpaid = min(amount_fen, open_fen(bill))
    back = subsidy_back(amount_fen, left_fen, _awards_left(line))
    paid = card_credit.card_paid(line)
    card = card_back(left_fen, amount_fen, paid[2]) if paid is not None else 0
    return rules.CreditEffect(amount_fen, unpaid, amount_fen - unpaid, back, card)


def _awards_left(line: BillLine) -> list[AwardLeft]:
    """The awards of a line's charge with what of each has not gone back, in order."""
    if line.charge_id is None:
        return []
    stated = Exists(StatementLine.objects.filter(award_id=OuterRef("pk")))
    found = []
    rows = (
        Award.objects.filter(charge_id=line.charge_id)
        .annotate(stated=stated, asked=handed_in())
        .select_related("programme_version__programme")
    )
    for award in rows.prefetch_related("reversals").order_by("pk"):
        left = {each["payer"]: each["amount_fen"] for each in award.payers}
        for reversal in award.reversals.all():
            for each in reversal.payers:
                left[each["payer"]] -= each["amount_fen"]
        code = award.programme_version.programme.code
        found.append(AwardLeft(award.pk, code, tuple(left.items()), award.stated, award.asked))
    return [award for award in found if award.left_fen]


def _write(
    actor: Actor, asked: CreditRequest, bill: Bill, line: BillLine, left_fen: int, effect: rules.CreditEffect, now: datetime
) -> CreditNote:
    reason, on = checked_reason(asked.reason), local_day(now)
    if effect.freed_fen:
        # Prepaid money first: it stays the customer's for what is billed next.
        rows = Allocation.objects.filter(bill=bill).order_by(F("prepaid").desc(nulls_last=True), "-pk")
        back = free_up(rows, effect.freed_fen, reason, now, actor_id=actor.user_id)
        freed(bill, back, now, actor_id=actor.user_id)
    shown = bill.content["lines"][line.position - 1]
    dry = rules.assemble_credit(bill.content, shown, effect, left_fen, asked.reason_code, reason, on, actor.name)
    content = codes.with_code({**dry, "number": next_number(Series.CREDIT_NOTE, bill.owner_id, on)[0]})
    note = CreditNote.objects.create(
        line=line,
        bill=bill,
        owner_id=bill.owner_id,
        number=content["number"],
        reason_code=asked.reason_code,
        reason=reason,
        total_fen=effect.amount_fen,
        content=content,
        content_sha256=sha256_of(content),
        issued_at=now,
        issued_by_id=cast(int, actor.user_id),  # who has a role is somebody
    )
    codes.register(CREDIT_NOTE, note.pk, content, now)
    source = Source("credit_note", note.pk, "credit_note", actor_id=actor.user_id)
    accounts.post_credit(bill.owner_id, bill.customer_id, effect.amount_fen, source, now)
    writing_off.meet(bill, now)
    _reverse(note, effect.subsidy, source, now)
    card_credit.give_back(line, effect.card_fen, actor, now)
    after = {"number": note.number, "bill": bill.number, "amount_fen": effect.amount_fen, "subsidy_fen": effect.subsidy_fen}
    audit.record(actor, "bill.credit", note, now, after=after, reason=reason)
    queue_documents(note)
    return note


def _reverse(note: CreditNote, backs: Sequence[rules.SubsidyBack], source: Source, now: datetime) -> None:
    """Write down what of each award goes back, and give it back to the accounts that had paid. What a statement holds already was paid
    or will be: it goes back in the books, and ``claimed`` says that its payee is to be asked for it."""
    awards = Award.objects.in_bulk([back.award_id for back in backs])
    for back in backs:
        award = awards[back.award_id]
        payers = [{"payer": payer, "amount_fen": amount} for payer, amount in back.payers]
        AwardReversal.objects.create(
            credit_note=note, award=award, amount_fen=back.amount_fen, payers=payers, claimed=back.claimed, created_at=now
        )
    for version_id in dict.fromkeys(awards[back.award_id].programme_version_id for back in backs):
        reversals = AwardReversal.objects.filter(credit_note=note)
        returning.give_back(cast(Charge, note.line.charge), version_id, reversals, source, now)  # it has an award
