from __future__ import annotations

import shutil
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.embedded import server


class Command(BaseCommand):
    help = "Throw away the demo: the embedded database and everything else under JISHI_HOME."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION or settings.DATABASES["default"]["ENGINE"] != "config.embedded":
            raise CommandError("only the embedded database of a demo can be thrown away")
        if server.running(settings.HOME):
            raise CommandError("the platform is running: end it first (Ctrl-C), or 'manage.py stop_database'")
        ours = [settings.HOME / name for name in ("postgres", "postgres.lock", "postgres.users", "files", "mail", "static")]
        for path in (*ours, *settings.HOME.glob("postgres.new*")):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        self.stdout.write(f"The demo under {settings.HOME} is gone; 'make run' makes a new one.")
