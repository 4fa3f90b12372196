"""Fees for unused time as they are frozen: what they were computed from, and computing them again from that alone.

``Json`` documents hold a kind, times as ISO 8601, amounts in fen, and the price schedule by reference; the schedule itself is an argument.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from billing.pricing.rules.fees import NO_FEE, Fallen, FeeKind, PricedFee, fallen_away, price_fee
from billing.pricing.rules.schedule import PriceSchedule
from config.kernel.time_range import TimeRange

Json = dict[str, Any]
ENGINE = "fee-1"


def free_until(starts_at: datetime, notice_minutes: int) -> datetime:
    """Until when a booking may be given back for nothing, this instant included."""
    return starts_at - timedelta(minutes=notice_minutes)


def fee_of(frozen: Json, schedule: PriceSchedule) -> PricedFee:
    """The fee of frozen inputs: ``kind``, ``gross_fen``, ``starts_at``, ``notice_minutes`` (as the customer was told) and ``at``."""
    kind = FeeKind(frozen["kind"])
    starts_at, at = datetime.fromisoformat(frozen["starts_at"]), datetime.fromisoformat(frozen["at"])
    if kind is FeeKind.LATE_CANCEL and at <= free_until(starts_at, frozen["notice_minutes"]):
        return NO_FEE
    return price_fee(schedule.fees.get(kind), frozen["gross_fen"], schedule.rounding, schedule.step_fen)


def fees_on(schedule: PriceSchedule, gross_fen: int) -> dict[FeeKind, PricedFee]:
    """What leaving a booking of ``gross_fen`` unused would cost, for each kind for which something is taken."""
    priced = {kind: price_fee(rule, gross_fen, schedule.rounding, schedule.step_fen) for kind, rule in schedule.fees.items()}
    return {kind: each for kind, each in priced.items() if each.fee_fen}


def fee_result(priced: PricedFee) -> Json:
    """What stands with a fee: the amount and its working."""
    return {"engine": ENGINE, "fee_fen": priced.fee_fen, "steps": [{**step._asdict()} for step in priced.steps]}


def fallen_of(frozen: Json, schedule: PriceSchedule) -> Fallen:
    """What has fallen away in all by frozen inputs: ``fee_fen``, ``lost`` (two instants), ``used`` (such pairs, of anybody's use)."""
    lost = _range(frozen["lost"])
    used = [_range(pair) for pair in frozen["used"]]
    return fallen_away(frozen["fee_fen"], lost, used, schedule.rounding, schedule.step_fen)


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


def _range(pair: list[str]) -> TimeRange:
    starts_at, ends_at = pair
    return TimeRange(datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at))
