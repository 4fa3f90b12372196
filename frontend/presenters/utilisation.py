"""How much an instrument was used, as a small drawing with a table behind it. Coordinates are computed here; nothing is styled inline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from booking.rules.use_figures import percent
from booking.rules.utilisation import WeekUse

WIDTH, HEIGHT, _GAP = 240, 56, 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A week's bar: the whole height stands for all of the open time."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class WeekRow:
    first_on: date
    open_hours: str
    used_hours: str
    percent: int | None


@dataclass(frozen=True, slots=True)
class Utilisation:
    """``summary`` says in words what the bars show; ``percent`` of all weeks together, None without any open time."""

    bars: list[Bar]
    rows: list[WeekRow]
    percent: int | None
    summary: str
    width: int = WIDTH
    height: int = HEIGHT


def utilisation_view(weeks: Sequence[WeekUse]) -> Utilisation:
    """Weeks in order, the oldest first."""
    opened, used = sum(week.open_seconds for week in weeks), sum(week.used_seconds for week in weeks)
    share = percent(used, opened)
    step = WIDTH // max(1, len(weeks))
    return Utilisation(
        bars=[_bar(week, place * step, step - _GAP) for place, week in enumerate(weeks)],
        rows=[WeekRow(week.first_on, hours(week.open_seconds), hours(week.used_seconds), week.percent) for week in weeks],
        percent=share,
        summary=_summary(weeks, share, used),
    )


def hours(seconds: int) -> str:
    """Hours to one decimal, half up."""
    tenths = (seconds + 180) // 360
    return f"{tenths // 10}.{tenths % 10}"


def _bar(week: WeekUse, x: int, width: int) -> Bar:
    height = HEIGHT * min(week.percent or 0, 100) // 100
    return Bar(x, HEIGHT - max(height, 1), width, max(height, 1))


def _summary(weeks: Sequence[WeekUse], share: int | None, used_seconds: int) -> str:
    params = {"count": len(weeks), "hours": hours(used_seconds), "percent": share}
    if share is None:
        return _("In the last %(count)s weeks it had no opening hours.") % params
    return _("In the last %(count)s weeks it was used for %(hours)s h: %(percent)s%% of its open time.") % params
