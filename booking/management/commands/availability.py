"""Compute the day-availability read model anew, or compare it with the calendars."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from booking.services import availability
from config.kernel.invariants import MOST_SHOWN


class Command(BaseCommand):
    help = "rebuild: compute all days anew, batch by batch. verify: compare them; exit code 1 and a line for each that differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("rebuild", "verify"))
        parser.add_argument("--calendar", type=int, action="append", default=[], metavar="ID", help="only this one (repeatable)")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        if options["what"] == "rebuild":
            self._rebuild(options["calendar"])
        else:
            self._verify(options["calendar"])
        self.stdout.write(f"{time.monotonic() - began:.1f} s")

    def _rebuild(self, calendar_ids: list[int]) -> None:
        now = timezone.now()
        changed = availability.rebuild(calendar_ids, now) if calendar_ids else availability.rebuild_all(now, self._say)
        self.stdout.write(self.style.SUCCESS(f"{changed} days were not right and are now"))

    def _verify(self, calendar_ids: list[int]) -> None:
        wrong = 0
        for difference in availability.verify(calendar_ids or None, self._say):
            wrong += 1
            if wrong <= MOST_SHOWN:
                self.stdout.write(str(difference))
        if wrong:
            raise CommandError(f"{wrong} days differ; manage.py availability rebuild puts them right")
        self.stdout.write(self.style.SUCCESS("every day is what its calendar says"))

    def _say(self, calendars: int) -> None:
        if calendars % 10_000 == 0:
            self.stdout.write(f"{calendars} calendars ...")
