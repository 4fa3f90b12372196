"""The lines of a price as people read them, of a session or of a commissioned test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from billing import wording
from billing.pricing.rules.pricing import LineKind, PricedSession
from billing.pricing.rules.samples import PricedSamples, SampleLine
from billing.pricing.rules.schedule import PriceSchedule
from frontend.display import yuan


class Line(NamedTuple):
    """``hours`` (or how many) x ``rate`` = ``amount_fen`` in one band, or for what ``band`` says; an amount alone has no ``rate``."""

    band: str
    hours: str
    rate: str
    amount_fen: int


def price_lines(priced: PricedSession | PricedSamples, schedule: PriceSchedule | None) -> tuple[Line, ...]:
    """The lines of a price in order, without added tax, which stands beside them with its rate. A commissioned test has no schedule."""
    if isinstance(priced, PricedSamples):
        return tuple(_counted(line) for line in priced.lines if line.unit != LineKind.TAX)
    names = {band.code: band.name for band in schedule.bands} if schedule is not None else {}
    return tuple(line_words(line._asdict(), names) for line in priced.lines if line.kind is not LineKind.TAX)


def line_words(line: Mapping[str, Any], names: wording.BandNames) -> Line:
    """A line of a session's price (as ``PriceLine`` or ``UnitLine``, or frozen from one) in words."""
    rate = wording.rate_words(line)
    what = wording.line_word(line["kind"], line["band"], names)
    return Line(what, wording.seconds_words(line["seconds"]) if rate else "", rate, line["amount_fen"])


def _counted(line: SampleLine) -> Line:
    word = wording.line_word(line.unit)
    rate = "" if word else f"{yuan(line.rate_fen)} / {wording.unit_word(line.unit)}"
    return Line(word, str(line.quantity) if rate else "", rate, line.amount_fen)
