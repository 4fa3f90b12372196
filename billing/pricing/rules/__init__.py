"""Pricing: from a schedule's document and a session's time to lines in fen."""

from billing.pricing.rules.describe import DescribedBand, DescribedSchedule, describe
from billing.pricing.rules.fees import FeeRule, fallen_away, price_fee
from billing.pricing.rules.pricing import LineKind, PricedSession, PriceLine, price_session
from billing.pricing.rules.samples import PricedSamples, SampleLine, SamplePrice, price_samples
from billing.pricing.rules.schedule import PriceSchedule, parse_schedule
from billing.pricing.rules.steps import Step

__all__ = [
    "DescribedBand",
    "DescribedSchedule",
    "FeeRule",
    "LineKind",
    "PriceLine",
    "PriceSchedule",
    "PricedSamples",
    "PricedSession",
    "SampleLine",
    "SamplePrice",
    "Step",
    "describe",
    "fallen_away",
    "parse_schedule",
    "price_fee",
    "price_samples",
    "price_session",
]
