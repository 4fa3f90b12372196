"""Whether a row of a bank's list that another list brought too is the same payment, or another one that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from billing.payments.rules.bank_rows import Incoming


class Answer(StrEnum):
    """What a person says of a row in doubt."""

    SAME = "same"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Before:
    """A payment that an earlier list brought."""

    fingerprint: str
    received_on: date


def doubtful(rows: Sequence[Incoming], before: Sequence[Before]) -> tuple[Incoming, ...]:
    """The rows without a serial number that an earlier list brought too, where nothing shows that the lists overlap.

    ``before``: what earlier lists brought on the days of these rows. A day overlaps where this list has everything that was brought of it;
    and all of that is more than one payment, or one with a serial number: a single row may be two equal transfers of one day, each on a
    list of its own.
    """
    here = {row.fingerprint for row in rows}
    brought = {each.fingerprint for each in before}
    again = [row for row in rows if row.fingerprint in brought]
    torn = {each.received_on for each in before if each.fingerprint not in here}
    whole = [row for row in again if row.booked_on not in torn]
    sure = len(whole) > 1 or any(row.serial for row in whole)
    return tuple(row for row in again if not row.serial and (row.booked_on in torn or not sure))
