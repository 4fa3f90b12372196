"""``manage.py fund_programme CODE CAP YUAN --by EMAIL --reason TEXT``: ask for more budget for a programme's pool.

Whoever has a shell can name anybody, so the command only asks: somebody else, signed in as themselves, adds it on the account's page.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from billing.ledger.rules.money import parse_yuan, yuan
from billing.management.acting import person, refusals_said
from billing.subsidy import services as subsidy
from billing.subsidy.models import ProgrammeVersion


class Command(BaseCommand):
    help = "Ask for budget from the treasury for a pool of the newest published version of a programme; somebody else adds it on its page."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="the programme's code")
        parser.add_argument("cap", help="the id of the pool in the document's caps")
        parser.add_argument("yuan", help="how much, in yuan, for example 500000 or 500000.50")
        parser.add_argument("--by", required=True, help="e-mail address of the finance person or programme officer who asks")
        parser.add_argument("--reason", required=True, help="for the audit trail, for example the number of the notice")

    def handle(self, *args: Any, code: str, cap: str, by: str, reason: str, **options: Any) -> None:
        version = ProgrammeVersion.objects.filter(programme__code=code, published_at__isnull=False).order_by("-valid").first()
        if version is None:
            raise CommandError(f"There is no published programme {code}.")
        try:
            amount_fen = parse_yuan(options["yuan"])
        except ValueError:
            raise CommandError(f"{options['yuan']} is not an amount in yuan, for example 500000 or 500000.50.") from None
        with refusals_said():
            account, asked = subsidy.ask_for_pool(person(by), version, cap, amount_fen, reason, timezone.now())
        self.stdout.write(
            f"{code} {cap}: asked for {yuan(asked.amount_fen)} yuan; {yuan(account.left_fen)} are left of {yuan(account.granted_fen)}. "
            f"Somebody else who keeps accounts adds it at {reverse('top_up_decide', args=[asked.pk])}."
        )
