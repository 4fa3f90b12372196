"""The figures of a lab's use as a file: instruments, or the hours of one of them. UTF-8 with a byte order mark; no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from booking.queries.utilisation import InstrumentUse, LabUse
from booking.rules.use_figures import Figures
from frontend.presenters.utilisation import hours
from instruments.rules.standards.tables import harmless


def instruments_csv(found: LabUse) -> bytes:
    """A line for each instrument, the busiest first, and one for all of them together; hours to a tenth."""
    head = [
        _("Number"),
        _("Instrument"),
        _("First day"),
        _("Last day"),
        _("Offered hours"),
        _("Booked hours"),
        _("Used hours"),
        _("Used beside the offered time"),
        _("Effective hours"),
        _("External hours"),
        _("Share of others in percent"),
        _("Sessions"),
        _("Sessions of others"),
        _("Bookings"),
        _("Not used"),
        _("Not used, hours"),
        _("Median answer time in minutes"),
        _("Used hours of the period before"),
    ]
    days = [found.period.first_on.isoformat(), found.period.last_on.isoformat()]
    lines = [[row.instrument.inner_id, row.instrument.name, *days, *_use_cells(row)] for row in found.rows]
    total = ["", _("Together"), *days, *_use_cells(found)]
    return _file([head, *lines, total])


def hours_csv(found: LabUse) -> bytes:
    """A line for each weekday and hour in which anything was offered or used."""
    head = [_("Weekday"), _("Hour"), _("Offered hours"), _("Used hours"), _("Used in percent")]
    lines = [
        [str(WEEKDAYS[day]), f"{hour:02d}:00", hours(cell.offered_seconds), hours(cell.used_seconds), _number(cell.percent)]
        for day, row in enumerate(found.hours)
        for hour, cell in enumerate(row)
        if cell.offered_seconds or cell.used_seconds
    ]
    return _file([head, *lines])


def _use_cells(use: InstrumentUse | LabUse) -> list[str]:
    return [*_cells(use.figures), _number(use.answer_minutes), hours(use.before.used_seconds)]


def _cells(one: Figures) -> list[str]:
    return [
        hours(one.offered_seconds),
        hours(one.booked_seconds),
        hours(one.used_seconds),
        hours(one.beside_seconds),
        hours(one.effective_seconds),
        hours(one.external_seconds),
        str(one.external_percent),
        str(one.sessions),
        str(one.external_sessions),
        str(one.bookings),
        str(one.missed),
        hours(one.missed_seconds),
    ]


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _file(lines: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([harmless(cell) for cell in line] for line in lines)
    return out.getvalue().encode("utf-8-sig")
