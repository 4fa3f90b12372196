"""Find a time: what is shown was computed from the calendar itself; the read model only says where to look.

A page costs a constant number of statements, however many instruments there are and however many rows it has.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db import connection

from booking.queries.availability import Wish, next_free
from booking.queries.candidates import SEEN_MINUTES, Candidate, earliest
from booking.rules.assistance import ASSISTED, Helper, meant_mode
from booking.rules.eligibility import shown_mode
from booking.rules.licensing import licence_of_mode
from booking.rules.slots import first_fit
from booking.rules.time_search import ELSEWHERE, TimeSearch, nearness
from booking.services import assisting
from booking.services import context as booking_context
from booking.services.context import BookingContext
from config.kernel.access import Actor
from config.kernel.time_range import TimeRange
from instruments.models import BOOKABLE_STATUSES, Instrument, Organisation
from instruments.rules import statutory_holidays
from instruments.rules.opening import NO_HOLIDAYS
from instruments.rules.regions import division_prefix
from instruments.rules.wall_time import local_day

#: How many more candidates than rows are asked for: some are not free after all, because of a buffer or the grid.
SPARE = 20
_A_FEW = 4
#: So many candidates for a row are asked for, instrument by instrument, before the rows are called inexact.
_MOST_ASKED = 8
#: Rows beyond this are not offered: narrow the search instead.
MOST_FOUND = 200
#: How far beyond the instant that the read model names a calendar is looked at, step by step.
_REACH = (timedelta(hours=14), timedelta(days=3), timedelta(days=70))
_MARGIN = timedelta(hours=2)
#: So far outside of what is looked at a buffer may reach.
_BESIDE = timedelta(days=1)
#: So long a time is looked for where nobody said how long, or as nearly so as the lab allows.
USUAL_MINUTES = 60


@dataclass(frozen=True, slots=True)
class FoundTime:
    """An instrument with the earliest range that can be booked there, checked against its calendar and policy.

    ``nearness`` is one of ``booking.rules.time_search``'s; ``answer_hours`` how long its lab usually takes to answer, None where it
    has not answered yet.
    """

    context: BookingContext
    during: TimeRange
    nearness: int = ELSEWHERE
    answer_hours: float | None = None

    @property
    def instrument(self) -> Instrument:
        return self.context.instrument

    def training_needed(self, service_mode: str) -> bool:
        """Whether one needs a training for it: always, or, where ``service_mode`` (empty: any) asks or may ask for one, a licence."""
        mode = shown_mode(service_mode, self.instrument.service_modes)
        return self.instrument.training_needed or licence_of_mode(self.context.policy, mode) is not None

    @property
    def unpublished_years(self) -> list[int]:
        """The years of it whose holidays nobody knows yet, although its calendar follows them."""
        context = self.context
        if context.rules.holidays == NO_HOLIDAYS or not statutory_holidays.applies_in(context.zone.key):
            return []
        first, last = (context.local_day(at).year for at in (self.during.starts_at, self.during.ends_at))
        return [year for year in range(first, last + 1) if not statutory_holidays.is_published(year)]


@dataclass(frozen=True, slots=True)
class Found:
    """Rows by start. ``more``: there may be further ones. ``exact``: no other instrument has an earlier time than the last row."""

    rows: list[FoundTime]
    more: bool
    exact: bool


def find_earliest(
    actor: Actor,
    search: TimeSearch,
    now: datetime,
    count: int,
    *,
    origin: str = "",
    beside: str = "",
    customer: Organisation | None = None,
) -> Found:
    """The ``count`` instruments on which the searched-for time is free earliest, for the customer where there is one.

    ``origin`` is a division, for the nearness; ``beside`` one that is left out.
    """
    asked = count + SPARE
    while True:
        candidates = earliest(search, now, asked, beside=beside)
        rows = _checked(actor, customer, candidates.rows, search, now, count)
        last_at = rows[:count][-1].during.starts_at if rows else None
        exact = candidates.sure_until is None or (len(rows) >= count and last_at is not None and last_at <= candidates.sure_until)
        if exact or candidates.walked or asked >= _MOST_ASKED * count:
            break
        asked *= 4
    more = len(rows) > count or candidates.sure_until is not None
    return Found([_placed(row, origin) for row in rows[:count]], more, exact)


def find_nearest(
    actor: Actor, search: TimeSearch, now: datetime, count: int, origin: str, customer: Organisation | None = None
) -> Found:
    """The same, nearest divisions first: the county, its prefecture, its province, everywhere else; earliest first within each."""
    found: list[FoundTime] = []
    exact, inside = True, ""
    for region in _rings(origin):
        if search.region_code and not region.startswith(division_prefix(search.region_code)):
            region = search.region_code
        asked = search if not region else _within(search, region)
        ring = find_earliest(actor, asked, now, count + 1 - len(found), origin=origin, beside=inside, customer=customer)
        known = {row.instrument.pk for row in found}
        found += [row for row in ring.rows if row.instrument.pk not in known]
        exact = exact and ring.exact
        if len(found) > count:
            return Found(found[:count], True, exact)
        if region == search.region_code:
            break
        inside = region
    return Found(found, False, exact)


def next_times(
    actor: Actor,
    instrument_ids: Sequence[int],
    minutes: int | None,
    not_before: datetime,
    now: datetime,
    customer: Organisation | None,
) -> list[FoundTime]:
    """The earliest range of each of these instruments that can be booked from ``not_before`` on, for the customer where there is one;
    without those that have none, or whose policy knows no such length. Nine queries at most however many, and six where some are used with
    assistance alone.

    Without ``minutes`` of each the length nearest to an hour that its policy allows.
    """
    contexts = booking_context.load_many(actor, instrument_ids, customer)
    lengths = {
        pk: context.policy.nearest_length(USUAL_MINUTES) if minutes is None else minutes
        for pk, context in contexts.items()
        if _runs_again(context) and (minutes is None or context.policy.may_last(minutes))
    }
    wishes = {
        pk: Wish(
            contexts[pk].instrument.calendar_id,
            min(length, SEEN_MINUTES),
            max(not_before, contexts[pk].policy.earliest_start(now)),
        )
        for pk, length in lengths.items()
    }
    starts = next_free(wishes) if wishes else {}
    last_on = (not_before + _REACH[-1]).date()
    return _placed_in([_Hope(contexts[pk], starts[pk], lengths[pk], last_on) for pk in lengths if pk in starts], now)


def confirmed(
    actor: Actor, asked: Sequence[tuple[TimeSearch, Sequence[Candidate]]], now: datetime, customer: Organisation | None = None
) -> list[int]:
    """How many of the candidates of each search have a time that can be booked, for the customer where there is one: one look for all of
    them, in as many statements as for one."""
    ids = {one.instrument_id for _search, candidates in asked for one in candidates}
    contexts = booking_context.load_many(actor, sorted(ids), customer) if ids else {}
    hopes = [_hopes(contexts, candidates, search) for search, candidates in asked]
    ranges = iter(_first_ranges([one for some in hopes for one in some], now))
    return [sum(next(ranges) is not None for _one in some) for some in hopes]


def with_answers(rows: Sequence[FoundTime]) -> list[FoundTime]:
    """The rows with how long each lab that has to approve usually takes: one query for all."""
    asked = [row.instrument.pk for row in rows if row.context.policy.approval_required]
    hours = median_answer_hours(asked)
    return [FoundTime(row.context, row.during, row.nearness, hours.get(row.instrument.pk)) for row in rows]


def median_answer_hours(instrument_ids: Iterable[int]) -> dict[int, float]:
    """Hours from asking to the lab's yes or no, the median of each instrument's latest answers; without those that have none."""
    ids = list(instrument_ids)
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, [ids])
        return {pk: float(hours) for pk, hours in cursor.fetchall()}


def _placed(row: FoundTime, origin: str) -> FoundTime:
    place = row.instrument.site.region_code or row.instrument.organisation.region_code
    return FoundTime(row.context, row.during, nearness(origin, place))


def _rings(origin: str) -> list[str]:
    """The county, the prefecture and the province of a division, those that it has, and everything ("")."""
    widths = [origin, f"{origin[:4]}00", f"{origin[:2]}0000"] if origin else []
    return [*dict.fromkeys(widths), ""]


def _within(search: TimeSearch, region: str) -> TimeSearch:
    return replace(search, region_code=region)


# --- The last word ----------------------------------------------------------------------------------------------------
def _checked(
    actor: Actor, customer: Organisation | None, candidates: list[Candidate], search: TimeSearch, now: datetime, count: int
) -> list[FoundTime]:
    """The candidates with their earliest bookable range, by start; those without one are left out.

    A candidate's instant is never too late, so once ``count`` ranges start before the next candidate's instant the rest need no look.
    """
    found: list[FoundTime] = []
    place = 0
    while place < len(candidates) and not _enough(found, count, candidates[place].fits_at):
        some = candidates[place : place + max(count - len(found), 0) + _A_FEW]
        found += _look(actor, customer, some, search, now)
        place += len(some)
    return sorted(found, key=lambda row: (row.during.starts_at, row.instrument.pk))


def _look(
    actor: Actor, customer: Organisation | None, candidates: Sequence[Candidate], search: TimeSearch, now: datetime
) -> list[FoundTime]:
    contexts = booking_context.load_many(actor, [one.instrument_id for one in candidates], customer)
    return _placed_in(_hopes(contexts, candidates, search), now)


@dataclass(frozen=True, slots=True)
class _Hope:
    """A time of ``minutes`` that may begin at ``fits_at``, and surely not earlier, until the local day ``last_on``; ``mode``: of this way
    of service, if one is wanted."""

    context: BookingContext
    fits_at: datetime
    minutes: int
    last_on: date
    mode: str = ""

    @property
    def needs_somebody(self) -> bool:
        """Whether it is no time at all where nobody can assist."""
        return meant_mode(self.mode, self.context.instrument.service_modes) == ASSISTED


def _hopes(contexts: Mapping[int, BookingContext], candidates: Sequence[Candidate], search: TimeSearch) -> list[_Hope]:
    """What may be hoped for of those that the actor may see and that could be booked for so long."""
    return [
        _Hope(contexts[one.instrument_id], one.fits_at, search.duration_minutes, search.last_on, search.service_mode)
        for one in candidates
        if _may_be_booked(contexts.get(one.instrument_id), search)
    ]


def _placed_in(hopes: Sequence[_Hope], now: datetime) -> list[FoundTime]:
    """The earliest bookable range of each; without those that have none."""
    ranges = _first_ranges(hopes, now)
    return [FoundTime(one.context, during) for one, during in zip(hopes, ranges, strict=True) if during is not None]


def _first_ranges(hopes: Sequence[_Hope], now: datetime) -> list[TimeRange | None]:
    """The earliest bookable range of each. Each calendar is looked at first around the instant that is hoped for, and further only where
    that was in vain and a later one may begin until the last day."""
    openings = _Openings()
    found: list[TimeRange | None] = [None] * len(hopes)
    waiting = list(enumerate(hopes))
    for reach in _REACH:
        if not waiting:
            break
        looked = [one for _place, one in waiting]
        windows = [_window(one, reach) for one in looked]
        busy = booking_context.busy_of_many(_by_calendar(looked, windows))
        left = []
        for (place, one), window, helpers in zip(waiting, windows, _who_assist(looked, windows, now), strict=True):
            context = one.context
            taken = busy[context.instrument.calendar_id]
            free = assisting.free_for(helpers, openings.of(context, window), taken, context.policy, now)
            found[place] = _first_in(one, free, window, now)
            if found[place] is None and window.ends_at < _last_end(one):
                left.append((place, one))
        waiting = left
    return found


def _last_end(one: _Hope) -> datetime:
    """The latest instant at which what is hoped for may end."""
    return local_day(one.last_on, one.context.zone).ends_at + timedelta(minutes=one.minutes)


def _who_assist(waiting: Sequence[_Hope], windows: Sequence[TimeRange], now: datetime) -> list[list[Helper]]:
    """Those one of whom has to have time, for each; nobody where none has to. Two queries at most."""
    asked = {
        place: assisting.Asked(one.context.instrument.pk, window.widened(_BESIDE, _BESIDE), window)
        for place, (one, window) in enumerate(zip(waiting, windows, strict=True))
        if one.needs_somebody
    }
    found = dict(zip(asked, assisting.helpers_of_many(list(asked.values()), now), strict=True))
    return [found.get(place, []) for place in range(len(waiting))]


def _runs_again(context: BookingContext) -> bool:
    return context.instrument.status in BOOKABLE_STATUSES or context.works_again_at is not None


def _may_be_booked(context: BookingContext | None, search: TimeSearch) -> bool:
    return context is not None and _runs_again(context) and context.policy.may_last(search.duration_minutes)


def _enough(found: Sequence[FoundTime], count: int, next_at: datetime) -> bool:
    """Whether more ranges than are wanted start no later than anything that may still come."""
    return sum(row.during.starts_at <= next_at for row in found) > count


class _Openings:
    """The opening hours of a page's rows: many laboratories have the same ones, which are expanded once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Hashable, ...], list[TimeRange]] = {}

    def of(self, context: BookingContext, window: TimeRange) -> list[TimeRange]:
        key = (context.rules, context.audiences, context.zone.key, window)
        if key not in self._known:
            self._known[key] = context.opening(window)
        return self._known[key]


