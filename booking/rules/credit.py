"""Credit points: what an event costs, what a score leads to, and when that ends.

A lab has rules of its own, the platform may have others; both are kept as a document and looked at side by side. Nothing here is
stored as a state: score and measures follow from the events, so a granted appeal undoes what it led to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    NO_SHOW = "no_show"
    NO_FEEDBACK = "no_feedback"
    LATE_CANCEL = "late_cancel"
    MANUAL = "manual"


#: What the platform finds by itself; its points are set by the rules.
AUTOMATIC = tuple(kind for kind in EventKind if kind is not EventKind.MANUAL)


class MeasureKind(StrEnum):
    """What a low score leads to, the mildest first."""

    NOTICE = "notice"
    NO_BOOKING = "no_booking"
    INSTRUMENT_LIST = "instrument_list"
    LAB_LIST = "lab_list"
    ACCOUNT_INACTIVE = "account_inactive"


#: Only the platform's rules can shut somebody out everywhere.
OF_THE_PLATFORM = frozenset({MeasureKind.ACCOUNT_INACTIVE})
MOST_POINTS = 1000
MOST_DAYS = 3650
MOST_THRESHOLDS = 10
_MINUTES = {"late_minutes": 15, "early_minutes": 30, "overtime_minutes": 15}
_MOST_MINUTES = 1440


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
class CreditPolicy:
    """``points`` are what each automatic kind takes away (0 or more); events older than ``window_days`` no longer count."""

    start_points: int
    points: Mapping[EventKind, int]
    thresholds: tuple[Threshold, ...]
    window_days: int | None = None
    late_minutes: int = _MINUTES["late_minutes"]
    early_minutes: int = _MINUTES["early_minutes"]
    overtime_minutes: int = _MINUTES["overtime_minutes"]

    def cost_of(self, kind: EventKind) -> int:
        """The signed points of an automatic event: 0 or less."""
        return -self.points.get(kind, 0)


@dataclass(frozen=True, slots=True)
class PastEvent:
    """A counted event: signed points under one set of rules. Reversed events and their reversals are not among them."""

    at: datetime
    points: int
    instrument_id: int | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that holds against (or, ``allowed``, for) a person. ``until`` None: no end is known.

    ``why``: ``credit`` (then ``score`` and ``below``) or ``list`` (then ``note`` is the lab's reason).
    """

    kind: MeasureKind
    scope: Scope
    until: datetime | None
    why: str
    score: int = 0
    below: int = 0
    note: str = ""

    @property
    def blocks(self) -> bool:
        return self.kind is not MeasureKind.NOTICE


@dataclass(frozen=True, slots=True)
class Standing:
    """The score under one set of rules and what follows from it, the strictest first."""

    scope: Scope
    score: int
    start_points: int
    measures: tuple[Measure, ...] = field(default=())


def policy_from(document: Any, scope: Scope) -> CreditPolicy:
    """The rules of a document. Raises Refusal ``credit.*`` with every reason, each on its field.

    Shape: ``{"start_points": 100, "points": {"no_show": 20}, "thresholds": [{"below": 60, "kind": "no_booking", "days": 7}],
    "window_days": 365, "late_minutes": 15, "early_minutes": 30, "overtime_minutes": 15}``; only the first is needed.
    """
    reasons: list[Reason] = []
    given: Mapping[str, Any] = document if isinstance(document, dict) else {}
    if not isinstance(document, dict):
        reasons.append(Reason("policy.unreadable", {}, "document"))
    known = {"start_points", "points", "thresholds", "window_days", *_MINUTES}
    reasons += [Reason("credit.unknown_part", {"part_name": str(name)[:60]}, "document") for name in given if name not in known]
    start = _whole(given.get("start_points"), 1, MOST_POINTS, "start_points", reasons)
    costs = _costs(given.get("points", {}), reasons)
    thresholds = _thresholds(given.get("thresholds", []), start, scope, reasons)
    window = given.get("window_days")
    window = None if window is None else _whole(window, 1, MOST_DAYS, "window_days", reasons)
    minutes = {name: _whole(given.get(name, usual), 0, _MOST_MINUTES, name, reasons) for name, usual in _MINUTES.items()}
    Refusal.raise_any(reasons)
    return CreditPolicy(start, costs, thresholds, window, **minutes)


