"""``manage.py rebuild_search``: compute the search words of all instruments anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from instruments.services.registry import rebuild_search


class Command(BaseCommand):
    help = "Compute search words and sort keys of instruments anew, for example after an owner was renamed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", type=int, help="id of one owner; otherwise all")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{rebuild_search(options['owner'])} instruments changed")
