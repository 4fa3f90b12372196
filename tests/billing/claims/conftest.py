"""November's sessions of the settlement month, claimed in the first week of December."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from billing.claims.models import Claim
from billing.claims.services import batches, handing_in, paying, publishing, reviewing
from billing.claims.services.batches import BatchInput
from billing.claims.services.paying import Outcome
from tests.billing.money_invariants import wrong
from tests.billing.settlement.conftest import begins_with_month, month

__all__ = ["begins_with_month", "month", "wrong"]

DECEMBER = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
AFTER = datetime(2026, 12, 8, 2, 0, tzinfo=UTC)
PUBLIC_OVER = datetime(2026, 12, 16, 2, 0, tzinfo=UTC)


def at(day: int, month: int = 12) -> datetime:
    """Ten in the morning of a day of December, in Shanghai."""
    return datetime(2026, month, day, 2, 0, tzinfo=UTC)


def code_of(refused) -> str:
    return refused.value.reasons[0].code


def days(first: str = "2026-11-01", last: str = "2026-11-30", opens: str = "2026-12-01", closes: str = "2026-12-07") -> dict:
    names = ("from_on", "until_on", "opens_on", "closes_on")
    return dict(zip(names, map(date.fromisoformat, (first, last, opens, closes)), strict=True))


class Office:
    """What the people of the cast do with claims; every step at its own moment."""

    def __init__(self, cast, versions):
        self.cast, self.versions = cast, versions

    def batch(self, code="DEMO-QH-A", mode="refunded_later", who="chen", now=DECEMBER, **on):
        given = BatchInput(self.versions[code].programme_id, mode, fund_year=2026, **(days() | on))
        return batches.open_batch(self.cast.actor(who), given, now)

    def gather(self, batch, now=DECEMBER):
        return batches.gather(self.cast.actor("chen"), batch.pk, now)

    def filled(self, *args, now=DECEMBER, **options):
        """A batch with its claims."""
        batch = self.batch(*args, now=now, **options)
        self.gather(batch, now)
        return batch, list(Claim.objects.filter(batch=batch).order_by("pk"))

    def submit(self, claim, who, now=DECEMBER):
        return handing_in.submit(self.cast.actor(who), claim.pk, now)

    def close(self, batch, now=AFTER):
        return batches.close(self.cast.actor("chen"), batch.pk, now)

    def passed(self, claim, who="chen", now=AFTER):
        return reviewing.pass_on(self.cast.actor(who), claim.pk, now)

    def publicise(self, batch, now=AFTER):
        return publishing.publicise(self.cast.actor("chen"), batch.pk, now)

    def approve(self, claim, who="sun", now=PUBLIC_OVER):
        publishing.end_due(now)
        return reviewing.approve(self.cast.actor(who), claim.pk, now)

    def listed(self, batch, now=PUBLIC_OVER):
        """The list of each payer, signed by three people."""
        made = paying.make(self.cast.actor("qian"), batch.pk, now)
        for each in made:
            paying.sign(self.cast.actor("chen"), each.pk, now)
        return [paying.sign(self.cast.actor("sun"), each.pk, now) for each in made]

    def pay_all(self, made, now=PUBLIC_OVER):
        """Every treasury pays what is on its list."""
        for each in made:
            for line in each.lines.all():
                self.pay(line, now=now)

    def pay(self, line, paid_fen=None, reason="", now=PUBLIC_OVER):
        outcome = Outcome(line.amount_fen if paid_fen is None else paid_fen, now.date(), "T1", reason)
        return paying.record(self.cast.actor("qian"), line.pk, outcome, now)

    def approved(self, *args, who="he", **options):
        """A batch of which the only claim is approved."""
        batch, (claim,) = self.filled(*args, **options)
        self.submit(claim, who)
        self.close(batch)
        self.passed(claim)
        self.publicise(batch)
        return batch, self.approve(claim)


@pytest.fixture
def office(cast, month):
    for firm in (cast.firm, cast.other_firm):
        firm.bank_name, firm.bank_account_name, firm.bank_account_number = "Bank of Demo", firm.name, f"6222 {firm.pk}"
        firm.save()
    return Office(cast, month)
