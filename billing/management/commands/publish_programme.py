"""``manage.py publish_programme FILE --author EMAIL``: hand a programme document in, to be put in force by a second officer.

Whoever has a shell can name anybody, so the command writes for one person only: the second one, signed in as themselves, looks at it on its
page and puts it in force.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.urls import reverse
from django.utils import timezone

from billing.management.acting import document, person, refusals_said
from billing.subsidy import drafts


class Command(BaseCommand):
    help = (
        "Check a programme document and its worked examples and hand it in as its author's draft. A second programme officer puts it in "
        "force on its page, which opens the budget pools it names."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--author", required=True, help="e-mail address of the programme officer who wrote it")

    def handle(self, *args: Any, file: Path, author: str, **options: Any) -> None:
        with refusals_said():
            draft = drafts.hand_in(person(author), document(file), timezone.now())
        said = f"{draft.document['code']} {draft.document['version']} is handed in."
        self.stdout.write(f"{said} A second programme officer puts it in force at {reverse('programme_draft', args=[draft.pk])}.")
