"""The figures of a lab's use as a page shows them: hours to a tenth, shares with what they were before, a table of hours with tones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from booking.queries.utilisation import InstrumentUse, LabUse
from booking.rules.use_figures import Figures
from booking.rules.use_hours import HOURS, Cell
from booking.rules.use_period import Period, Span
from config.kernel.date_wording import date_words, weekday
from config.kernel.messages import duration_words
from frontend.display import month_words
from frontend.presenters.utilisation import hours
from instruments.models import Instrument

TONES = 4
SPANS: tuple[tuple[Span, Promise | str], ...] = (
    (Span.MONTH, pgettext_lazy("length of a period", "Month")),
    (Span.QUARTER, pgettext_lazy("length of a period", "Quarter")),
    (Span.YEAR, pgettext_lazy("length of a period", "Year")),
)
DASH = "–"
_A_MONDAY = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with words of what it was in the period before; ``note`` says what it is part of."""

    label: str
    value: str
    before: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of offered, booked, used. ``percent`` of what was offered; ``width`` of the bar, 0 to 100."""

    label: str
    hours: str
    percent: str
    width: int
    before: str


@dataclass(frozen=True, slots=True)
class HeatCell:
    """``tone`` 0 to 4, or none where the instrument was not offered; ``words`` is read out and shown on pointing."""

    text: str
    words: str
    tone: int | None


@dataclass(frozen=True, slots=True)
class HeatRow:
    label: str
    cells: Sequence[HeatCell]


@dataclass(frozen=True, slots=True)
class Row:
    """One instrument of the list; ``rank`` from 1."""

    rank: int
    instrument: Instrument
    offered: str
    booked: str
    used: str
    used_percent: str
    before: str
    effective: str
    external: str
    external_percent: str
    missed: int


@dataclass(frozen=True, slots=True)
class Report:
    title: str
    before_words: str
    steps: Sequence[Step]
    figures: Sequence[Figure]
    weekdays: Sequence[tuple[str, str]]
    heat: Sequence[HeatRow]
    rows: Sequence[Row]
    empty: bool


def report(found: LabUse) -> Report:
    """All of a page."""
    return Report(
        title=period_words(found.period),
        before_words=_before_words(found),
        steps=_steps(found.figures, found.before),
        figures=_figures(found),
        weekdays=[(weekday(_A_MONDAY + timedelta(days=day)), str(WEEKDAYS[day])) for day in range(7)],
        heat=_heat(found.hours),
        rows=[_row(rank, row) for rank, row in enumerate(found.rows, 1)],
        empty=not (found.figures.offered_seconds or found.figures.booked_seconds or found.figures.used_seconds),
    )


def period_words(period: Period) -> str:
    first = period.first_on
    if period.span is Span.YEAR:
        return pgettext("the name of a year", "%(year)s") % {"year": first.year}
    if period.span is Span.QUARTER:
        return pgettext("the name of a quarter", "Q%(quarter)s %(year)s") % {
            "quarter": (first.month + 2) // 3,
            "year": first.year,
        }
    if period.span is Span.MONTH:
        return month_words(first)
    return pgettext("from a day to a day", "%(first)s to %(last)s") % {
        "first": date_words(first),
        "last": date_words(period.last_on),
    }


def share(value: int | None) -> str:
    return DASH if value is None else f"{value}%"


def answer_words(minutes: int | None) -> str:
    return DASH if minutes is None else duration_words(minutes)


def _before_words(found: LabUse) -> str:
    params = {"title": period_words(found.period.before)}
    if found.running:
        return _("Before: %(title)s, as far into it as this period has passed.") % params
    return _("Before: %(title)s.") % params


def _before(text: str) -> str:
    return _("before: %(value)s") % {"value": text}


def _steps(now: Figures, before: Figures) -> list[Step]:
    top = max(now.offered_seconds, now.booked_seconds, now.used_seconds, 1)

    def step(label: str, seconds_of: Callable[[Figures], int], percent: int | None) -> Step:
        seconds = seconds_of(now)
        said = _before(_("%(hours)s h") % {"hours": hours(seconds_of(before))})
        return Step(label, hours(seconds), share(percent), seconds * 100 // top, said)

    return [
        step(_("Offered"), lambda one: one.offered_seconds, 100 if now.offered_seconds else None),
        step(_("Booked"), lambda one: one.booked_seconds, now.booked_percent),
        step(_("Used"), lambda one: one.used_seconds, now.used_percent),
    ]


def _figures(found: LabUse) -> list[Figure]:
    now, before = found.figures, found.before

    def in_hours(seconds: int) -> str:
        return _("%(hours)s h") % {"hours": hours(seconds)}

    return [
        Figure(
            _("Effective hours"),
            in_hours(now.effective_seconds),
            _before(in_hours(before.effective_seconds)),
            _("used, with getting ready and putting back"),
        ),
        Figure(
            _("External hours"),
            in_hours(now.external_seconds),
            _before(in_hours(before.external_seconds)),
            _("of these for other organisations"),
        ),
        Figure(
            _("Share of others"),
            share(now.external_percent),
            _before(share(before.external_percent)),
            _("external of effective hours"),
        ),
        Figure(
            _("Not used"),
            str(now.missed),
            _before(str(before.missed)),
            _("%(hours)s h, %(percent)s of the bookings")
            % {"hours": hours(now.missed_seconds), "percent": share(now.missed_percent)},
        ),
        Figure(
            _("Median answer time"),
            answer_words(found.answer_minutes),
            _before(answer_words(found.answer_minutes_before)),
            _("of %(count)s answers, in working days of the lab") % {"count": found.answered},
        ),
        Figure(
            _("Used beside the offered time"),
            in_hours(now.beside_seconds),
            _before(in_hours(before.beside_seconds)),
            _("at night, on closed days, during maintenance"),
        ),
    ]


def _heat(rows: Sequence[Sequence[Cell]]) -> list[HeatRow]:
    """A row for each hour from the first to the last in which anything was open or used; none without any."""
    alive = [hour for hour in range(HOURS) if any(row[hour].offered_seconds or row[hour].used_seconds for row in rows)]
    if not alive:
        return []
    return [HeatRow(f"{hour:02d}:00", [_heat_cell(row[hour]) for row in rows]) for hour in range(alive[0], alive[-1] + 1)]


def _heat_cell(cell: Cell) -> HeatCell:
    params = {"used": hours(cell.used_seconds), "offered": hours(cell.offered_seconds)}
    if cell.percent is None:
        words = _("%(used)s h used, not offered") % params if cell.used_seconds else _("not offered")
        return HeatCell("+" if cell.used_seconds else DASH, words, None)
    tone = min(TONES, (min(cell.percent, 100) + 24) // 25)
    return HeatCell(str(cell.percent), _("%(used)s of %(offered)s h used") % params, tone)


def _row(rank: int, row: InstrumentUse) -> Row:
    now = row.figures
    return Row(
        rank=rank,
        instrument=row.instrument,
        offered=hours(now.offered_seconds),
        booked=hours(now.booked_seconds),
        used=hours(now.used_seconds),
        used_percent=share(now.used_percent),
        before=_before(share(row.before.used_percent)),
        effective=hours(now.effective_seconds),
        external=hours(now.external_seconds),
        external_percent=share(now.external_percent),
        missed=now.missed,
    )
