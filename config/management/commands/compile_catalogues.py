"""Message catalogues without the gettext programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Compile every .po under LOCALE_PATHS. Stops on a translation whose parameters differ from its source."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        problems: list[str] = []
        for folder in settings.LOCALE_PATHS:
            for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
                problems += _compile(source)
        if problems:
            raise CommandError("\n".join(problems))


def _compile(source: Path) -> list[str]:
    with source.open("rb") as handle:
        catalogue = read_po(handle, locale=source.parent.parent.name.replace("-", "_"))
    problems = [f"{source}:{message.lineno}: {error}" for message, errors in catalogue.check() for error in errors]
    if not problems:
        with source.with_suffix(".mo").open("wb") as handle:
            write_mo(handle, catalogue)
    return problems
