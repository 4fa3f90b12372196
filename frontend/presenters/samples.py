"""A sample job as its page shows it: what to do next, the timeline, what may be pressed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from booking.models import SampleJob
from booking.rules.enquiries import Side
from booking.rules.samples import NEED_REASON, JobState, Remains, SampleState, SampleStep, is_day_of_work, steps_from
from booking.sample_wording import REMAINS, STEPS, Word
from config.kernel.errors import Refusal

_NEXT: Mapping[JobState, tuple[Word, Word]] = {
    JobState.ASKED: (
        _("The lab looks at it. Its capacity is kept for you meanwhile; you hear either way."),
        _("Accept the job with its promised day, or refuse it with a reason. Its days are kept meanwhile."),
    ),
    JobState.ACCEPTED: (
        _("Print the labels, stick one on each sample, send them, and write down the courier's number."),
        _("Waiting for the samples. Scan each label when they come."),
    ),
    JobState.RECEIVED: (_("The lab has your samples. Nothing is to be done."), _("Prepare the samples, or test them at once.")),
    JobState.PREPARING: (_("The lab prepares your samples. Nothing is to be done."), _("Test what is prepared.")),
    JobState.TESTED: (_("Everything is tested. The report comes next."), _("Hand in the report.")),
    JobState.REPORTED: (
        _("Read the report. Take it, or say what is wrong with it; otherwise the job closes by itself."),
        _("The customer reads the report. The job closes by itself unless the customer objects."),
    ),
    JobState.CLOSED: (_("Closed and charged."), _("Closed and charged. Say what becomes of the remains.")),
    JobState.REFUSED: (_("The lab did not take this job. Its reason stands in the history."), _("You did not take this job.")),
    JobState.CANCELLED: (_("Cancelled. Nothing is charged."), _("Cancelled. Nothing is charged.")),
    JobState.FAILED: (
        _("No sample could be tested, so nothing is charged. Ask again with new samples."),
        _("No sample could be tested, so nothing is charged."),
    ),
}
_EVENTS: Mapping[str, tuple[Word, str]] = {
    "ask": (_("Asked for"), "send"),
    "accept": (_("Accepted by the lab"), "circle-check"),
    "refuse": (_("Not accepted by the lab"), "circle-x"),
    "take_back": (_("Answer taken back by the lab"), "arrow-back-up"),
    "cancel": (_("Cancelled"), "ban"),
    "lapse": (_("Ended by itself: not answered, or nothing sent, in time"), "clock"),
    "remind": (_("The customer was reminded: no sample has come"), "bell"),
    "overdue": (_("Not answered in the time that the lab promises: all its managers were told"), "clock-pause"),
    "late": (_("The promised day has passed without a report: both sides were told"), "clock-pause"),
    "report": (_("Report handed in"), "file-text"),
    "object": (_("The customer objects to the report"), "message-report"),
    "close": (_("Closed and charged"), "flag"),
    "fail": (_("No sample could be tested"), "alert-triangle"),
}
_FOLLOWED: Mapping[str, tuple[Word, str]] = {
    JobState.ACCEPTED: (_("Samples are waited for again"), "arrow-back-up"),
    JobState.RECEIVED: (_("All samples received"), "inbox"),
    JobState.PREPARING: (_("All samples prepared"), "flask"),
    JobState.TESTED: (_("All samples tested"), "microscope"),
}


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sample in a table; ``reason`` is why it is unfit or lost, ``remains`` is empty while nothing was said about them."""

    pk: int
    position: int
    code: str
    label: str
    name: str
    state: str
    reason: str
    remains: Word
    kept_until: date | None
    ticked: bool


@dataclass(frozen=True, slots=True)
class StepButton:
    """Something to press for a sample: ``words`` for what it is then."""

    step: str
    words: Word
    needs_reason: bool


def next_words(job: SampleJob, sides: tuple[Side, ...]) -> Word:
    """What happens next, in the words of the reader's side."""
    customer, lab = _NEXT[JobState(job.state)]
    return lab if Side.LAB in sides and Side.CUSTOMER not in sides else customer


def timeline(job: SampleJob, zone: str) -> list[dict[str, Any]]:
    """The job's history for ``components/timeline.html``."""
    found = []
    for step in job.steps.all():
        title, icon = _FOLLOWED[step.to_state] if step.action == "follow" else _EVENTS[step.action]
        found.append({"icon": icon, "title": title, "at": step.at, "zone": zone, "who": step.actor or "", "text": step.reason})
    return found


def sample_rows(job: SampleJob, ticked: Collection[str] = ()) -> list[SampleRow]:
    """The samples in order; ``ticked`` are the ids that stand in a form which was refused."""
    return [
        SampleRow(
            each.pk,
            each.position,
            each.code,
            each.label,
            each.name,
            each.state,
            each.reason,  # type: ignore[attr-defined]  # annotated by booking.services.sample_steps.with_reasons
            "" if each.remains == Remains.WITH_LAB else REMAINS[each.remains],
            each.kept_until,
            str(each.pk) in ticked,
        )
        for each in job.samples.all()
    ]


def buttons(job: SampleJob, state: str, today: date) -> list[StepButton]:
    """What may be pressed for a sample of the job in this state on the lab's local day, the next thing first."""
    possible = _steps([state])
    return [
        StepButton(step.value, STEPS[step], step in NEED_REASON)
        for step in possible
        if is_day_of_work(step, job.arrive_on, today)
    ]


def steps_for(job: SampleJob, today: date) -> list[tuple[str, Word]]:
    """The steps that some sample of the job can take on the lab's local day, the next one of the least far sample first."""
    possible = _steps(each.state for each in job.samples.all())
    return [(step.value, STEPS[step]) for step in possible if is_day_of_work(step, job.arrive_on, today)]


def work_from(job: SampleJob, states: Iterable[str], today: date) -> date | None:
    """From which day on samples in these states may be worked on; None where nothing has to wait for it."""
    waits = any(not is_day_of_work(step, job.arrive_on, today) for step in _steps(states))
    return job.arrive_on if waits else None


def _steps(states: Iterable[str]) -> list[SampleStep]:
    """What may be done with samples in these states on any day, the next thing of the least far first."""
    known = set(states)
    return list(dict.fromkeys(step for state in SampleState if state in known for step in steps_from(state)))


def asks_to_end(refusal: Refusal | None) -> bool:
    """Whether a step was refused only until somebody says that the job ends with it."""
    return refusal is not None and any(reason.code == "samples.ends_the_job" for reason in refusal.reasons)


def figures_to_confirm(refusal: Refusal | None) -> Mapping[str, int] | None:
    """The figures, in fen, that nobody was shown before a step was refused for them; None where that is not why."""
    reasons = refusal.reasons if refusal is not None else ()
    return next((reason.params for reason in reasons if reason.code == "billing.figures_differ"), None)


def counts(job: SampleJob) -> list[tuple[str, int]]:
    """How many samples are in which state, those that there are."""
    found: dict[str, int] = {}
    for each in job.samples.all():
        found[each.state] = found.get(each.state, 0) + 1
    return [(state.value, found[state]) for state in SampleState if state in found]


PARTS: Mapping[str, Word] = {
    "asked": _("Waiting for your answer"),
    "overdue": _("Overdue"),
    "due_today": _("Due today"),
    "received_today": _("Received today"),
    "in_work": _("In work"),
    "expected": _("Samples expected"),
    "reported": _("Report with the customer"),
}
"""The parts of the board (``booking.queries.samples.PARTS``)."""
