"""Fees for unused time as they are frozen: what they were computed from, and computing them again from that alone.

``Json`` documents hold a kind, times as ISO 8601, amounts in fen, and the price schedule by reference; the schedule itself is an argument.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from billing.pricing.rules.fees import NO_FEE, Fallen, PricedFee, fallen_away, price_fee
from billing.pricing.rules.schedule import PriceSchedule
from booking.rules.leaving import Fault
from booking.rules.policy import free_until
from config.kernel.time_range import TimeRange

Json = dict[str, Any]
ENGINE = "fee-1"


def fee_of(frozen: Json, schedule: PriceSchedule) -> PricedFee:
    """The fee of frozen inputs: ``kind``, ``gross_fen``, ``starts_at``, ``notice_minutes`` (as the customer was told) and ``at``."""
    kind = Fault(frozen["kind"])
    starts_at, at = datetime.fromisoformat(frozen["starts_at"]), datetime.fromisoformat(frozen["at"])
    if kind is Fault.LATE_CANCEL and at <= free_until(starts_at, frozen["notice_minutes"]):
        return NO_FEE
    return price_fee(schedule.fees.get(kind), frozen["gross_fen"], schedule.rounding, schedule.step_fen)


def fees_on(schedule: PriceSchedule, gross_fen: int) -> dict[Fault, PricedFee]:
    """What leaving a booking of ``gross_fen`` unused would cost, for each kind for which something is taken."""
    priced = {kind: price_fee(rule, gross_fen, schedule.rounding, schedule.step_fen) for kind, rule in schedule.fees.items()}
    return {kind: each for kind, each in priced.items() if each.fee_fen}


def is_dearer(new: PriceSchedule, old: PriceSchedule | None, gross_fen: int, old_gross_fen: int) -> bool:
    """Whether leaving a booking unused costs more under ``new`` and its gross price than under ``old`` (None: nothing) and its own."""
    before = fees_on(old, old_gross_fen) if old is not None else {}
    return any(each.fee_fen > before.get(kind, NO_FEE).fee_fen for kind, each in fees_on(new, gross_fen).items())


def promised_start(frozen: Json, terms: Json) -> datetime:
    """By which start it is judged whether a quote's time is given back in time: its own, or that from which it was moved too late."""
    starts = [datetime.fromisoformat(each) for each in (frozen["starts_at"], terms.get("starts_at")) if each]
    return min(starts)


def moved_terms(frozen: Json, terms: Json, gross_fen: int, wished_at: datetime | None) -> Json:
    """What of the fee for a promised time (``frozen`` inputs of its quote, their ``terms``) stays when it moves at ``wished_at``.

    Too late to give it back for nothing: its start and its gross price, so that neither a later nor a shorter time makes leaving it
    cheaper. ``wished_at`` None: the customer's side did not wish for it; what stayed before stays.
    """
    start = promised_start(frozen, terms)
    if wished_at is not None and wished_at > free_until(start, terms["notice_minutes"]):
        return {"starts_at": start.isoformat(), "fee_gross_fen": max(gross_fen, terms.get("fee_gross_fen", 0))}
    return {name: terms[name] for name in ("starts_at", "fee_gross_fen") if name in terms}


def fee_result(priced: PricedFee) -> Json:
    """What stands with a fee: the amount and its working."""
    return {"engine": ENGINE, "fee_fen": priced.fee_fen, "steps": [{**step._asdict()} for step in priced.steps]}


def fallen_of(frozen: Json, schedule: PriceSchedule) -> Fallen:
    """What has fallen away in all by frozen inputs: ``fee_fen``, ``lost`` (two instants), ``used`` (such pairs, of anybody's use).

    What the lab waived before (``waived_fen``) comes on top of what the use takes off, up to the fee; a waiver itself (``waive_fen``)
    adds what it says to what fell away before.
    """
    lost = _range(frozen["lost"])
    if "waive_fen" in frozen:
        return Fallen(frozen["fallen_before_fen"] + frozen["waive_fen"], 0, lost.seconds)
    used = [_range(pair) for pair in frozen["used"]]
    fallen = fallen_away(frozen["fee_fen"], lost, used, schedule.rounding, schedule.step_fen)
    return replace(fallen, fallen_fen=min(fallen.fallen_fen, frozen["fee_fen"] - frozen.get("waived_fen", 0)))


def relief_result(frozen: Json, fallen: Fallen) -> Json:
    """What stands with a counter entry: the part that was not written before."""
    return {
        "engine": ENGINE,
        "relief_fen": fallen.fallen_fen - frozen["fallen_before_fen"],
        "fallen_fen": fallen.fallen_fen,
        "covered_seconds": fallen.covered_seconds,
        "lost_seconds": fallen.lost_seconds,
    }


def returned_fen(fee_fen: int, fallen_fen: int, covered_fen: int, returned_before_fen: int) -> int:
    """What goes back to the fund card: what it did not pay falls away first, then what it paid."""
    return max(0, covered_fen - returned_before_fen - (fee_fen - fallen_fen))


def to_pay_fen(left_fen: int, covered_fen: int, returned_fen: int) -> int:
    """What the customer still pays of a fee of which ``left_fen`` is left: without what the fund card paid and did not get back."""
    return left_fen - (covered_fen - returned_fen)


def _range(pair: list[str]) -> TimeRange:
    starts_at, ends_at = pair
    return TimeRange(datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at))
