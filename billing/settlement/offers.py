"""What the results of a search are worth to one who asks: the next free time of each instrument and what it costs, for a page at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.settlement.services import assessing
from billing.settlement.services.assessing import Prepared, Session
from billing.settlement.time_finding import Customer
from billing.subsidy.rules.assess import Assessment
from booking.queries import availability
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import CatalogueEntry, Instrument

#: Longer times are not looked for in the days of the read model.
LONGEST_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Offer:
    """The next time that an instrument is free by its days, and its figures; ``assessment`` is None without a price."""

    during: TimeRange
    assessment: Assessment | None


def offers_of(
    entries: Iterable[CatalogueEntry],
    minutes: int,
    customer: Customer,
    not_before: datetime,
    now: datetime,
    *,
    priced: bool = True,
) -> dict[int, Offer]:
    """Offers of those of the entries that can be booked, by the entry's id: one query for the times, at most five for the figures.

    Without ``priced`` nobody reads the figures, and none are made. The entries come with owner, instrument and place
    (``with_card``). What somebody is offered to book is checked again by the form.
    """
    bookable = [each for each in entries if each.bookable and each.calendar_id is not None and each.instrument is not None]
    if not bookable or minutes > LONGEST_MINUTES:
        return {}
    calendars = {each.calendar_id for each in bookable if each.calendar_id is not None}
    starts = availability.next_free(calendars, minutes, max(not_before, now))
    length = timedelta(minutes=minutes)
    free = [(each, TimeRange(starts[pk], starts[pk] + length)) for each in bookable if (pk := each.calendar_id or 0) in starts]
    if not priced:
        return {each.pk: Offer(during, None) for each, during in free}
    sessions = [Session(_placed(each), during) for each, during in free]
    prepared = assessing.prepare_many(sessions, customer.organisation, now) if sessions else []
    return {each.pk: Offer(during, _assessed(inputs)) for (each, during), inputs in zip(free, prepared, strict=True)}


def _placed(entry: CatalogueEntry) -> Instrument:
    """The entry's instrument with its owner, which the entry has in hand."""
    instrument = entry.instrument
    if instrument is None:
        raise RuntimeError("only an instrument has a calendar")
    if instrument.organisation_id == entry.organisation_id:
        instrument.organisation = entry.organisation
    return instrument


def _assessed(prepared: Prepared | None) -> Assessment | None:
    if prepared is None:
        return None
    try:
        return prepared.inputs.assess()
    except Refusal:  # the lab has no price for such customers
        return None