def _window(one: _Hope, reach: timedelta) -> TimeRange:
    """From the midnight before, so that calendars with the same hours are asked for the same time."""
    zone = one.context.zone
    before = local_day((one.fits_at - _MARGIN).astimezone(zone).date(), zone).starts_at
    return TimeRange(before, before + timedelta(days=1) + reach + timedelta(minutes=one.minutes))


def _by_calendar(waiting: Sequence[_Hope], windows: Sequence[TimeRange]) -> dict[int, TimeRange]:
    """For each calendar what all its instruments look at, and ``_BESIDE`` it."""
    found: dict[int, TimeRange] = {}
    for one, window in zip(waiting, windows, strict=True):
        wanted = window.widened(_BESIDE, _BESIDE)
        known = found.get(one.context.instrument.calendar_id, wanted)
        found[one.context.instrument.calendar_id] = TimeRange(
            min(known.starts_at, wanted.starts_at), max(known.ends_at, wanted.ends_at)
        )
    return found


def _first_in(one: _Hope, free: list[TimeRange], window: TimeRange, now: datetime) -> TimeRange | None:
    context = one.context
    last_day = local_day(one.last_on, context.zone)
    if one.fits_at >= last_day.ends_at:
        return None
    starts_at = one.fits_at if context.runs_at(one.fits_at) or context.works_again_at is None else context.works_again_at
    end = min(last_day.ends_at, window.ends_at, context.horizon(now))
    if starts_at >= end:
        return None
    within = TimeRange(starts_at, end)
    return first_fit(timedelta(minutes=one.minutes), free, context.policy, context.zone, now, within)


#: Of each instrument the fifteen latest reservations that were answered; what was brought along or written down afterwards was not asked.
_ANSWERS = """
SELECT i.id, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM t.at - r.created_at) / 3600)
  FROM unnest(%s::bigint[]) AS i (id) CROSS JOIN LATERAL (
       SELECT id, created_at FROM booking_reservation o
        WHERE instrument_id = i.id AND state NOT IN ('requested', 'expired') AND NOT imported
          AND NOT EXISTS (SELECT FROM booking_usagesession WHERE reservation_id = o.id AND late_entered)
        ORDER BY starts_at DESC LIMIT 15) r
  JOIN LATERAL (
       SELECT min(at) AS at FROM booking_reservationtransition
        WHERE reservation_id = r.id AND action IN ('approve', 'reject') AND actor_id IS NOT NULL) t ON t.at IS NOT NULL
 GROUP BY i.id
"""
