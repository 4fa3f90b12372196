"""Build a synthetic country to measure on."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from booking.services import availability
from config.nation import registry, reservations, resources
from instruments.models import Instrument, Organisation
from instruments.services import catalogue, vocabulary


class Command(BaseCommand):
    help = (
        "Fill an empty database with a synthetic country: zones, owners, places, instruments with opening hours, policies and prices,"
        " test items with prices, germplasm, data sets and literature,"
        " reservations by Zipf's law, and everything that is derived from them. Time and memory are bounded by the size alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--instruments", type=int, default=1_500, metavar="N")
        parser.add_argument("--reservations", type=int, default=50_000, metavar="M")
        parser.add_argument("--days", type=int, default=180, metavar="D", help="over which the reservations are spread")
        parser.add_argument("--seed", type=int, default=20261123)

    def handle(self, *args: Any, **options: Any) -> None:
        count, total, days = options["instruments"], options["reservations"], options["days"]
        if count < 1 or total < 0 or not 14 <= days <= 3650:
            raise CommandError("at least one instrument, no negative reservations, 14 to 3650 days")
        if Organisation.objects.exists() or Instrument.objects.exists():
            raise CommandError("the database is not empty: a country is only built in one of its own (JISHI_DATABASE=...)")
        now = timezone.now()
        with transaction.atomic():
            made = self._step("registry", lambda: registry.write(count, options["seed"], now))
        with transaction.atomic():
            self._step("other resources", lambda: resources.write(made, options["seed"], now))
        self._step("catalogue", lambda: catalogue.rebuild(now, said=self._said(50_000, "entries")))
        self._step("vocabulary", vocabulary.rebuild_vocabulary)
        written = self._step(
            "reservations",
            lambda: reservations.write(made, total, days, options["seed"], now, self._said(500_000, "reservations")),
        )
        if written < total:
            self.stdout.write(f"there was room for {written:,} reservations")
        self._step("statistics", self._analyse)
        self._step("day availability", lambda: availability.rebuild_all(now, self._said(50_000, "calendars")))
        self._step("statistics", self._analyse)
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        self.stdout.write(f"database {_size()}, most memory of this process {megabytes} MB")

    def _step(self, name: str, work: Callable[[], Any]) -> Any:
        """What is done is said before and after, so that a run that stops says where."""
        self._say(f"{name} ...")
        began = time.monotonic()
        made = work()
        self._say(f"{name}: {time.monotonic() - began:.1f} s")
        return made

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _said(self, every: int, what: str) -> Callable[[int], None]:
        last = [0]

        def said(done: int) -> None:
            if done - last[0] >= every:
                last[0] = done
                self._say(f"  {done:,} {what}")

        return said

    def _analyse(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _size() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        return str(cursor.fetchone()[0])