def document_of(policy: CreditPolicy) -> dict[str, Any]:
    """The document that ``policy_from`` reads as this policy: what is stored is what was understood."""
    return {
        "start_points": policy.start_points,
        "points": {kind.value: points for kind, points in policy.points.items()},
        "thresholds": [{"below": one.below, "kind": one.kind.value, "days": one.days} for one in policy.thresholds],
        "window_days": policy.window_days,
        **{name: getattr(policy, name) for name in _MINUTES},
    }


def _costs(given: Any, reasons: list[Reason]) -> dict[EventKind, int]:
    if not isinstance(given, dict):
        reasons.append(Reason("policy.unreadable", {}, "points"))
        return {}
    costs: dict[EventKind, int] = {}
    for name, value in given.items():
        if name not in {kind.value for kind in AUTOMATIC}:
            reasons.append(Reason("credit.kind_unknown", {"part_name": str(name)[:60]}, "points"))
        else:
            costs[EventKind(name)] = _whole(value, 0, MOST_POINTS, f"points_{name}", reasons)
    return costs


def _thresholds(given: Any, start: int, scope: Scope, reasons: list[Reason]) -> tuple[Threshold, ...]:
    if isinstance(given, list) and len(given) > MOST_THRESHOLDS:
        reasons.append(Reason("credit.too_many_thresholds", {"maximum": MOST_THRESHOLDS}, "thresholds"))
        return ()
    known = [kind for kind in MeasureKind if scope is Scope.PLATFORM or kind not in OF_THE_PLATFORM]
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
        days = row.get("days")
        days = None if days is None else _whole(days, 1, MOST_DAYS, f"threshold_{place}_days", reasons)
        if MeasureKind(kind) is MeasureKind.NO_BOOKING and days is None:
            reasons.append(Reason("credit.days_missing", {"place": place}, f"threshold_{place}_days"))
        found.append(Threshold(below, MeasureKind(kind), days))
    return tuple(found)


def _whole(value: Any, least: int, most: int, name: str, reasons: list[Reason]) -> int:
    if not is_whole(value) or not least <= value <= most:
        reasons.append(Reason("credit.number_out_of_range", {"minimum": least, "maximum": most}, name))
        return least
    return value


def standing_of(
    policy: CreditPolicy, scope: Scope, events: Sequence[PastEvent], at: datetime, instrument_id: int | None = None
) -> Standing:
    """The score at ``at`` and the measures that hold then, the strictest first.

    A list for one instrument holds where an event that counts happened on it; without ``instrument_id`` it is told for all.
    """
    oldest = None if policy.window_days is None else at - timedelta(days=policy.window_days)
    counted = sorted((one for one in events if one.at <= at and (oldest is None or one.at > oldest)), key=lambda one: one.at)
    score = policy.start_points + sum(one.points for one in counted)
    measures = []
    for threshold in policy.thresholds:
        since = _last_fall_below(threshold.below, policy.start_points, counted)
        if since is None or not _concerns(threshold, counted, instrument_id):
            continue
        until = None if threshold.days is None else since + timedelta(days=threshold.days)
        if score < threshold.below if until is None else at < until:
            measures.append(Measure(threshold.kind, scope, until, "credit", score, threshold.below))
    return Standing(scope, score, policy.start_points, tuple(strictest_first(measures)))


def _last_fall_below(below: int, start: int, counted: Sequence[PastEvent]) -> datetime | None:
    """When an event last took points and left fewer than ``below``."""
    running, since = start, None
    for event in counted:
        running += event.points
        if event.points < 0 and running < below:
            since = event.at
    return since


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
    """Why somebody cannot book: ``measure.credit``, ``measure.listed``, ``measure.stopped``, each with ``_until`` where an end is known.

    Labs read the reason too (they try their rules, and move what is booked): what the operator wrote about somebody is not in it.
    """
    params: dict[str, Any] = {}
    if measure.why != "list":
        code = "measure.credit"
    elif measure.scope is Scope.PLATFORM:
        code = "measure.stopped"
    else:
        code, params = "measure.listed", {"note": measure.note}
    if measure.until is None:
        return Reason(code, params)
    return Reason(f"{code}_until", params | {"until_at": measure.until.astimezone(zone).isoformat()})


#: What the times of a session say about it, so that other times may say otherwise.
MEASURED = (EventKind.LATE, EventKind.LEFT_EARLY, EventKind.OVERTIME)


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
