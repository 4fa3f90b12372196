"""One example of the lab in which every step can be taken, and is: chance alone seldom comes so far in the short runs.

After each step all invariants hold, as in any other run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from booking.models import Reservation, SampleJob
from booking.rules.downtime import Choice
from tests.scenarios.lab_machine import LabMachine, Slot

EVERYTHING = frozenset(
    {
        "book", "hold", "wait_for", "accept an offer", "decline an offer", "withdraw an offer",
        "decide approve", "decide reject", "take the decision back", "approve over rivals",
        "move", "move elsewhere", "accept a move", "refuse a move", "withdraw a move", "swap", "correct what it is for", "cancel",
        "start by phone", "check in", "extend", "end by phone", "check out", "mark no show",
        "ask for less", "accept the wish", "refuse the wish", "dispute", "settle the dispute", "agree",
        "break down", "works again", "a job",
        "send samples", "accept samples", "refuse samples", "take the answer back", "cancel samples",
        "receive samples", "prepare samples", "test samples",
        "lose samples", "take_back samples", "propose an extra", "agree an extra", "withdraw an extra",
        "report samples", "object to samples", "close samples",
    }
)  # fmt: skip
MORNING: Slot = (1, 9, 60)
Step = Callable[[], object]


class TouredLab(LabMachine):
    """``go_round`` takes the tour."""

    @classmethod
    def go_round(cls) -> None:
        """Every step once at least; all invariants hold after each."""
        machine = cls()
        machine.a_lab(approval=True, blocks=True, buffer=0, fees=False)
        try:
            for step in machine.tour():
                step()
                machine.all_invariants_hold()
                machine.no_job_broke()
                machine.nothing_is_kept_that_is_over()
        finally:
            machine.teardown()

    @classmethod
    def never_done(cls) -> list[str]:
        return sorted(EVERYTHING - set(cls.done))

    def tour(self) -> Iterator[Step]:
        """Before a session, in it, after it; then an outage and samples."""
        yield from self.asked_and_decided()
        yield from self.moved()
        yield from self.waited_for()
        yield from self.used()
        yield lambda: self.an_outage(self.apart, 2, Choice.CANCEL, 1)
        yield lambda: self.an_outage(self.apart, 2, Choice.CANCEL, 1)
        yield from self.measured()

    def row(self, who: str, place: int = 0) -> Any:
        """A booking of somebody's firm that was not given up, the earliest first."""
        found = Reservation.objects.filter(organisation=self.customer(who)).exclude(
            state__in=["cancelled", "rejected", "expired"]
        )
        return list(found.order_by("starts_at", "pk"))[place]

    def to(self, step: str, who: str, *, yes: bool = True, slot: Slot = MORNING, place: int = 0, lab: bool = False) -> Step:
        """A step with a booking of ``who``, by the lab or the customer, as it is when the step is taken."""
        return lambda: getattr(self, f"to_{step}")(self.row(who, place), self.actor("wang" if lab else who), yes, slot)

    def begins(self, who: str, place: int = 0) -> Step:
        """The clock goes on to the start of a booking."""

        def work() -> None:
            self.now = max(self.now, self.row(who, place).starts_at)

        return work

    def asked_and_decided(self) -> Iterator[Step]:
        yield self.to("correct", "lin")
        yield self.to("decide", "lin", slot=(0, 9, 60))
        yield self.to("take_the_decision_back", "lin")
        yield self.to("decide", "lin")
        yield self.to("decide", "he", yes=False)
        yield lambda: self.somebody_wants_a_time("he", (0, 18, 60), "book")
        yield self.to("approve_over_rivals", "he")
        for other in (0, 2):  # with the first one, and back
            yield self.to("swap", "he", slot=(other, 9, 60))
        yield lambda: self.somebody_wants_a_time("lin", (2, 9, 60), "hold")

    def moved(self) -> Iterator[Step]:
        """Of three bookings one move is accepted, one refused, one withdrawn; the last booking is cancelled each time."""
        for answer in ("accept", "refuse", "withdraw"):
            yield lambda: self.somebody_wants_a_time("lin", (2, 13, 60), "book")
            yield self.to("decide", "lin", place=-1)
            yield self.to("move", "lin", yes=False, slot=(2, 15, 60), place=-1)
            yield lambda answer=answer: self.answer_a_move(0, answer, by_lab=answer != "withdraw")
            if answer == "withdraw":
                yield self.to("move", "lin", slot=(2, 16, 60), place=-1, lab=True)
            yield self.to("cancel", "lin", place=-1)

    def waited_for(self) -> Iterator[Step]:
        for answer in ("accept", "decline", "withdraw"):
            yield lambda: self.somebody_wants_a_time("lin", (2, 13, 60), "book")
            yield lambda: self.somebody_wants_a_time("he", (2, 13, 60), "wait_for")
            if answer != "withdraw":
                yield self.to("cancel", "lin", place=-1)
                yield lambda: self.time_goes_on(1)
            yield lambda answer=answer: self.answer_an_offer(0, answer)
            if answer == "accept":
                yield self.to("cancel", "he", place=-1)

    def used(self) -> Iterator[Step]:
        """A session by phone that both sides quarrel over, one by the lab that is asked to be less, one that both agree to, one where
        nobody comes."""
        yield self.begins("lin")
        yield self.to("check_in", "lin")
        yield self.to("extend", "lin", slot=(0, 9, 30))
        yield lambda: self.time_goes_on(60)
        yield self.to("check_out", "lin", yes=False, slot=(0, 9, 60))
        yield self.to("ask_for_less", "lin")
        yield self.to("answer_the_wish", "lin", yes=False)
        yield self.to("dispute", "lin")
        yield self.to("settle_the_dispute", "lin", slot=(0, 9, 60))
        yield self.to("decide", "lin", place=1)
        yield self.begins("lin", 1)
        yield self.to("check_in", "lin", yes=False, place=1)
        yield lambda: self.time_goes_on(60)
        yield self.to("check_out", "lin", place=1)
        yield self.to("agree", "zhao", place=1)
        yield self.begins("he")
        yield self.to("check_in", "he", yes=False)
        yield lambda: self.time_goes_on(30)
        yield self.to("check_out", "he")
        yield self.to("ask_for_less", "he")
        yield self.to("answer_the_wish", "he")
        yield lambda: self.somebody_wants_a_time("he", (1, 9, 60), "book")
        yield self.to("decide", "he", place=-1)
        yield self.begins("he", -1)
        yield self.later(45)
        yield self.to("mark_no_show", "he", place=-1)

    def later(self, minutes: int) -> Step:
        """No job runs meanwhile."""

        def work() -> None:
            self.now += timedelta(minutes=minutes)

        return work

    def measured(self) -> Iterator[Step]:
        """One job is answered otherwise at first, goes all the way and is objected to once, with one sample lost and found; another is
        refused, a third cancelled."""
        answers = ("refuse", True), ("take_the_answer_back", True), ("accept", True), ("take_the_answer_back", True)
        first = (
            *answers,
            ("accept", False),
            ("go_wrong", True),
            ("go_wrong", False),
            ("receive", False),
            ("prepare", False),
            ("test", False),
        )
        extras = ("extra", True), ("extra", False), ("extra", True), ("extra", True)
        last = ("report", True), ("object", True), ("report", True), ("close", True)
        for step, some in (*first, *extras, *last):
            yield lambda step=step, some=some: self.sampled(step, some)
        for step in ("refuse", "cancel"):
            yield lambda: self.somebody_sends_samples("he", 2, 1)
            yield lambda step=step: self.sampled(step, False, -1)

    def sampled(self, step: str, some: bool, place: int = 0) -> None:
        getattr(self, f"samples_{step}")(list(SampleJob.objects.order_by("pk"))[place], some)
