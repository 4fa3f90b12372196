"""``manage.py publish_programme FILE --author EMAIL --approver EMAIL``: put a programme document in force."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from billing.management.acting import document, person, refusals_said
from billing.subsidy import services as subsidy


class Command(BaseCommand):
    help = (
        "Check a programme document and its worked examples, keep it as its author's draft and publish it as the approver's. "
        "Both are programme officers, and two people. The budget pools it names are opened."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--author", required=True, help="e-mail address of the programme officer who wrote it")
        parser.add_argument("--approver", required=True, help="e-mail address of the other one who approves it")

    def handle(self, *args: Any, file: Path, author: str, approver: str, **options: Any) -> None:
        now = timezone.now()
        writer, second = person(author), person(approver)
        with refusals_said():
            version = subsidy.draft_and_publish(writer, second, document(file), now)
        self.stdout.write(f"{version.programme.code} {version.label} is published, valid {version.valid}.")
