"""The price of one session: exact time in each band, rounded once per line, then the minimums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from billing.ledger.rules.money import WIDE, round_fen
from billing.pricing.rules.schedule import HourlyRate, PriceSchedule
from billing.pricing.rules.split import split_by_band
from billing.pricing.rules.steps import Step
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange

_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS_PER_HOUR = Decimal(3_600_000_000)


class LineKind(StrEnum):
    """What a line of a price is for."""

    TIME = "time"
    MINIMUM_TIME = "minimum_time"
    MINIMUM_CHARGE = "minimum_charge"


class PriceLine(NamedTuple):
    """One line of a price. ``seconds`` are whole billed seconds (time is priced to the microsecond);
    ``yuan_per_hour`` is the exact rate as text, empty for a minimum charge; ``starts_at``/``ends_at`` (UTC) are None
    for what is added to reach a minimum."""

    kind: LineKind
    band: str
    starts_at: datetime | None
    ends_at: datetime | None
    seconds: int
    yuan_per_hour: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class PricedSession:
    """The price of one session. ``gross_fen`` is the sum of the lines; ``minimum_top_up_fen`` is the part of it that
    only exists because of a minimum (time or charge); ``local_on`` is the local date on which the session starts."""

    customer_class: str
    local_on: date
    gross_fen: int
    minimum_top_up_fen: int
    lines: tuple[PriceLine, ...]
    steps: tuple[Step, ...]


def price_session(schedule: PriceSchedule, time_range: TimeRange, zone: ZoneInfo, customer_class: str) -> PricedSession:
    """Price ``time_range`` at a site in ``zone`` for a customer class.

    The session is cut exactly where bands change in local wall time; each stretch is one line, rounded once. Time
    missing to the minimum is charged at the rate in force at the end of the session; then the minimum charge applies.
    Raises Refusal ``price.class_without_rate`` when the schedule has no price for the class.
    """
    if customer_class not in schedule.rates:
        raise Refusal.of("price.class_without_rate", customer_class=customer_class)
    lines: list[PriceLine] = []
    gross = 0
    rate = schedule.rates[customer_class]
    band = ""
    for start, end, place in split_by_band(schedule, time_range, zone):
        rate, band = schedule.rate(place, customer_class), schedule.band_code(place)
        elapsed = end - start
        amount = _amount(schedule, rate, elapsed)
        gross += amount
        lines.append(PriceLine(LineKind.TIME, band, start, end, _seconds(elapsed), rate.yuan_text, amount))
    for_time = gross
    missing = timedelta(minutes=schedule.minimum_minutes) - time_range.duration
    if missing > timedelta(0):
        amount = _amount(schedule, rate, missing)
        gross += amount
        lines.append(PriceLine(LineKind.MINIMUM_TIME, band, None, None, _seconds(missing), rate.yuan_text, amount))
    if gross < schedule.minimum_charge_fen:
        lines.append(PriceLine(LineKind.MINIMUM_CHARGE, "", None, None, 0, "", schedule.minimum_charge_fen - gross))
        gross = schedule.minimum_charge_fen
    local_on = time_range.starts_at.astimezone(zone).date()
    steps = tuple(_steps(schedule, lines))
    return PricedSession(customer_class, local_on, gross, gross - for_time, tuple(lines), steps)


def _amount(schedule: PriceSchedule, rate: HourlyRate, elapsed: timedelta) -> int:
    exact = WIDE.divide(WIDE.multiply(rate.fen, Decimal(elapsed // _MICROSECOND)), _MICROSECONDS_PER_HOUR)
    return round_fen(exact, schedule.rounding, schedule.step_fen)


def _seconds(elapsed: timedelta) -> int:
    return elapsed.days * 86_400 + elapsed.seconds


def _steps(schedule: PriceSchedule, lines: list[PriceLine]) -> list[Step]:
    steps = []
    running = 0
    for line in lines:
        running += line.amount_fen
        if line.kind is LineKind.MINIMUM_CHARGE:
            key = "price.step.minimum_charge"
            params: dict[str, Any] = {"minimum_fen": schedule.minimum_charge_fen, "added_fen": line.amount_fen}
        else:
            key = "price.step.time" if line.kind is LineKind.TIME else "price.step.minimum_time"
            params = {
                "band": line.band,
                "seconds": line.seconds,
                "yuan_per_hour": line.yuan_per_hour,
                "line_fen": line.amount_fen,
            }
        steps.append(Step("price", "", key, params, running))
    return steps
