"""A bill: what stands on it, its number, that it is frozen, that nothing is billed twice, and undoing it."""

from __future__ import annotations

from datetime import date, timedelta

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing.bills import queries
from billing.bills.models import Bill, BillLine, BillVoid
from billing.bills.proposal_models import BillProposal
from billing.bills.rules.standing import BillState
from billing.bills.services import issuing, proposing
from billing.bills.services.issuing import BillRequest
from billing.ledger.models import Transfer
from billing.models import BookingFee, FeeRelief
from billing.pricing import services as pricing
from billing.settlement import two_people
from billing.settlement.models import Charge
from billing.settlement.rules.lines_digest import Expected
from billing.settlement.services import fees
from booking.services import transitions
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Membership, Notice, User
from tests.billing.bills.conftest import DECEMBER, NOVEMBER_30, wrong
from tests.billing.services.conftest import Life
from tests.conftest import PRICE, slot_of

pytestmark = pytest.mark.django_db


def code_of(refused):
    return refused.value.reasons[0].code


def settle() -> None:
    """What is looked at when a transaction ends is looked at now."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_a_bill_is_what_the_customer_has_to_pay_now_to_the_fen_and_the_ledger_says_the_same(cast, bill):
    issued = bill()
    charges = Charge.objects.filter(reservation__organisation=cast.firm)
    totals = issued.content["totals"]
    assert issued.total_fen == totals["total_fen"] == sum(charge.payable_now_fen for charge in charges) == 1080_00
    assert totals["gross_fen"] - totals["deducted_fen"] == totals["total_fen"]
    assert {line["deductions"][0]["programme"] for line in issued.content["lines"]} == {"DEMO-QH-V"}
    moved = Transfer.objects.get(source_type="bill", source_id=issued.pk)
    assert (moved.debit.kind, moved.credit.kind, moved.amount_fen) == ("receivable", "revenue", 1080_00)
    settle()
    assert wrong() == {}


def test_it_says_both_sides_the_bank_the_days_and_how_to_pay_as_they_are_at_issue(cast, bill):
    issued = bill()
    cast.lab.bank_account_number, cast.firm.name = "0000", "Another name"
    cast.lab.save(), cast.firm.save()
    content = Bill.objects.get(pk=issued.pk).content
    assert content["owner"]["bank_account_number"] == "6222 0000" and content["customer"]["name"] == "Gaoyuan Lithium"
    assert (content["made_on"], content["due_on"]) == ("2026-12-01", "2026-12-31")
    assert content["period"]["last_day"] == "2026-11-30" and content["tax"] == "not_shown"
    assert content["payment_reference"] == issued.reference and content["maker"] == "Li"


def test_numbers_run_without_a_gap_also_past_a_bill_that_was_not_made(cast, bill):
    with pytest.raises(RuntimeError), transaction.atomic():
        bill()
        raise RuntimeError
    first, second = bill(), bill(cast.other_firm)
    assert [first.number, second.number] == ["ZD-2026-000001", "ZD-2026-000002"]
    assert first.reference != second.reference
    assert wrong() == {}


def test_nothing_is_billed_twice(cast, bill):
    bill()
    with pytest.raises(Refusal) as refused:
        bill()
    assert code_of(refused) == "bill.nothing_to_bill"


def test_the_database_takes_a_charge_on_one_bill_only(cast, bill):
    line = bill().lines.get(position=1)
    copy = {"bill": line.bill, "position": 99, "charge": line.charge, "amount_fen": line.amount_fen}
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        BillLine.objects.create(**copy)
    assert "bill_line_charge_once" in str(refused.value)
    with transaction.atomic(), connection.cursor() as cursor:  # the control
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE billing_billline DISABLE TRIGGER USER")
        cursor.execute("DROP INDEX bill_line_charge_once")
        BillLine.objects.create(**copy)
        assert "bills.a_charge_stands_on_one_bill" in wrong()
        transaction.set_rollback(True)


def test_the_database_takes_no_line_that_says_something_else_than_was_charged(cast, bill):
    issued, other = bill(), bill(cast.other_firm)
    line = issued.lines.get(position=1)
    with pgtrigger.ignore("billing.BillLine:bill_line_frozen"):
        BillLine.objects.filter(pk=line.pk).update(voided=True)
    for bad in ({"bill": issued, "amount_fen": line.amount_fen + 1}, {"bill": other, "amount_fen": line.amount_fen}):
        with pytest.raises(DatabaseError, match="what its two sides were charged"), transaction.atomic():
            BillLine.objects.create(position=99, charge=line.charge, **bad)
        with pgtrigger.ignore("billing.BillLine:bill_line_is_charged"), transaction.atomic():  # the control
            BillLine.objects.create(position=99, charge=line.charge, **bad)
            transaction.set_rollback(True)


def test_nobody_adds_a_line_later(cast, bill):
    issued, other = bill(), bill(cast.other_firm)
    settle()
    line = other.lines.get(position=1)
    with pgtrigger.ignore("billing.BillLine:bill_line_frozen"):
        BillLine.objects.filter(pk=line.pk).update(voided=True)
    with pytest.raises(DatabaseError, match="the sum of its lines"), transaction.atomic():
        with pgtrigger.ignore("billing.BillLine:bill_line_is_charged"):
            BillLine.objects.create(bill=issued, position=99, charge=line.charge, amount_fen=line.amount_fen)
        settle()


FROZEN = {
    "billing_bill": "due_on = due_on + 1",
    "billing_billline": "amount_fen = amount_fen + 1",
    "billing_billvoid": "reason = 'another'",
}


@pytest.mark.parametrize("table", sorted(FROZEN))
def test_what_was_issued_is_neither_changed_nor_deleted(cast, bill, table):
    issuing.void(cast.actor("li"), bill().pk, "wrong month", DECEMBER)
    settle()
    for statement in (f"UPDATE {table} SET {FROZEN[table]}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with transaction.atomic(), connection.cursor() as cursor:  # the control
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE {table} SET {FROZEN[table]}")
        assert cursor.rowcount
        transaction.set_rollback(True)


def test_only_what_the_making_of_the_files_says_changes(cast, bill):
    issued = bill()
    Bill.objects.filter(pk=issued.pk).update(render_percent=10)


def test_figures_that_changed_since_they_were_looked_at_are_not_issued(cast, bill):
    with pytest.raises(Conflict) as refused:
        bill(expected=Expected(2, 1))
    assert code_of(refused) == "bill.figures_differ"
    assert not Bill.objects.exists()


def test_two_clicks_make_one_bill(cast, month):
    request = BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30)
    first = issuing.issue_once(cast.actor("li"), request, DECEMBER, idempotency_key="k")
    second = issuing.issue_once(cast.actor("li"), request, DECEMBER, idempotency_key="k")
    assert (first.bill_id, second.replayed) == (second.bill_id, True) and Bill.objects.count() == 1


def test_from_the_threshold_on_one_person_proposes_and_another_issues(cast, month, bill, settings):
    mei = User.objects.create(email="mei@example.org", full_name="Mei", password="!", language="en")
    Membership.objects.create(user=mei, organisation=cast.lab, role="owner_finance", created_at=cast.now)
    cast.users["mei"] = mei
    asked, li = BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30), cast.actor("li")
    total = issuing.preview(li, asked, DECEMBER)["totals"]["total_fen"]
    settings.SECOND_PERSON_FROM_FEN = total
    for attempt, code in (
        (lambda: issuing.issue_once(li, asked, DECEMBER, idempotency_key="k"), "bill.second_person"),
        (lambda: proposing.propose(li, asked, DECEMBER, expected=Expected(1, total)), "bill.figures_differ"),
    ):
        with pytest.raises(Refusal) as refused:
            attempt()
        assert code_of(refused) == code
    first = proposing.propose(li, asked, DECEMBER)
    with pytest.raises(Conflict) as refused:
        proposing.propose(cast.actor("mei"), asked, DECEMBER)
    assert code_of(refused) == "bill.proposed_already"
    assert set(_asked_of(first)) == {"Mei"}
    with pytest.raises(Refusal) as refused:
        proposing.issue(li, first.pk, DECEMBER)
    assert code_of(refused) == "bill.own_proposal" and not Bill.objects.exists()
    with pytest.raises(NotFound):
        proposing.issue(cast.actor("qian"), first.pk, DECEMBER)
    with pytest.raises(Refusal) as refused:
        proposing.decline(cast.actor("mei"), first.pk, " ", DECEMBER)
    assert code_of(refused) == "proposal.reason_missing"
    assert proposing.decline(cast.actor("mei"), first.pk, "the June fee is missing", DECEMBER).state == "sent_back"
    assert set(_asked_of(first)) == set()
    with pytest.raises(Conflict) as refused:
        proposing.issue(cast.actor("mei"), first.pk, DECEMBER)
    assert code_of(refused) == "bill.proposal_decided"
    own = proposing.propose(li, asked, DECEMBER)
    assert proposing.decline(li, own.pk, "", DECEMBER).state == "withdrawn"
    # Other figures than those that were looked at: nothing is issued, and it waits still.
    stale = proposing.propose(li, asked, DECEMBER)
    with pgtrigger.ignore("billing.BillProposal:bill_proposal_frozen"):
        BillProposal.objects.filter(pk=stale.pk).update(total_fen=total + 1)
    with pytest.raises(Conflict) as refused:
        proposing.issue(cast.actor("mei"), stale.pk, DECEMBER)
    assert code_of(refused) == "bill.figures_differ" and not Bill.objects.exists()
    proposing.decline(li, stale.pk, "", DECEMBER)
    last = proposing.propose(li, asked, DECEMBER)
    issued = proposing.issue(cast.actor("mei"), last.pk, DECEMBER)
    last.refresh_from_db()
    assert (last.state, last.bill, issued.total_fen, issued.issued_by) == ("issued", issued, total, mei)
    assert wrong() == {}
    _guards_of_proposals(cast, issued, bill(cast.other_firm))


def _asked_of(proposal):
    rows = Notice.objects.filter(event="bill.proposed", object_id=str(proposal.pk), needs_action=True)
    return rows.values_list("user__full_name", flat=True)


def _guards_of_proposals(cast, issued, other):
    """Whoever writes: another person decides, what is decided stays; and what the guards let through without themselves."""
    given = {"owner": cast.lab, "customer": cast.firm, "until_on": NOVEMBER_30, "due_days": 30, "line_count": 1, "total_fen": 5}
    waits = BillProposal.objects.create(**given, proposed_by=cast.users["li"], proposed_at=DECEMBER)
    rows, decided = BillProposal.objects.filter(pk=waits.pk), {"decided_at": DECEMBER}
    for bad, guard in (
        ({"state": "issued", "bill": other, "decided_by": cast.users["li"]}, "bill_proposal_two_people"),
        ({"state": "sent_back", "reason": "x", "decided_by": cast.users["li"]}, "bill_proposal_two_people"),
        ({"state": "issued", "decided_by": cast.users["mei"]}, "bill_proposal_decided_whole"),
        ({"state": "sent_back", "decided_by": cast.users["mei"]}, "bill_proposal_sent_back_says_why"),
    ):
        with pytest.raises(IntegrityError, match=guard), transaction.atomic():
            rows.update(**decided | bad)
    rows.update(**decided, state="issued", bill=other, decided_by=cast.users["mei"])  # the same by another is no matter
    over = BillProposal.objects.filter(bill=issued)
    for work, guard in (
        (lambda: over.update(reason="y"), "bill_proposal_decided_once"),
        (lambda: over.update(total_fen=1), "bill_proposal_frozen"),
        (lambda: over.delete(), "bill_proposal_kept"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            work()
        others = () if guard == "bill_proposal_kept" else ("bill_proposal_decided_once",)
        names = {f"billing.BillProposal:{name}" for name in (guard, *others)}
        with pytest.raises(ZeroDivisionError), transaction.atomic(), pgtrigger.ignore(*names):
            work()
            raise ZeroDivisionError  # it was written: undone
    settle()
    with pytest.raises(DatabaseError, match="cannot be truncated"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE billing_billproposal CASCADE")


@pytest.mark.parametrize(("who", "error"), [("wang", Forbidden), ("lin", Forbidden), ("qian", Forbidden)])
def test_only_who_accounts_for_the_owner_bills(cast, bill, who, error):
    with pytest.raises(error):
        bill(who=who)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"until_on": date(2026, 12, 2)}, "bill.in_the_future"),
        ({"due_days": 61}, "bill.due_days"),
        ({"due_days": -1}, "bill.due_days"),
    ],
)
def test_days_that_cannot_be_are_refused(cast, month, changes, code):
    request = BillRequest(**{"owner_id": cast.lab.pk, "customer_id": cast.firm.pk, "until_on": NOVEMBER_30} | changes)
    with pytest.raises(Refusal) as refused:
        issuing.preview(cast.actor("li"), request, DECEMBER)
    assert code_of(refused) == code


def test_a_bill_is_read_by_its_two_sides_and_the_inspector(cast, bill):
    issued = bill()
    for who in ("li", "zhao", "wu"):
        assert queries.bill_for(cast.actor(who), issued.pk).number == issued.number
    for who in ("he", "lin", "wang", "qian", "zhou"):
        with pytest.raises(NotFound):
            queries.bill_for(cast.actor(who), issued.pk)


def test_a_void_bill_keeps_its_number_and_what_stood_on_it_is_billed_anew(cast, bill):
    first = bill()
    issuing.void(cast.actor("li"), first.pk, "wrong day", DECEMBER)
    settle()
    standing = queries.standing_of(queries.bill_for(cast.actor("li"), first.pk))
    assert (standing.state, standing.open_fen) == (BillState.VOID, 0)
    second = bill()
    settle()
    assert (second.number, second.total_fen) == ("ZD-2026-000002", first.total_fen)
    assert wrong() == {}
    with pytest.raises(Refusal) as refused:
        issuing.void(cast.actor("li"), first.pk, "again", DECEMBER)
    assert code_of(refused) == "bill.not_voidable"


def test_a_line_is_void_only_with_its_bill(cast, bill):
    line = bill().lines.get(position=1)
    with pytest.raises(DatabaseError, match="frozen"), transaction.atomic():
        BillLine.objects.filter(pk=line.pk).update(voided=True)
    with pgtrigger.ignore("billing.BillLine:bill_line_frozen"), transaction.atomic():  # the control
        BillLine.objects.filter(pk=line.pk).update(voided=True)
        transaction.set_rollback(True)


def test_a_void_says_why(cast, bill):
    issued = bill()
    with pytest.raises(Refusal) as refused:
        issuing.void(cast.actor("li"), issued.pk, "  ", DECEMBER)
    assert code_of(refused) == "bill.reason_missing"
    assert not BillVoid.objects.exists()


@pytest.fixture
def fee(cast):
    """Lin gave a time back too late; half of 1,200 yuan, of which the lab waived 100."""
    pricing.publish_price(
        cast.actor("li"),
        cast.xrd,
        PRICE | {"fees": {"late_cancel": {"share": "0.5"}}},
        date(2026, 11, 23),
        cast.now,
        date(2026, 11, 23),
    )
    life = Life(cast)
    reservation = life.approve(life.ask(slot_of(9, 12, 2)))
    transitions.cancel(cast.actor("lin"), reservation.pk, reservation.starts_at - timedelta(hours=1))
    fees.waive(cast.actor("wang"), reservation.pk, 100_00, "half a day of snow", cast.now + timedelta(days=3))
    return BookingFee.objects.get(reservation=reservation)


def test_a_fee_stands_on_the_bill_with_what_of_it_has_fallen_away(cast, fee):
    request = BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30)
    issued = issuing.issue(cast.actor("li"), request, DECEMBER)
    (line,) = issued.content["lines"]
    assert (line["of"], line["fee_kind"], line["gross_fen"], line["relieved_fen"], line["amount_fen"]) == (
        "fee", "late_cancel", 600_00, 100_00, 500_00,
    )  # fmt: skip
    settle()
    assert wrong() == {}


def fall_away(fee, amount_fen):
    computed = {"inputs": {}, "inputs_sha256": "", "result": {}, "created_at": DECEMBER}
    FeeRelief.objects.create(fee=fee, cause="taken_again", used_by=fee.reservation, amount_fen=amount_fen, **computed)


def test_what_falls_away_after_the_bill_is_shown_to_be_credited(cast, fee):
    request = BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30)
    issued = issuing.issue(cast.actor("li"), request, DECEMBER)
    assert not queries.fell_away_since(cast.actor("li"), cast.lab.pk).exists()
    fall_away(fee, 250_00)
    (line,) = queries.fell_away_since(cast.actor("li"), cast.lab.pk)
    (standing,) = queries.lines_of(cast.actor("li"), issued)
    assert (line.pk, standing.fell_away_fen, standing.left_fen) == (standing.line.pk, 250_00, 500_00)


def test_a_fee_of_which_something_falls_away_while_the_bill_is_made_is_a_conflict_and_no_bill(cast, fee, monkeypatch):
    looked = two_people.refuse_surprise

    def then_it_falls_away(*seen):
        looked(*seen)
        fall_away(fee, 250_00)

    monkeypatch.setattr(two_people, "refuse_surprise", then_it_falls_away)
    with pytest.raises(Conflict) as refused:
        issuing.issue(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30), DECEMBER)
    (reason,) = refused.value.reasons
    assert (reason.code, reason.params) == ("bill.figures_differ", {"lines": 1, "total_fen": 250_00})
    assert not Bill.objects.exists()


def test_a_fee_that_fell_away_whole_is_not_billed(cast, fee):
    fall_away(fee, 500_00)
    with pytest.raises(Refusal) as refused:
        issuing.preview(cast.actor("li"), BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30), DECEMBER)
    assert code_of(refused) == "bill.nothing_to_bill"


def test_what_can_be_billed_is_read_in_a_constant_number_of_queries(cast, month, django_assert_num_queries):
    actor = cast.actor("li")
    with django_assert_num_queries(3):
        rows = queries.to_bill(actor, cast.lab.pk, NOVEMBER_30)
    assert {row.customer.name: row.open.charges for row in rows} == {"Gaoyuan Lithium": 2, "Lianhe Materials": 2}
    with django_assert_num_queries(9):
        bills = issuing.preview(actor, BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30), DECEMBER)
    assert bills["totals"]["lines"] == 2
