"""The chain over the ledger held against every newest link that was ever written down."""

from __future__ import annotations

from billing.ledger import seals
from billing.ledger.seals import Verified
from billing.papers.check_models import BookCheck


def verify(*noted: str) -> Verified:
    """Look at the whole chain. It must have the newest link that each earlier look found, and those that were ``noted`` elsewhere: a chain
    whose end was cut off holds in itself. They are read first, so that nothing sealed in between is asked for too early."""
    return seals.verify(found_before() | {head for head in noted if head})


def found_before() -> set[str]:
    """The newest link of each earlier look (kept for good, by trigger)."""
    return set(BookCheck.objects.filter(done_at__isnull=False).order_by().values_list("outcome__head", flat=True)) - {None, ""}
