"""Charging for time that was given back too late or not used, and taking off what others use of it.

Every writing function is part of the caller's transaction, which has the calendar locked: a fee and the use that takes it off are on
the same calendar, so they never pass each other by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, Sum

from billing.cards.accounts import CREDIT_NOTE, RESERVATION, card_key
from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.pricing import services as pricing
from billing.pricing.rules.fees import NO_FEE, Fallen, PricedFee
from billing.pricing.rules.schedule import PriceSchedule
from billing.settlement.fee_models import BookingFee, FeeRelief, ReliefCause
from billing.settlement.models import Quote
from billing.settlement.rules import fees as rules
from billing.settlement.rules.fees import Json
from billing.settlement.services import card_money, slips
from billing.subsidy.rules.codec import inputs_sha256
from booking.models import Reservation, UsageSession
from booking.ports import Leaving
from booking.rules.leaving import Fault
from booking.rules.policy import free_until
from booking.services import notices, sides
from booking.services.changes import REASON_LENGTH
from booking.services.context import cancel_notice_minutes, policy_for
from booking.services.state_writing import lock_row
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.services import audit, transactions
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange
from instruments.rules.names import clean_name

#: Where a quote keeps what the customer was told about giving the time back.
TERMS = "cancellation"


def terms(
    schedule: PriceSchedule, gross_fen: int, reservation: Reservation, promised: Quote | None, wished_at: datetime | None = None
) -> Json:
    """What a quote of ``gross_fen`` freezes of the lab's rule beside its price, whether unused time costs anything or not; nothing for
    what came with a list of the lab's, nor after a ``promised`` quote without it: nobody was told.

    The notice as it is now, or as the quote that was accepted before (``promised``) has it where that is milder. That quote's fees stay
    too, by reference to its ``schedule``: unless those of the new one are no dearer, and whatever those are once it was moved too late.
    ``wished_at``: as ``rules.moved_terms``.
    """
    if reservation.imported:
        return {}
    notice = cancel_notice_minutes(reservation.instrument)
    if promised is None:
        return {TERMS: {"notice_minutes": notice}}
    before: Json | None = promised.inputs.get(TERMS)
    if before is None:
        return {}
    milder = min(notice, before["notice_minutes"])
    stays = rules.moved_terms(promised.inputs, before | {"notice_minutes": milder}, promised.gross_fen, wished_at)
    keeps = stays or rules.is_dearer(schedule, fee_schedule(promised), gross_fen, gross_fen)
    return {TERMS: {"notice_minutes": milder, **(_reference(promised) if keeps else {}), **stays}}


def quote_of(reservation: Reservation) -> Quote | None:
    """The quote by which a reservation goes: the last that was held, or accepted."""
    rows = reservation.quotes.filter(Q(held_at__isnull=False) | Q(accepted_at__isnull=False))
    return rows.order_by("-revision").first()


@dataclass(frozen=True, slots=True)
class Told:
    """How long before the start a time may be given back without being late, as the quote or the lab's rules of now have it, whichever
    is milder; and until when (None: the quote says nothing, the rules judge)."""

    notice_minutes: int
    free_until: datetime | None = None


def told_of(reservation: Reservation, quote: Quote | None) -> Told:
    """What the customer was told with the ``quote`` by which the reservation goes."""
    notice = policy_for(reservation.instrument).cancel_notice_minutes
    if quote is None or TERMS not in quote.inputs:
        return Told(notice)
    frozen: Json = quote.inputs[TERMS]
    milder = min(notice, frozen["notice_minutes"])
    return Told(milder, free_until(rules.promised_start(quote.inputs, frozen), milder))


def fee_schedule(quote: Quote) -> PriceSchedule | None:
    """The price schedule by whose fees a quote goes; None where nobody was told of any."""
    return thaw_schedule(_reference(quote)) if TERMS in quote.inputs else None


def _reference(quote: Quote) -> Json:
    return {"schedule": quote.inputs[TERMS].get("schedule", quote.inputs["schedule"])}


def fee_gross_fen(quote: Quote) -> int:
    """The gross price on which a quote's fees are a share: its own, or that from which it was moved too late, where that is more."""
    return max(quote.gross_fen, quote.inputs.get(TERMS, {}).get("fee_gross_fen", 0))


