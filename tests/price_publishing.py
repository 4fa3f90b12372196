"""Publishing a test item's price with a yes to every large change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from billing.pricing import sample_prices
from billing.pricing.models import TestItemPrice
from config.kernel.access import Actor
from instruments.models import Resource


def publish_confirmed(
    actor: Actor, resource: Resource, unit: str, fen: int | None, classes: Mapping[str, int], on: date, now: datetime, today: date
) -> TestItemPrice:
    """``publish_test_price``, whatever changes."""
    before = sample_prices.in_force([resource.pk], on).get(resource.pk)
    keys = {change.key for change in sample_prices.flat_changes(before, unit, fen, classes)}
    return sample_prices.publish_test_price(actor, resource, unit, fen, classes, on, now, today, keys)
