"""Calendars with every kind of layer, drawn around a day on which clocks change or holidays fall."""

from datetime import date, datetime, time, timedelta

from hypothesis import strategies as st

from instruments.rules.opening import CalendarEntry, EntryKind, HolidayRule, MovedOccurrence, Season
from instruments.rules.recurrence import Recurrence
from tests.instruments.rules.minute_by_minute import DAYS, HOLIDAY_PLACES, MINUTE

PLACES = HOLIDAY_PLACES + DAYS
DAILY = Recurrence("daily")

holiday_rules = st.builds(HolidayRule, st.booleans(), st.none() | st.integers(0, 6))
recurrences = st.one_of(
    st.none(),
    st.builds(
        lambda weekdays, interval: Recurrence("weekly", interval, tuple(weekdays)),
        st.sets(st.integers(0, 6), max_size=6),
        st.integers(1, 2),
    ),
    st.just(DAILY),
    st.builds(lambda days: Recurrence("monthly", month_days=tuple(days)), st.sets(st.sampled_from([1, 9, 10, 30, 31, -1]))),
    st.builds(lambda nth, weekday: Recurrence("monthly", weekdays=(weekday,), nth=nth),
              st.sampled_from([1, 2, -1]), st.integers(0, 6)),
    st.just(Recurrence("yearly")),
)  # fmt: skip


@st.composite
def entries_near(draw, day: date):
    """Entries of every kind whose occurrences lie around ``day``."""
    start = datetime.combine(day, time.min) + draw(st.integers(0, 95)) * 15 * MINUTE
    start -= draw(st.sampled_from([0, 0, 1, 7, 30, 365])) * timedelta(days=1)
    length = draw(st.sampled_from([30, 90, 480, 1440, 2000])) * MINUTE
    kind = draw(st.sampled_from([*EntryKind, EntryKind.OPENING, EntryKind.OPENING]))
    season = None
    if kind is EntryKind.OPENING and draw(st.booleans()):
        first_on = day + timedelta(days=draw(st.integers(-2, 1)))
        season = Season(draw(st.sampled_from(["A", "B"])), first_on, first_on + timedelta(days=draw(st.integers(0, 2))))
    near = st.sampled_from([day - timedelta(days=1), day, day + timedelta(days=1)])
    moved_to = datetime.combine(draw(near), time(draw(st.integers(0, 23))))
    return CalendarEntry(
        kind,
        start,
        start + length,
        draw(recurrences),
        frozenset(draw(st.sets(near, max_size=1))),
        draw(st.sampled_from([(), (MovedOccurrence(draw(near), moved_to, moved_to + length),)])),
        draw(st.sampled_from([1, 3, 4, 5, 9])),
        frozenset(draw(st.sampled_from([(), (), ("inside",), ("firm", "team")]))),
        season,
        draw(st.sampled_from(["", "Service"])),
    )
