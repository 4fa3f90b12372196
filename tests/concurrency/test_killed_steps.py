"""kill -9 in the middle of every step that people and jobs take after the first booking: nothing half done stays, nothing that was
acknowledged is lost, and who takes the step again gets one effect: one hold, one charge, one mail.

Each step is first done to its end, which says what one effect is, and then by processes that are killed: right after the last commit,
right before it, and between. Then it is taken again, with the same key where it has one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from booking.models import Sample, SampleJob, WaitEntry
from booking.rules.deciding import Verdict
from booking.rules.downtime import Choice, DowntimeKind
from booking.rules.samples import JobState, SampleStep
from booking.rules.series import SeriesRule
from booking.services import (
    changes,
    decisions,
    downtimes,
    holds,
    inbox,
    sample_jobs,
    sample_reports,
    sample_steps,
    series,
    swaps,
    transitions,
    usage_review,
    waiting,
)
from booking.services.changes import ChangeRequest
from booking.services.enquiry_files import Attachment
from booking.services.inbox import Wish
from config.kernel.time_range import TimeRange
from instruments.rules.wall_time import to_wall
from tests.concurrency.harness import overlapping_pairs, violations
from tests.concurrency.killed import KILLS, MANY, Act, chosen, dies_and_happens_once, measured
from tests.concurrency.test_sample_race import FIRST, item_of
from tests.concurrency.test_slot_stampede import asking
from tests.concurrency.world import LABS, World, publish, voucher
from tests.turns import in_turns

PAYER = 0
REPORT = Attachment(b"%PDF-1.7 report", "report.pdf")


@dataclass(frozen=True)
class Lab:
    """A world in which each turn has an instrument and a day of its own; ``PAYER`` and the next two firms are granted subsidy."""

    world: World
    item: Any

    def hours(self, turn: int, first: int) -> TimeRange:
        return self.world.slot(first, day=turn // LABS)

    def instrument(self, turn: int) -> Any:
        return self.world.instruments[turn % LABS]

    def asked(self, turn: int, first: int = 8, by: int = PAYER) -> int:
        """A request; its id."""
        return asking(self.world, by, self.hours(turn, first), f"ask {turn} {first}", turn % LABS)().reservation_id

    def approved(self, turn: int, first: int = 8, by: int = PAYER) -> int:
        made = self.asked(turn, first, by)
        transitions.approve(self.manager, made, self.now)
        return made

    def place(self, turn: int) -> int:
        """Somebody of the crowd, for what costs nothing yet."""
        return turn % len(self.world.people)

    def person(self, turn: int) -> Any:
        return self.world.person(self.place(turn))

    @property
    def payer(self) -> Any:
        return self.world.person(PAYER)

    @property
    def manager(self) -> Any:
        return self.world.manager(0)

    @property
    def now(self) -> Any:
        return self.world.cast.now


# --- The steps: each gives, for a turn, what is done ------------------------------------------------------------------------
def hold(lab: Lab, turn: int) -> Act:
    holds.release(lab.person(turn), lab.instrument(turn).pk)  # an earlier turn's, which this one would take the place of
    return partial(holds.hold, lab.person(turn), lab.instrument(turn).pk, lab.hours(turn, 8), lab.now)


def confirm(lab: Lab, turn: int) -> Act:
    hold(lab, turn)()
    return asking(lab.world, lab.place(turn), lab.hours(turn, 8), f"confirm {turn}", turn % LABS)


def move(lab: Lab, turn: int) -> Act:
    request = ChangeRequest(lab.approved(turn), lab.hours(turn, 12), "Asked on the phone", agreed=True)
    return partial(changes.change, lab.manager, request, lab.now, idempotency_key=f"move {turn}")


def swap(lab: Lab, turn: int) -> Act:
    one, other = lab.approved(turn), lab.approved(turn, 12, PAYER + 1)
    asked = swaps.Swap(one, other, "Asked on the phone", agreed=True)
    return partial(swaps.swap, lab.manager, asked, lab.now, idempotency_key=f"swap {turn}")


def _batch(lab: Lab, turn: int) -> tuple[list[int], Act]:
    ids = [lab.asked(turn, first, PAYER + by) for by, first in enumerate((8, 11, 14))]
    approve = Wish(Verdict.APPROVE)
    return ids, partial(inbox.decide_all, lab.manager, ids, approve, lab.now, idempotency_key=f"batch {turn}")


def approve_a_batch(lab: Lab, turn: int) -> Act:
    return _batch(lab, turn)[1]


def tell_of_a_batch(lab: Lab, turn: int) -> Act:
    _batch(lab, turn)[1]()
    return partial(decisions.tell_due, lab.now + timedelta(seconds=12))


def take_a_batch_back(lab: Lab, turn: int) -> Act:
    ids, approve = _batch(lab, turn)
    approve()
    return partial(inbox.take_back_all, lab.manager, ids, lab.now + timedelta(seconds=5))


def _somebody_waits(lab: Lab, turn: int) -> int:
    during = lab.hours(turn, 8)
    wish = waiting.Wish(lab.instrument(turn).pk, lab.world.firms[lab.place(turn)].pk, during, 120, "self_operated")
    return waiting.join(lab.person(turn), wish, lab.now).pk


def offer(lab: Lab, turn: int) -> Act:
    WaitEntry.objects.filter(state="offered").update(state="withdrawn")  # the offers of the turns before are nobody's any more
    _somebody_waits(lab, turn)
    return partial(waiting.offer_free_time, lab.now)


def accept_an_offer(lab: Lab, turn: int) -> Act:
    entry = _somebody_waits(lab, turn)
    assert waiting.offer_free_time(lab.now) == 1
    return partial(waiting.accept, lab.person(turn), entry, lab.now)


def ask_for_a_series(lab: Lab, turn: int) -> Act:
    during = [lab.world.slot(8, day=3 * (turn // LABS) + day) for day in range(3)]
    zone = ZoneInfo(lab.world.cast.site.time_zone)
    start, end = (to_wall(at, zone).replace(tzinfo=None) for at in (during[0].starts_at, during[0].ends_at))
    wish = series.Wish(
        lab.instrument(turn).pk,
        lab.world.firms[lab.place(turn)].pk,
        SeriesRule(start, end, "daily", count=3),
        "self_operated",
    )
    picks = [series.Pick(place, one) for place, one in enumerate(during, 1)]
    return partial(series.ask, lab.person(turn), wish, picks, lab.now, idempotency_key=f"series {turn}")


def agree_to_use(lab: Lab, turn: int) -> Act:
    made, during = lab.approved(turn), lab.hours(turn, 8)
    transitions.check_in(lab.manager, made, during.starts_at)
    transitions.check_out(lab.manager, made, during.ends_at)
    return partial(usage_review.agree, lab.payer, made, during.ends_at)


def _samples(lab: Lab, turn: int) -> Callable[[], sample_jobs.Asked]:
    wish = sample_jobs.Wish(lab.item.pk, lab.world.firms[PAYER].pk, 2, FIRST)
    return partial(sample_jobs.ask, lab.payer, wish, lab.now, idempotency_key=f"samples {turn}")


def send_samples(lab: Lab, turn: int) -> Act:
    for job in SampleJob.objects.filter(state=JobState.ASKED):  # a firm may have only so many that wait
        sample_jobs.cancel(lab.payer, job.pk, "Tried enough", lab.now)
    return _samples(lab, turn)


def _accepted(lab: Lab, turn: int) -> int:
    job = _samples(lab, turn)().pk
    sample_jobs.accept(lab.manager, job, lab.now)
    return job


def _step(lab: Lab, job: int, step: SampleStep) -> Act:
    ids = list(Sample.objects.filter(job=job).values_list("pk", flat=True))
    return partial(sample_steps.take, lab.manager, ids, step, lab.now + timedelta(days=3), job_id=job)


def receive_samples(lab: Lab, turn: int) -> Act:
    return _step(lab, _accepted(lab, turn), SampleStep.RECEIVE)


def take_a_report(lab: Lab, turn: int) -> Act:
    job, later = _accepted(lab, turn), lab.now + timedelta(days=3)
    for step in (SampleStep.RECEIVE, SampleStep.TEST):
        _step(lab, job, step)()
    sample_reports.report(lab.manager, job, REPORT, "", later)
    return partial(sample_reports.close, lab.payer, job, later)


def declare_an_outage(lab: Lab, turn: int) -> Act:
    hit = [lab.approved(turn), lab.approved(turn, 12, PAYER + 1)]
    during = TimeRange(lab.hours(turn, 8).starts_at, lab.hours(turn, 12).ends_at)
    choices = {pk: downtimes.Decision(Choice.CANCEL) for pk in hit}
    outage = downtimes.Outage(DowntimeKind.SERVICE, during, "Tube", "The tube is changed", decisions=choices, seen=frozenset(hit))
    return partial(downtimes.declare, lab.manager, lab.instrument(turn).pk, outage, lab.now, idempotency_key=f"outage {turn}")


@dataclass(frozen=True)
class Step:
    """``over``: what is said to who takes it again after all; ``parts``: it is several transactions, of which some may be done."""

    of: Callable[[Lab, int], Act]
    over: frozenset[str] = frozenset()
    parts: bool = False


STEPS = (
    Step(hold),
    Step(confirm),
    Step(move),
    Step(swap),
    Step(approve_a_batch, parts=True),
    Step(tell_of_a_batch, parts=True),
    Step(take_a_batch_back, parts=True),
    Step(offer),
    Step(accept_an_offer, frozenset({"wait.not_now"})),
    Step(ask_for_a_series),
    Step(agree_to_use, frozenset({"booking.illegal_transition"})),
    Step(send_samples),
    Step(receive_samples, frozenset({"samples.illegal_sample_step"})),
    Step(take_a_report, frozenset({"samples.illegal_step"})),
    Step(declare_an_outage, parts=True),
)


@pytest.fixture
def lab(world: World) -> Lab:
    publish(world.cast, voucher(firm_year="600000"))
    return Lab(world, item_of(world))


def happens_once(lab: Lab, step: Step, kills: int) -> None:
    """Take the step to its end, then in ``kills`` processes that die in it."""
    step.of(lab, 0)()  # what only the first of all finds missing, such as the accounts of a programme
    whole = measured(step.of(lab, 1))
    for turn, moment in enumerate(chosen(whole.moments, kills), 2):
        dies_and_happens_once(step.of(lab, turn), moment, whole, over=step.over, parts=step.parts)
    assert overlapping_pairs() == 0
    assert violations() == {}


@pytest.mark.parametrize("step", in_turns(STEPS, 5), ids=lambda step: step.of.__name__)
def test_a_step_whose_process_is_killed_happens_once(lab: Lab, step: Step) -> None:
    happens_once(lab, step, KILLS)


def two_bookings(lab: Lab, turn: int) -> Act:
    calls = [asking(lab.world, lab.place(turn), lab.hours(turn, first), f"two {turn} {first}", turn % LABS) for first in (8, 12)]
    return lambda: [call() for call in calls]


def wait_without_a_key(lab: Lab, turn: int) -> Act:
    return partial(_somebody_waits, lab, turn)


@pytest.mark.parametrize("step", [Step(two_bookings), Step(wait_without_a_key)], ids=lambda step: step.of.__name__)
def test_what_stays_half_done_or_happens_twice_is_noticed(lab: Lab, step: Step) -> None:
    """The controls: two transactions for what should be one, and a call that nothing keeps from being made twice."""
    with pytest.raises(AssertionError, match=r"killed at|wait\.already"):  # an equal entry is refused
        happens_once(lab, step, KILLS)


@pytest.mark.proof
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.of.__name__)
def test_a_step_whose_process_is_killed_fifty_times_happens_once_each_time(lab: Lab, step: Step) -> None:
    happens_once(lab, step, MANY)
