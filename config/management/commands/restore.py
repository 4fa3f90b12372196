from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import backups
from config.checks import migrations_pending


class Command(BaseCommand):
    help = "Verify the backup DIR, restore it into an empty database, then check every invariant."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dir", type=Path)
        parser.add_argument("--into", metavar="DATABASE_URL", help="another empty database than this installation's")
        parser.add_argument("--home", type=Path, help="another folder for the files than this installation's JISHI_HOME")
        parser.add_argument("--verify-only", action="store_true", help="only compare the backup with its manifest")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["into"] or options["home"]:
            self._elsewhere(options)
            return
        try:
            manifest = (backups.verify if options["verify_only"] else backups.restore)(options["dir"])
        except backups.BackupError as error:
            raise CommandError(str(error)) from None
        done = "is whole" if options["verify_only"] else "has been restored"
        self.stdout.write(
            f"The backup of {manifest.created_at} {done}: {sum(manifest.rows.values())} rows, {len(manifest.files)} files."
        )
        if options["verify_only"]:
            return
        if migrations_pending():
            self.stdout.write("It is of an older version: run 'manage.py migrate', then 'manage.py check_invariants'.")
        else:
            call_command("check_invariants")

    def _elsewhere(self, options: dict[str, Any]) -> None:
        """The same command with other settings, in a process of its own."""
        environment = dict(os.environ)
        if options["into"]:
            environment["DATABASE_URL"] = options["into"]
        if options["home"]:
            environment["JISHI_HOME"] = str(options["home"])
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "restore", str(options["dir"].resolve())]
        if options["verify_only"]:
            command.append("--verify-only")
        code = subprocess.run(command, env=environment).returncode  # noqa: S603  (ourselves)
        if code:
            raise SystemExit(code)
