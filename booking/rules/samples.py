"""The life of a sample job and of each of its samples: two tables say what may follow what, and the job follows its samples."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum

from config.kernel.errors import Refusal

MOST_SAMPLES = 500
"""So many samples get a label each; who sends more splits them into several jobs."""
MOST_ELEMENTS = 200
MOST_EXTRAS = 20
MOST_REPORTS = 20
MOST_OBJECTIONS = 2
"""After so many a report stands, and the two sides speak with each other or with the operator."""
MOST_PARCELS = 20
NAME_LENGTH = 100
WORDS_LENGTH = 300
NOTE_LENGTH = 1000
MOST_EXTRA_FEN = 1_000_000_000
REVIEW_DAYS = 7
"""So many days after the report a job closes by itself unless the customer objects."""
ANSWER_DAYS, REMIND_DAYS, UNSENT_DAYS = 7, 7, 14
"""So many days after samples were expected a job ends that the lab has not answered, the customer of an accepted one is reminded, and an
accepted one ends when none has come."""


class JobState(StrEnum):
    ASKED = "asked"
    ACCEPTED = "accepted"
    RECEIVED = "received"
    PREPARING = "preparing"
    TESTED = "tested"
    REPORTED = "reported"
    CLOSED = "closed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAILED = "failed"


class JobEvent(StrEnum):
    """``FOLLOW``: the job goes where its samples are. ``LAPSE``: nobody answered, or sent anything, in time. ``TAKE_BACK``: the lab takes
    its answer back before it is told."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    CANCEL = "cancel"
    LAPSE = "lapse"
    FOLLOW = "follow"
    FAIL = "fail"
    REPORT = "report"
    OBJECT = "object"
    CLOSE = "close"
    TAKE_BACK = "take_back"


PROMISE_MOVED = "promise"
"""In the history of a job: its promised day was moved, which is no step to another state."""


class SampleState(StrEnum):
    EXPECTED = "expected"
    RECEIVED = "received"
    PREPARED = "prepared"
    TESTED = "tested"
    UNFIT = "unfit"
    LOST = "lost"


class SampleStep(StrEnum):
    RECEIVE = "receive"
    PREPARE = "prepare"
    TEST = "test"
    FIND_UNFIT = "find_unfit"
    LOSE = "lose"
    TAKE_BACK = "take_back"


class Remains(StrEnum):
    """Where what is left of a sample is. ``WITH_LAB`` until somebody says more; the last two are the end of it."""

    WITH_LAB = "with_lab"
    KEPT = "kept"
    RETURNED = "returned"
    DISCARDED = "discarded"


class RemainsWish(StrEnum):
    """What the customer wants done with what is left."""

    RETURN = "return"
    DISCARD = "discard"
    KEEP = "keep"


class ExtraKind(StrEnum):
    EXTRA = "extra"
    RETEST = "retest"


