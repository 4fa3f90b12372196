"""``manage.py reconcile_payments [--days 7] [--apply]``: hold a payment provider's sessions against our books."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.ledger.rules.money import yuan
from billing.payments.provider import ProviderError, configured
from billing.payments.services.reconciling import reconcile

MOST_DAYS = 400


class Command(BaseCommand):
    help = "List where the payment provider and our books disagree; with --apply bring in what was lost on the way."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=7, help="how far to look back (1 to 400)")
        parser.add_argument("--apply", action="store_true", help="bring in payments, refunds and disputes whose news was lost")

    def handle(self, *args: Any, days: int, apply: bool, **options: Any) -> None:
        provider = configured()
        if provider is None:
            raise CommandError("Payments online are off: there is nothing to hold against our books.")
        if not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days is between 1 and {MOST_DAYS}.")
        try:
            found = reconcile(provider, timezone.now(), days=days, apply=apply)
        except ProviderError as error:
            raise CommandError(f"The provider cannot be asked: {error.code}.") from None
        for each in found:
            verdict = "brought in" if each.applied else "DIFFERENT"
            sums = f"provider {yuan(each.provider_fen)}, ours {yuan(each.ours_fen)}"
            self.stdout.write(f"{each.code:<12} {each.reference or each.session_ref:<30} {sums:<50} {verdict}")
        left = sum(not each.applied for each in found)
        self.stdout.write(f"{len(found)} differences, {left} of them left.")
        if left:
            raise CommandError("The provider and our books disagree.")
