"""``manage.py load_demo``: fill an empty database with the invented province."""

from __future__ import annotations

import gc
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.demo.load import load
from instruments.models import Organisation


class Command(BaseCommand):
    help = "Load the invented demo province into an empty database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="another number gives another province (default 1)")
        parser.add_argument("--now", type=datetime.fromisoformat, help="ISO instant with offset to load the demo as of")

    def handle(self, *args: Any, seed: int, now: datetime | None, **options: Any) -> None:
        if Organisation.objects.exists():
            raise CommandError("The database has organisations already. The demo is loaded into an empty database only.")
        moment = now or timezone.now()
        if moment.tzinfo is None:
            raise CommandError("--now needs an offset, for example 2026-11-22T09:00+08:00")
        began = time.perf_counter()
        with _keeping_garbage():
            made = load(seed, moment)
        for what, count in made.items():
            self.stdout.write(f"{count:6d}  {what}")
        self.stdout.write(self.style.SUCCESS(f"Demo loaded in {time.perf_counter() - began:.1f} s (seed {seed})."))


@contextmanager
def _keeping_garbage() -> Iterator[None]:
    """Without looking again and again for cycles, of which there are few."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
