"""kill -9 in every step of a booking's life after it is promised, in the jobs of time, and in every step by which public money is paid:
each life is lived once to its end, then again with a process that is killed in each of its steps, at another moment every time.

The jobs of time run in the worker that runs them in production, and it is the worker that is killed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command

from billing.claims.models import Claim, PaymentLine
from billing.claims.services import batches, handing_in, paying, publishing, reviewing
from billing.claims.services.batches import BatchInput
from billing.claims.services.paying import Outcome
from billing.pricing import services as pricing
from billing.settlement.services import statements
from booking import tasks as booking_tasks
from booking.models import UsageSession
from booking.ports import NOTHING_EXPECTED
from booking.rules.review import NOTICE_BEFORE
from booking.services import changes, extending, transitions, usage_review
from booking.services.changes import ChangeRequest
from config.kernel import tasks
from tests.agreeing import check_out_agreed
from tests.concurrency.harness import overlapping_pairs, violations
from tests.concurrency.killed import KILLS, MANY, Act, Whole, chosen, dies_and_happens_once, measured
from tests.concurrency.test_killed_steps import PAYER, Lab
from tests.concurrency.test_month_race import found_stalled
from tests.concurrency.test_sample_race import item_of
from tests.concurrency.world import World, publish, voucher
from tests.conftest import PRICE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEES = {"late_cancel": {"share": "0.5"}, "no_show": {"share": "1", "at_most": "1000"}}
NOVEMBER, DECEMBER = date(2026, 11, 1), datetime(2026, 12, 1, 2, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Step:
    """``over``, ``parts`` and ``asked`` as ``dies_and_happens_once`` says."""

    name: str
    act: Act
    over: frozenset[str] = frozenset({"booking.illegal_transition"})
    parts: bool = False
    asked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PaidLab(Lab):
    """``version``: of the programme that pays it for what firms need not."""

    version: Any


#: The steps of one turn, each given when those before it are done.
Life = Callable[[PaidLab, int], Iterator[Step]]


@pytest.fixture
def lab(world: World, monkeypatch: pytest.MonkeyPatch) -> PaidLab:
    """The programme pays for every session, and who gives a time back too late or does not come pays a fee."""
    version = publish(world.cast, voucher(firm_year="600000"))
    today = date(2026, 11, 23)
    for instrument in world.instruments:
        pricing.publish_price(world.cast.actor("li"), instrument, PRICE | {"fees": FEES}, today, world.cast.now, today)
    world.cast.lab.bank_account_number = "6222"
    world.cast.lab.save()
    monkeypatch.setattr(tasks.app.periodic_registry, "periodic_tasks", {})
    return PaidLab(world, item_of(world), version)


def lived_once(lab: PaidLab, life: Life, kills: int) -> None:
    """Live it to its end, then with ``kills`` processes that die in each of its steps."""
    for first in life(lab, 0):
        first.act()  # what only the first of all finds missing, such as the accounts of a programme
    whole: dict[str, Whole] = {}
    for step in life(lab, 1):
        whole[step.name] = measured(step.act)
    for turn in range(kills):
        for step in life(lab, 2 + turn):
            of = whole[step.name]
            moment = chosen(of.moments, kills)[turn]
            dies_and_happens_once(step.act, moment, of, over=step.over, parts=step.parts, asked=step.asked)
    assert overlapping_pairs() == 0
    assert violations() == {}


# --- What people do -----------------------------------------------------------------------------------------------------------
def used(lab: PaidLab, turn: int) -> Iterator[Step]:
    pk, during = lab.approved(turn, 14), lab.hours(turn, 8)
    earlier = ChangeRequest(pk, during, "Asked on the phone", agreed=True)
    yield Step("move", partial(changes.change, lab.manager, earlier, lab.now, idempotency_key=f"moved {turn}"))
    yield Step("check in", partial(transitions.check_in, lab.manager, pk, during.starts_at))
    until = during.ends_at + HOUR
    longer = partial(extending.extend, lab.payer, pk, until, NOTHING_EXPECTED, during.starts_at + HOUR)
    yield Step("extend", longer, frozenset({"booking.extension_not_later"}))
    yield Step("check out", partial(transitions.check_out, lab.manager, pk, until))
    wish = partial(usage_review.ask_adjustment, lab.payer, pk, during, "It stood still at the end.", until)
    yield Step("ask for less", wish)
    yield Step("accept", partial(usage_review.accept_adjustment, lab.manager, pk, until))


def given_back_too_late(lab: PaidLab, turn: int) -> Iterator[Step]:
    pk, during = lab.approved(turn), lab.hours(turn, 8)
    yield Step("cancel for a fee", partial(transitions.cancel, lab.payer, pk, during.starts_at - HOUR))


# --- What time does ---------------------------------------------------------------------------------------------------------
def by_worker(task: Any, at: datetime) -> Act:
    """The job is queued; doing it is a worker who lives at that time, after the platform has looked for jobs of dead ones."""
    task.defer(timestamp=0)

    def act() -> None:
        found_stalled()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(booking_tasks, "timezone", SimpleNamespace(now=lambda: at))
            call_command("procrastinate", "worker", "--queues", "default", "--one-shot", "--concurrency", "1")

    return act


def unanswered(lab: PaidLab, turn: int) -> Iterator[Step]:
    for by, first in enumerate((8, 12)):
        lab.asked(turn, first, PAYER + by)
    yield Step("expire", by_worker(booking_tasks.handle_due, lab.hours(turn, 12).starts_at), parts=True)


def nobody_came(lab: PaidLab, turn: int) -> Iterator[Step]:
    for by, first in enumerate((8, 12)):
        lab.approved(turn, first, PAYER + by)
    yield Step("no-show", by_worker(booking_tasks.handle_due, lab.hours(turn, 12).ends_at), parts=True)


def nobody_objected(lab: PaidLab, turn: int) -> Iterator[Step]:
    for by, first in enumerate((8, 12)):
        pk, during = lab.approved(turn, first, PAYER + by), lab.hours(turn, first)
        transitions.check_in(lab.manager, pk, during.starts_at)
        transitions.check_out(lab.manager, pk, during.ends_at)
    until = UsageSession.objects.get(reservation_id=pk).review_until
    assert until is not None
    yield Step("remind", by_worker(booking_tasks.agree_usage, until - NOTICE_BEFORE), parts=True)
    yield Step("agree by time", by_worker(booking_tasks.agree_usage, until), parts=True)


# --- How public money is paid -------------------------------------------------------------------------------------------------
def stated(lab: PaidLab, turn: int) -> Iterator[Step]:
    _agreed(lab, turn)
    whose = (lab.world.cast.actor("qian"), lab.version.pk, lab.world.cast.lab.pk, NOVEMBER)
    yield Step("state", partial(statements.issue, *whose, DECEMBER), frozenset({"statement.nothing_to_issue"}))


def claimed(lab: PaidLab, turn: int) -> Iterator[Step]:
    _agreed(lab, turn)
    cast, opens = lab.world.cast, DECEMBER + turn * DAY
    closed, decided = opens + 7 * DAY, opens + 20 * DAY
    days = (NOVEMBER, date(2026, 11, 30), opens.date(), opens.date() + 6 * DAY)
    programme_id = lab.version.programme_id
    batch = batches.open_batch(cast.actor("chen"), BatchInput(programme_id, "deducted_now", *days, 2026), opens).pk
    looked = frozenset({"kernel_auditentry claim_batch.gather"})
    yield Step("fill", partial(batches.gather, cast.actor("chen"), batch, opens), asked=looked)
    claim = Claim.objects.get(batch=batch).pk
    yield Step("hand in", partial(handing_in.submit_once, cast.actor("li"), claim, opens, idempotency_key=f"claim {turn}"))
    done = frozenset({"claims.batch_closed", "claims.not_now", "claims.nothing_passed", "claims.nothing_to_pay"})
    yield Step("close", partial(batches.close, cast.actor("chen"), batch, closed), done)
    yield Step("pass on", partial(reviewing.pass_on, cast.actor("chen"), claim, closed), done)
    yield Step("publish", partial(publishing.publicise, cast.actor("chen"), batch, closed), done)
    publishing.end_due(decided)
    yield Step("approve", partial(reviewing.approve, cast.actor("sun"), claim, decided), done)
    yield Step("list", partial(paying.make, cast.actor("qian"), batch, decided), done)
    for place, line in enumerate(PaymentLine.objects.filter(claim=claim).order_by("pk"), 1):  # one for each of two payers
        for who in ("chen", "sun"):
            sign = partial(paying.sign, cast.actor(who), line.payment_list_id, decided)
            yield Step(f"sign {place} as {who}", sign, frozenset({"claims.signed_already", "claims.three_people"}))
        paid = Outcome(line.amount_fen, decided.date(), "T1")
        record = partial(paying.record, cast.actor("qian"), line.pk, paid, decided)
        yield Step(f"record {place}", record, frozenset({"claims.recorded_already"}))


def _agreed(lab: PaidLab, turn: int) -> None:
    pk, during = lab.approved(turn), lab.hours(turn, 8)
    transitions.check_in(lab.manager, pk, during.starts_at)
    check_out_agreed(lab.manager, pk, during.ends_at)


LIVES = (used, given_back_too_late, unanswered, nobody_came, nobody_objected, stated, claimed)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_a_life_in_which_processes_are_killed_is_lived_once(lab: PaidLab, life: Life) -> None:
    lived_once(lab, life, KILLS)


@pytest.mark.proof
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_a_life_in_which_processes_are_killed_fifty_times_in_each_step_is_lived_once_each_time(lab: PaidLab, life: Life) -> None:
    lived_once(lab, life, MANY)
