"""Everything a booking decision needs, read behind the calendar's lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL
from psycopg.types.range import TimestamptzRange

from booking import credit_queries
from booking.models import InstrumentPolicy, Reservation
from booking.rules.closed import closed_reason
from booking.rules.policy import BookingPolicy
from booking.rules.policy_layers import read_rest
from booking.rules.slots import nearest_alternatives
from booking.services import assisting, downtime_rows
from booking.services.lean_rows import INSTRUMENT, INSTRUMENT_SHOWN, PARTY, POLICY, SITE, SITE_SHOWN, columns, row_of, with_policy
from config.kernel.access import Actor, visible_to
from config.kernel.errors import NotFound, Reason
from config.kernel.statements import planned_once
from config.kernel.time_range import TimeRange, merge
from instruments.access import sees_instrument
from instruments.models import BOOKABLE_STATUSES, Instrument, Organisation, Site
from instruments.rules.audience import audience_of
from instruments.rules.opening import CalendarRules, ClosedStretch, closed_stretches, open_ranges
from instruments.services import schedule_store

_KEEPS_STANDING = credit_queries.in_use("instruments_instrument")
LONGEST_BUFFER = timedelta(days=1)
ALTERNATIVES_WITHIN = timedelta(days=14)


def policy_of(row: InstrumentPolicy | None) -> BookingPolicy:
    """The lab's policy; an instrument without a row of its own has the model's defaults."""
    row = row or InstrumentPolicy()
    return BookingPolicy(
        granularity_minutes=row.granularity_minutes,
        min_minutes=row.min_minutes,
        max_minutes=row.max_minutes,
        notice_minutes=row.notice_minutes,
        horizon_days=row.horizon_days,
        buffer_before_minutes=row.buffer_before_minutes,
        buffer_after_minutes=row.buffer_after_minutes,
        approval_required=row.approval_required,
        pending_blocks=row.pending_blocks,
        cancel_notice_minutes=row.cancel_notice_minutes,
        no_show_grace_minutes=row.no_show_grace_minutes,
        **read_rest(row.rules),
    )


def policy_for(instrument: Instrument) -> BookingPolicy:
    """As ``policy_of`` for an instrument; better one that was read with its policy."""
    return policy_of(getattr(instrument, "policy", None))


def cancel_notice_minutes(instrument: Instrument) -> int:
    """Of ``policy_for``, for which its rules need not be read."""
    row: InstrumentPolicy = getattr(instrument, "policy", None) or InstrumentPolicy()
    return row.cancel_notice_minutes


@dataclass(frozen=True, slots=True)
class BookingContext:
    """An instrument with its zone, policy and calendar rules, as it is for some customers.

    ``audiences`` are those of the customers for whom somebody may book (one when the customer is known); none: only what is
    open to everybody counts. ``keeps_standing``: the lab or the platform may keep credit points or lists (False: surely not).
    ``has_outages``: an outage may reach into the times that are looked at (False: surely none). ``works_again_at``: from when the
    instrument, which does not run now, is expected to (None: nobody said, or it runs). ``has_assistants``: somebody may be named to
    assist on it (False: surely nobody).
    """

    instrument: Instrument
    zone: ZoneInfo
    policy: BookingPolicy
    rules: CalendarRules
    audiences: tuple[str, ...] = ()
    keeps_standing: bool = True
    has_outages: bool = True
    works_again_at: datetime | None = None
    has_assistants: bool = True

    def runs_at(self, moment: datetime) -> bool:
        """Whether the instrument runs now, or is expected to by ``moment``."""
        expected = self.works_again_at is not None and self.works_again_at <= moment
        return self.instrument.status in BOOKABLE_STATUSES or expected

    def horizon(self, now: datetime) -> datetime:
        """Before when a reservation must begin; an audience's own end counts where it is the only one."""
        audience = self.audiences[0] if len(self.audiences) == 1 else ""
        return self.policy.horizon_of(audience, self.zone, now)

    def opening(self, window: TimeRange) -> list[TimeRange]:
        """When it is open within ``window`` for one of the audiences."""
        if not self.audiences:
            return open_ranges(self.rules, self.zone, window)
        return merge(opened for audience in self.audiences for opened in open_ranges(self.rules, self.zone, window, audience))

    def closed(self, window: TimeRange) -> list[ClosedStretch]:
        """When it is not open within ``window`` for the first of the audiences, and why."""
        return closed_stretches(self.rules, self.zone, window, self.audiences[0] if self.audiences else None)

    def closed_reasons(self, during: TimeRange) -> list[Reason]:
        """What closes the first part of ``during`` that is not open; nothing when all of it is open."""
        if any(opened.contains(during) for opened in self.opening(during)):
            return []
        first = self.closed(during)[0]
        return [closed_reason(first.why, first.range, self.zone)]

    def for_customer(self, customer: Organisation) -> BookingContext:
        """As it is for that customer alone."""
        owns = customer.pk == self.instrument.organisation_id
        return replace(self, audiences=(audience_of(customer.kind, is_owner=owns),))

    def local_day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


