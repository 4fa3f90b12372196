"""``manage.py import_germplasm``: take in germplasm accessions (see ``docs/resources.md``)."""

from __future__ import annotations

from instruments.management.resource_command import ResourceCommand
from instruments.services.germplasm_import import import_germplasm
from instruments.services.resource_import_kinds import WORDS


class Command(ResourceCommand):
    help = "Take in germplasm (MCPD v2.1, extracts of genebanks, Darwin Core): all of it or nothing, and nothing twice."
    name = "import_germplasm"
    importer = staticmethod(import_germplasm)
    words = WORDS["germplasm"]
