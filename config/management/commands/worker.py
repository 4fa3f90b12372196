"""The background worker: PDFs, mail, periodic work."""

from __future__ import annotations

import os
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from config.kernel.services.heartbeat import beat
from config.readiness import refuse_unless_ready


class Command(BaseCommand):
    help = "Run background jobs until SIGTERM or SIGINT. Refuses to start when a start-up check fails."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2, help="jobs at the same time (default 2)")

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_unless_ready()
        os.umask(0o027)
        beat("worker", timezone.now())
        call_command("procrastinate", "worker", "--concurrency", str(options["concurrency"]), "--shutdown-graceful-timeout", "8")