def load(actor: Actor, instrument_id: int, *, lock: bool, customer_id: int | None = None) -> BookingContext:
    """The context of an instrument the actor may see; with ``lock`` its calendar row is locked until the transaction ends.

    It is open as for the customer, or, without one, as for any organisation of the actor. Raises NotFound.
    """
    rows = visible_to(Instrument.objects.all(), actor).select_related("site", "policy", "organisation").filter(pk=instrument_id)
    rows = rows.annotate(keeps_standing=RawSQL(_KEEPS_STANDING, [], output_field=BooleanField()))  # noqa: S611  (constants only)
    if lock:
        rows = rows.select_related("site", "policy", "organisation", "calendar").select_for_update(of=("calendar",), no_key=True)
    instrument = rows.first()
    if instrument is None:
        raise NotFound.of("access.not_found", model="instrument")
    customers = actor.organisations() if customer_id is None else {customer_id}
    context = of_instrument(instrument, getattr(instrument, "policy", None))
    return _open_to([replace(context, keeps_standing=instrument.keeps_standing)], customers)[0]


def load_locked(instrument_id: int) -> BookingContext:
    """The context of an instrument for a job that acts for nobody in particular; its calendar is locked. Raises NotFound."""
    rows = Instrument.objects.select_related("site", "policy", "organisation", "calendar")
    return _of_one(rows.select_for_update(of=("calendar",), no_key=True), instrument_id)


def load_unlocked(instrument_id: int) -> BookingContext:
    """As ``load_locked`` for a first look, which locks nothing. Raises NotFound."""
    return _of_one(Instrument.objects.select_related("site", "policy", "organisation"), instrument_id)


def _of_one(rows: QuerySet[Instrument], instrument_id: int) -> BookingContext:
    instrument = rows.filter(pk=instrument_id).first()
    if instrument is None:
        raise NotFound.of("access.not_found", model="instrument")
    return of_instrument(instrument, getattr(instrument, "policy", None))


def _open_to(contexts: Sequence[BookingContext], customer_ids: Iterable[int]) -> list[BookingContext]:
    """The contexts as they are for any of these customers: one query, and none when nothing depends on who comes."""
    if not any(context.rules.depends_on_audience for context in contexts):
        return list(contexts)
    kinds = list(Organisation.objects.filter(pk__in=customer_ids).order_by("name_pinyin", "pk").values_list("pk", "kind"))
    return [
        replace(
            context,
            audiences=tuple(
                dict.fromkeys(audience_of(kind, is_owner=pk == context.instrument.organisation_id) for pk, kind in kinds)
            ),
        )
        for context in contexts
    ]


_LOCK_FOR_CUSTOMER = f"""
SELECT {columns("i", INSTRUMENT)}, {columns("s", SITE)}, {columns("o", PARTY)}, {columns("u", PARTY)}, {columns("p", POLICY)},
       {credit_queries.in_use("i")}, {downtime_rows.any_in("i.calendar_id", "%(around)s::tstzrange")}, {assisting.ANY_NAMED}
FROM instruments_instrument i
JOIN instruments_site s ON s.id = i.site_id
JOIN instruments_organisation o ON o.id = i.organisation_id
JOIN instruments_organisation u ON u.id = %(customer)s
JOIN schedule_calendar c ON c.id = i.calendar_id
LEFT JOIN booking_instrumentpolicy p ON p.instrument_id = i.id
WHERE i.id = %(instrument)s
FOR NO KEY UPDATE OF c
"""  # noqa: S608  (constants only; values are bound)


