"""``manage.py import_registry``: take in a list of instruments (see ``docs/import.md``)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from config.kernel.access import Actor, Grant, Role
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from instruments.rules.registry_file import Limits
from instruments.rules.registry_map import OF_INSTRUMENTS, ImportMap, MapWords, builtin_map, parse_map
from instruments.services import registry_report
from instruments.services.registry_import import ImportReport, ImportRequest, RowFate, import_registry

SHELL = Actor(name="manage.py import_registry", grants=(Grant(0, Role.OPERATOR),))
_SHOWN = 20


class Command(BaseCommand):
    help = "Take in a registry of instruments: all of it or nothing, and nothing twice when the file comes again."
    #: Whether what is taken in stands at places of its own.
    has_places = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", required=True, choices=["national", "facility", "core_instruments", "uniquip", "csv"])
        parser.add_argument("--map", type=Path, help="JSON file that says which column means what")
        parser.add_argument("--encoding", default="", help="declare it; otherwise it is detected and said")
        parser.add_argument("--owner", type=int, help="id of the one owner of everything in the file")
        parser.add_argument("--time-zone", default="", help="of new places, for example Europe/London")
        parser.add_argument("--dry-run", action="store_true", help="do it, say what would happen, and undo it")
        parser.add_argument("--report", type=Path, help="write the fate of every row to this .json or .csv file")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override("en"):  # the command speaks one language, its report too
            self._import(options)

    def _import(self, options: dict[str, Any]) -> None:
        started = perf_counter()
        try:
            if options["report"] and options["report"].suffix not in {".json", ".csv"}:
                raise CommandError("The report file must end in .json or .csv.")
            report = self.taken_in(options)
        except Refusal as refusal:
            lines = [f"  {reason.field}: {reason_sentence(reason)}" for reason in refusal.reasons]
            raise CommandError("\n".join(["Nothing was imported.", *lines])) from None
        self._say(report, options["verbosity"], perf_counter() - started)
        if options["report"]:
            render = registry_report.as_json if options["report"].suffix == ".json" else registry_report.as_csv
            options["report"].write_text(render(report), encoding="utf-8")
            self.stdout.write(f"Report: {options['report']}")
        if report.counts["refused"]:
            raise CommandError(f"Nothing was imported: {report.counts['refused']} rows are refused.")

    def taken_in(self, options: dict[str, Any]) -> ImportReport:
        """Do it. Raises Refusal."""
        request = ImportRequest(
            content=read_content(options["file"], Limits().file_bytes),
            file_name=options["file"].name,
            plan=read_map(options["map"]) if options["map"] else builtin_map(options["format"]),
            owner_id=options["owner"],
            encoding=options["encoding"],
            zone_name=options["time_zone"],
            dry_run=options["dry_run"],
        )
        return import_registry(SHELL, request, timezone.now())

    def _say(self, report: ImportReport, verbosity: int, seconds: float) -> None:
        say = self.stdout.write
        others = f"; would decode too: {', '.join(report.other_encodings)}" if report.other_encodings else ""
        odd = f", {report.odd_bytes} bytes beyond ASCII" if report.sureness in {"guess", "likely"} else ""
        say(f"File: {report.file_name}, {report.size_bytes} bytes, SHA-256 {report.sha256[:16]}...")
        say(f"Encoding: {report.encoding} ({report.sureness}{odd}{others})")
        if self.has_places:
            say(f"Time zone of new places: {report.zone_name}")
        say(f"Columns read: {', '.join(report.columns_read)}")
        if report.columns_not_read:
            say(f"Columns not read: {', '.join(report.columns_not_read)}")
        for fate in ("refused", "skipped", "repeated", "updated", "created", "unchanged"):
            self._list(fate, [row for row in report.rows if row.fate == fate], verbosity)
        mended = [row for row in report.rows if row.notes and row.fate != "refused"]
        if mended:
            self._list("mended or cut", mended, verbosity, notes=True)
        if report.organisations_created:
            say(f"Owners created (claimed, not verified): {len(report.organisations_created)}")
        if self.has_places:
            say(f"Places created: {report.sites_created}")
        if report.absent:
            say(f"Imported earlier and not in this file (left as they are): {report.absent}")
        say(", ".join(f"{fate} {count}" for fate, count in report.counts.items()) + f" of {len(report.rows)} rows")
        if not report.counts["refused"]:
            say(f"{'Written' if report.written else 'Dry run: nothing was written'} in {seconds:.1f} s")

    def _list(self, title: str, rows: list[RowFate], verbosity: int, *, notes: bool = False) -> None:
        """Rows with something to say; at verbosity 2 all of them."""
        told = [row for row in rows if row.reasons or (notes and row.notes) or verbosity > 1]
        for row in told if verbosity > 1 else told[:_SHOWN]:
            reasons = row.notes if notes else row.reasons
            detail = "; ".join(f"{reason.field}: {reason_sentence(reason)}" for reason in reasons)
            self.stdout.write(f"  line {row.line} {title}: {row.name[:60]!r} {row.inner_id} {detail}".rstrip())
        if verbosity <= 1 and len(told) > _SHOWN:
            more = f"  ... and {len(told) - _SHOWN} more {title}: use --report FILE, or --verbosity 2, to see every row"
            self.stdout.write(more)


def read_map(path: Path, words: MapWords = OF_INSTRUMENTS) -> ImportMap:
    """The map in a JSON file. Raises Refusal ``import.file_missing``, ``import.map_*``."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise Refusal.of("import.file_missing", "map", path=str(path)) from None
    except (ValueError, RecursionError) as error:
        raise Refusal.of("import.map_unreadable", "map", path=str(path), detail=str(error)[:200]) from None
    return parse_map(document, words)


def read_content(path: Path, limit: int) -> bytes:
    """At most one byte more than the limit: a huge file is refused without being read."""
    try:
        with path.open("rb") as handle:
            return handle.read(limit + 1)
    except OSError:
        raise Refusal.of("import.file_missing", "file", path=str(path)) from None
