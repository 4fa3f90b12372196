from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.embedded import server


class Command(BaseCommand):
    help = "Stop the embedded PostgreSQL of this JISHI_HOME, whoever uses it."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = server.stop(settings.HOME)
        self.stdout.write("The embedded PostgreSQL has been stopped." if stopped else "No embedded PostgreSQL was running.")