def are_dearer(schedule: PriceSchedule, gross_fen: int, accepted: Quote) -> bool:
    """Whether the fees under another price exceed those of the quote that was accepted."""
    return rules.is_dearer(schedule, fee_schedule(accepted), gross_fen, fee_gross_fen(accepted))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What leaving a reservation in one way at one instant would cost; ``frozen`` is None where no fee can come of it."""

    priced: PricedFee
    frozen: Json | None = None


def foresee(quote: Quote | None, fault: Fault | None, now: datetime) -> Foreseen:
    """The fee for ``fault`` under the price and the notice that were frozen with the quote: later rules of the lab make nothing dearer.

    Raises Refusal ``replay.version_changed``.
    """
    if fault is None or quote is None or TERMS not in quote.inputs:
        return Foreseen(NO_FEE)
    frozen = {
        "engine": rules.ENGINE,
        "kind": str(fault),
        **_reference(quote),
        "quote_revision": quote.revision,
        "gross_fen": fee_gross_fen(quote),
        "starts_at": rules.promised_start(quote.inputs, quote.inputs[TERMS]).isoformat(),
        "ends_at": quote.inputs["ends_at"],
        "zone": quote.inputs["zone"],
        "notice_minutes": quote.inputs[TERMS]["notice_minutes"],
        "at": now.isoformat(),
    }
    return Foreseen(rules.fee_of(frozen, thaw_schedule(frozen)), frozen)


def charge(reservation: Reservation, leaving: Leaving, reason: str, actor: Actor, now: datetime) -> int:
    """Charge what leaving costs, from the fund card as far as it held the price; returns the fee in fen (0: none).

    Raises Conflict ``billing.fee_differs`` (fee_fen) when it is more than the customer saw.
    """
    if leaving.fault is None:
        return 0
    foreseen = foresee(quote_of(reservation), leaving.fault, now)
    amount = foreseen.priced.fee_fen
    if leaving.seen_fee_fen is not None and amount > leaving.seen_fee_fen:
        raise Conflict(Reason("billing.fee_differs", {"fee_fen": amount}), extra={"fee_fen": amount})
    if foreseen.frozen is None or amount == 0:
        return 0
    card_money.lock_with_holds([reservation], now)
    covered = card_money.spend(reservation, amount, reason, actor, now, only_held=True)
    fee = BookingFee.objects.create(
        reservation=reservation,
        kind=str(leaving.fault),
        price_version_id=foreseen.frozen["schedule"]["price_version"],
        calendar_id=reservation.instrument.calendar_id,
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        fund_card_id=reservation.fund_card_id,
        covered_fen=covered,
        actor_id=actor.user_id,
        gross_fen=amount,
        deducted_fen=0,
        refunded_fen=0,
        payable_now_fen=amount,
        final_cost_fen=amount,
        estimate=False,
        inputs=foreseen.frozen,
        inputs_sha256=inputs_sha256(foreseen.frozen),
        result=rules.fee_result(foreseen.priced),
        engine_version=rules.ENGINE,
        created_at=now,
    )
    slips.issue_fee(reservation, fee, now)
    audit.record(actor, "fee.charge", fee, now, after={"kind": fee.kind, "fee_fen": amount, "covered_fen": covered})
    return amount


def locked_fee(reservation: Reservation) -> BookingFee | None:
    """The fee of a reservation that is locked, locked too; None where there is none."""
    fee = BookingFee.objects.select_for_update(of=("self",), no_key=True).filter(reservation=reservation).first()
    if fee is not None:
        fee.reservation = reservation
    return fee


def fall_away_whole(fee: BookingFee, actor: Actor, now: datetime) -> None:
    """Who was thought missing has come: the whole fee falls away, because the session itself is charged."""
    _write_relief(fee, ReliefCause.CAME_LATE, fee.reservation, [TimeRange(fee.starts_at, fee.ends_at)], actor, now)


_ANY_TO_RELIEVE = """
SELECT EXISTS (SELECT FROM billing_bookingfee
                WHERE calendar_id = %(calendar)s AND starts_at < %(end)s AND ends_at > %(start)s AND reservation_id <> %(own)s)
"""


def to_relieve(session: UsageSession, reservation: Reservation) -> list[BookingFee]:
    """The fees whose lost time an agreed session has used in part, locked in id order. Usually none: one small query."""
    billable = session.billable
    if billable is None:
        return []
    calendar_id = reservation.instrument.calendar_id
    asked: dict[str, Any] = {"calendar": calendar_id, "start": billable.starts_at, "end": billable.ends_at, "own": reservation.pk}
    with planned_once() as cursor:
        cursor.execute(_ANY_TO_RELIEVE, asked)
        if not cursor.fetchone()[0]:
            return []
    rows = BookingFee.objects.filter(
        calendar_id=calendar_id, starts_at__lt=billable.ends_at, ends_at__gt=billable.starts_at
    ).exclude(reservation_id=reservation.pk)
    joined = rows.select_related(
        "reservation__instrument__site", "reservation__instrument__organisation", "reservation__organisation"
    )
    return list(joined.select_for_update(of=("self",), no_key=True).order_by("pk"))


_SOME_TO_RELIEVE = """
SELECT used.own FROM unnest(%(calendars)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(owns)s::bigint[])
       AS used (calendar, start, "end", own)
 WHERE EXISTS (SELECT FROM billing_bookingfee f
                WHERE f.calendar_id = used.calendar AND f.starts_at < used.end AND f.ends_at > used.start AND f.reservation_id <> used.own)