def load_for_customer(
    actor: Actor, instrument_id: int, customer_id: int, during: TimeRange
) -> tuple[BookingContext, Organisation]:
    """What ``load`` with a lock gives for a booking of ``during``, and the customer, in one lean round trip: the hot path of a new
    reservation.

    The rows carry only the fields that booking and money decide on. What is said of outages and standing was so before the lock was waited
    for. Raises NotFound.
    """
    around = TimestamptzRange(during.starts_at - LONGEST_BUFFER, during.ends_at + LONGEST_BUFFER)
    values: dict[str, Any] = {"instrument": instrument_id, "customer": customer_id, "around": around}
    with planned_once() as cursor:
        cursor.execute(_LOCK_FOR_CUSTOMER, values)
        found = iter(cursor.fetchone() or ())
    instrument, site = row_of(Instrument, INSTRUMENT, found), row_of(Site, SITE, found)
    owner, customer = row_of(Organisation, PARTY, found), row_of(Organisation, PARTY, found)
    policy, keeps_standing, has_outages = row_of(InstrumentPolicy, POLICY, found), next(found, False), next(found, False)
    has_assistants = next(found, False)
    if instrument is None or site is None or owner is None or customer is None:
        raise NotFound.of("access.not_found", model="instrument")
    if not sees_instrument(actor, published=instrument.published, owner_id=owner.pk, owner_status=owner.status):
        raise NotFound.of("access.not_found", model="instrument")
    with_policy(instrument, policy)
    instrument.site, instrument.organisation = site, owner
    context = of_instrument(instrument, policy).for_customer(customer)
    known = replace(context, keeps_standing=keeps_standing, has_outages=has_outages, has_assistants=has_assistants)
    return known, customer


_SEVERAL = f"""
SELECT {columns("i", INSTRUMENT_SHOWN)}, {columns("s", SITE_SHOWN)}, {columns("o", PARTY)}, {columns("p", POLICY)}
FROM instruments_instrument i
JOIN instruments_site s ON s.id = i.site_id
JOIN instruments_organisation o ON o.id = i.organisation_id
LEFT JOIN booking_instrumentpolicy p ON p.instrument_id = i.id
WHERE i.id = ANY(%s::bigint[])
"""  # noqa: S608  (constants only; values are bound)


def load_many(actor: Actor, instrument_ids: Sequence[int], customer: Organisation | None = None) -> dict[int, BookingContext]:
    """The contexts of those of the instruments that the actor may see, by id, in four queries at most however many; nothing is locked.

    They are open as for the customer (who need not be stored), or, without one, as for any organisation of the actor. The rows carry
    the fields that a list of instruments shows and that booking and money decide on.
    """
    with planned_once() as cursor:
        cursor.execute(_SEVERAL, [list(instrument_ids)])
        rows = cursor.fetchall()
    found: list[tuple[Instrument, InstrumentPolicy | None]] = []
    for row in rows:
        values = iter(row)
        instrument, site = row_of(Instrument, INSTRUMENT_SHOWN, values), row_of(Site, SITE_SHOWN, values)
        owner, policy = row_of(Organisation, PARTY, values), row_of(InstrumentPolicy, POLICY, values)
        if instrument is None or site is None or owner is None:
            continue
        if sees_instrument(actor, published=instrument.published, owner_id=owner.pk, owner_status=owner.status):
            instrument.site, instrument.organisation = site, owner
            found.append((with_policy(instrument, policy), policy))
    rules = schedule_store.rules_by_calendar(instrument.calendar_id for instrument, _policy in found)
    again = downtime_rows.expected_again(instrument for instrument, _policy in found)
    contexts = [_context(instrument, policy, rules, again) for instrument, policy in found]
    if customer is not None:
        return {context.instrument.pk: context.for_customer(customer) for context in contexts}
    return {context.instrument.pk: context for context in _open_to(contexts, actor.organisations())}


def of_instrument(instrument: Instrument, policy: InstrumentPolicy | None) -> BookingContext:
    """The context of an instrument (with its site) that is in hand already: one query for its calendar, and one more where it does
    not run."""
    rules = schedule_store.rules_by_calendar([instrument.calendar_id])
    return _context(instrument, policy, rules, downtime_rows.expected_again([instrument]))


