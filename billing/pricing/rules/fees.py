"""What giving a time back too late, or not coming, costs; and what of it falls away when others use the time.

A fee is a share of the gross price of what was booked, rounded once, then held between its floor and its ceiling, and never above the
gross. What falls away is the fee times the used part of the lost time: all of it when all of the time was used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from billing.ledger.rules.money import EXACT, WIDE, Rounding, parse_yuan, round_fen
from billing.pricing.rules.steps import Step
from booking.rules.leaving import Fault
from config.kernel.time_range import TimeRange, merge

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class FeeRule:
    """``share`` of the gross price (0 to 1, exact), at least ``at_least_fen`` and at most ``at_most_fen`` (None: no ceiling)."""

    share: Decimal
    at_least_fen: int = 0
    at_most_fen: int | None = None


@dataclass(frozen=True, slots=True)
class PricedFee:
    """A fee in fen (0: none) with its working."""

    fee_fen: int
    steps: tuple[Step, ...] = ()


NO_FEE = PricedFee(0)


def fee_rules(document: Mapping[str, Any]) -> dict[Fault, FeeRule]:
    """The part ``fees`` of a price schedule's document that was checked by its schema."""
    return {Fault(kind): _rule(each) for kind, each in document.items()}


def _rule(document: Mapping[str, Any]) -> FeeRule:
    most = document.get("at_most")
    return FeeRule(
        Decimal(document["share"]), parse_yuan(document.get("at_least", 0)), None if most is None else parse_yuan(most)
    )


def price_fee(rule: FeeRule | None, gross_fen: int, rounding: Rounding, step_fen: int) -> PricedFee:
    """The fee on a booking of ``gross_fen``. No rule, or nothing to pay for the booking itself: no fee."""
    if rule is None or gross_fen == 0:
        return NO_FEE
    amount = round_fen(EXACT.multiply(Decimal(gross_fen), rule.share), rounding, step_fen)
    steps = [_step("share", amount, rate=str(rule.share), gross_fen=gross_fen)]
    if amount < rule.at_least_fen:
        amount = rule.at_least_fen
        steps.append(_step("at_least", amount, minimum_fen=amount))
    if rule.at_most_fen is not None and amount > rule.at_most_fen:
        amount = rule.at_most_fen
        steps.append(_step("at_most", amount, maximum_fen=amount))
    if amount > gross_fen:
        amount = gross_fen
        steps.append(_step("within_gross", amount, gross_fen=gross_fen))
    if amount == 0:
        return NO_FEE
    steps.append(_step("not_subsidised", amount))
    return PricedFee(amount, tuple(steps))


@dataclass(frozen=True, slots=True)
class Fallen:
    """What of a fee has fallen away in all, in fen, and why: ``covered_seconds`` of ``lost_seconds`` are used by others."""

    fallen_fen: int
    covered_seconds: int
    lost_seconds: int


def fallen_away(fee_fen: int, lost: TimeRange, used: Iterable[TimeRange], rounding: Rounding, step_fen: int) -> Fallen:
    """What falls away when others use the time: overlapping uses count once, what lies outside ``lost`` not at all.

    Never more than the fee, exactly the fee when all of the time is used, and more use never takes anything back.
    """
    parts = (lost.intersect(each) for each in used)
    covered = sum((part.duration for part in merge(part for part in parts if part is not None)), timedelta(0))
    seconds = (covered // timedelta(seconds=1), lost.duration // timedelta(seconds=1))
    if covered == lost.duration:
        return Fallen(fee_fen, *seconds)
    share = EXACT.multiply(Decimal(fee_fen), Decimal(covered // _MICROSECOND))
    fallen = round_fen(WIDE.divide(share, Decimal(lost.duration // _MICROSECOND)), rounding, step_fen)
    return Fallen(min(fallen, fee_fen), *seconds)


def _step(name: str, amount_fen: int, **params: Any) -> Step:
    return Step("fee", "", f"fee.step.{name}", params, amount_fen)
