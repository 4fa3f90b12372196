"""When a customer is reminded of a bill, and from when on it makes no new bookings: pure rules over local days (``money.md`` 21)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Step(StrEnum):
    """``before``: three days before the due day. ``first`` and ``second``: one and seven days after it; ``block``: fourteen days after it,
    from which on new bookings are refused."""

    BEFORE = "before"
    FIRST = "first"
    SECOND = "second"
    BLOCK = "block"


#: Days from the due day; in their order.
DAYS = {Step.BEFORE: -3, Step.FIRST: 1, Step.SECOND: 7, Step.BLOCK: 14}
#: Days from the second reminder, which names the day of the block, to the block.
NOTICE_DAYS = DAYS[Step.BLOCK] - DAYS[Step.SECOND]
#: A reminder in advance is worth nothing once its bill is due; of the others the latest is still said when its day was missed.
_ONLY_BEFORE_DUE = (Step.BEFORE,)


@dataclass(frozen=True, slots=True)
class Stops:
    """What keeps a bill from being dunned: its customer disputes it, or the owner lets it wait until the end of a day."""

    disputed: bool = False
    exempt_until: date | None = None

    def stop(self, today: date) -> bool:
        return self.disputed or (self.exempt_until is not None and today <= self.exempt_until)


NO_STOPS = Stops()


def day_of(due_on: date, step: Step) -> date:
    """The day on which a step falls."""
    return due_on + timedelta(days=DAYS[step])


def block_day(due_on: date, second_on: date) -> date:
    """The day of the block after a second reminder of that day: nobody is blocked who was not told so a week before."""
    return max(day_of(due_on, Step.BLOCK), second_on + timedelta(days=NOTICE_DAYS))


def step_due(due_on: date, today: date, done: Mapping[str, date], stops: Stops = NO_STOPS) -> Step | None:
    """The step to take today: the latest whose day has come, unless it, or a later one, was taken (``done``: steps and their days). A day
    on which nothing ran is made up for by one reminder, not by several; but no block comes without its warning. None while dunning is
    stopped."""
    if stops.stop(today):
        return None
    come = [step for step in Step if day_of(due_on, step) <= today and (step not in _ONLY_BEFORE_DUE or today <= due_on)]
    later_done = [step for step in Step if step in done]
    if not come or (later_done and DAYS[later_done[-1]] >= DAYS[come[-1]]):
        return None
    if come[-1] is not Step.BLOCK:
        return come[-1]
    if Step.SECOND not in done:
        return Step.SECOND
    return Step.BLOCK if today >= block_day(due_on, done[Step.SECOND]) else None


def blocks(open_fen: int, done: Collection[str], today: date, stops: Stops = NO_STOPS) -> bool:
    """Whether a bill keeps its customer from booking anew: something is open of it, the last reminder said so, and nothing stops it."""
    return open_fen > 0 and Step.BLOCK in done and not stops.stop(today)


def next_step(due_on: date, today: date, done: Mapping[str, date]) -> tuple[Step, date] | None:
    """The step that follows and its day, which may be over while dunning is stopped; None after the last."""
    later = [step for step in Step if step not in done and all(DAYS[step] > DAYS[Step(one)] for one in done)]
    ahead = [step for step in later if day_of(due_on, step) >= today] or later[-1:]
    if not ahead:
        return None
    if ahead[0] is not Step.BLOCK:
        return ahead[0], day_of(due_on, ahead[0])
    if Step.SECOND not in done:
        return Step.SECOND, day_of(due_on, Step.SECOND)
    return Step.BLOCK, block_day(due_on, done[Step.SECOND])
