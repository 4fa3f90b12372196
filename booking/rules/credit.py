"""Credit points: what an event costs, what a score leads to, and when that ends.

A lab has rules of its own, the platform may have others; both are kept as a document and looked at side by side. Nothing here is
stored as a state: score and measures follow from the events, so a granted appeal undoes what it led to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from booking.rules.documents import is_whole
from config.kernel.errors import Reason, Refusal
from config.kernel.time_range import TimeRange


class EventKind(StrEnum):
    """What somebody did. Manual events carry points of their own."""

    LATE = "late"
    LEFT_EARLY = "left_early"
    OVERTIME = "overtime"
    BOOKED_OVER = "booked_over"
    NO_SHOW = "no_show"
    NO_FEEDBACK = "no_feedback"
    LATE_CANCEL = "late_cancel"
    MANUAL = "manual"
    USED = "used"
    LICENCE = "licence"


#: What gives points where the rules say so: a session as it was booked, and a licence by course, proof or the lab's word.
GAINED = (EventKind.USED, EventKind.LICENCE)
#: What the platform finds by itself; the points that it takes are set by the rules.
AUTOMATIC = tuple(kind for kind in EventKind if kind is not EventKind.MANUAL and kind not in GAINED)


class MeasureKind(StrEnum):
    """What a low score leads to, the mildest first."""

    NOTICE = "notice"
    WITH_APPROVAL = "with_approval"
    NO_BOOKING = "no_booking"
    INSTRUMENT_LIST = "instrument_list"
    LAB_LIST = "lab_list"
    ACCOUNT_INACTIVE = "account_inactive"


#: What keeps nobody from booking.
MILD = frozenset({MeasureKind.NOTICE, MeasureKind.WITH_APPROVAL})
#: Only the platform's rules can shut somebody out everywhere.
OF_THE_PLATFORM = frozenset({MeasureKind.ACCOUNT_INACTIVE})
MOST_POINTS = 1000
MOST_DAYS = 3650
MOST_THRESHOLDS = 10
MOST_COUNTS = 10
MOST_TIMES = 100
MOST_APPEALS = 100
#: Within which time appeals are counted against ``appeals_a_year``.
APPEAL_YEAR = timedelta(days=365)
_MINUTES = {"late_minutes": 15, "early_minutes": 30, "overtime_minutes": 15}
_MOST_MINUTES = 1440
#: Booked far over used: more than so many percent over it, and by so many minutes at least, with what they may be at most.
_OVER = {"over_percent": (50, 1000), "over_gap_minutes": (60, 14400)}


class Scope(StrEnum):
    LAB = "lab"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A score below ``below`` leads to ``kind``, for ``days`` from the event that led there; None: as long as it is below."""

    below: int
    kind: MeasureKind
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """``times`` events of ``kind`` within ``within_days`` lead to ``leads_to``, whatever the score: for ``days`` from the last of them;
    None: as long as there are so many within the days."""

    kind: EventKind
    times: int
    within_days: int
    leads_to: MeasureKind
    days: int | None = None


@dataclass(frozen=True, slots=True)
class CreditPolicy:
    """``points`` are what each automatic kind takes away (0 or more), ``gains`` what the good kinds give; events older than
    ``window_days`` no longer count for the score, which never rises above ``most_points`` (None: the start points). A person may appeal
    ``appeals_a_year`` times in a year (None: against everything); granted ones do not count.
    """

    start_points: int
    points: Mapping[EventKind, int]
    thresholds: tuple[Threshold, ...]
    window_days: int | None = None
    late_minutes: int = _MINUTES["late_minutes"]
    early_minutes: int = _MINUTES["early_minutes"]
    overtime_minutes: int = _MINUTES["overtime_minutes"]
    over_percent: int = 50
    over_gap_minutes: int = 60
    counts: tuple[Count, ...] = ()
    gains: Mapping[EventKind, int] = field(default_factory=dict)
    most_points: int | None = None
    appeals_a_year: int | None = None

    @property
    def bound(self) -> int:
        """What the score never exceeds."""
        return self.start_points if self.most_points is None else self.most_points

    def points_of(self, kind: EventKind) -> int:
        """The signed points of an event that the platform finds."""
        return self.gains.get(kind, 0) - self.points.get(kind, 0)

    def notes(self, kind: EventKind) -> bool:
        """Whether it is noted: for its points, or because it is counted."""
        return self.points_of(kind) != 0 or any(one.kind is kind for one in self.counts)


