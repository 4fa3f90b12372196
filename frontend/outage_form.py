"""What somebody chose for the bookings that an outage hits: read from a form, and shown again as it was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.http import QueryDict

from billing.settlement.reservation_figures import Figures
from booking.downtime_wording import CHOICE_NAMES
from booking.models import Reservation, SampleJob
from booking.queries.downtimes import Hit
from booking.queries.promises import MOST_JOBS, Risk, Risks
from booking.rules.downtime import MOST_DECIDED, MOST_TIMES, Choice
from booking.services.downtimes import Decision
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from frontend.booking_form import read_day, read_id, read_moment, require_range
from frontend.presenters.quote import range_words
from instruments.models import Instrument

_MOVE = "move"


@dataclass(frozen=True, slots=True)
class Option:
    """A radio button or a box: what it sends, what it says."""

    value: str
    words: str
    checked: bool


@dataclass(frozen=True, slots=True)
class HitRow:
    """One booking with what may be chosen; ``figures`` is the money that is held for it."""

    reservation: Reservation
    figures: Figures | None
    runs: bool
    only_proposed: bool
    choices: list[Option]
    times: list[Option]
    elsewhere: Option | None
    elsewhere_at: Instrument | None


def rows_of(hits: list[Hit], figures: Mapping[int, Figures], zone: str, typed: QueryDict | None) -> list[HitRow]:
    """The rows; what was typed before stays chosen."""
    return [_row(hit, figures.get(hit.reservation.pk), zone, typed) for hit in hits]


def _row(hit: Hit, figures: Figures | None, zone: str, typed: QueryDict | None) -> HitRow:
    pk = hit.reservation.pk
    said = typed is not None and str(pk) in typed.getlist("seen")
    chosen = typed.get(f"choice_{pk}", "") if typed is not None and said else ""
    if chosen not in hit.choices:
        chosen = hit.choices[0].value if hit.choices else ""
    ticked = set(typed.getlist(f"times_{pk}")) if typed is not None and said else None
    choices = [Option(one.value, str(CHOICE_NAMES[one.value]), one.value == chosen) for one in hit.choices]
    times = [_time(during, zone, ticked) for during in hit.times]
    other, place = None, None
    if hit.elsewhere is not None:
        place, starts_at = hit.elsewhere.instrument, hit.elsewhere.during.starts_at
        value = f"{place.pk}/{starts_at.isoformat()}"
        names_it = not said or (typed is not None and bool(typed.get(f"elsewhere_{pk}")))
        other = Option(value, range_words(hit.elsewhere.during, place.site.time_zone), names_it)
    return HitRow(hit.reservation, figures, hit.runs, hit.only_proposed, choices, times, other, place)


def _time(during: TimeRange, zone: str, ticked: set[str] | None) -> Option:
    value = f"{during.starts_at.isoformat()}/{during.ends_at.isoformat()}"
    return Option(value, range_words(during, zone), ticked is None or value in ticked)


@dataclass(frozen=True, slots=True)
class JobRow:
    """One promised result that is at risk. ``may_move``: the lab may promise another day here; ``moves``: it was chosen to. ``day`` is what
    the field of the new day holds."""

    job: SampleJob
    falls_due: bool
    samples_lost: int
    others: tuple[Instrument, ...]
    may_move: bool
    moves: bool
    day: str


def job_rows_of(risks: Risks, typed: QueryDict) -> list[JobRow]:
    """The rows; what was typed before stays."""
    return [_job_row(one, typed) for one in risks.jobs]


def _job_row(risk: Risk, typed: QueryDict) -> JobRow:
    pk, suggested = risk.job.pk, risk.suggested_on
    said = str(pk) in typed.getlist("jobs")
    moves = said and typed.get(f"promise_{pk}") == _MOVE
    day = typed.get(f"promised_on_{pk}", "") if said else suggested.isoformat() if suggested else ""
    return JobRow(risk.job, risk.falls_due, risk.samples_lost, risk.others, suggested is not None, moves, day)


def typed_again(promises: Mapping[int, date]) -> str:
    """Moves that were chosen, as an address fills the form with them."""
    again = QueryDict(mutable=True)
    for pk, day in promises.items():
        again.appendlist("jobs", str(pk))
        again[f"promise_{pk}"] = _MOVE
        again[f"promised_on_{pk}"] = day.isoformat()
    return again.urlencode()


def promises_in(given: QueryDict) -> dict[int, date]:
    """The new days of the jobs whose promise is moved. Raises Refusal ``booking.day_unreadable``."""
    jobs = filter(None, (read_id(text) for text in given.getlist("jobs")[:MOST_JOBS]))
    return {pk: _promised(given, pk) for pk in jobs if given.get(f"promise_{pk}") == _MOVE}


def _promised(given: QueryDict, pk: int) -> date:
    day = read_day(given.get(f"promised_on_{pk}", ""))
    if day is None:
        raise Refusal.of("booking.day_unreadable", field=f"promised_on_{pk}")
    return day


def seen_in(given: QueryDict) -> frozenset[int]:
    """The bookings that the page showed."""
    return frozenset(filter(None, (read_id(text) for text in given.getlist("seen")[:MOST_DECIDED])))


def decisions_in(given: QueryDict) -> dict[int, Decision]:
    """What was chosen for those that the page showed. Raises Refusal ``booking.time_unreadable``."""
    return {pk: _decision(given, pk) for pk in seen_in(given) if given.get(f"choice_{pk}", "") in list(Choice)}


def _decision(given: QueryDict, pk: int) -> Decision:
    choice = Choice(given.get(f"choice_{pk}", ""))
    times = given.getlist(f"times_{pk}")[:MOST_TIMES] if choice is Choice.OFFER else []
    place = "another" if choice is Choice.ANOTHER else "elsewhere"
    return Decision(choice, tuple(map(require_range, times)), _elsewhere(given.get(f"{place}_{pk}", "")))


def _elsewhere(text: str) -> tuple[int, datetime] | None:
    other, _slash, at = text.partition("/")
    if not read_id(other):
        return None
    if (starts_at := read_moment(at)) is None:
        raise Refusal.of("booking.time_unreadable", field="time")
    return read_id(other), starts_at
