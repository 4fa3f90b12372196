"""What the person and the organisation that book have with the lab already: read for ``booking.rules.standing``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from booking.credit_queries import measures_against, measures_against_many
from booking.licence_queries import levels_held, levels_held_at
from booking.rules.assistance import ASSISTED
from booking.rules.credit import Measure, measure_reason, strictest
from booking.rules.licensing import licence_of_mode, may_need_off_hours
from booking.rules.quota import Booked
from booking.rules.standing import Asked, Standing, looks_at, reasons_against
from booking.rules.states import GIVEN_UP
from booking.services import assisting
from booking.services.context import BookingContext
from config.kernel.errors import Reason
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange

_OTHERS = """
SELECT i.organisation_id, r.starts_at, r.ends_at, r.requested_by_id, r.organisation_id, r.instrument_id, i.class_code
  FROM booking_reservation r JOIN instruments_instrument i ON i.id = r.instrument_id
 WHERE i.organisation_id = ANY(%(owners)s) AND (r.organisation_id = %(organisation)s OR r.requested_by_id = %(person)s)
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
    licensed_id: int | None = None,
) -> list[Reason]:
    """What the lab's rules about who asks have against ``during``, for a context of that customer alone.

    With ``lock`` nobody else books of this lab for the same organisation or person until the transaction ends, so that a quota holds;
    the calendar must be locked before. ``without_id`` is a reservation that is not counted, because it is the one that moves.
    ``licensed_id``: who works at the instrument, if that is not the person.
    """
    instrument = context.instrument
    booked = Booked(during, person_id, organisation_id, instrument.pk, instrument.class_code)
    asked = _asked(context, booked, service_mode, now, attended=bool(attended([(context, service_mode)])))
    span = looks_at(context.policy, asked)
    owner_id = instrument.organisation_id
    if span and lock:
        one_at_a_time(owner_id, organisation_id, person_id)
    others = _others([owner_id], span, organisation_id, person_id, without_id)[owner_id] if span else []
    return reasons_against(
        context.policy, asked, Standing(others, _licences(context, asked, licensed_id), _measures(context, asked))
    )


@dataclass(frozen=True, slots=True)
class Look:
    """A time that is only looked at, in a context of that customer alone."""

    context: BookingContext
    during: TimeRange
    service_mode: str


def reasons_of_many(
    looks: Sequence[Look], person_id: int, organisation_id: int, licences: Sequence[frozenset[str]], now: datetime
) -> list[list[Reason]]:
    """What ``reasons`` says of each time as if it alone were booked, with the ``licences`` that the person holds for each then: three
    statements at most, however many; nothing is locked."""
    asked, named = [], attended([(one.context, one.service_mode) for one in looks])
    for one in looks:
        instrument = one.context.instrument
        booked = Booked(one.during, person_id, organisation_id, instrument.pk, instrument.class_code)
        asked.append(_asked(one.context, booked, one.service_mode, now, attended=instrument.pk in named))
    labs, spans = set(), []
    for one, each in zip(looks, asked, strict=True):
        span = looks_at(one.context.policy, each)
        if span is not None:
            labs.add(one.context.instrument.organisation_id)
            spans.append(span)
    others = _others(labs, _hull(spans), organisation_id, person_id, 0) if spans else {}
    owners = {one.context.instrument.pk: one.context.instrument.organisation_id for one in looks if one.context.keeps_standing}
    measures = measures_against_many(person_id, organisation_id, owners, now) if owners else {}
    found = []
    for one, each, held in zip(looks, asked, licences, strict=True):
        instrument = one.context.instrument
        against = _reasons_of(measures.get(instrument.pk, []), each.zone)
        standing = Standing(others.get(instrument.organisation_id, []), held, against)
        found.append(reasons_against(one.context.policy, each, standing))
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """What was read about who asks, for times that are looked at and not locked: ``others`` of the lab, ``measures``, ``licences`` at each
    start that was named, and whether somebody was named to assist (``attended``)."""

    context: BookingContext
    person_id: int | None
    organisation_id: int
    service_mode: str
    now: datetime
    others: tuple[Booked, ...]
    licences: Mapping[datetime, frozenset[str]]
    measures: tuple[Reason, ...]
    attended: bool = False

    def booked(self, during: TimeRange) -> Booked:
        """``during`` as it counts once it is booked."""
        instrument = self.context.instrument
        return Booked(during, self.person_id, self.organisation_id, instrument.pk, instrument.class_code)

    def reasons(self, during: TimeRange, more: Sequence[Booked] = ()) -> list[Reason]:
        """As ``reasons`` says, when ``more`` is booked too."""
        asked = _asked(self.context, self.booked(during), self.service_mode, self.now, attended=self.attended)
        licences = self.licences.get(during.starts_at, frozenset())
        return reasons_against(self.context.policy, asked, Standing([*self.others, *more], licences, self.measures))

    def also_at(self, moments: Iterable[datetime]) -> Known:
        """The same with the licences at further starts: one query, and none where licences do not count."""
        new = set(moments) - set(self.licences)
        if self.person_id is None or not licences_count(self.context, self.service_mode):
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
    """What ``reasons`` asks for, read once for all ``times`` (at least one): four queries at most, nothing is locked."""
    instrument = context.instrument
    booked = [Booked(during, person_id, organisation_id, instrument.pk, instrument.class_code) for during in times]
    named = bool(attended([(context, service_mode)]))
    asked = [_asked(context, one, service_mode, now, attended=named) for one in booked]
    spans = [span for span in (looks_at(context.policy, one) for one in asked) if span is not None]
    others: list[Booked] = []
    if spans:
        owner_id = instrument.organisation_id
        others = _others([owner_id], _hull(spans), organisation_id, person_id, 0)[owner_id]
    measures = tuple(_measures(context, asked[0]))
    found = Known(context, person_id, organisation_id, service_mode, now, tuple(others), {}, measures, named)
    return found.also_at(during.starts_at for during in times)


