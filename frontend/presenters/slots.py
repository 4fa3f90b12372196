"""A week of an instrument as columns of start times and of stretches that say why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from booking.queries import Week
from booking.rules.slots import Slot
from booking.rules.waiting import most_within
from booking.services.context import BookingContext
from config.kernel.errors import Refusal
from config.kernel.messages import duration_words
from config.kernel.time_range import TimeRange
from frontend import display
from frontend.booking_form import BookingForm
from instruments.hours_wording import closed_words
from instruments.rules.opening import ClosedCause
from instruments.rules.wall_time import to_wall

DAYS = 7
CLOSED = "booking.closed"
_WHY: dict[str, Promise | str] = {
    CLOSED: pgettext_lazy("why a time is not free", "Closed"),
    "booking.in_the_past": pgettext_lazy("why a time is not free", "Over"),
    "booking.too_soon": pgettext_lazy("why a time is not free", "Too soon"),
    "booking.beyond_horizon": pgettext_lazy("why a time is not free", "Not open yet"),
    "booking.taken": pgettext_lazy("why a time is not free", "Taken"),
    "booking.gap_too_short": pgettext_lazy("why a time is not free", "Too short"),
    "booking.nobody_assists": pgettext_lazy("why a time is not free", "Nobody assists"),
}


_SENTENCES: dict[str, Promise | str] = {
    CLOSED: _("The instrument is closed at this time, by its opening hours or a closure."),
    "booking.in_the_past": _("This time is over."),
    "booking.too_soon": _("The lab needs %(notice)s of notice: the earliest start now is %(earliest)s."),
    "booking.beyond_horizon": _("Bookings open %(days)s days ahead. Come back nearer to this day."),
    "booking.taken": _("Somebody else has booked this time, or the lab keeps it free between two sessions."),
    "booking.gap_too_short": _("It is free, but shorter than the shortest booking of %(shortest)s."),
    "booking.nobody_assists": _(
        "The instrument is free, but nobody of the lab can assist. Another way of service may be possible."
    ),
}


@dataclass(frozen=True, slots=True)
class StartCell:
    """A time at which a session may start. ``href`` fills the form with it and the shortest (or the chosen) length."""

    form: BookingForm
    href: str
    current: bool

    @property
    def label(self) -> str:
        return self.form.from_time


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time at which nothing can start, and why, in a word and in a sentence. ``expected``: closed as every week, nothing to talk about.
    ``wait_href``: where one can wait for it, where somebody else has it; ``wait_exactly``: all of it could be booked at one go."""

    from_time: str
    to_time: str
    why: str
    word: Promise | str
    sentence: str
    during: TimeRange
    expected: bool = False
    wait_href: str = ""
    wait_exactly: bool = False


@dataclass(frozen=True, slots=True)
class DayColumn:
    """One local day. ``cells`` hold starts and stretches in order; a day that is closed as every week has none, and says in
    ``closed_words`` why."""

    day: date
    weekday: str
    day_and_month: str
    is_today: bool
    cells: list[StartCell | Stretch]
    start_count: int
    is_open: bool
    closed_words: str = ""


@dataclass(frozen=True, slots=True)
class WeekView:
    """``zone_label`` is empty when the site's clock is the reader's. Queries are empty where there is nothing to go to."""

    days: list[DayColumn]
    title: str
    previous_query: str
    next_query: str
    zone_label: str
    start_count: int

    @property
    def opened_day(self) -> date | None:
        """The day that a narrow screen shows first: the chosen one, else the first with a free start."""
        chosen = [day.day for day in self.days if any(isinstance(cell, StartCell) and cell.current for cell in day.cells)]
        return next(iter([*chosen, *(day.day for day in self.days if day.start_count)]), None)


def week_view(week: Week, form: BookingForm, query: QueryDict, address: str, now: datetime) -> WeekView:
    """``address`` is the page that shows the form; ``query`` is what its address carries now."""
    context = week.context
    today = context.local_day(now)
    room = _room_from(week)
    why = sentences(context, now)
    days = [_column(week, place, form, query, address, today, room, why) for place in range(len(week.days))]
    first, last = week.days[0].local_date, week.days[-1].local_date
    return WeekView(
        days=days,
        title=f"{display.date_words(first)} – {display.date_words(last)}",
        previous_query=_week_query(query, max(today, first - timedelta(days=DAYS))) if first > today else "",
        next_query=_week_query(query, first + timedelta(days=DAYS))
        if last < today + timedelta(days=context.policy.horizon_days)
        else "",
        zone_label=display.zone_label(week.days[0].slots[0].range.starts_at, context.zone.key),
        start_count=sum(day.start_count for day in days),
    )


def sentences(context: BookingContext, now: datetime) -> dict[str, str]:
    """Why a time is not free, in a sentence for each reason, with the lab's own figures."""
    policy = context.policy
    params = {
        "notice": duration_words(policy.notice_minutes),
        "earliest": display.moment_words(to_wall(policy.earliest_start(now), context.zone)),
        "days": policy.horizon_days,
        "shortest": duration_words(policy.shortest_on_grid_minutes),
    }
    return {why: str(sentence) % params for why, sentence in _SENTENCES.items()}


