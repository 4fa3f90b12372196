"""``manage.py load_codes SCHEME FILE``: take in a code list (see ``docs/standards.md``)."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from config.kernel.access import Actor, Grant, Role
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from instruments.models import CodeScheme
from instruments.services.code_lists import LoadReport, load_codes

SHELL = Actor(name="manage.py load_codes", grants=(Grant(0, Role.OPERATOR),))
_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Take in a code list: new codes begin, codes that it does not have end, nothing is deleted. The same list again: nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scheme", choices=CodeScheme.values)
        parser.add_argument("file", type=Path)
        parser.add_argument("--valid-from", default="", help="day from which the list holds, like 2026-11-23; today by default")

    def handle(self, *args: Any, scheme: str, file: Path, valid_from: str, **options: Any) -> None:
        now = timezone.now()
        with translation.override("en"):
            try:
                day = date.fromisoformat(valid_from) if valid_from else timezone.localdate(now)
                report = load_codes(SHELL, scheme, file.read_bytes(), day, now, file.name)
            except ValueError:
                raise CommandError(f"{valid_from} is not a day. Type it like 2026-11-23.") from None
            except OSError:
                raise CommandError(f"The file {file} cannot be read. Check the path and the permissions.") from None
            except Refusal as refusal:
                raise CommandError("\n".join(reason_sentence(reason) for reason in refusal.reasons)) from None
            self._say(report)

    def _say(self, report: LoadReport) -> None:
        changes, listed = report.changes, report.listed
        self.stdout.write(
            f"{report.scheme} from {report.valid_from}: {len(changes.begin)} begin, {len(changes.end)} end, "
            f"{len(changes.correct)} corrected, {changes.unchanged} unchanged"
        )
        for title, lines in (("gives no code", listed.left_over), ("repeats a code", listed.repeated)):
            for line, text in lines[:_SHOWN]:
                self.stdout.write(f"  line {line} {title}: {text[:80]}")
            if len(lines) > _SHOWN:
                self.stdout.write(f"  ... and {len(lines) - _SHOWN} more")
