"""``manage.py verify_documents``: is every issued paper, and every stored file, still what it was?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.papers import verifying
from billing.papers.kinds import kinds
from config.kernel.errors import Reason
from config.kernel.invariants import files_unchanged
from config.kernel.messages import reason_sentence


class Command(BaseCommand):
    help = (
        "Read every issued paper and hold its frozen content against its hash, its row, its code and the bytes of its files; then every "
        "other stored file against its hash. Exit code 1 when something differs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found, stored = verifying.verify(), files_unchanged()
        for fault in found.faults:
            params = {"kind": kinds()[fault.kind].word, "number": fault.number, "part": fault.part}
            self.stdout.write(reason_sentence(Reason(fault.code, params)))
        for line in stored.violations:
            self.stdout.write(line)
        self.stdout.write(f"{found.papers} papers with {found.files} files, {stored.checked} stored files in all")
        if found.faults or stored.violations:
            raise CommandError(f"Not everything is what it was: {len(found.faults) + len(stored.violations)} difference(s).")
        self.stdout.write("Every paper and every stored file is what it was.")