def _week_query(query: QueryDict, first: date) -> str:
    return _changed(query, {"week": first.isoformat()})


def _changed(query: QueryDict, changes: dict[str, str]) -> str:
    kept = [(name, value) for name, value in query.items() if name not in changes and value]
    return "?" + urlencode([*kept, *((name, value) for name, value in changes.items() if value)])


def _room_from(week: Week) -> dict[datetime, datetime]:
    """For every free row its start and the end of the free time that it lies in, over midnights too."""
    return {
        slot.range.starts_at: max(whole.ends_at for whole in week.free if whole.contains(slot.range))
        for day in week.days
        for slot in day.slots
        if slot.free
    }


def _column(
    week: Week,
    place: int,
    form: BookingForm,
    query: QueryDict,
    address: str,
    today: date,
    room: dict[datetime, datetime],
    why: dict[str, str],
) -> DayColumn:
    day = week.days[place]
    cells: list[StartCell | Stretch] = []
    for slot in day.slots:
        start = _start(week, slot, form, query, address, room)
        if start is not None:
            cells.append(start)
        elif not slot.free:  # a free row at which nothing may start is the end of what starts before it
            _append_stretch(cells, week, slot, why)
    while cells and isinstance(cells[-1], Stretch) and cells[-1].expected:
        cells.pop()
    while cells and isinstance(cells[0], Stretch) and cells[0].expected:
        cells.pop(0)
    return DayColumn(
        day=day.local_date,
        weekday=display.weekday(day.local_date),
        day_and_month=f"{day.local_date:%m-%d}",
        is_today=day.local_date == today,
        cells=[_to_wait_for(cell, week.context, form) for cell in cells],
        start_count=sum(isinstance(cell, StartCell) for cell in cells),
        is_open=any(isinstance(cell, StartCell) or cell.why != CLOSED for cell in cells),
        closed_words="" if cells else why[CLOSED],
    )


def _start(
    week: Week, slot: Slot, form: BookingForm, query: QueryDict, address: str, room: dict[datetime, datetime]
) -> StartCell | None:
    if not slot.free:
        return None
    context = week.context
    starts_at, free_until = slot.range.starts_at, room[slot.range.starts_at]
    shortest = timedelta(minutes=context.policy.shortest_on_grid_minutes)
    window_ends_at = week.days[-1].slots[-1].range.ends_at
    if free_until - starts_at < shortest and free_until < window_ends_at:
        return None
    length = _chosen_length(week, form)
    fits = length is not None and length >= shortest and starts_at + length <= free_until
    chosen = form.at(TimeRange(starts_at, starts_at + (length if fits and length else shortest)), context.zone)
    changes = {"on": chosen.on, "from": chosen.from_time, "to": chosen.to_time, "to_on": chosen.to_on}
    current = (chosen.on, chosen.from_time) == (form.on, form.from_time)
    return StartCell(chosen, f"{address}{_changed(query, changes)}#booking-panel", current)


def _chosen_length(week: Week, form: BookingForm) -> timedelta | None:
    if not form.has_time:
        return None
    try:
        return form.during(week.context.zone).duration
    except Refusal:
        return None


def _append_stretch(cells: list[StartCell | Stretch], week: Week, slot: Slot, sentences: dict[str, str]) -> None:
    """Lengthen the stretch before when it has the same reason."""
    starts, ends = (to_wall(moment, week.context.zone) for moment in (slot.range.starts_at, slot.range.ends_at))
    last = f"{ends:%H:%M}" if ends.date() == starts.date() else "24:00"
    expected = slot.why == CLOSED and (slot.closed is None or slot.closed.cause is ClosedCause.HOURS)
    word = closed_words(slot.closed) if slot.closed is not None and not expected else _WHY[slot.why]
    before = cells[-1] if cells else None
    sentence = sentences[slot.why] if word == _WHY[slot.why] else str(word)
    if isinstance(before, Stretch) and (before.why, before.word) == (slot.why, word):
        during = TimeRange(before.during.starts_at, slot.range.ends_at)
        cells[-1] = Stretch(before.from_time, last, slot.why, word, sentence, during, expected)
    else:
        cells.append(Stretch(f"{starts:%H:%M}", last, slot.why, word, sentence, slot.range, expected))


def _to_wait_for(cell: StartCell | Stretch, context: BookingContext, form: BookingForm) -> StartCell | Stretch:
    """What somebody else has can be waited for."""
    if not isinstance(cell, Stretch) or cell.why != "booking.taken":
        return cell
    exactly = most_within(cell.during, context.policy) * 60 == cell.during.seconds
    return replace(cell, wait_href=wait_address(context, cell.during, form), wait_exactly=exactly)


def wait_address(context: BookingContext, during: TimeRange, form: BookingForm) -> str:
    """Where one waits for exactly that time, for whom and in which way of service the form says."""
    pair = {"start": during.starts_at.isoformat(), "end": during.ends_at.isoformat()}
    rest = {name: value for name in ("organisation", "service_mode") if (value := getattr(form, name))}
    return f"{reverse('wait_join', args=[context.instrument.pk])}?{urlencode(pair | rest)}"
