"""The price of one session: exact time in each band and step, rounded once per line, then what comes on top, minimums, tax.

The order is fixed and told by the steps: time; time up to the least time and to a started step; setting up; the operator; the least
charge; tax. Every line is rounded once, and the gross price is their sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from billing.ledger.rules.money import WIDE, round_fen
from billing.pricing.rules.marginal import NO_STEPS, Cut, cut_at
from billing.pricing.rules.public_days import NO_PUBLIC_DAYS, PublicDays
from billing.pricing.rules.samples import ExtraCharge, extra_steps
from billing.pricing.rules.schedule import HOUR, PriceSchedule
from billing.pricing.rules.split import split
from billing.pricing.rules.steps import Step
from billing.pricing.rules.tax import Tax
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange

_MICROSECOND = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)
_MICROSECONDS_PER_HOUR = Decimal(3_600_000_000)


class LineKind(StrEnum):
    """What a line of a price is for."""

    TIME = "time"
    MINIMUM_TIME = "minimum_time"
    ROUNDED_TIME = "rounded_time"
    SETUP = "setup"
    OPERATOR = "operator"
    MINIMUM_CHARGE = "minimum_charge"
    TAX = "tax"
    EXTRA = "extra"


#: The lines that stand for time on the instrument.
TIME_KINDS = frozenset({LineKind.TIME, LineKind.MINIMUM_TIME, LineKind.ROUNDED_TIME})


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


class UnitLine(NamedTuple):
    """A line that says more than a ``PriceLine``: time per half-day or day, time within a marginal step, setting up, the operator, tax.

    ``yuan_per_hour`` is empty where the rate is not for an hour; then ``yuan_per_unit`` is what a ``unit`` of ``unit_seconds`` costs.
    ``step`` counts marginal steps from 1 (0: none). ``seconds`` of an operator's line are the operator's, beside the instrument's.
    """

    kind: LineKind
    band: str
    starts_at: datetime | None
    ends_at: datetime | None
    seconds: int
    yuan_per_hour: str
    amount_fen: int
    unit: str
    unit_seconds: int
    yuan_per_unit: str
    step: int


AnyLine: TypeAlias = PriceLine | UnitLine


def line_json(line: AnyLine) -> dict[str, Any]:
    """What a document keeps of a line: its kind, band, time, rate and amount, and the unit where the rate is not for an hour."""
    told: dict[str, Any] = {
        "kind": line.kind.value,
        "band": line.band,
        "seconds": line.seconds,
        "yuan_per_hour": line.yuan_per_hour,
        "amount_fen": line.amount_fen,
    }
    if isinstance(line, UnitLine) and line.yuan_per_unit and not line.yuan_per_hour:
        told |= {"unit": line.unit, "yuan_per_unit": line.yuan_per_unit}
    return told


class PricedSession(NamedTuple):
    """The price of one session. ``gross_fen`` is the sum of the lines; ``minimum_top_up_fen`` is the part of it that
    only exists because of a minimum (time or charge); ``local_on`` is the local date on which the session starts."""

    customer_class: str
    local_on: date
    gross_fen: int
    minimum_top_up_fen: int
    lines: tuple[AnyLine, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """What a price asks of a session beside its time: whether the operator works along, and which days are public holidays."""

    operated: bool = False
    days: PublicDays = NO_PUBLIC_DAYS


ALONE = Use()


def price_session(
    schedule: PriceSchedule, time_range: TimeRange, zone: ZoneInfo, customer_class: str, use: Use = ALONE
) -> PricedSession:
    """Price ``time_range`` at a site in ``zone`` for a customer class.

    The session is cut exactly where bands change in local wall time and where marginal steps end; each stretch is one line, rounded
    once. Time missing to the minimum, and to a started step, is charged at the rate in force at the end of the session; then the
    minimum charge applies, to everything but added tax.
    Raises Refusal ``price.class_without_rate`` when the schedule has no price for the class.
    """
    if customer_class not in schedule.rates:
        raise Refusal.of("price.class_without_rate", customer_class=customer_class)
    pricing = _Pricing(schedule, customer_class, use)
    length = time_range.duration
    least = max(length, schedule.minimum_minutes * _MINUTE)
    cuts = split(schedule, time_range, zone, use.days)
    lines, net = pricing.lines(cuts, time_range, least, schedule.minimum_charge_fen)
    gross = sum([line.amount_fen for line in lines])
    plain = gross
    if least > length or net > pricing.net_before_minimum:
        without, _net = pricing.lines(cuts, time_range, length, 0)
        plain = sum([line.amount_fen for line in without])
    steps = _steps(schedule, lines)
    if schedule.tax is not None:
        steps.append(schedule.tax.step(net, gross))
    local_on = time_range.starts_at.astimezone(zone).date()
    return PricedSession(customer_class, local_on, gross, max(0, gross - plain), tuple(lines), tuple(steps))


def with_session_extras(priced: PricedSession, extras: Sequence[ExtraCharge], tax: Tax | None = None) -> PricedSession:
    """The price with what was used besides the time and agreed to, a line each; its amounts contain ``tax``."""
    if not extras:
        return priced
    lines = tuple(_amount_line(LineKind.EXTRA, each.amount_fen) for each in extras)
    gross = priced.gross_fen + sum(line.amount_fen for line in lines)
    return priced._replace(gross_fen=gross, lines=(*priced.lines, *lines), steps=(*priced.steps, *extra_steps(extras, tax)))


class _Pricing:
    """A schedule for one customer class and use. ``net_before_minimum``: of the lines that were made last, in fen."""

    __slots__ = ("customer_class", "net_before_minimum", "schedule", "use")

    def __init__(self, schedule: PriceSchedule, customer_class: str, use: Use) -> None:
        self.schedule, self.customer_class, self.use = schedule, customer_class, use
        self.net_before_minimum = 0

    def lines(self, cuts: list[Cut], time_range: TimeRange, least: timedelta, minimum_fen: int) -> tuple[list[AnyLine], int]:
        """Every line in order, and their sum without added tax. ``least``: the time that is charged at least."""
        schedule = self.schedule
        lines = [self._time_line(cut, LineKind.TIME) for cut in cuts]
        charged = time_range.duration
        if least > charged or schedule.step_minutes:
            charged = self._reach(lines, time_range, least, cuts[-1][2])
        if schedule.setup_fen or self.use.operated:
            lines += self._beside(charged)
        net = self.net_before_minimum = sum([line.amount_fen for line in lines])
        if net < minimum_fen:
            lines.append(PriceLine(LineKind.MINIMUM_CHARGE, "", None, None, 0, "", minimum_fen - net))
            net = minimum_fen
        if schedule.tax is not None and not schedule.tax.included:
            lines.append(_amount_line(LineKind.TAX, schedule.tax.added_fen(net)))
        return lines, net

    def _reach(self, lines: list[AnyLine], time_range: TimeRange, least: timedelta, band: int) -> timedelta:
        """Add the time up to the least, then to the end of a started step, through the marginal steps; returns what is charged."""
        schedule, length = self.schedule, time_range.duration
        step = schedule.step_minutes * _MINUTE
        whole = -(-least // step) * step if step else least
        for until, kind in ((least, LineKind.MINIMUM_TIME), (whole, LineKind.ROUNDED_TIME)):
            if until > length:
                start, end = time_range.starts_at + length, time_range.starts_at + until
                lines += [self._time_line(cut, kind) for cut in cut_at(schedule.step_ends, length, start, end, band)]
                length = until
        return length

    def _time_line(self, cut: Cut, kind: LineKind) -> AnyLine:
        start, end, band, step = cut
        schedule = self.schedule
        rate = schedule.rate(band, self.customer_class, step)
        elapsed = end - start
        amount = self._amount(rate.fen, elapsed, schedule.unit_microseconds)
        starts_at, ends_at = (start, end) if kind is LineKind.TIME else (None, None)
        in_hours = schedule.unit == HOUR
        code, hourly = schedule.band_code(band), rate.yuan_text if in_hours else ""
        plain = PriceLine(kind, code, starts_at, ends_at, _seconds(elapsed), hourly, amount)
        if in_hours and step == NO_STEPS and kind is not LineKind.ROUNDED_TIME:
            return plain
        return UnitLine(*plain, schedule.unit, schedule.unit_minutes * 60, rate.yuan_text, step + 1)

    def _beside(self, charged: timedelta) -> Iterator[AnyLine]:
        """What comes on top of ``charged`` time."""
        schedule = self.schedule
        if schedule.setup_fen.get(self.customer_class):
            yield _amount_line(LineKind.SETUP, schedule.setup_fen[self.customer_class])
        if self.use.operated and schedule.operator is not None:
            rate = schedule.operator.rates[self.customer_class]
            amount = self._amount(rate.fen, charged, _MICROSECONDS_PER_HOUR)
            text = rate.yuan_text
            yield UnitLine(LineKind.OPERATOR, "", None, None, _seconds(charged), text, amount, "operator_hour", 3600, text, 0)

    def _amount(self, fen: Decimal, elapsed: timedelta, unit_microseconds: Decimal) -> int:
        exact = WIDE.divide(WIDE.multiply(fen, Decimal(elapsed // _MICROSECOND)), unit_microseconds)
        return round_fen(exact, self.schedule.rounding, self.schedule.step_fen)


def _amount_line(kind: LineKind, amount_fen: int) -> UnitLine:
    """A line that is an amount alone."""
    return UnitLine(kind, "", None, None, 0, "", amount_fen, "", 0, "", 0)


def _seconds(elapsed: timedelta) -> int:
    return elapsed.days * 86_400 + elapsed.seconds


#: The keys of the steps of plain hours.
_TIME_STEPS = {LineKind.TIME: "price.step.time", LineKind.MINIMUM_TIME: "price.step.minimum_time"}


def _steps(schedule: PriceSchedule, lines: list[AnyLine]) -> list[Step]:
    """The working, line by line; added tax is told by the step of the tax."""
    steps = []
    running = 0
    for line in lines:
        if line.kind is LineKind.TAX:
            continue
        running += line.amount_fen
        steps.append(Step("price", "", *_told(schedule, line), running))
    return steps


def _told(schedule: PriceSchedule, line: AnyLine) -> tuple[str, dict[str, Any]]:
    """The key and the parameters of a line's step."""
    if line.__class__ is PriceLine and line.kind is not LineKind.MINIMUM_CHARGE:
        told: dict[str, Any] = {
            "band": line.band,
            "seconds": line.seconds,
            "yuan_per_hour": line.yuan_per_hour,
            "line_fen": line.amount_fen,
        }
        return _TIME_STEPS[line.kind], told
    if line.kind is LineKind.MINIMUM_CHARGE:
        return "price.step.minimum_charge", {"minimum_fen": schedule.minimum_charge_fen, "added_fen": line.amount_fen}
    if line.kind is LineKind.SETUP:
        return "price.step.setup", {"line_fen": line.amount_fen}
    if line.kind is LineKind.OPERATOR:
        params = {"seconds": line.seconds, "yuan_per_hour": line.yuan_per_hour, "line_fen": line.amount_fen}
        return "price.step.operator", params
    assert isinstance(line, UnitLine)
    told = {"band": line.band, "seconds": line.seconds, "unit": line.unit, "unit_seconds": line.unit_seconds}
    told["yuan_per_unit"] = line.yuan_per_unit
    if line.step:
        told["marginal"] = line.step
    told["line_fen"] = line.amount_fen
    return f"price.step.unit_{line.kind.value}" + ("_in_step" if line.step else ""), told
