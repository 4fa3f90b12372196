"""``manage.py import_test_items``: take in a lab's price list of tests (see ``docs/resources.md``)."""

from __future__ import annotations

from instruments.management.resource_command import ResourceCommand
from instruments.services.resource_import_kinds import WORDS
from instruments.services.test_item_import import import_test_items


class Command(ResourceCommand):
    help = "Take in a price list of tests: all of it or nothing, and nothing twice; a price only where it differs."
    name = "import_test_items"
    importer = staticmethod(import_test_items)
    words = WORDS["test_items"]
