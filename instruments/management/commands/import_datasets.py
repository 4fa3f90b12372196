"""``manage.py import_datasets``: take in a list of data sets (see ``docs/resources.md``)."""

from __future__ import annotations

from instruments.management.resource_command import ResourceCommand
from instruments.services.described_import import import_datasets
from instruments.services.resource_import_kinds import WORDS


class Command(ResourceCommand):
    help = "Take in a list of data sets (terms of DCAT): all of it or nothing, and nothing twice."
    name = "import_datasets"
    importer = staticmethod(import_datasets)
    words = WORDS["datasets"]
