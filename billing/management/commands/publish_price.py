"""``manage.py publish_price INSTRUMENT FILE --from DATE --by EMAIL [--confirm KEY]``: put a price schedule in force."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.management.acting import document, person, refusals_said
from billing.pricing import drafts
from billing.pricing.subjects import Kind, subject_for
from config.kernel.access import visible_to
from instruments.models import Instrument


class Command(BaseCommand):
    help = "Publish a price schedule (JSON) of an instrument, in force from a date until the next one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("instrument", type=int, help="the number in the address of its page")
        parser.add_argument("file", type=Path)
        parser.add_argument("--from", dest="first_day", type=date.fromisoformat, help="YYYY-MM-DD, today at the site by default")
        parser.add_argument("--by", required=True, help="e-mail address of the lab manager or the owner's finance person")
        parser.add_argument(
            "--confirm", action="append", default=[], metavar="KEY", help="a large change that is meant, as the refusal names it"
        )

    def handle(
        self, *args: Any, instrument: int, file: Path, first_day: date | None, by: str, confirm: list[str], **options: Any
    ) -> None:
        actor, now = person(by), timezone.now()
        found = visible_to(Instrument.objects.select_related("site"), actor).filter(pk=instrument).first()
        if found is None:
            raise CommandError(f"{by} sees no instrument {instrument}.")
        today = now.astimezone(ZoneInfo(found.site.time_zone)).date()
        with refusals_said():
            subject = subject_for(actor, Kind.INSTRUMENT, found.pk)
            drafts.publish_document(actor, subject, document(file), first_day or today, confirm, now)
        self.stdout.write(f"The price of {found.name} is in force from {first_day or today}.")
