"""The lab's day: all instruments with what lies on them, as a list that everybody can read and a timeline that one can drag in."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from booking.downtime_wording import KIND_NAMES
from booking.models import OccupancySource
from booking.queries.timeline import MOST_PAGES, Entry, Span, Timeline, timeline
from booking.rules.states import ReservationState
from config.kernel.access import Actor, Role, visible_to
from config.kernel.time_range import TimeRange
from frontend import display
from frontend.booking_form import read_day, read_id
from frontend.http import actor_of
from frontend.states import look_of
from instruments.models import BOOKABLE_STATUSES, Instrument, InstrumentStatus, Organisation
from instruments.rules.wall_time import local_day, to_wall


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the list: its time on the clock shown, its word, whose it is."""

    entry: Entry
    when: str
    word: str
    title: str


@dataclass(frozen=True, slots=True)
class Day:
    """What lies on an instrument on one day, and when it is closed."""

    on: date
    lines: list[Line]
    closed: list[str]


@dataclass(frozen=True, slots=True)
class Row:
    """One instrument of the list with its days: one, or those of the week."""

    instrument: Instrument
    days: list[Day]
    other_zone: str


_Timed = tuple[Entry, TimeRange]


@login_required
@require_GET
def lab_timeline(request: HttpRequest) -> HttpResponse:
    """A day, or with ``span=week`` a week: listed, and drawn above the list."""
    actor, now = actor_of(request), timezone.now()
    lab_id = read_id(request.GET.get("lab", "")) or None
    span = Span.WEEK if request.GET.get("span") == Span.WEEK else Span.DAY
    page = min(max(1, read_id(request.GET.get("page", ""))), MOST_PAGES)
    found = timeline(actor, lab_id, read_day(request.GET.get("date", "")), span, now, page)
    asked = {"date": found.first_on.isoformat(), "span": span.value, "page": page, **({"lab": lab_id} if lab_id else {})}
    step, spoken = timedelta(days=span.days), words()
    context = {
        "found": found,
        "other_zone": display.zone_label(now, found.zone.key),
        "rows": _rows(found, spoken),
        "labs": _labs(actor),
        "lab_id": lab_id,
        "is_week": span is Span.WEEK,
        "last_on": found.first_on + step - timedelta(days=1),
        "feed": f"{reverse('api_timeline')}?{urlencode(asked)}",
        "words_json": json.dumps(spoken, ensure_ascii=False),
        "before": _query(asked, date=found.first_on - step, page=1),
        "after": _query(asked, date=found.first_on + step, page=1),
        "as_day": _query(asked, span=Span.DAY.value, page=1),
        "as_week": _query(asked, span=Span.WEEK.value, page=1),
        "today": _query({"span": span.value, **({"lab": lab_id} if lab_id else {})}),
        "next_page": _query(asked, page=page + 1) if found.more else "",
        "previous_page": _query(asked, page=page - 1) if page > 1 else "",
    }
    return render(request, "sessions/timeline.html", context)


def _query(asked: Mapping[str, object], **changes: object) -> str:
    return urlencode({**asked, **changes})


def _labs(actor: Actor) -> Sequence[Organisation]:
    mine = visible_to(Organisation.objects.filter(pk__in=actor.organisations(Role.LAB_MANAGER)), actor)
    return list(mine.order_by("name_pinyin", "name", "pk"))


def _rows(found: Timeline, spoken: Mapping[str, str]) -> list[Row]:
    """The instruments with the days of what was found; ``spoken`` are the words of ``words``."""
    entries: dict[int, list[_Timed]] = {one.pk: [] for one in found.instruments}
    for one in found.entries:
        entries[one.instrument_id].append((one, one.during))
    days = _days(found)
    return [_row(one, entries[one.pk], days, found, spoken) for one in found.instruments]


def _days(found: Timeline) -> list[tuple[date, TimeRange]]:
    """The local days shown, as instants; without one that the zone never had."""
    days = []
    for on in (found.first_on + timedelta(days=place) for place in range(found.span.days)):
        with contextlib.suppress(ValueError):
            days.append((on, local_day(on, found.zone)))
    return days


def _row(
    instrument: Instrument,
    entries: Sequence[_Timed],
    days: Sequence[tuple[date, TimeRange]],
    found: Timeline,
    spoken: Mapping[str, str],
) -> Row:
    zone = instrument.site.time_zone
    shown = [_day(on, day, entries, found.closed[instrument.pk], found, spoken) for on, day in days]
    return Row(instrument, shown, zone if zone != found.zone.key else "")


def _day(
    on: date,
    day: TimeRange,
    entries: Sequence[_Timed],
    closed: Iterable[TimeRange],
    found: Timeline,
    spoken: Mapping[str, str],
) -> Day:
    lines = [
        Line(one, _when(during, day, found), spoken[word_key(one)], _title(one))
        for one, during in entries
        if during.overlaps(day)
    ]
    parts = [part for whole in closed if (part := whole.intersect(day)) is not None]
    return Day(on, lines, [_when(one, day, found) for one in parts])


def _when(during: TimeRange, day: TimeRange, found: Timeline) -> str:
    """From and to on the clock shown; with its dates where it reaches beyond the day."""
    if day.contains(during):
        starts, ends = (to_wall(moment, found.zone) for moment in (during.starts_at, during.ends_at))
        end = "24:00" if during.ends_at == day.ends_at else f"{ends:%H:%M}"
        return f"{starts:%H:%M}–{end}"
    return str(display.range_words(to_wall(during.starts_at, found.zone), to_wall(during.ends_at, found.zone)))


def _title(entry: Entry) -> str:
    return entry.title_en if entry.title_en and (get_language() or "").startswith("en") else entry.title


def word_key(entry: Entry) -> str:
    """Under which name the word for an entry stands in ``words``."""
    if entry.kind == OccupancySource.RESERVATION and entry.state:
        return f"reservation.{entry.state}"
    return f"down.{entry.downtime_kind}" if entry.downtime_kind else entry.kind


def words() -> dict[str, str]:
    """Every word of the timeline, in the reader's language: states and kinds are never a colour alone."""
    out_of_order = [one for one in InstrumentStatus.values if one not in BOOKABLE_STATUSES]
    return {
        **{f"reservation.{state.value}": str(look_of("reservation", state.value).word) for state in ReservationState},
        **{f"down.{kind}": str(name) for kind, name in KIND_NAMES.items()},
        **{f"status.{status}": str(look_of("instrument", status).word) for status in out_of_order},
        "down.breakdown": _("Broken"),
        OccupancySource.RESERVATION.value: _("Another instrument's booking"),
        OccupancySource.MAINTENANCE.value: _("Maintenance"),
        OccupancySource.SUBSCRIBED.value: _("Another calendar"),
        OccupancySource.CHANGE.value: _("Proposed time"),
        OccupancySource.HOLD.value: _("Kept while somebody books"),
        OccupancySource.OFFER.value: _("Kept for the waiting list"),
        "assists": _("%(who)s assists"),
        "closed": _("Closed"),
        "refreshed": _("The timeline was refreshed."),
        "unread": _("This could not be reached. Try again."),
        "moved": _("Moved. The old time is free again."),
        "asked": _("The customer is asked. Until the answer comes, both times are kept."),
    }