def attended(looks: Sequence[tuple[BookingContext, str]]) -> frozenset[int]:
    """The ids of the instruments of those looks (each with its mode of service) where somebody was named to assist; asked only where it
    counts for the licence: one statement or none."""
    return assisting.named_of(
        context.instrument.pk
        for context, mode in looks
        if mode == ASSISTED and context.has_assistants and may_need_off_hours(context.policy, mode)
    )


def _asked(context: BookingContext, booked: Booked, service_mode: str, now: datetime, *, attended: bool) -> Asked:
    return Asked(booked, context.audiences[0], service_mode, context.zone, now, attended)


def licences_count(context: BookingContext, service_mode: str) -> bool:
    """Whether the policy wants to know for what somebody is licensed."""
    return licence_of_mode(context.policy, service_mode) is not None or may_need_off_hours(context.policy, service_mode)


def _licences(context: BookingContext, asked: Asked, licensed_id: int | None = None) -> frozenset[str]:
    """What the person (or who works there for them) holds for the instrument at that time; asked only where the policy wants to know."""
    person_id = licensed_id or asked.booked.person_id
    if person_id is None or not licences_count(context, asked.service_mode):
        return frozenset()
    return levels_held(person_id, context.instrument.pk, asked.during.starts_at)


def _measures(context: BookingContext, asked: Asked) -> list[Reason]:
    """The strictest measure of credit or list that keeps the person from booking; asked only where points or lists are kept."""
    who = asked.booked
    if who.person_id is None or not context.keeps_standing:
        return []
    owner_id = context.instrument.organisation_id
    return _reasons_of(measures_against(who.person_id, who.organisation_id, who.instrument_id, owner_id, asked.now), asked.zone)


def _reasons_of(measures: Sequence[Measure], zone: ZoneInfo) -> list[Reason]:
    """The strictest of the measures that keeps somebody from booking, as a reason; nothing where none does."""
    found = strictest(measures)
    return [] if found is None else [measure_reason(found, zone)]


def _hull(spans: Sequence[TimeRange]) -> TimeRange:
    return TimeRange(min(span.starts_at for span in spans), max(span.ends_at for span in spans))


def one_at_a_time(owner_id: int, organisation_id: int, person_id: int | None) -> None:
    """Nobody else asks this lab for the same organisation or person until the transaction ends."""
    with planned_once() as cursor:
        cursor.execute(_ONE_AT_A_TIME, {"owner": owner_id, "organisation": organisation_id, "person": person_id})


def _others(
    owner_ids: Collection[int], span: TimeRange, organisation_id: int, person_id: int | None, without_id: int
) -> dict[int, list[Booked]]:
    """What the person or the organisation has booked of each lab that begins in ``span``, by the labs' ids: one statement."""
    values: dict[str, Any] = {
        "owners": list(owner_ids),
        "first": span.starts_at,
        "last": span.ends_at,
        "organisation": organisation_id,
        "person": person_id,
        "given_up": [state.value for state in GIVEN_UP],
        "without": without_id,
    }
    found: dict[int, list[Booked]] = {owner_id: [] for owner_id in owner_ids}
    with planned_once(binary=True) as cursor:
        cursor.execute(_OTHERS, values)
        for owner_id, starts, ends, *who in cursor.fetchall():
            found[owner_id].append(Booked(TimeRange(starts, ends), *who))
    return found
