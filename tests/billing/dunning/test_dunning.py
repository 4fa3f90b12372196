"""Reminders of bills by the day, what stops them, and the block of new bookings: as pure rules, and with a bill that nobody pays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pgtrigger
import pytest
from django.db import DatabaseError, transaction

from billing.dunning import queries
from billing.dunning.models import BillDispute, Exemption, Reminder
from billing.dunning.rules.steps import DAYS, Step, Stops, block_day, blocks, day_of, next_step, step_due
from billing.dunning.services import reminding
from billing.payments.services import allocating
from billing.settlement import customer_terms, time_finding
from booking.rules.eligibility import Outcome
from booking.rules.time_search import TimeSearch
from booking.services import availability, reservations
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Notice
from tests.billing.bills.conftest import wrong
from tests.billing.payments.test_bank_transfers import code_of, row

DUE = date(2026, 12, 31)


def test_each_step_falls_on_its_day_once_and_a_missed_day_is_made_up_for_by_one_reminder():
    done: dict[str, date] = {}
    taken = {}
    for offset in range(-10, 40):
        step = step_due(DUE, DUE + timedelta(days=offset), done)
        if step is not None:
            done[step] = DUE + timedelta(days=offset)
            taken[offset] = step
    assert taken == {-3: "before", 1: "first", 7: "second", 14: "block"} and list(taken) == list(DAYS.values())
    assert all(one < other for one, other in pairwise(DAYS.values()))
    late, before = DUE + timedelta(days=9), {"before": DUE - timedelta(days=3)}
    assert step_due(DUE, late, before) is Step.SECOND
    assert step_due(DUE, late, {**before, "second": late}) is None
    assert step_due(DUE, DUE, {}) is Step.BEFORE and step_due(DUE, DUE - timedelta(days=4), {}) is None


def test_nobody_is_blocked_who_was_not_told_a_week_before():
    reopened = DUE + timedelta(days=20)  # paid in time, and open again when the day of the block is long over
    assert step_due(DUE, reopened, {}) is Step.SECOND
    assert next_step(DUE, reopened, {}) == (Step.SECOND, day_of(DUE, Step.SECOND))
    warned = {"second": reopened}
    days = [step_due(DUE, reopened + timedelta(days=days), warned) for days in range(9)]
    assert days == [None] * 7 + [Step.BLOCK] * 2
    assert next_step(DUE, reopened, warned) == (Step.BLOCK, reopened + timedelta(days=7))
    assert block_day(DUE, day_of(DUE, Step.SECOND)) == day_of(DUE, Step.BLOCK)


def test_dispute_and_exemption_stop_reminders_and_block_until_they_end():
    late = DUE + timedelta(days=20)
    assert blocks(1, ["block"], late) and not blocks(0, ["block"], late) and not blocks(1, ["second"], late)
    for stops in (Stops(disputed=True), Stops(exempt_until=late)):
        assert step_due(DUE, late, {}, stops) is None and not blocks(1, ["block"], late, stops)
    over = Stops(exempt_until=late - timedelta(days=1))
    warned = {"second": day_of(DUE, Step.SECOND)}
    assert step_due(DUE, late, warned, over) is Step.BLOCK and blocks(1, ["block"], late, over)
    assert next_step(DUE, DUE, {"before": day_of(DUE, Step.BEFORE)}) == (Step.FIRST, day_of(DUE, Step.FIRST))
    assert next_step(DUE, late, {"block": late}) is None


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 2, 0, tzinfo=UTC)


def ask(cast, day: date, who="lin", firm=None, hour=9):
    begin = datetime(day.year, day.month, day.day, hour - 8, 0, tzinfo=UTC)
    during = TimeRange(begin, begin + timedelta(hours=1))
    request = ReservationRequest(cast.xrd.pk, (firm or cast.firm).pk, during, "self_operated", "x")
    now = at(day - timedelta(days=1))
    return reservations.reserve(cast.actor(who), request, now, idempotency_key=f"{who}-{during.starts_at}").reservation_id


def found_by_lin(cast, day: date) -> tuple[Outcome, str]:
    """What Find a time says of the instrument on that day, and the first reason against."""
    now = at(day - timedelta(days=1))
    availability.rebuild([cast.xrd.calendar_id], now)
    search = TimeSearch(60, day, day)
    (row,) = time_finding.find(cast.actor("lin"), search, time_finding.customer_of(cast.firm), "earliest", now, 5, "").rows
    return row.eligibility.outcome, next((one.code for one in row.eligibility.reasons), "")


@pytest.mark.django_db
def test_who_does_not_pay_is_reminded_then_books_nothing_new_until_it_pays_or_is_let_wait(cast, bill, take):
    issued, other = bill(), bill(customer=cast.other_firm)
    assert issued.due_on == DUE
    days = [DUE + timedelta(days=days) for days in (-4, -3, -2, 1, 7, 13, 14, 15)]
    sent = [[reminding.remind_due(at(day)) for _ in range(2)] for day in days]
    assert sent == [[0, 0], [2, 0], [0, 0], [2, 0], [2, 0], [0, 0], [2, 0], [0, 0]]
    told = Notice.objects.filter(event__startswith="dunning.", user=cast.users["zhao"])
    assert list(told.order_by("pk").values_list("event", flat=True)) == [f"dunning.{step.value}" for step in Step]
    assert Notice.objects.filter(event="dunning.block", user=cast.users["li"]).count() == 2
    assert told.get(event="dunning.second").params["block_on"] == "2027-01-14"

    monday = date(2027, 1, 18)
    with pytest.raises(Refusal) as refused:
        ask(cast, monday)
    (reason,) = refused.value.reasons
    assert (reason.code, reason.params["total_fen"], reason.params["bills"]) == ("dunning.blocked", 1080_00, issued.number)
    assert "6222 0000" in reason.params["account"] and issued.reference in reason.params["references"]
    owners, lin = {cast.lab.pk, cast.firm.pk}, cast.users["lin"].pk
    standing = customer_terms.standing_at(owners, cast.firm.pk, lin, at(monday))
    assert {one: standing.against(one, monday, 1) for one in owners} == {cast.lab.pk: (reason,), cast.firm.pk: ()}
    assert customer_terms.standing_at({cast.lab.pk}, cast.lab.pk, lin, at(monday)).blocked == {}
    assert found_by_lin(cast, monday) == (Outcome.REFUSED, "dunning.blocked")

    for who, error in (("li", NotFound), ("lin", (Forbidden, NotFound)), ("he", NotFound), ("wu", Forbidden)):
        with pytest.raises((Forbidden, NotFound) if who == "li" else error):
            reminding.dispute(cast.actor(who), issued.pk, "x", at(monday))
    dispute = reminding.dispute(cast.actor("zhao"), issued.pk, "The samples were spoilt", at(monday))
    assert customer_terms.standing_at({cast.lab.pk}, cast.firm.pk, lin, at(monday)).blocked == {}
    assert found_by_lin(cast, monday) == (Outcome.APPROVAL, "")
    with pytest.raises(Refusal) as refused:
        reminding.dispute(cast.actor("zhao"), issued.pk, "again", at(monday))
    assert code_of(refused) == "dunning.disputed_already"
    ask(cast, monday)
    with pytest.raises((Forbidden, NotFound)):
        reminding.answer(cast.actor("zhao"), issued.pk, "x", at(monday))
    reminding.answer(cast.actor("li"), issued.pk, "They were measured as agreed", at(monday))
    with pytest.raises(Refusal) as refused:  # else a customer lifts its block for ever
        reminding.dispute(cast.actor("zhao"), issued.pk, "I do not believe it", at(monday))
    assert code_of(refused) == "dunning.disputed_before"
    with pytest.raises(Refusal):
        ask(cast, monday, hour=10)

    for who in ("zhao", "wang", "he"):
        with pytest.raises((Forbidden, NotFound)):
            reminding.exempt(cast.actor(who), cast.lab.pk, cast.firm.pk, date(2027, 1, 31), "x", at(monday))
    reminding.exempt(
        cast.actor("li"), cast.lab.pk, cast.firm.pk, date(2027, 1, 31), "payment plan", at(monday - timedelta(days=1))
    )
    ask(cast, monday, hour=10)
    reminding.exempt(
        cast.actor("li"), cast.lab.pk, cast.firm.pk, monday - timedelta(days=2), "broken", at(monday - timedelta(days=1))
    )
    with pytest.raises(Refusal):
        ask(cast, monday, hour=11)
    (row_of,) = queries.rows_of(cast.actor("zhao"), list(queries.overdue(cast.actor("zhao"), monday)), monday)
    assert (row_of.blocked, row_of.days_late, row_of.last, row_of.pays) == (True, 18, "block", True)
    assert {each.bill.pk for each in queries.rows_of(cast.actor("li"), list(queries.overdue(cast.actor("li"), monday)), monday)} == {
        issued.pk, other.pk,
    }  # fmt: skip

    (payment,) = take(row("1,080.00"))
    allocating.give(cast.actor("li"), payment.pk, issued.pk, 1080_00, at(monday))
    ask(cast, monday, hour=11)
    with pytest.raises(Refusal):
        ask(cast, monday, "he", cast.other_firm, hour=12)
    assert wrong() == {}

    # What the database refuses, whoever writes; each with its control.
    values = {"bill": issued, "owner": cast.lab, "customer": cast.firm, "step": "block", "open_fen": 1, "at": at(monday)}
    with pytest.raises(DatabaseError), transaction.atomic():
        Reminder.objects.create(**values)
    with pytest.raises(DatabaseError), transaction.atomic():
        BillDispute.objects.filter(pk=dispute.pk).update(answer="another")
    own = {"owner": cast.lab, "customer": cast.firm, "until_on": monday, "reason": "x", "given_at": at(monday)}
    with pytest.raises(DatabaseError), transaction.atomic():
        Exemption.objects.create(**own, given_by=cast.users["zhao"])
    with pytest.raises(ZeroDivisionError), transaction.atomic(), pgtrigger.ignore("billing.Exemption:exemption_by_other_side"):
        Exemption.objects.create(**own, given_by=cast.users["zhao"])
        raise ZeroDivisionError  # it was written: undone
