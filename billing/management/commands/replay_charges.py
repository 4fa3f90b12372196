"""``manage.py replay_charges [--from DAY] [--to DAY]``: compute charges, and rules over whole batches of claims, again from their frozen
inputs and compare."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.claims.services.replaying import ReplayedBatch, replay_batches
from billing.pricing import services as pricing
from billing.settlement.services.replaying import Replayed, replay_charges
from billing.subsidy import services as subsidy

MOST_LINES = 20
"""Of one charge; what differs in more places differs as a whole."""


class Command(BaseCommand):
    help = (
        "Compute every charge again from its frozen inputs, without looking at what it came to, then compare figures, limits, clauses, "
        "steps and awards; likewise the rules over whole batches of claims. Prints a line per difference; exit code 1 when there is one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from", dest="first", type=date.fromisoformat, help="first day on which the charges were made, YYYY-MM-DD"
        )
        parser.add_argument("--to", dest="last", type=date.fromisoformat, help="last day, included")

    def handle(self, *args: Any, first: date | None, last: date | None, **options: Any) -> None:
        if first and last and last < first:
            raise CommandError("--to lies before --from.")
        subsidy.in_force.cache_clear()
        pricing.schedule.cache_clear()
        span = _midnight(first), _midnight(last, 1)
        charges = ((f"charge {each.charge_id} ({each.thing})", each) for each in replay_charges(*span))
        batches = ((f"batch {each.number}", each) for each in replay_batches(*span))
        right = self._compare("charges", charges, even_none=True)
        if not self._compare("batches of claims", batches) or not right:
            sys.exit(1)

    def _compare(self, what: str, replayed: Iterable[tuple[str, Replayed | ReplayedBatch]], *, even_none: bool = False) -> bool:
        """Tell every difference, then how many there were; whether all is identical."""
        total = different = 0
        for name, each in replayed:
            total += 1
            if each.identical:
                continue
            different += 1
            if each.problem:
                self.stdout.write(f"{name}: cannot be computed again: {each.problem}")
            for found in each.differences[:MOST_LINES]:
                self.stdout.write(f"{name}: {found.path}: frozen {found.frozen!r}, computed again {found.recomputed!r}")
            if len(each.differences) > MOST_LINES:
                self.stdout.write(f"{name}: and {len(each.differences) - MOST_LINES} more differences")
        if different:
            self.stdout.write(f"{total} {what} computed again: {total - different} identical, {different} different.")
        elif total or even_none:
            self.stdout.write(f"{total} {what} computed again: identical.")
        return not different


def _midnight(day: date | None, days_after: int = 0) -> datetime | None:
    """The beginning of a day in the platform's zone."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=days_after), time(), ZoneInfo(settings.TIME_ZONE))