class ExtraState(StrEnum):
    """Only what is ``AGREED`` is ever charged."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ExtraEvent(StrEnum):
    AGREE = "agree"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


class Direction(StrEnum):
    """Which way a parcel goes."""

    TO_LAB = "to_lab"
    BACK = "back"


_IN_LAB = {JobEvent.CANCEL: JobState.CANCELLED, JobEvent.FAIL: JobState.FAILED}
_JOB: dict[JobState, dict[JobEvent, JobState | None]] = {
    JobState.ASKED: {
        JobEvent.ACCEPT: JobState.ACCEPTED,
        JobEvent.REFUSE: JobState.REFUSED,
        JobEvent.CANCEL: JobState.CANCELLED,
        JobEvent.LAPSE: JobState.CANCELLED,
    },
    JobState.ACCEPTED: {
        JobEvent.FOLLOW: None,
        JobEvent.LAPSE: JobState.CANCELLED,
        JobEvent.TAKE_BACK: JobState.ASKED,
        **_IN_LAB,
    },
    JobState.RECEIVED: {JobEvent.FOLLOW: None, **_IN_LAB},
    JobState.PREPARING: {JobEvent.FOLLOW: None, **_IN_LAB},
    JobState.TESTED: {JobEvent.FOLLOW: None, JobEvent.REPORT: JobState.REPORTED, **_IN_LAB},
    JobState.REPORTED: {
        JobEvent.REPORT: JobState.REPORTED,
        JobEvent.OBJECT: JobState.TESTED,
        JobEvent.CLOSE: JobState.CLOSED,
    },
    JobState.CLOSED: {},
    JobState.REFUSED: {JobEvent.TAKE_BACK: JobState.ASKED},
    JobState.CANCELLED: {},
    JobState.FAILED: {},
}
"""None: where the samples say."""

WORKING = frozenset({JobState.ACCEPTED, JobState.RECEIVED, JobState.PREPARING, JobState.TESTED})
"""The lab has work to do on it; its samples go on."""
ALL_HERE = WORKING - {JobState.ACCEPTED}
"""All its samples that are tested at all are at the lab."""
HOLDING = WORKING | {JobState.REPORTED}
"""Its money is held."""
ENDED = frozenset(state for state, events in _JOB.items() if not events.keys() - {JobEvent.TAKE_BACK})
DONE = frozenset({JobState.REPORTED, JobState.CLOSED})
"""The lab has done what was asked."""
TAKES_CAPACITY = HOLDING | {JobState.ASKED, JobState.CLOSED}
"""Its days stay promised to it, also afterwards: they were worked on."""

_SAMPLE: dict[SampleState, dict[SampleStep, SampleState]] = {
    SampleState.EXPECTED: {SampleStep.RECEIVE: SampleState.RECEIVED, SampleStep.LOSE: SampleState.LOST},
    SampleState.RECEIVED: {
        SampleStep.PREPARE: SampleState.PREPARED,
        SampleStep.TEST: SampleState.TESTED,
        SampleStep.FIND_UNFIT: SampleState.UNFIT,
        SampleStep.LOSE: SampleState.LOST,
        SampleStep.TAKE_BACK: SampleState.EXPECTED,
    },
    SampleState.PREPARED: {
        SampleStep.TEST: SampleState.TESTED,
        SampleStep.FIND_UNFIT: SampleState.UNFIT,
        SampleStep.LOSE: SampleState.LOST,
        SampleStep.TAKE_BACK: SampleState.RECEIVED,
    },
    SampleState.TESTED: {SampleStep.TAKE_BACK: SampleState.PREPARED},
    SampleState.UNFIT: {SampleStep.TAKE_BACK: SampleState.RECEIVED},
    SampleState.LOST: {SampleStep.TAKE_BACK: SampleState.EXPECTED},
}
NOT_TESTED = frozenset({SampleState.UNFIT, SampleState.LOST})
"""Nothing can be measured on these any more; they are not charged."""
NOT_HERE = frozenset({SampleState.EXPECTED, SampleState.LOST})
"""The lab does not have these."""
WORKED_ON = frozenset({SampleState.PREPARED, SampleState.TESTED})
"""The lab has begun with these: the job came, and its days are those on which they are worked on."""
NEED_REASON = frozenset({SampleStep.FIND_UNFIT, SampleStep.LOSE})
WORKS = frozenset({SampleStep.PREPARE, SampleStep.TEST})
"""These are what a programme subsidises."""
CAN_COMPLETE = frozenset({SampleStep.RECEIVE, *NEED_REASON})
"""After one of these every sample may be at the lab, or none be left to wait for: the job's days may move."""
SAMPLES_IN_ORDER = (SampleState.EXPECTED, SampleState.RECEIVED, SampleState.PREPARED, SampleState.TESTED)
JOBS_IN_ORDER = (JobState.ACCEPTED, JobState.RECEIVED, JobState.PREPARING, JobState.TESTED)
"""Where a job is whose least far sample is at the same place of ``SAMPLES_IN_ORDER``."""

_EXTRA = {ExtraEvent.AGREE: ExtraState.AGREED, ExtraEvent.DECLINE: ExtraState.DECLINED, ExtraEvent.WITHDRAW: ExtraState.WITHDRAWN}
_REMAINS: dict[Remains, frozenset[Remains]] = {
    Remains.WITH_LAB: frozenset({Remains.KEPT, Remains.RETURNED, Remains.DISCARDED}),
    Remains.KEPT: frozenset({Remains.KEPT, Remains.RETURNED, Remains.DISCARDED}),
    Remains.RETURNED: frozenset(),
    Remains.DISCARDED: frozenset(),
}


