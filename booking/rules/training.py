"""Training, exams and licences: levels, how long a licence lasts, and one table for each life that says what may follow what."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from config.kernel.errors import Refusal
from instruments.rules.wall_time import start_instant, to_wall


class Level(StrEnum):
    """What a licence allows, the least first; each includes those before it."""

    ASSISTED = "assisted"
    SELF = "self"
    OFF_HOURS = "off_hours"


_ORDER = tuple(Level)


def with_implied(levels: Iterable[str]) -> frozenset[str]:
    """The levels and all that they include; what is no level is left out."""
    places = [_ORDER.index(Level(level)) for level in levels if level in _ORDER]
    return frozenset(str(level) for level in _ORDER[: max(places) + 1]) if places else frozenset()


def months_after(moment: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The same wall time ``months`` later in ``zone``; the last day of a shorter month stands for days it does not have."""
    wall = to_wall(moment, zone)
    count = wall.year * 12 + wall.month - 1 + months
    year, month = divmod(count, 12)
    day = min(wall.day, monthrange(year, month + 1)[1])
    return start_instant(wall.replace(year=year, month=month + 1, day=day), zone)


class EnrolmentState(StrEnum):
    WAITING = "waiting"
    ENROLLED = "enrolled"
    WITHDRAWN = "withdrawn"
    CALLED_OFF = "called_off"
    ATTENDED = "attended"
    ABSENT = "absent"
    PASSED = "passed"
    FAILED = "failed"


class EnrolmentAction(StrEnum):
    """``MOVE_UP``: a place has become free for somebody who waits."""

    MOVE_UP = "move_up"
    WITHDRAW = "withdraw"
    CALL_OFF = "call_off"
    ATTEND = "attend"
    MISS = "miss"
    PASS = "pass"  # noqa: S105  (of an exam)
    FAIL = "fail"


class LicenceState(StrEnum):
    """A licence that has run out stays ``valid``: time is no state."""

    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class LicenceAction(StrEnum):
    SUSPEND = "suspend"
    RESTORE = "restore"
    REVOKE = "revoke"


class RecognitionState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class RecognitionAction(StrEnum):
    ACCEPT = "accept"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


ENROLMENTS: dict[EnrolmentState, dict[EnrolmentAction, EnrolmentState]] = {
    EnrolmentState.WAITING: {
        EnrolmentAction.MOVE_UP: EnrolmentState.ENROLLED,
        EnrolmentAction.WITHDRAW: EnrolmentState.WITHDRAWN,
        EnrolmentAction.CALL_OFF: EnrolmentState.CALLED_OFF,
    },
    EnrolmentState.ENROLLED: {
        EnrolmentAction.WITHDRAW: EnrolmentState.WITHDRAWN,
        EnrolmentAction.CALL_OFF: EnrolmentState.CALLED_OFF,
        EnrolmentAction.ATTEND: EnrolmentState.ATTENDED,
        EnrolmentAction.MISS: EnrolmentState.ABSENT,
    },
    EnrolmentState.ATTENDED: {
        EnrolmentAction.PASS: EnrolmentState.PASSED,
        EnrolmentAction.FAIL: EnrolmentState.FAILED,
    },
    EnrolmentState.WITHDRAWN: {},
    EnrolmentState.CALLED_OFF: {},
    EnrolmentState.ABSENT: {},
    EnrolmentState.PASSED: {},
    EnrolmentState.FAILED: {},
}
LICENCES: dict[LicenceState, dict[LicenceAction, LicenceState]] = {
    LicenceState.VALID: {
        LicenceAction.SUSPEND: LicenceState.SUSPENDED,
        LicenceAction.REVOKE: LicenceState.REVOKED,
    },
    LicenceState.SUSPENDED: {
        LicenceAction.RESTORE: LicenceState.VALID,
        LicenceAction.REVOKE: LicenceState.REVOKED,
    },
    LicenceState.REVOKED: {},
}
RECOGNITIONS: dict[RecognitionState, dict[RecognitionAction, RecognitionState]] = {
    RecognitionState.OPEN: {
        RecognitionAction.ACCEPT: RecognitionState.ACCEPTED,
        RecognitionAction.REFUSE: RecognitionState.REFUSED,
        RecognitionAction.WITHDRAW: RecognitionState.WITHDRAWN,
    },
    RecognitionState.ACCEPTED: {},
    RecognitionState.REFUSED: {},
    RecognitionState.WITHDRAWN: {},
}

#: In these a person holds a place, or waits for one, or for the result.
LIVE_ENROLMENTS = frozenset({EnrolmentState.WAITING, EnrolmentState.ENROLLED, EnrolmentState.ATTENDED})

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


def step(table: dict[S, dict[A, S]], state: S, action: A) -> S:
    """The state after ``action``. Raises Refusal ``training.illegal_step`` when the table has no such step."""
    try:
        return table[state][action]
    except KeyError:
        raise Refusal.of("training.illegal_step", state=state.value, action=action.value) from None
