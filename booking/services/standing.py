"""What the person and the organisation that book have with the lab already: read for ``booking.rules.standing``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from booking.credit_queries import measures_against
from booking.licence_queries import levels_held, levels_held_at
from booking.rules.credit import measure_reason, strictest
from booking.rules.quota import Booked
from booking.rules.standing import SELF_OPERATED, Asked, Standing, looks_at, reasons_against
from booking.rules.states import GIVEN_UP
from booking.services.context import BookingContext
from config.kernel.errors import Reason
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange

_OTHERS = """
SELECT r.starts_at, r.ends_at, r.requested_by_id, r.organisation_id, r.instrument_id, i.class_code
  FROM booking_reservation r JOIN instruments_instrument i ON i.id = r.instrument_id
 WHERE i.organisation_id = %(owner)s AND (r.organisation_id = %(organisation)s OR r.requested_by_id = %(person)s)
   AND r.starts_at >= %(first)s AND r.starts_at < %(last)s AND r.state <> ALL(%(given_up)s) AND r.id <> %(without)s
"""
_ONE_AT_A_TIME = """
SELECT pg_advisory_xact_lock(hashtextextended(format('booked:%%s:organisation:%%s', %(owner)s, %(organisation)s), 0)),
       pg_advisory_xact_lock(hashtextextended(format('booked:%%s:person:%%s', %(owner)s, %(person)s), 0))
"""


def reasons(
    context: BookingContext,
    person_id: int | None,
    organisation_id: int,
    during: TimeRange,
    service_mode: str,
    now: datetime,
    *,
    lock: bool,
    without_id: int = 0,
) -> list[Reason]:
    """What the lab's rules about who asks have against ``during``, for a context of that customer alone.

    With ``lock`` nobody else books of this lab for the same organisation or person until the transaction ends, so that a quota holds;
    the calendar must be locked before. ``without_id`` is a reservation that is not counted, because it is the one that moves.
    """
    instrument = context.instrument
    booked = Booked(during, person_id, organisation_id, instrument.pk, instrument.class_code)
    asked = _asked(context, booked, service_mode, now)
    span = looks_at(context.policy, asked)
    others = _others(instrument.organisation_id, asked, span, without_id, lock=lock) if span else []
    return reasons_against(context.policy, asked, Standing(others, _licences(context, asked), _measures(context, asked)))


@dataclass(frozen=True, slots=True)
class Known:
    """What was read about who asks, for times that are looked at and not locked: ``others`` of the lab, ``measures``, and ``licences``
    at each start that was named."""

    context: BookingContext
    person_id: int | None
    organisation_id: int
    service_mode: str
    now: datetime
    others: tuple[Booked, ...]
    licences: Mapping[datetime, frozenset[str]]
    measures: tuple[Reason, ...]

    def booked(self, during: TimeRange) -> Booked:
        """``during`` as it counts once it is booked."""
        instrument = self.context.instrument
        return Booked(during, self.person_id, self.organisation_id, instrument.pk, instrument.class_code)

    def reasons(self, during: TimeRange, more: Sequence[Booked] = ()) -> list[Reason]:
        """As ``reasons`` says, when ``more`` is booked too."""
        asked = _asked(self.context, self.booked(during), self.service_mode, self.now)
        licences = self.licences.get(during.starts_at, frozenset())
        return reasons_against(self.context.policy, asked, Standing([*self.others, *more], licences, self.measures))

    def also_at(self, moments: Iterable[datetime]) -> Known:
        """The same with the licences at further starts: one query, and none where licences do not count."""
        new = set(moments) - set(self.licences)
        if self.person_id is None or not _licences_count(self.context, self.service_mode):
            return self
        held = levels_held_at(self.person_id, self.context.instrument.pk, new)
        return replace(self, licences={**self.licences, **held})


def known(
    context: BookingContext,
    person_id: int | None,
    organisation_id: int,
    times: Sequence[TimeRange],
    service_mode: str,
    now: datetime,
) -> Known:
    """What ``reasons`` asks for, read once for all ``times`` (at least one): three queries at most, nothing is locked."""
    instrument = context.instrument
    booked = [Booked(during, person_id, organisation_id, instrument.pk, instrument.class_code) for during in times]
    asked = [_asked(context, one, service_mode, now) for one in booked]
    spans = [span for span in (looks_at(context.policy, one) for one in asked) if span is not None]
    others: list[Booked] = []
    if spans:
        whole = TimeRange(min(span.starts_at for span in spans), max(span.ends_at for span in spans))
        others = _others(instrument.organisation_id, asked[0], whole, 0, lock=False)
    measures = tuple(_measures(context, asked[0]))
    found = Known(context, person_id, organisation_id, service_mode, now, tuple(others), {}, measures)
    return found.also_at(during.starts_at for during in times)


def _asked(context: BookingContext, booked: Booked, service_mode: str, now: datetime) -> Asked:
    return Asked(booked, context.audiences[0], service_mode, context.zone, now)


def _licences_count(context: BookingContext, service_mode: str) -> bool:
    """Whether the policy wants to know what somebody may operate."""
    return service_mode == SELF_OPERATED and bool(context.policy.licence_needed or context.policy.licensed_times)


def _licences(context: BookingContext, asked: Asked) -> frozenset[str]:
    """What the person holds for the instrument at that time; asked only where the policy wants to know."""
    person_id = asked.booked.person_id
    if person_id is None or not _licences_count(context, asked.service_mode):
        return frozenset()
    return levels_held(person_id, context.instrument.pk, asked.during.starts_at)


def _measures(context: BookingContext, asked: Asked) -> list[Reason]:
    """The strictest measure of credit or list that keeps the person from booking; asked only where points or lists are kept."""
    who = asked.booked
    if who.person_id is None or not context.keeps_standing:
        return []
    owner_id = context.instrument.organisation_id
    found = strictest(measures_against(who.person_id, who.organisation_id, who.instrument_id, owner_id, asked.now))
    return [] if found is None else [measure_reason(found, asked.zone)]


def one_at_a_time(owner_id: int, organisation_id: int, person_id: int | None) -> None:
    """Nobody else asks this lab for the same organisation or person until the transaction ends."""
    with planned_once() as cursor:
        cursor.execute(_ONE_AT_A_TIME, {"owner": owner_id, "organisation": organisation_id, "person": person_id})


def _others(owner_id: int, asked: Asked, span: TimeRange, without_id: int, *, lock: bool) -> list[Booked]:
    values = {
        "owner": owner_id,
        "organisation": asked.booked.organisation_id,
        "person": asked.booked.person_id,
        "first": span.starts_at,
        "last": span.ends_at,
        "given_up": [state.value for state in GIVEN_UP],
        "without": without_id,
    }
    if lock:
        one_at_a_time(owner_id, asked.booked.organisation_id, asked.booked.person_id)
    with planned_once() as cursor:
        cursor.execute(_OTHERS, values)
        return [Booked(TimeRange(starts, ends), *who) for starts, ends, *who in cursor.fetchall()]
