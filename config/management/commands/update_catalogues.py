"""``manage.py update_catalogues``: bring the Chinese catalogue up to date with the sources, without the gettext programs.

New sentences are added untranslated, sentences that are gone are removed, translations are kept. ``--check`` writes nothing and fails
when something is missing, untranslated, fuzzy, superfluous, or said with a plural in one place and without in another.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import templatize

LOCALE = "zh_Hans"
HEADER = "# The Chinese catalogue of Jishi; brought up to date by manage.py update_catalogues."
#: Not the day of the last run, so that running it changes nothing where nothing changed.
REVISED = datetime(2026, 1, 1, tzinfo=UTC)
FOLDERS = ("config", "instruments", "booking", "billing", "frontend")
#: The words, several where they have a plural, and their context.
Sentence = tuple[Any, str | None]
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


class Command(BaseCommand):
    help = "Update frontend/locale/zh_Hans/LC_MESSAGES/django.po from the sources."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when the catalogue is not complete")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        path = catalogue_path()
        catalogue = read_catalogue(path)
        template = extracted()
        if check:
            problems = [*in_two_numbers(), *shortcomings(catalogue, template)]
            if problems:
                raise CommandError("\n".join(problems))
            return
        catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False)
        catalogue.obsolete.clear()
        catalogue.fuzzy = False
        catalogue.header_comment = HEADER
        catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = "Jishi"
        catalogue.creation_date = catalogue.revision_date = REVISED
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as handle:
            write_po(handle, catalogue, width=120, omit_header=False, sort_output=True, no_location=True)
        untranslated = sum(1 for message in catalogue if message.id and not _is_translated(message.string))
        self.stdout.write(f"{len(catalogue)} sentences, {untranslated} without a translation: {path}")
        for problem in in_two_numbers():
            self.stderr.write(problem)


def catalogue_path() -> Path:
    """Where the Chinese catalogue lies."""
    return Path(settings.LOCALE_PATHS[0]) / LOCALE / "LC_MESSAGES" / "django.po"


def extracted() -> Catalog:
    """Every sentence of the Python sources and templates, in the order of the files."""
    template = Catalog(locale=LOCALE, charset="utf-8")
    for message, context in _sentences():
        template.add(message, context=context)
    return template


def in_two_numbers(sentences: Iterable[Sentence] | None = None) -> Iterator[str]:
    """Sentences said with a plural in one place and without in another: a catalogue holds one of the two, so the other stays English."""
    forms: dict[Sentence, set[bool]] = {}
    for message, context in _sentences() if sentences is None else sentences:
        first = message if isinstance(message, str) else message[0]
        forms.setdefault((first, context), set()).add(first != message)
    for (sentence, _context), found in sorted(forms.items(), key=str):
        if len(found) > 1:
            yield f"with a plural and without: {sentence!r}"


def shortcomings(catalogue: Catalog, template: Catalog) -> Iterator[str]:
    """What keeps ``catalogue`` from being a complete translation of ``template``."""
    for message in template:
        if not message.id:
            continue
        known = catalogue.get(message.id, message.context)
        if known is None:
            yield f"not in the catalogue: {message.id!r}"
        elif known.fuzzy or not _is_translated(known.string):
            yield f"not translated: {message.id!r}"
    for message in catalogue:
        if message.id and template.get(message.id, message.context) is None:
            yield f"no longer in the sources: {message.id!r}"


def read_catalogue(path: Path) -> Catalog:
    if not path.exists():
        return Catalog(locale=LOCALE, charset="utf-8", project="Jishi", version="1")
    with path.open("rb") as handle:
        return read_po(handle, locale=LOCALE)


def _sources() -> Iterator[Path]:
    for folder in FOLDERS:
        root = Path(settings.BASE_DIR) / folder
        for path in sorted(root.rglob("*")):
            if path.suffix in {".py", ".html", ".txt"} and "migrations" not in path.parts and "dist" not in path.parts:
                yield path


@cache
def _sentences() -> tuple[Sentence, ...]:
    """The sources are read once for all that is asked of them."""
    return tuple((message, context) for path in _sources() for _line, message, _comments, context in _messages(path))


def _messages(path: Path) -> Iterator[tuple[int, Any, list[str], str | None]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # What templatize leaves of the markup is no Python: only its indentation could disturb the tokenizer.
        text = "\n".join(line.strip() for line in templatize(text).splitlines())
    yield from extract("python", BytesIO(text.encode()), keywords=KEYWORDS, options={"encoding": "utf-8"})


def _is_translated(string: Any) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)
