"""Money that finance writes down by hand: recorded by one person, confirmed by another, undone; never the same money as a bank's list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar, cast

from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import Lower

from billing.bills.services.issuing import checked_reason, local_day
from billing.ledger.services import Source
from billing.payments import accounts
from billing.payments.hand_models import HandEntry
from billing.payments.models import Method, Payment, Refund, RefundKind
from billing.payments.rules import by_hand as rules
from billing.payments.rules.by_hand import Way
from billing.payments.services.allocating import standing_of
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, NotFound, Reason, Refusal
from config.kernel.services import audit, files, transactions
from instruments.models import Organisation
from instruments.rules.registry_values import clean_text
from instruments.services import uploads

PAYER_LENGTH, REFERENCE_LENGTH, REMARK_LENGTH = 200, 100, 300
T = TypeVar("T", Payment, HandEntry)
#: Older money is no slip that was forgotten, but a typing fault.
OLDEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Money as somebody says that it came. ``another``: money that was shown as maybe the same is not it."""

    way: str
    amount_fen: int
    received_on: date | None
    payer_name: str
    reference: str
    remark: str = ""
    another: bool = False


def record(actor: Actor, owner_id: int, wanted: Wanted, evidence: bytes, file_name: str, now: datetime) -> HandEntry:
    """Write money down; nothing is in the books until another person confirms it.

    Raises Forbidden, NotFound, Refusal with a reason for every field (``hand.*``, ``upload.*``), Conflict ``hand.maybe_same`` with a
    reason for each payment or entry that may be the same money, while ``another`` does not say that it is not.
    """
    if owner_id not in actor.organisations(Role.OWNER_FINANCE):
        actor.require(Role.OWNER_FINANCE)
        raise NotFound.of("access.not_found", model="organisation")
    checked = _checked(wanted, local_day(now))
    clean = uploads.clean_document(evidence)

    def work() -> HandEntry:
        lock_owner(owner_id)
        _refuse_same(owner_id, checked, None)
        stem = "".join(letter for letter in file_name if letter.isprintable())[:190] or "evidence"
        stored = files.store(clean.content, file_name=stem, media_type=clean.media_type, user_id=actor.user_id, now=now)
        row = HandEntry.objects.create(
            owner_id=owner_id,
            way=checked.way,
            amount_fen=checked.amount_fen,
            received_on=cast(date, checked.received_on),
            payer_name=checked.payer_name,
            reference=checked.reference,
            remark=checked.remark,
            evidence=stored,
            told_apart=checked.another,
            recorded_by_id=cast(int, actor.user_id),  # who has a role is somebody
            recorded_at=now,
        )
        after = {"way": row.way, "amount_fen": row.amount_fen, "reference": row.reference}
        audit.record(actor, "payment.by_hand", row, now, after=after)
        return row

    return transactions.run(work)


def confirm(actor: Actor, entry_id: int, now: datetime, *, another: bool = False) -> Payment:
    """Another person says that the money is there: it is a payment, in the books, and given to bills as money of a bank's list is.

    Raises NotFound, Forbidden ``hand.second_person``, Conflict ``hand.done_already`` / ``hand.maybe_same``.
    """

    def work() -> Payment:
        row = _locked(actor, entry_id)
        if not row.waits:
            raise Conflict.of("hand.done_already")
        if row.recorded_by_id == actor.user_id:
            raise Forbidden.of("hand.second_person")
        said = Wanted(row.way, row.amount_fen, row.received_on, row.payer_name, row.reference, another=another or row.told_apart)
        _refuse_same(row.owner_id, said, row.pk)
        row.confirmed_by_id, row.confirmed_at, row.told_apart = actor.user_id, now, said.another
        row.save(update_fields=["confirmed_by", "confirmed_at", "told_apart"])
        remark = " ".join(text for text in (row.reference, row.remark) if text)
        payment = Payment.objects.create(
            owner_id=row.owner_id,
            method=Method.HAND,
            amount_fen=row.amount_fen,
            received_on=row.received_on,
            payer_name=row.payer_name,
            remark=remark,
            by_hand=row,
            created_at=now,
        )
        accounts.post_payment(payment, Source("payment", payment.pk, "by_hand", actor_id=actor.user_id), now)
        audit.record(actor, "payment.by_hand_confirm", row, now, after={"payment": payment.pk, "amount_fen": row.amount_fen})
        return payment

    return transactions.run(work)


def end(actor: Actor, entry_id: int, reason: str, now: datetime) -> HandEntry:
    """Take back what was written down: before it was confirmed it never counted; later its payment, of which nothing may be given, sent
    back or kept, is undone whole.

    Raises NotFound, Forbidden, Conflict ``hand.done_already``, Refusal ``hand.in_use`` / ``bill.reason_*``.
    """
    text = checked_reason(reason)

    def work() -> HandEntry:
        row = _locked(actor, entry_id)
        if row.ended_at is not None:
            raise Conflict.of("hand.done_already")
        if row.confirmed_at is not None:
            _undo(actor, row, text, now)
        row.ended_by_id, row.ended_at, row.end_reason = actor.user_id, now, text
        row.save(update_fields=["ended_by", "ended_at", "end_reason"])
        audit.record(actor, "payment.by_hand_end", row, now, after={"amount_fen": row.amount_fen}, reason=text)
        return row

    return transactions.run(work)