def _context(
    instrument: Instrument,
    policy: InstrumentPolicy | None,
    rules: Mapping[int, CalendarRules],
    again: Mapping[int, datetime],
) -> BookingContext:
    return BookingContext(
        instrument=instrument,
        zone=ZoneInfo(instrument.site.time_zone),
        policy=policy_of(policy),
        rules=rules[instrument.calendar_id],
        works_again_at=again.get(instrument.pk),
    )


def of_reservation(reservation: Reservation) -> BookingContext:
    """A reservation's context as it is for its customer; the instrument comes with site and policy, queries as ``of_instrument``."""
    instrument = reservation.instrument
    return of_instrument(instrument, getattr(instrument, "policy", None)).for_customer(reservation.organisation)


#: The guard's own index answers it: calendar and time together, however long the history of a calendar is.
OVERLAPPING = """
blocking AND int8range(calendar_id, calendar_id, '[]') && int8range(%(calendar)s, %(calendar)s, '[]') AND during && %(during)s
"""
_BUSY = f"SELECT during FROM booking_occupancy WHERE {OVERLAPPING} AND holder_id IS DISTINCT FROM coalesce(%(holder)s::bigint, 0)"  # noqa: S608  (constants only)


def busy_ranges(calendar_id: int, window: TimeRange, *, holder_id: int | None = None) -> list[TimeRange]:
    """The blocking occupancies (buffers included) of a calendar that touch ``window``, but for what ``holder_id`` holds there."""
    values: dict[str, Any] = {
        "calendar": calendar_id,
        "during": TimestamptzRange(window.starts_at, window.ends_at),
        "holder": holder_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BUSY, values)
        return [TimeRange(during.lower, during.upper) for (during,) in cursor.fetchall()]


_BUSY_OF_MANY = """
SELECT w.calendar_id, o.during FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS w (calendar_id, starts_at, ends_at)
CROSS JOIN LATERAL (
    SELECT during FROM booking_occupancy
     WHERE blocking AND int8range(calendar_id, calendar_id, '[]') && int8range(w.calendar_id, w.calendar_id, '[]')
       AND during && tstzrange(w.starts_at, w.ends_at)
    UNION ALL
    SELECT tstzrange(d.starts_at, d.ends_at) FROM booking_downtime d JOIN instruments_instrument i ON i.id = d.instrument_id
     WHERE d.closed_at IS NULL AND i.calendar_id = w.calendar_id AND d.ends_at > w.starts_at AND d.starts_at < w.ends_at) o
"""


def busy_of_many(windows: Mapping[int, TimeRange]) -> dict[int, list[TimeRange]]:
    """As ``busy_ranges`` for many calendars, each with a window of its own, in one query; every calendar is a key.

    All of an outage counts as taken, also where a booking that stayed in it was given up since: nobody else may book that.
    """
    busy: dict[int, list[TimeRange]] = {calendar_id: [] for calendar_id in windows}
    starts, ends = [one.starts_at for one in windows.values()], [one.ends_at for one in windows.values()]
    with planned_once(binary=True) as cursor:
        cursor.execute(_BUSY_OF_MANY, [list(windows), starts, ends])
        for calendar_id, during in cursor.fetchall():
            busy[calendar_id].append(TimeRange(during.lower, during.upper))
    return busy


def free_times(
    context: BookingContext, window: TimeRange, busy: Sequence[TimeRange], now: datetime, service_mode: str = ""
) -> list[TimeRange]:
    """Where a reservation of that mode of service may lie within ``window``, besides ``busy``; as ``assisting.free_times`` gives it."""
    return assisting.free_times(
        context.instrument,
        context.opening(window),
        busy,
        context.policy,
        now,
        within=window,
        zone=context.zone,
        service_mode=service_mode if context.has_assistants else "",
    )


def alternatives(
    context: BookingContext, requested: TimeRange, now: datetime, count: int = 3, service_mode: str = ""
) -> list[TimeRange]:
    """The nearest free ranges of the same length within two weeks on either side, never before now; in assisted mode only where
    somebody can assist."""
    window = TimeRange(max(requested.starts_at - ALTERNATIVES_WITHIN, now), max(requested.ends_at, now) + ALTERNATIVES_WITHIN)
    free = free_times(context, window, busy_ranges(context.instrument.calendar_id, window), now, service_mode)
    return nearest_alternatives(requested, free, context.policy, context.zone, now, count)