def next_state(state: JobState, event: JobEvent, samples: Iterable[SampleState] = ()) -> JobState:
    """The job's state after ``event``; ``samples`` are where its samples are then (for ``FOLLOW``).

    Raises Refusal ``samples.illegal_step`` when the table has no such step.
    """
    steps = _JOB[state]
    if event not in steps:
        raise Refusal.of("samples.illegal_step", job_state=state.value, event=event.value)
    return steps[event] or where(samples)


def events_from(state: JobState) -> frozenset[JobEvent]:
    """What may happen to a job; nothing exactly in final states."""
    return frozenset(_JOB[state])


def where(samples: Iterable[SampleState]) -> JobState:
    """The state of a job that the lab works on: that of the sample that is least far, those that cannot be tested left aside.

    ``FAILED`` where none is left.
    """
    left = [SAMPLES_IN_ORDER.index(state) for state in samples if state not in NOT_TESTED]
    return JOBS_IN_ORDER[min(left)] if left else JobState.FAILED


def has_lapsed(state: JobState, arrive_on: date, today: date) -> bool:
    """Whether a job of which no sample is at the lab ends by itself: unanswered ``ANSWER_DAYS`` after the samples should have come (until
    then a slow lab may still accept it), or accepted and nothing sent ``UNSENT_DAYS`` after. Days are local days of the lab."""
    if state is JobState.ASKED:
        return today > arrive_on + timedelta(days=ANSWER_DAYS)
    return state is JobState.ACCEPTED and today > arrive_on + timedelta(days=UNSENT_DAYS)


def next_sample_state(state: SampleState, step: SampleStep) -> SampleState:
    """The sample's state after ``step``. Raises Refusal ``samples.illegal_sample_step``."""
    try:
        return _SAMPLE[state][step]
    except KeyError:
        raise Refusal.of("samples.illegal_sample_step", sample_state=state.value, step=step.value) from None


def steps_from(state: SampleState) -> tuple[SampleStep, ...]:
    """What may be done with a sample, the next thing first."""
    return tuple(_SAMPLE[state])


def next_extra_state(state: ExtraState, event: ExtraEvent) -> ExtraState:
    """What becomes of a proposed charge; it is answered once. Raises Refusal ``samples.extra_answered``."""
    if state is not ExtraState.PROPOSED:
        raise Refusal.of("samples.extra_answered", state=state.value)
    return _EXTRA[event]


def is_day_of_work(step: SampleStep, arrive_on: date, today: date) -> bool:
    """Whether ``step`` can be done on ``today``: work not before ``arrive_on``. Days are local days of the lab."""
    return step not in WORKS or today >= arrive_on


def require_day_of_work(step: SampleStep, arrive_on: date, today: date) -> None:
    """Raises Refusal ``samples.too_early_to_test`` for work before the day on which the samples were expected: the subsidy is
    that of that day, which the customer chose. They may come, be unfit or be lost sooner."""
    if not is_day_of_work(step, arrive_on, today):
        raise Refusal.of("samples.too_early_to_test", "step", arrive_on=arrive_on.isoformat())


def remains_taken_back(before: Remains) -> Remains:
    """Where what is left of a sample is once its last step is taken back: at the lab, to be worked on again.

    Raises Refusal ``samples.nothing_left_to_test`` where it has gone.
    """
    if not _REMAINS[before]:
        raise Refusal.of("samples.nothing_left_to_test", "step", remains_state=before.value)
    return Remains.WITH_LAB


def require_remains_step(before: Remains, after: Remains, sample: SampleState) -> None:
    """Raises Refusal ``samples.remains_ended``, ``samples.remains_not_here`` (the lab never had it, or lost it)."""
    if sample in NOT_HERE:
        raise Refusal.of("samples.remains_not_here", "remains")
    if after not in _REMAINS[before]:
        raise Refusal.of("samples.remains_ended", "remains", remains_state=before.value)
