"""``manage.py verify_ledger [--head SHA256]``: is every sealed transfer still what was sealed?"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.papers import chain
from config.kernel.errors import Reason
from config.kernel.messages import reason_sentence


class Command(BaseCommand):
    help = (
        "Compute the chain over all transfers anew and compare it with the seals. Prints the newest link: keep it elsewhere and give "
        "it with --head later, and nobody can rewrite the chain unseen. Links that looks from the page found "
        "are looked for anyway. Exit code 1 when something differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", default="", help="a link that was printed earlier; the chain must still contain it")

    def handle(self, *args: Any, head: str, **options: Any) -> None:
        found = chain.verify(head.strip().lower())
        for fault in found.faults:
            self.stdout.write(reason_sentence(Reason(fault.code, {"number": fault.number, "detail": fault.detail})))
        self.stdout.write(
            f"{found.seals} seals over {found.transfers} transfers, {found.unsealed} not sealed yet; newest link {found.head}"
        )
        if found.faults:
            raise CommandError(f"The ledger is not what was sealed: {len(found.faults)} difference(s).")
        self.stdout.write("Every sealed transfer is what was sealed.")