@dataclass(frozen=True, slots=True)
class PastEvent:
    """A counted event: signed points under one set of rules. Reversed events and their reversals are not among them."""

    at: datetime
    points: int
    instrument_id: int | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that holds against (or, ``allowed``, for) a person. ``until`` None: no end is known.

    ``why``: ``credit`` (then ``score`` and ``below``), ``count`` (then ``count``) or ``list`` (then ``note`` is the lab's reason).
    """

    kind: MeasureKind
    scope: Scope
    until: datetime | None
    why: str
    score: int = 0
    below: int = 0
    note: str = ""
    count: Count | None = None

    @property
    def blocks(self) -> bool:
        return self.kind not in MILD


@dataclass(frozen=True, slots=True)
class Standing:
    """The score under one set of rules and what follows from it, the strictest first."""

    scope: Scope
    score: int
    most_points: int
    measures: tuple[Measure, ...] = field(default=())


def policy_from(document: Any, scope: Scope) -> CreditPolicy:
    """The rules of a document. Raises Refusal ``credit.*`` with every reason, each on its field.

    Shape: ``{"start_points": 100, "points": {"no_show": 20}, "thresholds": [{"below": 60, "kind": "no_booking", "days": 7}],
    "window_days": 365, "late_minutes": 15, "early_minutes": 30, "overtime_minutes": 15, "counts": [{"kind": "no_show", "times": 3,
    "within_days": 90, "leads_to": "no_booking", "days": 14}], "gains": {"used": 1, "licence": 5}, "most_points": 100,
    "appeals_a_year": 3, "over_percent": 50, "over_gap_minutes": 60}``; only the first is needed.
    """
    reasons: list[Reason] = []
    given: Mapping[str, Any] = document if isinstance(document, dict) else {}
    if not isinstance(document, dict):
        reasons.append(Reason("policy.unreadable", {}, "document"))
    known = {
        "start_points",
        "points",
        "thresholds",
        "window_days",
        "counts",
        "gains",
        "most_points",
        "appeals_a_year",
        *_OVER,
        *_MINUTES,
    }
    reasons += [Reason("credit.unknown_part", {"part_name": str(name)[:60]}, "document") for name in given if name not in known]
    start = _whole(given.get("start_points"), 1, MOST_POINTS, "start_points", reasons)
    costs = _points(given.get("points", {}), AUTOMATIC, "points", reasons)
    gains = _points(given.get("gains", {}), GAINED, "gains", reasons)
    thresholds = _thresholds(given.get("thresholds", []), start, scope, reasons)
    counts = _counts(given.get("counts", []), scope, reasons)
    window = _whole_or_none(given.get("window_days"), 1, MOST_DAYS, "window_days", reasons)
    most = _whole_or_none(given.get("most_points"), start, MOST_POINTS, "most_points", reasons)
    appeals = _whole_or_none(given.get("appeals_a_year"), 1, MOST_APPEALS, "appeals_a_year", reasons)
    minutes = {name: _whole(given.get(name, usual), 0, _MOST_MINUTES, name, reasons) for name, usual in _MINUTES.items()}
    over = {name: _whole(given.get(name, usual), 1, limit, name, reasons) for name, (usual, limit) in _OVER.items()}
    Refusal.raise_any(reasons)
    return CreditPolicy(
        start, costs, thresholds, window, **minutes, **over, counts=counts, gains=gains, most_points=most, appeals_a_year=appeals
    )


def document_of(policy: CreditPolicy) -> dict[str, Any]:
    """The document that ``policy_from`` reads as this policy: what is stored is what was understood."""
    return {
        "start_points": policy.start_points,
        "points": {kind.value: points for kind, points in policy.points.items()},
        "thresholds": [{"below": one.below, "kind": one.kind.value, "days": one.days} for one in policy.thresholds],
        "window_days": policy.window_days,
        **{name: getattr(policy, name) for name in _MINUTES},
        **_said(policy),
    }


def _said(policy: CreditPolicy) -> dict[str, Any]:
    """The parts that are off by default, as far as the policy says anything of them."""
    counts = [
        {
            "kind": one.kind.value,
            "times": one.times,
            "within_days": one.within_days,
            "leads_to": one.leads_to.value,
            "days": one.days,
        }
        for one in policy.counts
    ]
    gains = {kind.value: points for kind, points in policy.gains.items()}
    over = {name: getattr(policy, name) for name in _OVER} if policy.notes(EventKind.BOOKED_OVER) else {}
    parts = over | {"counts": counts, "gains": gains, "most_points": policy.most_points, "appeals_a_year": policy.appeals_a_year}
    return {name: value for name, value in parts.items() if value}


def _points(given: Any, kinds: Sequence[EventKind], part: str, reasons: list[Reason]) -> dict[EventKind, int]:
    if not isinstance(given, dict):
        reasons.append(Reason("policy.unreadable", {}, part))
        return {}
    found: dict[EventKind, int] = {}
    known = {kind.value for kind in kinds}
    for name, value in given.items():
        if name not in known:
            reasons.append(Reason("credit.kind_unknown", {"part_name": str(name)[:60]}, part))
        else:
            found[EventKind(name)] = _whole(value, 0, MOST_POINTS, f"{part}_{name}", reasons)
    return found


def _counts(given: Any, scope: Scope, reasons: list[Reason]) -> tuple[Count, ...]:
    if not isinstance(given, list):
        reasons.append(Reason("policy.unreadable", {}, "counts"))
        return ()
    if len(given) > MOST_COUNTS:
        reasons.append(Reason("credit.too_many_counts", {"maximum": MOST_COUNTS}, "counts"))
        return ()
    found = [_count(place, one if isinstance(one, dict) else {}, scope, reasons) for place, one in enumerate(given, start=1)]
    return tuple(one for one in found if one is not None)


def _count(place: int, row: Mapping[str, Any], scope: Scope, reasons: list[Reason]) -> Count | None:
    unknown = [str(name)[:60] for name in row if name not in ("kind", "times", "within_days", "leads_to", "days")]
    reasons += [Reason("credit.unknown_part", {"part_name": name}, "counts") for name in unknown]
    kind, leads_to = row.get("kind"), row.get("leads_to")
    times = _whole(row.get("times"), 2, MOST_TIMES, f"count_{place}_times", reasons)
    within = _whole(row.get("within_days"), 1, MOST_DAYS, f"count_{place}_within_days", reasons)
    days = _whole_or_none(row.get("days"), 1, MOST_DAYS, f"count_{place}_days", reasons)
    if not isinstance(kind, str) or kind not in AUTOMATIC:
        reasons.append(Reason("credit.counted_unknown", {"place": place}, f"count_{place}_kind"))
        return None
    if not isinstance(leads_to, str) or leads_to not in _measures_of(scope):
        reasons.append(Reason("credit.count_measure_unknown", {"place": place}, f"count_{place}_leads_to"))
        return None
    return Count(EventKind(kind), times, within, MeasureKind(leads_to), days)


def _measures_of(scope: Scope) -> list[MeasureKind]:
    """What rules may lead to: a lab's never shut anybody out everywhere."""
    return [kind for kind in MeasureKind if scope is Scope.PLATFORM or kind not in OF_THE_PLATFORM]


def _thresholds(given: Any, start: int, scope: Scope, reasons: list[Reason]) -> tuple[Threshold, ...]:
    if isinstance(given, list) and len(given) > MOST_THRESHOLDS:
        reasons.append(Reason("credit.too_many_thresholds", {"maximum": MOST_THRESHOLDS}, "thresholds"))
        return ()
    known = _measures_of(scope)
    found = []
    if not isinstance(given, list):
        reasons.append(Reason("policy.unreadable", {}, "thresholds"))
        return ()
    for place, one in enumerate(given, start=1):
        row = one if isinstance(one, dict) else {}
        unknown = [str(name)[:60] for name in row if name not in ("below", "kind", "days")]
        reasons += [Reason("credit.unknown_part", {"part_name": name}, "thresholds") for name in unknown]
        kind = row.get("kind")
        if not isinstance(kind, str) or kind not in known:
            reasons.append(Reason("credit.measure_unknown", {"place": place}, f"threshold_{place}_kind"))
            continue
        below = _whole(row.get("below"), 1, max(start, 1), f"threshold_{place}_below", reasons)
        days = _whole_or_none(row.get("days"), 1, MOST_DAYS, f"threshold_{place}_days", reasons)
        if MeasureKind(kind) is MeasureKind.NO_BOOKING and days is None:
            reasons.append(Reason("credit.days_missing", {"place": place}, f"threshold_{place}_days"))
        found.append(Threshold(below, MeasureKind(kind), days))
    return tuple(found)


def _whole(value: Any, least: int, most: int, name: str, reasons: list[Reason]) -> int:
    if not is_whole(value) or not least <= value <= most:
        reasons.append(Reason("credit.number_out_of_range", {"minimum": least, "maximum": most}, name))
        return least
    return value


def _whole_or_none(value: Any, least: int, most: int, name: str, reasons: list[Reason]) -> int | None:
    return None if value is None else _whole(value, least, most, name, reasons)


def standing_of(
    policy: CreditPolicy, scope: Scope, events: Sequence[PastEvent], at: datetime, instrument_id: int | None = None
) -> Standing:
    """The score at ``at`` and the measures that hold then, the strictest first.

    A list for one instrument holds where an event that counts happened on it; without ``instrument_id`` it is told for all.
    """
    oldest = None if policy.window_days is None else at - timedelta(days=policy.window_days)
    known = sorted((one for one in events if one.at <= at), key=_place)
    counted = [one for one in known if oldest is None or one.at > oldest]
    scores = list(_scores(policy, counted))
    score = scores[-1] if scores else policy.start_points
    measures = _counted_measures(policy, scope, known, at, instrument_id)
    for threshold in policy.thresholds:
        since = _last_fall_below(threshold.below, counted, scores)
        if since is None or not _concerns(threshold, counted, instrument_id):
            continue
        until = None if threshold.days is None else since + timedelta(days=threshold.days)
        if score < threshold.below if until is None else at < until:
            measures.append(Measure(threshold.kind, scope, until, "credit", score, threshold.below))
    return Standing(scope, score, policy.bound, tuple(strictest_first(measures)))


def _place(event: PastEvent) -> tuple[Any, ...]:
    """The order in which events count, whatever the order in which they are read: of one moment, what takes points comes first."""
    return event.at, event.points, event.kind, event.instrument_id or 0


def _scores(policy: CreditPolicy, counted: Sequence[PastEvent]) -> Iterator[int]:
    """The score after each event, never below 0 nor above the bound: what is given beyond it is not saved for later."""
    running = policy.start_points
    for event in counted:
        running = min(max(running + event.points, 0), policy.bound)
        yield running


def _last_fall_below(below: int, counted: Sequence[PastEvent], scores: Sequence[int]) -> datetime | None:
    """When an event last took points and left fewer than ``below``."""
    return next(
        (
            event.at
            for event, score in zip(reversed(counted), reversed(scores), strict=True)
            if event.points < 0 and score < below
        ),
        None,
    )


def _counted_measures(
    policy: CreditPolicy, scope: Scope, known: Sequence[PastEvent], at: datetime, instrument_id: int | None
) -> list[Measure]:
    """What follows from how often something happened. A count has days of its own: ``window_days`` is for the score alone."""
    found = []
    for count in policy.counts:
        reached = _last_reached(count, known)
        if not reached or not _happened_there(count, reached, instrument_id):
            continue
        until = count_ends_at(count, reached)
        if at < until:
            found.append(Measure(count.leads_to, scope, until, "count", count=count))
    return found


def _last_reached(count: Count, known: Sequence[PastEvent]) -> Sequence[PastEvent]:
    """The latest events of the kind that are as many as it takes within the days; nothing where there never were."""
    of_kind = [one for one in known if one.kind == count.kind]
    within = timedelta(days=count.within_days)
    for last in range(len(of_kind), count.times - 1, -1):
        reached = of_kind[last - count.times : last]
        if reached[-1].at - reached[0].at < within:
            return reached
    return ()


def count_ends_at(count: Count, reached: Sequence[PastEvent]) -> datetime:
    """When what follows from the events of a count ends: some days after the last, or when the first of them is too long ago."""
    if count.days is None:
        return reached[0].at + timedelta(days=count.within_days)
    return reached[-1].at + timedelta(days=count.days)


def _happened_there(count: Count, reached: Sequence[PastEvent], instrument_id: int | None) -> bool:
    if count.leads_to is not MeasureKind.INSTRUMENT_LIST or instrument_id is None:
        return True
    return any(event.instrument_id == instrument_id for event in reached)


def _concerns(threshold: Threshold, counted: Sequence[PastEvent], instrument_id: int | None) -> bool:
    if threshold.kind is not MeasureKind.INSTRUMENT_LIST or instrument_id is None:
        return True
    return any(event.points < 0 and event.instrument_id == instrument_id for event in counted)


def strictest_first(measures: Sequence[Measure]) -> list[Measure]:
    """By kind, and of one kind the one that lasts longest first."""
    order = list(MeasureKind)
    return sorted(measures, key=lambda one: (-order.index(one.kind), one.until is not None, -_seconds(one.until)))


def _seconds(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp())


def strictest(measures: Sequence[Measure]) -> Measure | None:
    """The one that keeps somebody from booking, if one does."""
    return next((one for one in strictest_first(measures) if one.blocks), None)


def measure_reason(measure: Measure, zone: ZoneInfo) -> Reason:
    """Why somebody cannot book: ``measure.credit``, ``measure.counted``, ``measure.listed``, ``measure.stopped``.

    Each has ``_until`` where an end is known.

    Labs read the reason too (they try their rules, and move what is booked): what the operator wrote about somebody is not in it.
    """
    params: dict[str, Any] = {}
    if measure.count is not None and measure.scope is Scope.LAB:  # what happened at other labs is not told to this one
        code, params = "measure.counted", _params_of(measure.count)
    elif measure.why != "list":
        code = "measure.credit"
    elif measure.scope is Scope.PLATFORM:
        code = "measure.stopped"
    else:
        code, params = "measure.listed", {"note": measure.note}
    if measure.until is None:
        return Reason(code, params)
    return Reason(f"{code}_until", params | {"until_at": measure.until.astimezone(zone).isoformat()})


def _params_of(count: Count) -> dict[str, Any]:
    return {"credit_event": count.kind.value, "times": count.times, "within_days": count.within_days}


def next_appeal_at(policies: Sequence[CreditPolicy | None], made: Sequence[datetime], now: datetime) -> datetime | None:
    """From when another appeal is possible, where the stricter of the rules says that there were enough within a year; None: now.

    ``made`` are the moments of the appeals that count.
    """
    limits = [one.appeals_a_year for one in policies if one is not None and one.appeals_a_year is not None]
    recent = sorted((one for one in made if one > now - APPEAL_YEAR), reverse=True)
    if not limits or len(recent) < min(limits):
        return None
    return recent[min(limits) - 1] + APPEAL_YEAR


#: What the times of a session say about it, so that other times may say otherwise.
MEASURED = (EventKind.LATE, EventKind.LEFT_EARLY, EventKind.OVERTIME, EventKind.BOOKED_OVER, EventKind.USED)


def session_events(policy: CreditPolicy, booked: TimeRange, started_at: datetime, ended_at: datetime) -> list[EventKind]:
    """What the measured time of a session says: late, left early, overtime; each beyond the minutes that the rules let pass."""
    found = []
    if started_at - booked.starts_at > timedelta(minutes=policy.late_minutes):
        found.append(EventKind.LATE)
    if booked.ends_at - ended_at > timedelta(minutes=policy.early_minutes):
        found.append(EventKind.LEFT_EARLY)
    if ended_at - booked.ends_at > timedelta(minutes=policy.overtime_minutes):
        found.append(EventKind.OVERTIME)
    return found


def is_booked_over(policy: CreditPolicy, booked: TimeRange, started_at: datetime, ended_at: datetime) -> bool:
    """Whether far more was booked than used, by the percentage and the smallest gap of the rules."""
    used = max(ended_at - started_at, timedelta())
    gap = booked.duration - used
    return gap >= timedelta(minutes=policy.over_gap_minutes) and gap * 100 > used * policy.over_percent


class AppealState(StrEnum):
    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"


class AppealAction(StrEnum):
    GRANT = "grant"
    REFUSE = "refuse"


APPEALS: dict[AppealState, dict[AppealAction, AppealState]] = {
    AppealState.OPEN: {AppealAction.GRANT: AppealState.GRANTED, AppealAction.REFUSE: AppealState.REFUSED},
    AppealState.GRANTED: {},
    AppealState.REFUSED: {},
}


def next_appeal_state(state: AppealState, action: AppealAction) -> AppealState:
    """The state after a decision. Raises Refusal ``credit.appeal_decided`` for one that is decided already."""
    try:
        return APPEALS[state][action]
    except KeyError:
        raise Refusal.of("credit.appeal_decided", state=state.value) from None