def _undo(actor: Actor, row: HandEntry, reason: str, now: datetime) -> None:
    payment = Payment.objects.select_for_update(no_key=True).get(by_hand=row)
    if standing_of(payment).free_fen != payment.amount_fen:
        raise Refusal.of("hand.in_use")
    undone = Refund.objects.create(
        payment=payment, kind=RefundKind.UNDONE, amount_fen=payment.amount_fen, reason=reason, actor_id=actor.user_id, at=now
    )
    accounts.post_refund(
        payment, payment.amount_fen, Source("refund", undone.pk, RefundKind.UNDONE.value, actor_id=actor.user_id), now
    )


def lock_owner(owner_id: int) -> None:
    """Lists that are taken in and money that is written down for one owner take turns, so that each sees the other."""
    Organisation.objects.select_for_update(no_key=True).values_list("pk").get(pk=owner_id)


def fingerprints_of(owner_id: int) -> set[str]:
    """The rows of bank lists that were said to be money written down by hand."""
    rows = HandEntry.objects.filter(owner_id=owner_id, ended_at__isnull=True, fingerprint__isnull=False)
    return {mark for mark in rows.values_list("fingerprint", flat=True) if mark is not None}


def live_entries(owner_id: int, first_on: date) -> Sequence[HandEntry]:
    """What is written down for an owner, waits or counts, and was found on no bank's list yet; of a year before a list's first day on, so
    that a list is held against few."""
    rows = HandEntry.objects.filter(owner_id=owner_id, ended_at__isnull=True, fingerprint__isnull=True)
    return list(rows.filter(received_on__gte=first_on - OLDEST).order_by("pk"))


def found_on_list(entry: HandEntry, fingerprint: str) -> None:
    """A person said that a row of a bank's list is this money: no list brings it again. The owner is locked."""
    HandEntry.objects.filter(pk=entry.pk, fingerprint__isnull=True).update(fingerprint=fingerprint)


def _locked(actor: Actor, entry_id: int) -> HandEntry:
    found = get_visible(HandEntry.objects.all(), actor, pk=entry_id)
    actor.require_in(found.owner_id, Role.OWNER_FINANCE)
    lock_owner(found.owner_id)
    return HandEntry.objects.select_for_update(no_key=True).get(pk=found.pk)


def _refuse_same(owner_id: int, wanted: Wanted, but_for: int | None) -> None:
    """Raises Conflict ``hand.maybe_same`` with each that may be the same money, unless it was said that none is."""
    if wanted.another or wanted.received_on is None:
        return
    near = timedelta(days=rules.NEAR_DAYS)
    close = Q(amount_fen=wanted.amount_fen, received_on__range=(wanted.received_on - near, wanted.received_on + near))
    reference = rules.plain(wanted.reference)
    named = Q(plain_remark__contains=reference) if rules.names(reference) else Q(pk__in=[])
    payments = Payment.objects.alias(plain_remark=_plain("remark")).filter(close | named, owner_id=owner_id)
    waiting = HandEntry.objects.filter(owner_id=owner_id, confirmed_at__isnull=True, ended_at__isnull=True).exclude(
        pk=but_for or 0
    )
    same: list[Payment | HandEntry] = [
        *_like(wanted, [(each, (each.remark,)) for each in payments.exclude(refunds__kind=RefundKind.UNDONE).order_by("pk")]),
        *_like(wanted, [(each, (each.reference, each.remark)) for each in waiting.order_by("pk")]),
    ]
    if same:
        raise Conflict(*map(_said, same))


def _plain(column: str) -> Func:
    """A text as ``rules.plain`` compares it."""
    kept = Lower(Func(F(column), template="normalize(%(expressions)s, NFKC)"))
    return Func(kept, Value(rules.NO_LETTER), Value(""), Value("g"), function="regexp_replace", output_field=TextField())


def _like(wanted: Wanted, compared: Sequence[tuple[T, tuple[str, ...]]]) -> list[T]:
    """Those of some rows, each with its texts, that may be the money that is wanted."""
    on = cast(date, wanted.received_on)
    return [
        each
        for each, texts in compared
        if rules.maybe_same(wanted.reference, wanted.amount_fen, on, rules.Money(each.amount_fen, each.received_on, texts))
    ]


def _said(other: Payment | HandEntry) -> Reason:
    params: dict[str, Any] = {
        "amount_fen": other.amount_fen,
        "day": other.received_on.isoformat(),
        "payer": other.payer_name,
        "payment": other.pk if isinstance(other, Payment) else None,
    }
    return Reason("hand.maybe_same", params, "another")


def _checked(wanted: Wanted, today: date) -> Wanted:
    """The fields as they are kept. Raises Refusal with every fault."""
    payer = clean_text(wanted.payer_name, PAYER_LENGTH, "payer_name")
    reference = clean_text(wanted.reference, REFERENCE_LENGTH, "reference")
    remark = clean_text(wanted.remark, REMARK_LENGTH, "remark")
    wrong = []
    if wanted.way not in list(Way):
        wrong.append(Reason("hand.way", {}, "way"))
    if not 0 < wanted.amount_fen <= rules.MOST_FEN:
        wrong.append(Reason("hand.amount", {}, "amount_fen"))
    if wanted.received_on is None or not today - OLDEST <= wanted.received_on <= today:
        wrong.append(Reason("hand.day", {"first_on": (today - OLDEST).isoformat(), "last_on": today.isoformat()}, "received_on"))
    if not payer:
        wrong.append(Reason("hand.payer", {}, "payer_name"))
    if not reference:
        wrong.append(Reason("hand.reference", {}, "reference"))
    Refusal.raise_any(wrong)
    return Wanted(wanted.way, wanted.amount_fen, wanted.received_on, payer, reference, remark, wanted.another)
