"""What the commands that take in resources share."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from config.kernel.access import Actor, Grant, Role
from config.kernel.errors import Refusal
from instruments.management.commands.import_registry import Command as RegistryCommand
from instruments.management.commands.import_registry import read_content, read_map
from instruments.rules.registry_file import Limits
from instruments.rules.registry_map import MapWords
from instruments.services.registry_import import ImportReport
from instruments.services.resource_import import ResourceImportRequest

Importer = Callable[[Actor, ResourceImportRequest, datetime], ImportReport]
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


class ResourceCommand(RegistryCommand):
    """Takes in one file of resources of one owner with ``importer``; ``name`` goes into the audit trail, ``words`` may stand in a map."""

    has_places = False
    name: str
    importer: Importer
    words: MapWords

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--owner", type=int, required=True, help="id of the owner of everything in the file")
        parser.add_argument("--map", type=Path, help="JSON file that says which column means what")
        parser.add_argument("--encoding", default="", help="declare it; otherwise it is detected and said")
        parser.add_argument("--delimiter", choices=sorted(_DELIMITERS), help="Default: the one that gives the most columns.")
        parser.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="for cells that are empty or missing"
        )
        parser.add_argument(
            "--confirm-price",
            action="append",
            type=int,
            default=[],
            metavar="LINE",
            help="a line whose price changes by much, after a look at it; once for each",
        )
        parser.add_argument("--draft", action="store_true", help="new ones are not shown to the public yet")
        parser.add_argument("--dry-run", action="store_true", help="do it, say what would happen, and undo it")
        parser.add_argument("--report", type=Path, help="write the fate of every row to this .json or .csv file")

    def request(self, options: dict[str, Any]) -> ResourceImportRequest:
        """What the options ask for. Raises Refusal."""
        return ResourceImportRequest(
            content=read_content(options["file"], Limits().file_bytes),
            file_name=options["file"].name,
            owner_id=options["owner"],
            encoding=options["encoding"],
            delimiter=_DELIMITERS.get(options["delimiter"], ""),
            constants=dict(_pair(text) for text in options["set"]),
            published=not options["draft"],
            dry_run=options["dry_run"],
            confirmed_lines=frozenset(options["confirm_price"]),
            plan=read_map(options["map"], self.words) if options["map"] else None,
        )

    def shell(self) -> Actor:
        """Who does it: whoever may run commands."""
        return Actor(name=f"manage.py {self.name}", grants=(Grant(0, Role.OPERATOR),))

    def taken_in(self, options: dict[str, Any]) -> ImportReport:
        return self.importer(self.shell(), self.request(options), timezone.now())


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Refusal.of("import.constant_shape", "set", text=text[:60])
    return name, value
