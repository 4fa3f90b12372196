"""An answer can be taken back for ten seconds, and is told after them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.ledger.models import Transfer
from booking.models import InstrumentPolicy, RequestDecision, Reservation
from booking.rules.deciding import UNDO, Verdict
from booking.services import changes, decision_rows, decisions, inbox, transitions
from booking.services.changes import ChangeRequest
from booking.services.inbox import Wish
from booking.services.reject_reasons import Why
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.time_range import TimeRange
from tests.booking.usage.conftest import wrong

APPROVE, REJECT = Wish(Verdict.APPROVE), Wish(Verdict.REJECT, Why(words="Maintenance that day."))
SECOND = timedelta(seconds=1)


def state(pk: int) -> str:
    return Reservation.objects.get(pk=pk).state


def held() -> int:
    return Transfer.objects.filter(kind="hold", ends__isnull=True).count()


@pytest.mark.parametrize(("wish", "subject"), [(APPROVE, "is approved"), (REJECT, "was refused")])
def test_the_customer_hears_of_an_answer_when_it_cannot_be_taken_back_any_more(cast, ask, subjects, wish, subject):
    pk = ask(9, 12)
    inbox.decide(cast.actor("wang"), pk, wish, cast.now)
    decision = RequestDecision.objects.get()
    job = ProcrastinateJob.objects.get(task_name=decision_rows.TASK)
    assert job.args == {"decision_id": decision.pk} and job.scheduled_at > decision.final_at
    assert not decisions.tell(decision.pk, cast.now + UNDO - SECOND) and not subjects("lin@example.org")
    assert decisions.tell(decision.pk, cast.now + UNDO)
    assert not decisions.tell(decision.pk, cast.now + UNDO) and decisions.tell_due(cast.now + UNDO) == 0
    (told,) = subjects("lin@example.org")
    assert subject in told


@pytest.mark.parametrize("wish", [APPROVE, REJECT])
def test_what_is_taken_back_waits_again_holds_nothing_and_was_never_told(cast, programmes, ask, subjects, wish):
    pk = ask(9, 12)
    inbox.decide(cast.actor("wang"), pk, wish, cast.now)
    assert (held() > 0) is (wish is APPROVE)
    decisions.take_back(cast.actor("wang"), pk, cast.now + UNDO - SECOND)
    assert state(pk) == "requested" and held() == 0 and wrong() == {}
    assert decisions.tell_due(cast.now + timedelta(hours=1)) == 0 and not subjects("lin@example.org")
    inbox.decide(cast.actor("wang"), pk, APPROVE, cast.now + timedelta(minutes=1))
    assert decisions.tell_due(cast.now + timedelta(minutes=2)) == 1
    assert state(pk) == "approved" and held() > 0 and wrong() == {}


def test_a_request_whose_approval_was_taken_back_holds_nothing_when_it_moves(cast, programmes, ask):
    pk = ask(9, 12)
    inbox.decide(cast.actor("wang"), pk, APPROVE, cast.now)
    decisions.take_back(cast.actor("wang"), pk, cast.now)
    row = Reservation.objects.get(pk=pk)
    later = TimeRange(row.starts_at + timedelta(hours=3), row.ends_at + timedelta(hours=3))
    changes.change(cast.actor("lin"), ChangeRequest(pk, later), cast.now, idempotency_key="later")
    assert held() == 0 and wrong() == {}


def test_it_is_too_late_when_it_is_told(cast, ask, approved):
    pk = ask(9, 12)
    inbox.decide(cast.actor("wang"), pk, APPROVE, cast.now)
    for now in (cast.now + UNDO, cast.now + timedelta(days=1)):
        with pytest.raises(Refusal, match=r"decision\.told"):
            decisions.take_back(cast.actor("wang"), pk, now)
    with pytest.raises(Refusal, match=r"decision\.told"):
        decisions.take_back(cast.actor("wang"), approved(14, 15), cast.now)  # told in the transaction of the approval
    assert state(pk) == "approved"


def test_only_who_decided_takes_back(cast, ask):
    pk = ask(9, 12)
    inbox.decide(cast.actor("wang"), pk, APPROVE, cast.now)
    for who, error in (("lin", Forbidden), ("li", Forbidden), ("he", NotFound)):
        with pytest.raises(error):
            decisions.take_back(cast.actor(who), pk, cast.now)
    assert state(pk) == "approved"


def test_who_cancels_in_the_first_seconds_is_told_of_that_alone(cast, ask, subjects):
    pk = ask(9, 12)
    inbox.decide(cast.actor("wang"), pk, APPROVE, cast.now)
    transitions.cancel(cast.actor("lin"), pk, cast.now + SECOND)
    with pytest.raises(Refusal, match=r"booking\.illegal_transition"):
        decisions.take_back(cast.actor("wang"), pk, cast.now + 2 * SECOND)
    assert decisions.tell_due(cast.now + UNDO) == 1
    (told,) = subjects("lin@example.org")
    assert "was cancelled" in told


def test_a_rejection_is_not_taken_back_into_a_time_that_somebody_has_by_now(cast, ask):
    first = ask(9, 12)
    inbox.decide(cast.actor("wang"), first, REJECT, cast.now)
    ask(9, 12, who="he", at=cast.now + SECOND)
    with pytest.raises(Conflict, match=r"booking\.just_taken"):
        decisions.take_back(cast.actor("wang"), first, cast.now + 2 * SECOND)
    assert state(first) == "rejected" and wrong() == {}


def test_many_are_decided_each_by_itself_and_each_failure_says_why(cast, ask, approved):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    good, done, rival, winner = ask(9, 10), approved(11, 12), ask(14, 16), ask(14, 16, who="he")
    outcomes = inbox.decide_all(cast.actor("wang"), [good, done, winner, rival, 999_999, good], APPROVE, cast.now)
    said = [(one.pk, one.refusal and one.refusal.reasons[0].code) for one in outcomes]
    assert said == [
        (good, None),
        (done, "booking.illegal_transition"),
        (winner, None),
        (rival, "booking.just_taken"),
        (999_999, "access.not_found"),
    ]
    assert state(good) == state(winner) == "approved" and state(rival) == "requested" and wrong() == {}
    taken_back = inbox.take_back_all(cast.actor("wang"), [good, winner, rival], cast.now + SECOND)
    assert [one.refusal is None for one in taken_back] == [True, True, False]


def test_the_same_call_again_decides_nothing_again_and_tries_what_was_refused(cast, ask):
    InstrumentPolicy.objects.create(instrument=cast.xrd, pending_blocks=False)
    first, rival = ask(9, 12), ask(10, 12, who="he")
    wang = cast.actor("wang")

    def call(wish=APPROVE):
        outcomes = inbox.decide_all(wang, [first, rival], wish, cast.now, idempotency_key="k")
        return [one.refusal is None for one in outcomes]

    assert call() == [True, False]
    assert call() == [True, False] and RequestDecision.objects.count() == 1
    transitions.cancel(cast.actor("lin"), first, cast.now + SECOND)
    assert call() == [True, True] and state(rival) == "approved"
    assert call(REJECT) == [False, False]  # the key stands for another wish


def test_nothing_too_much_and_no_reason_are_refused_before_anything_is_done(cast, ask):
    pk = ask(9, 12)
    for ids, wish, code in (
        ([], APPROVE, "none_chosen"),
        (range(1, 102), APPROVE, "too_many"),
        ([pk], Wish(Verdict.REJECT, Why(words=" ")), "reason_missing"),
    ):
        with pytest.raises(Refusal, match=code):
            inbox.decide_all(cast.actor("wang"), ids, wish, cast.now)
    assert state(pk) == "requested"
