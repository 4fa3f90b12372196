"""``manage.py rebuild_search``: make the catalogue and the vocabulary of suggestions anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from instruments.services import catalogue, vocabulary


class Command(BaseCommand):
    help = "Make the entries of everything that can be found anew: words, facets, prices. Only what differs is written."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", type=int, help="id of one owner; otherwise all")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{catalogue.rebuild(timezone.now(), options['owner'])} entries written")
        self.stdout.write(f"{vocabulary.rebuild_vocabulary()} terms known")
