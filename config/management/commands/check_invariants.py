"""Read everything once and say whether it is consistent."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.kernel import invariants


class Command(BaseCommand):
    help = "Check every invariant in one read-only snapshot; exit code 1 and a line for each violation."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", action="append", default=[], metavar="NAME", help="check only this one (repeatable)")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = {
            name: invariant
            for name, invariant in invariants.registered().items()
            if not options["only"] or name in options["only"]
        }
        wrong = 0
        with invariants.one_snapshot():
            for name, invariant in chosen.items():
                finding = invariant()
                wrong += len(finding.violations)
                verdict = (
                    self.style.SUCCESS("ok") if not finding.violations else self.style.ERROR(f"{len(finding.violations)} WRONG")
                )
                self.stdout.write(f"{name:<45} {finding.checked:>8} checked  {verdict}")
                for violation in finding.violations[: invariants.MOST_SHOWN]:
                    self.stdout.write(f"    {violation}")
                if len(finding.violations) > invariants.MOST_SHOWN:
                    self.stdout.write(f"    and {len(finding.violations) - invariants.MOST_SHOWN} more")
        if wrong:
            self.stderr.write(self.style.ERROR(f"{wrong} violations"))
            raise SystemExit(1)
