"""What the results of a search are worth to one who asks: the next time of each instrument that can be booked, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from billing.settlement.time_finding import Customer, PricedTime, meant, price_all
from booking.queries import finding
from config.kernel.access import Actor
from instruments.models import CatalogueEntry


def offers_of(
    actor: Actor,
    entries: Iterable[CatalogueEntry],
    minutes: int | None,
    customer: Customer,
    not_before: datetime,
    now: datetime,
    *,
    priced: bool = True,
) -> dict[int, PricedTime]:
    """The earliest time from ``not_before`` on of those of the entries that can be booked, by the entry's id: nine queries at most for
    the times and five for the figures, however many entries.

    Each was placed by the lab's policy in the calendar itself, as *Find a time* does. Without ``minutes`` it is the length nearest to an
    hour that the policy allows. Without ``priced`` nobody reads the figures, and none are made; with them what has no price, and so
    cannot be booked, is left out.
    """
    entry_ids = {each.instrument_id: each.pk for each in entries if each.bookable and each.instrument_id is not None}
    if not entry_ids:
        return {}
    found = finding.next_times(actor, list(entry_ids), minutes, max(not_before, now), now, meant(customer))
    rows = price_all(found, customer, now) if priced else [PricedTime(each, None) for each in found]
    return {entry_ids[row.found.instrument.pk]: row for row in rows if row.assessment is not None or not priced}