"""


def some_to_relieve(agreed: Sequence[tuple[Reservation, UsageSession]]) -> set[int]:
    """The ids of those reservations whose agreed sessions have used lost time of others (``to_relieve``); one query, nothing is locked."""
    used = [(reservation, session.billable) for reservation, session in agreed]
    timed = [(reservation, billable) for reservation, billable in used if billable is not None]
    asked: dict[str, Any] = {
        "calendars": [reservation.instrument.calendar_id for reservation, _ in timed],
        "starts": [billable.starts_at for _, billable in timed],
        "ends": [billable.ends_at for _, billable in timed],
        "owns": [reservation.pk for reservation, _ in timed],
    }
    with planned_once() as cursor:
        cursor.execute(_SOME_TO_RELIEVE, asked)
        return {pk for (pk,) in cursor.fetchall()}


def card_accounts(fees: Sequence[BookingFee]) -> list[Account]:
    """The accounts to which a part of these fees may go back, to be locked together with the others of a charge."""
    cards = [card_key(fee.fund_card_id) for fee in fees if fee.fund_card_id is not None]
    return list(ledger.known(cards).values()) if cards else []


def relieve(fees: Sequence[BookingFee], reservation: Reservation, actor: Actor, now: datetime) -> None:
    """Take off each fee what is used of its lost time by now, ``reservation`` included; its session is stored as agreed.

    Written once for each use, so that doing it again changes nothing.
    """
    for fee in fees:
        _write_relief(fee, ReliefCause.TAKEN_AGAIN, reservation, _used(fee), actor, now)


def _used(fee: BookingFee) -> list[TimeRange]:
    """What was charged to others of the lost time: the billable times of agreed sessions on the calendar."""
    rows = UsageSession.objects.filter(
        reservation__instrument__calendar_id=fee.calendar_id,
        agreed_at__isnull=False,
        billable_starts_at__lt=fee.ends_at,
        billable_ends_at__gt=fee.starts_at,
    ).exclude(reservation_id=fee.reservation_id)
    found = rows.order_by("billable_starts_at", "pk").values_list("billable_starts_at", "billable_ends_at")
    return [TimeRange(starts_at, ends_at) for starts_at, ends_at in found if starts_at and ends_at]


def waive(actor: Actor, reservation_id: int, amount_fen: int, reason: str, now: datetime) -> FeeRelief:
    """The lab takes off a fee what it does not want of the customer, once, with a reason that the customer reads.

    Raises NotFound, Forbidden, Refusal ``booking.reason_missing`` (``reason``), ``fee.own`` (who asked for the booking does not waive its
    fee), ``fee.none``, ``fee.waived_already``, ``fee.waive_amount`` (``amount``; rest_fen).
    """
    rows = Reservation.objects.select_related("instrument")
    sides.require_lab(get_visible(rows, actor, pk=reservation_id), actor)
    text = " ".join(reason.split())
    if not text:
        raise Refusal.of("booking.reason_missing", field="reason")
    text = clean_name(text, REASON_LENGTH, field="reason")

    def work() -> FeeRelief:
        locked = lock_row(reservation_id)
        if locked.is_of(actor.user_id):
            raise Refusal.of("fee.own")
        fee = locked_fee(locked)
        if fee is None:
            raise Refusal.of("fee.none")
        before = _before(fee)
        if before.waived_fen:
            raise Refusal.of("fee.waived_already")
        rest_fen = fee.gross_fen - before.fallen_fen
        if not 0 < amount_fen <= rest_fen:
            raise Refusal.of("fee.waive_amount", field="amount_fen", rest_fen=rest_fen)
        frozen = _frozen(fee, ReliefCause.WAIVED, []) | {"waive_fen": amount_fen, "fallen_before_fen": before.fallen_fen}
        return _written(fee, frozen, _fallen(frozen), before, None, actor, now, reason=text)

    return transactions.run(work)


def _write_relief(
    fee: BookingFee, cause: ReliefCause, used_by: Reservation, used: Sequence[TimeRange], actor: Actor, now: datetime
) -> None:
    if fee.reliefs.filter(used_by=used_by).exists():
        return
    before = _before(fee)
    frozen = _frozen(fee, cause, used) | {"fallen_before_fen": before.fallen_fen - before.waived_fen}
    if before.waived_fen:
        frozen["waived_fen"] = before.waived_fen
    fallen = _fallen(frozen)
    if fallen.fallen_fen > frozen["fallen_before_fen"]:
        _written(fee, frozen, fallen, before, used_by, actor, now)


@dataclass(frozen=True, slots=True)
class _Before:
    """What of a fee fell away already, in fen: in all, of that waived, and what of it went back to the card, also by credit notes."""

    fallen_fen: int
    waived_fen: int
    returned_fen: int


def _before(fee: BookingFee) -> _Before:
    waived = Sum("amount_fen", filter=Q(cause=ReliefCause.WAIVED), default=0)
    sums = fee.reliefs.aggregate(fallen=Sum("amount_fen", default=0), waived=waived, returned=Sum("returned_fen", default=0))
    credited = Transfer.objects.filter(
        kind=TransferKind.REFUND,
        source_type=RESERVATION,
        source_id=fee.reservation_id,
        reason=CREDIT_NOTE,
        credit__key=card_key(fee.fund_card_id or 0),
    )
    by_notes = credited.aggregate(fen=Sum("amount_fen", default=0))["fen"]
    return _Before(sums["fallen"], sums["waived"], sums["returned"] + by_notes)


def _frozen(fee: BookingFee, cause: ReliefCause, used: Sequence[TimeRange]) -> Json:
    return {
        "engine": rules.ENGINE,
        "cause": str(cause),
        "schedule": fee.inputs["schedule"],
        "fee_fen": fee.gross_fen,
        "lost": _pair(TimeRange(fee.starts_at, fee.ends_at)),
        "used": [_pair(each) for each in used],
    }


def _fallen(frozen: Json) -> Fallen:
    return rules.fallen_of(frozen, thaw_schedule(frozen))


def _written(
    fee: BookingFee,
    frozen: Json,
    fallen: Fallen,
    before: _Before,
    used_by: Reservation | None,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> FeeRelief:
    """The counter entry with what goes back to the card, its slip, audit and notices; something more has ``fallen`` away."""
    amount = fallen.fallen_fen - frozen["fallen_before_fen"]
    left_fen = fee.gross_fen - before.fallen_fen - amount
    returned = rules.returned_fen(fee.gross_fen, before.fallen_fen + amount, fee.covered_fen, before.returned_fen)
    relief = FeeRelief.objects.create(
        fee=fee,
        cause=frozen["cause"],
        used_by=used_by,
        reason=reason,
        amount_fen=amount,
        returned_fen=returned,
        inputs=frozen,
        inputs_sha256=inputs_sha256(frozen),
        result=rules.relief_result(frozen, fallen),
        created_at=now,
    )
    if returned and fee.fund_card_id is not None:
        card_money.give_back(fee.reservation, fee.fund_card_id, returned, "fee_fell_away", actor, now)
    slips.issue_relief(fee.reservation, relief, now)
    step, event = ("fee.fall_away", "fee_fell_away") if used_by is not None else ("fee.waive", "fee_waived")
    after = {"fee": fee.pk, "amount_fen": amount, "left_fen": left_fen}
    audit.record(actor, step, relief, now, after=after, reason=reason)
    told = {"amount_fen": amount, "returned_fen": returned or None, "left_fen": left_fen}
    to_pay = rules.to_pay_fen(left_fen, fee.covered_fen, before.returned_fen + returned)
    notices.defer(fee.reservation, event, now, **told, to_pay_fen=to_pay, reason=reason or None)
    return relief


def thaw_schedule(frozen: Json) -> PriceSchedule:
    """The price schedule of frozen inputs. Raises Refusal ``replay.version_changed`` when its fingerprint differs."""
    schedule = pricing.schedule(frozen["schedule"]["price_version"])
    if schedule.sha256 != frozen["schedule"]["sha256"]:
        raise Refusal.of("replay.version_changed")
    return schedule


def again(row: BookingFee | FeeRelief) -> Json:
    """The result of a fee or a counter entry computed anew from its frozen inputs, without looking at the stored one."""
    frozen: dict[str, Any] = row.inputs
    schedule = thaw_schedule(frozen)
    if isinstance(row, BookingFee):
        return rules.fee_result(rules.fee_of(frozen, schedule))
    return rules.relief_result(frozen, rules.fallen_of(frozen, schedule))


def _pair(during: TimeRange) -> list[str]:
    return [during.starts_at.isoformat(), during.ends_at.isoformat()]
