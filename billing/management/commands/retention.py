"""``manage.py retention [--apply --as OPERATOR]``: what is due to be erased by the schedule, and erasing it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from billing.erasure import retention
from billing.management.acting import person, refusals_said


class Command(BaseCommand):
    help = "List what of people's data is due to be erased by the schedule; with --apply erase it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as", dest="operator", required=True, metavar="EMAIL", help="the operator who does it")
        parser.add_argument("--apply", action="store_true", help="erase it")

    def handle(self, *args: Any, operator: str, apply: bool, **options: Any) -> None:
        with refusals_said():
            actor, now = person(operator), timezone.now()
            for each in retention.due(actor, now):
                days = "" if each.keeping.days is None else f", {each.keeping.days} days"
                self.stdout.write(
                    f"{each.keeping.code} ({each.keeping.how}{days}): {'-' if each.count is None else each.count} due"
                )
            if apply:
                for code, count in retention.erase_due(actor, now).items():
                    self.stdout.write(f"{code}: {count} erased")
