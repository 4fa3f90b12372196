"""Who may spend from a fund card, when, and above which amount the group's leader agrees first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from config.kernel.errors import Reason
from config.kernel.time_range import TimeRange

FIELD = "fund_card"


@dataclass(frozen=True, slots=True)
class CardTerms:
    """A card as it is judged. ``valid_from`` and ``valid_until`` are days of the instrument's site, both included."""

    number: str
    organisation_id: int
    valid_from: date
    valid_until: date
    closed: bool
    group_closed: bool


def days_of(during: TimeRange, zone: ZoneInfo) -> tuple[date, date]:
    """The first and the last local day of a session; one that ends at midnight ends the day before."""
    last = during.ends_at - timedelta(microseconds=1)
    return during.starts_at.astimezone(zone).date(), last.astimezone(zone).date()


def card_faults(card: CardTerms, customer_id: int, first_day: date, last_day: date) -> list[Reason]:
    """Every reason why a session from ``first_day`` to ``last_day`` for a customer cannot go on the card."""
    named = {"number": card.number}
    faults = []
    if card.organisation_id != customer_id:
        faults.append(Reason("card.other_organisation", named, FIELD))
    if card.closed:
        faults.append(Reason("card.closed", named, FIELD))
    elif card.group_closed:
        faults.append(Reason("card.group_closed", named, FIELD))
    if first_day < card.valid_from or last_day > card.valid_until:
        days = {"valid_from": card.valid_from.isoformat(), "valid_until": card.valid_until.isoformat()}
        faults.append(Reason("card.not_valid_then", named | days, FIELD))
    return faults


def spends_on(day: date, from_on: date, until_on: date | None) -> bool:
    """Whether a member with these days spends for the group on ``day``."""
    return from_on <= day and (until_on is None or day <= until_on)


def asks_the_leader(amount_fen: int, threshold_fen: int | None, *, own: bool) -> bool:
    """Whether the leader agrees first: to what is above the threshold, but never to what the leader asked for (``own``)."""
    return not own and threshold_fen is not None and amount_fen > threshold_fen


def is_in_house(customer_id: int, owner_id: int) -> bool:
    """Whether a customer uses its own instrument: an internal charge then, and no public subsidy."""
    return customer_id == owner_id
