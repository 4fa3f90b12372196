"""``manage.py erase_person EMAIL --as OPERATOR --reason TEXT``: make a person unreadable everywhere but in frozen papers."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from billing.erasure import services
from billing.erasure.rules.places import FROZEN
from billing.management.acting import person, refusals_said


class Command(BaseCommand):
    help = (
        "Erase a person: log-in and keys are taken away, name and e-mail address replaced in every table that is no frozen paper."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--as", dest="operator", required=True, metavar="EMAIL", help="the operator who does it")
        parser.add_argument("--reason", required=True, help="kept in the audit trail")

    def handle(self, *args: Any, email: str, operator: str, reason: str, **options: Any) -> None:
        with refusals_said():
            found = services.erase(person(operator), email, reason, timezone.now())
        for table, count in sorted(found.rows.items()):
            self.stdout.write(f"{table}: {count}")
        if found.homonyms:
            self.stdout.write(
                f"{found.homonyms} other(s) bear the same name: only the e-mail address was replaced outside the account."
            )
        self.stdout.write(f"Erased. Kept as they are: {', '.join(sorted(FROZEN))}.")
