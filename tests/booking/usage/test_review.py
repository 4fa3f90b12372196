"""From the end of a session to its charge: both sides look, and what they may want otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.ledger.models import Transfer
from billing.settlement.models import Award, Charge
from booking.models import Reservation, UsageAdjustment, UsageSession
from booking.queries import usage as usage_queries
from booking.services import self_service, usage_review, use_escalation
from config.kernel.access import Role
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.time_range import TimeRange
from frontend.presenters.usage import review_panel
from instruments.models import Membership, Notice, User
from tests.booking.usage.conftest import codes, state, wrong

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def test_a_session_that_is_over_is_not_charged_before_the_customer_says_yes(cast, programmes, over):
    reservation = over(9, 12)
    assert state(reservation) == "completed"
    assert not Charge.objects.exists()
    assert Transfer.objects.filter(kind="hold", ends__isnull=True).exists()
    assert usage_review.agree(cast.actor("lin"), reservation.pk, reservation.ends_at + HOUR)
    session = UsageSession.objects.get()
    assert (state(reservation), session.agreed_how, session.outcome) == ("agreed", "both_sides", "normal")
    assert Charge.objects.get().gross_fen == 1200_00
    assert not Transfer.objects.filter(kind="hold", ends__isnull=True).exists()
    assert wrong() == {}


def test_the_labs_second_yes_alone_charges_nothing(cast, over):
    reservation = over(9, 12)
    assert usage_review.agree(cast.actor("wang"), reservation.pk, reservation.ends_at) is False
    assert state(reservation) == "completed"


@pytest.mark.parametrize(("name", "refusal"), [("li", Forbidden), ("qian", Forbidden), ("he", NotFound)])
def test_only_the_two_sides_agree(cast, over, name, refusal):
    reservation = over(9, 12)
    with pytest.raises(refusal):
        usage_review.agree(cast.actor(name), reservation.pk, reservation.ends_at)


def test_what_the_customer_proposes_and_the_lab_accepts_is_charged(cast, programmes, over):
    reservation = over(9, 12)
    proposed = TimeRange(reservation.starts_at, reservation.starts_at + 2 * HOUR)
    usage_review.ask_adjustment(cast.actor("lin"), reservation.pk, proposed, "The lamp failed at eleven.", reservation.ends_at)
    assert state(reservation) == "adjusting"
    with pytest.raises(Refusal) as refused:
        usage_review.agree(cast.actor("lin"), reservation.pk, reservation.ends_at)
    assert codes(refused) == {"booking.illegal_transition"}
    usage_review.accept_adjustment(cast.actor("wang"), reservation.pk, reservation.ends_at + HOUR)
    session = UsageSession.objects.get()
    assert (session.billable_minutes, session.billable_rule, session.agreed_how) == (120, "adjusted", "adjustment")
    assert UsageAdjustment.objects.get().before_ends_at == reservation.ends_at
    assert Charge.objects.get().gross_fen == 800_00
    assert wrong() == {}


def test_what_is_told_of_a_session_needs_only_those_who_are_next(cast, programmes, over, second):
    reservation = over(9, 12)
    lin, wang, at = cast.actor("lin"), cast.actor("wang"), reservation.ends_at
    proposed = TimeRange(reservation.starts_at, reservation.starts_at + HOUR)

    def needing() -> set[str]:
        found = Notice.objects.filter(object_type="booking.reservation", object_id=str(reservation.pk), needs_action=True)
        return {code.removeprefix("reservation.") for code in found.values_list("event", flat=True)}

    assert needing() == {"completed"}
    assert usage_review.remind_due(at + 9 * DAY) == 1
    assert needing() == {"completed", "agree_soon"}
    usage_review.ask_adjustment(lin, reservation.pk, proposed, "It failed.", at)
    assert needing() == {"adjustment_asked_to_lab"}
    usage_review.refuse_adjustment(wang, reservation.pk, "The log says otherwise.", at)
    assert needing() == {"adjustment_refused"}
    usage_review.dispute(lin, reservation.pk, "Look at the log again.", at)
    assert needing() == {"disputed_to_lab"}
    usage_review.decide(second, reservation.pk, "as_measured", "It ran.", at)
    assert needing() == set()


def needing(reservation) -> set[str]:
    """The codes of what still needs somebody."""
    found = Notice.objects.filter(object_type="booking.reservation", object_id=str(reservation.pk), needs_action=True)
    return set(found.values_list("event", flat=True))


def told(code: str) -> int:
    return Notice.objects.filter(event=code).count()


def test_a_customer_who_said_yes_is_asked_nothing_more_and_only_the_lab_is_reminded(cast, programmes, over):
    reservation = over(9, 12)
    UsageSession.objects.update(lab_agreed_at=None, lab_agreed_by=None)
    assert needing(reservation) == {"reservation.completed"}
    assert usage_review.agree(cast.actor("lin"), reservation.pk, reservation.ends_at) is False
    assert needing(reservation) == set()
    assert usage_review.remind_due(reservation.ends_at + 9 * DAY) == 1
    assert (told("reservation.agree_soon"), told("lab.agree_soon") > 0) == (0, True)
    assert needing(reservation) == {"lab.agree_soon"}


def test_a_lab_that_said_yes_is_not_reminded_and_its_yes_settles_nothing_of_the_customers(cast, programmes, over):
    reservation = over(9, 12)
    assert usage_review.remind_due(reservation.ends_at + 9 * DAY) == 1
    assert (told("reservation.agree_soon") > 0, told("lab.agree_soon")) == (True, 0)
    assert usage_review.agree(cast.actor("wang"), reservation.pk, reservation.ends_at + 9 * DAY) is False
    assert needing(reservation) == {"reservation.completed", "reservation.agree_soon"}


def test_a_customer_who_was_reminded_is_done_with_the_own_yes(cast, programmes, over):
    reservation = over(9, 12)
    UsageSession.objects.update(lab_agreed_at=None, lab_agreed_by=None)
    assert usage_review.remind_due(reservation.ends_at + 9 * DAY) == 1
    assert (told("reservation.agree_soon") > 0, told("lab.agree_soon") > 0) == (True, True)
    assert needing(reservation) == {"reservation.completed", "reservation.agree_soon", "lab.agree_soon"}
    assert usage_review.agree(cast.actor("lin"), reservation.pk, reservation.ends_at + 9 * DAY) is False
    assert needing(reservation) == {"lab.agree_soon"}


def test_nothing_may_be_charged_and_then_every_hold_goes_back(cast, programmes, over):
    reservation = over(9, 12)
    usage_review.ask_adjustment(cast.actor("lin"), reservation.pk, None, "It never ran.", reservation.ends_at)
    usage_review.accept_adjustment(cast.actor("wang"), reservation.pk, reservation.ends_at)
    charge = Charge.objects.get()
    assert (charge.gross_fen, charge.payable_now_fen, charge.final_cost_fen) == (0, 0, 0)
    assert not Award.objects.exists()
    assert not Transfer.objects.filter(kind="hold", ends__isnull=True).exists()
    assert wrong() == {}


@pytest.mark.parametrize(
    ("shift", "code"), [((0, 0), "usage.proposal_same"), ((-1, 0), "usage.proposal_outside"), ((0, 1), "usage.proposal_outside")]
)
def test_a_proposal_lies_within_what_was_booked_and_is_another_one(cast, over, shift, code):
    reservation = over(9, 12)
    proposed = TimeRange(reservation.starts_at + shift[0] * HOUR, reservation.ends_at + shift[1] * HOUR)
    with pytest.raises(Refusal) as refused:
        usage_review.ask_adjustment(cast.actor("lin"), reservation.pk, proposed, "because", reservation.ends_at)
    assert codes(refused) == {code}
    assert state(reservation) == "completed"


def test_a_declined_wish_can_be_disputed_and_a_second_person_decides(cast, programmes, over, second):
    reservation = over(9, 12)
    at = reservation.ends_at
    proposed = TimeRange(reservation.starts_at, reservation.starts_at + HOUR)
    usage_review.ask_adjustment(cast.actor("lin"), reservation.pk, proposed, "It failed.", at)
    with pytest.raises(Refusal) as refused:
        usage_review.refuse_adjustment(cast.actor("wang"), reservation.pk, " ", at)
    assert codes(refused) == {"usage.reason_missing"}
    usage_review.refuse_adjustment(cast.actor("wang"), reservation.pk, "The log says otherwise.", at)
    with pytest.raises(Refusal):
        usage_review.ask_adjustment(cast.actor("lin"), reservation.pk, proposed, "Again.", at)
    usage_review.dispute(cast.actor("lin"), reservation.pk, "Look at the log again.", at)
    for name in ("wang", "lin"):
        with pytest.raises((Refusal, Forbidden)) as refused:
            usage_review.decide(cast.actor(name), reservation.pk, "as_proposed", "because", at)
    usage_review.decide(second, reservation.pk, "as_proposed", "The log shows the failure.", at)
    session = UsageSession.objects.get()
    assert (session.billable_minutes, session.billable_rule, session.agreed_how) == (60, "decided", "decision")
    assert Charge.objects.get().gross_fen == 400_00
    assert wrong() == {}


def test_who_objects_takes_an_earlier_yes_back_so_that_the_lab_alone_charges_nothing(cast, programmes, running):
    reservation = running(9, 12)
    lin, wang, at = cast.actor("lin"), cast.actor("wang"), reservation.ends_at
    self_service.end(lin, reservation.pk, agrees=True, now=at)
    proposed = TimeRange(reservation.starts_at, reservation.starts_at + HOUR)
    usage_review.ask_adjustment(lin, reservation.pk, proposed, "It failed.", at)
    usage_review.refuse_adjustment(wang, reservation.pk, "The log says otherwise.", at)
    assert usage_review.agree(wang, reservation.pk, at) is False
    assert (state(reservation), Charge.objects.count()) == ("adjustment_refused", 0)
    assert list(usage_queries.my_reviews(lin, at)) == [reservation]
    found = usage_queries.here(lin, cast.xrd, at + HOUR)
    assert (found.recent, found.recent.session.customer_agreed_at) == (reservation, None)
    panel = review_panel(lin, Reservation.objects.get(), at)
    assert (panel.may_agree, panel.may_dispute) == (True, True)
    usage_review.dispute(lin, reservation.pk, "Look again.", at)
    assert UsageSession.objects.get().customer_agreed_at is None
    assert wrong() == {}


def test_after_a_refused_wish_the_customers_new_yes_charges(cast, running):
    reservation = running(9, 12)
    lin, at = cast.actor("lin"), reservation.ends_at
    self_service.end(lin, reservation.pk, agrees=True, now=at)
    usage_review.ask_adjustment(lin, reservation.pk, None, "It failed.", at)
    usage_review.refuse_adjustment(cast.actor("wang"), reservation.pk, "It did not.", at)
    assert usage_review.agree(lin, reservation.pk, at)
    assert state(reservation) == "agreed"


def test_the_owners_finance_may_decide_too_and_a_decision_is_one_that_is_known(cast, over):
    reservation = over(9, 12)
    usage_review.dispute(cast.actor("lin"), reservation.pk, "No.", reservation.ends_at)
    li = cast.actor("li")
    for decision, code in (("half", "usage.decision_unknown"), ("as_proposed", "usage.nothing_proposed")):
        with pytest.raises(Refusal) as refused:
            usage_review.decide(li, reservation.pk, decision, "because", reservation.ends_at)
        assert codes(refused) == {code}
    usage_review.decide(li, reservation.pk, "nothing", "The instrument was down.", reservation.ends_at)
    assert Charge.objects.get().gross_fen == 0
    assert wrong() == {}


# --- By time --------------------------------------------------------------------------------------------------------------
def test_time_agrees_only_after_a_notice_that_is_a_day_old(cast, over):
    reservation = over(9, 12)
    until = UsageSession.objects.get().review_until
    assert until == reservation.ends_at + 7 * DAY
    assert usage_review.remind_due(until - DAY - HOUR) == 0
    assert usage_review.agree_due(until + HOUR) == 0, "nobody was told yet"
    assert usage_review.remind_due(until - DAY) == 1
    assert usage_review.remind_due(until - DAY) == 0, "once"
    assert usage_review.agree_due(until - HOUR) == 0
    assert usage_review.agree_due(until) == 1
    assert usage_review.agree_due(until) == 0
    assert (state(reservation), UsageSession.objects.get().agreed_how) == ("agreed", "time")
    assert wrong() == {}


def test_a_job_that_was_away_tells_first_and_agrees_a_day_later(cast, over):
    over(9, 12)
    late = UsageSession.objects.get().review_until + 10 * DAY
    assert usage_review.agree_due(late) == 0
    assert usage_review.remind_due(late) == 1
    assert usage_review.agree_due(late + HOUR) == 0
    assert usage_review.agree_due(late + DAY) == 1


def test_time_does_not_agree_what_is_asked_or_disputed(cast, over):
    asked, disputed = over(9, 11), over(13, 15)
    usage_review.ask_adjustment(cast.actor("lin"), asked.pk, None, "No.", asked.ends_at)
    usage_review.dispute(cast.actor("lin"), disputed.pk, "No.", disputed.ends_at)
    late = asked.ends_at + 30 * DAY
    assert (usage_review.remind_due(late), usage_review.agree_due(late + 2 * DAY)) == (0, 0)
    assert {state(asked), state(disputed)} == {"adjusting", "disputed"}


# --- Two people -----------------------------------------------------------------------------------------------------------
def test_who_proposed_other_times_does_not_accept_them_for_the_lab(cast, programmes, over, second):
    Membership.objects.create(user=cast.users["wang"], organisation=cast.firm, role=Role.FIRM_ADMIN, created_at=cast.now)
    reservation = over(9, 12)
    at = reservation.ends_at
    usage_review.ask_adjustment(cast.actor("wang"), reservation.pk, None, "It never ran.", at)
    with pytest.raises(Refusal) as refused:
        usage_review.accept_adjustment(cast.actor("wang"), reservation.pk, at)
    assert codes(refused) == {"usage.second_person"}
    assert (state(reservation), Charge.objects.count()) == ("adjusting", 0)
    usage_review.accept_adjustment(second, reservation.pk, at)
    assert state(reservation) == "agreed"


@pytest.mark.parametrize("what", ["adjustment", "dispute"])
def test_what_the_lab_does_not_answer_in_the_promised_time_is_told_to_all_once(cast, programmes, over, second, what):
    head = User.objects.create(email="head@example.org", full_name="Head", password="!", language="en")
    Membership.objects.create(user=head, organisation=cast.lab, role=Role.FIRM_ADMIN, created_at=cast.now)
    reservation = over(9, 12)
    lin, at = cast.actor("lin"), reservation.ends_at
    if what == "adjustment":
        usage_review.ask_adjustment(lin, reservation.pk, None, "It did not run.", at)
    else:
        usage_review.dispute(lin, reservation.pk, "It did not run.", at)
    due = at + DAY
    assert use_escalation.escalate_due(due - timedelta(seconds=1)) == 0
    assert (use_escalation.escalate_due(due), use_escalation.escalate_due(due + DAY)) == (1, 0)
    heard = set(Notice.objects.filter(event="lab.use_overdue").values_list("user__email", flat=True))
    assert heard == {cast.users["wang"].email, "ma@example.org"}
    heads = set(Notice.objects.filter(event="lab.use_overdue_for_heads").values_list("user__email", flat=True))
    assert "head@example.org" in heads and cast.users["wang"].email not in heads
    assert "lab.use_overdue" in needing(reservation)
    if what == "adjustment":
        usage_review.refuse_adjustment(cast.actor("wang"), reservation.pk, "The log says otherwise.", due)
    else:
        usage_review.decide(second, reservation.pk, "as_measured", "It ran.", due)
    assert "lab.use_overdue" not in needing(reservation)


def test_what_was_answered_in_time_is_not_escalated(cast, programmes, over):
    reservation = over(9, 12)
    usage_review.ask_adjustment(cast.actor("lin"), reservation.pk, None, "It did not run.", reservation.ends_at)
    usage_review.refuse_adjustment(cast.actor("wang"), reservation.pk, "It did.", reservation.ends_at + timedelta(hours=1))
    assert use_escalation.escalate_due(reservation.ends_at + 3 * DAY) == 0
