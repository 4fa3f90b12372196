"""How many instruments are free on each day of a search; those that are used with assistance only where somebody can assist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from booking.queries import candidates
from booking.queries.candidates import DayCount, Helped
from booking.rules.assistance import Helper
from booking.rules.slots import first_fit
from booking.rules.time_search import TimeSearch
from booking.services import assisting
from booking.services import context as booking_context
from booking.services.context import BookingContext
from config.kernel.access import Actor
from config.kernel.time_range import TimeRange
from instruments.models import Organisation
from instruments.rules.wall_time import local_day

#: So many instruments that need somebody are looked at themselves; of further ones the read model is believed.
MOST_HELPED = 60
#: So far outside of what is looked at a buffer may reach.
_BESIDE = timedelta(days=1)


def count_by_day(actor: Actor, search: TimeSearch, now: datetime, customer: Organisation | None = None) -> list[DayCount]:
    """For each local day of the search: what the read model counts (``candidates.count_by_day``), but for instruments that need somebody,
    whose calendars are looked at with those who may assist. Ten queries at most however many."""
    helped = candidates.helped(search, now, MOST_HELPED)
    counted = candidates.count_by_day(search, now, [one.instrument_id for one in helped])
    if not helped:
        return counted
    free = _days_free(actor, helped, search, now, customer)
    return [_with(day, [one for one in helped if day.local_on in free.get(one.instrument_id, ())]) for day in counted]


def _with(day: DayCount, also: Sequence[Helped]) -> DayCount:
    if day.more:
        return day
    prices = [one for one in (day.price_from_fen, *(one.price_from_fen for one in also)) if one is not None]
    count = day.count + len(also)
    return replace(
        day,
        count=min(count, candidates.MOST_COUNTED),
        more=count > candidates.MOST_COUNTED,
        price_from_fen=min(prices, default=None) if count <= candidates.MOST_COUNTED else None,
    )


def _days_free(
    actor: Actor, helped: Sequence[Helped], search: TimeSearch, now: datetime, customer: Organisation | None
) -> Mapping[int, set[date]]:
    """By instrument the days on which such a time begins that can be booked and in which somebody can assist."""
    contexts = [
        one
        for one in booking_context.load_many(actor, [each.instrument_id for each in helped], customer).values()
        if one.policy.may_last(search.duration_minutes)
    ]
    windows = [_window(search, one) for one in contexts]
    hull: dict[int, TimeRange] = {}
    for context, window in zip(contexts, windows, strict=True):
        wide, calendar_id = window.widened(_BESIDE, _BESIDE), context.instrument.calendar_id
        known = hull.get(calendar_id, wide)
        hull[calendar_id] = TimeRange(min(known.starts_at, wide.starts_at), max(known.ends_at, wide.ends_at))
    busy = booking_context.busy_of_many(hull) if hull else {}
    asked = [
        assisting.Asked(context.instrument.pk, window.widened(_BESIDE, _BESIDE), window)
        for context, window in zip(contexts, windows, strict=True)
    ]
    found = zip(contexts, windows, assisting.helpers_of_many(asked, now), strict=True)
    return {
        context.instrument.pk: set(_days(context, window, helpers, busy[context.instrument.calendar_id], search, now))
        for context, window, helpers in found
    }


def _window(search: TimeSearch, context: BookingContext) -> TimeRange:
    """All days of the search, with what a time that begins on the last one takes of the next."""
    first, last = (local_day(day, context.zone) for day in (search.first_on, search.last_on))
    return TimeRange(first.starts_at, last.ends_at + timedelta(minutes=search.duration_minutes))


def _days(
    context: BookingContext,
    window: TimeRange,
    helpers: Sequence[Helper],
    busy: Sequence[TimeRange],
    search: TimeSearch,
    now: datetime,
) -> list[date]:
    free = assisting.free_for(helpers, context.opening(window), busy, context.policy, now)
    length, horizon = timedelta(minutes=search.duration_minutes), context.horizon(now)
    days = []
    for number in range((search.last_on - search.first_on).days + 1):
        day = search.first_on + timedelta(days=number)
        whole = local_day(day, context.zone)
        starts_at, ends_at = max(whole.starts_at, _runs_from(context, whole)), min(whole.ends_at, horizon)
        if starts_at < ends_at and first_fit(length, free, context.policy, context.zone, now, TimeRange(starts_at, ends_at)):
            days.append(day)
    return days


def _runs_from(context: BookingContext, day: TimeRange) -> datetime:
    """From when it can be used on a day: never where it does not run and nobody said when it will."""
    if context.runs_at(day.starts_at):
        return day.starts_at
    return context.works_again_at or day.ends_at
