"""``manage.py import_literature``: take in a list of literature (see ``docs/resources.md``)."""

from __future__ import annotations

from instruments.management.resource_command import ResourceCommand
from instruments.services.described_import import import_literature
from instruments.services.resource_import_kinds import WORDS


class Command(ResourceCommand):
    help = "Take in a list of literature (terms of Dublin Core): all of it or nothing, and nothing twice."
    name = "import_literature"
    importer = staticmethod(import_literature)
    words = WORDS["literature"]
