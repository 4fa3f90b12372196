"""Money by bank transfer: taken in once, given to bills, undone, sent back; and credit notes, which set paid money free."""

from __future__ import annotations

import pgtrigger
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from billing.bills import queries as bills
from billing.bills.models import AwardReversal, CreditNote
from billing.bills.rules.standing import BillState
from billing.bills.services import issuing
from billing.ledger.models import Account
from billing.models import Award
from billing.payments import queries
from billing.payments.models import Allocation, BankStatement, Payment, Refund
from billing.payments.rules.matching import Confidence
from billing.payments.services import allocating, bank_import, crediting, refunding
from billing.payments.services.crediting import CreditRequest, Shown
from billing.settlement.services import statements
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from tests.billing.bills.conftest import DECEMBER, wrong
from tests.billing.bills.test_bills import settle
from tests.billing.payments.conftest import csv_of
from tests.billing.settlement.conftest import NOVEMBER

pytestmark = pytest.mark.django_db


def code_of(refused):
    return refused.value.reasons[0].code


def stands(cast, bill):
    standing = bills.standing_of(bills.bill_for(cast.actor("li"), bill.pk))
    return standing.state, standing.open_fen


def row(amount, remark="", payer="Gaoyuan Lithium", serial="1"):
    return f'2026-12-01,"{amount}",,{payer},6217 0001,{remark},{serial}'


def test_a_list_is_taken_in_once_and_an_overlapping_one_brings_only_what_is_new(cast, bill, take):
    assert len(take(row("1,080.00"), "2026-12-01,,88.00,Paper shop,1,paper,2")) == 1
    statement = BankStatement.objects.get()
    assert (statement.row_count, statement.taken_count, statement.outgoing_count, statement.taken_fen) == (2, 1, 1, 1080_00)
    again = bank_import.import_statement(
        cast.actor("li"), cast.lab.pk, csv_of(row("1,080.00"), "2026-12-01,,88.00,Paper shop,1,paper,2"), "other.csv", DECEMBER
    )
    assert again.known and Payment.objects.count() == 1
    assert [payment.amount_fen for payment in take(row("1,080.00"), row("5", serial="9"))] == [5_00]
    assert BankStatement.objects.latest("pk").known_count == 1
    assert wrong() == {}


def test_a_list_with_one_bad_row_is_not_taken_in_at_all(cast, month, take):
    with pytest.raises(Refusal) as refused:
        take(row("10"), row("ten", serial="2"), "31.12.,5,,x,1,y,3")
    assert [(reason.code, reason.field) for reason in refused.value.reasons] == [
        ("bank.not_an_amount", "row 5: amount_in"),
        ("bank.not_a_date", "row 6: date"),
    ]
    assert not Payment.objects.exists() and not BankStatement.objects.exists()


@pytest.mark.parametrize(("who", "error"), [("wang", Forbidden), ("lin", Forbidden)])
def test_only_who_accounts_for_the_owner_takes_lists_in(cast, month, take, who, error):
    with pytest.raises(error):
        take(row("10"), who=who)


def test_nobody_takes_a_list_in_for_another_institution(cast, month):
    with pytest.raises(NotFound):
        bank_import.import_statement(cast.actor("li"), cast.firm.pk, csv_of(row("1")), "x.csv", DECEMBER)


def test_a_payment_with_its_reference_is_proposed_surely_and_pays_the_bill(cast, bill, take):
    issued = bill()
    (payment,) = take(row("1,080.00", f"test fee {issued.reference}"))
    actor = cast.actor("li")
    shown = queries.payment_for(actor, payment.pk)
    (suggestion,) = queries.suggestions([shown], queries.open_bills(actor, [cast.lab.pk]))[payment.pk]
    assert (suggestion.bill_id, suggestion.confidence) == (issued.pk, Confidence.CERTAIN)
    allocating.give(actor, payment.pk, suggestion.bill_id, suggestion.amount_fen, DECEMBER)
    assert stands(cast, issued) == (BillState.PAID, 0)
    assert wrong() == {}


def test_parts_and_too_much_and_money_that_nobody_knew(cast, bill, take):
    issued, other = bill(), bill(cast.other_firm)
    first, second = take(row("80"), row("2,000", payer="Somebody", serial="2"))
    actor = cast.actor("li")
    allocating.give(actor, first.pk, issued.pk, 80_00, DECEMBER)
    assert stands(cast, issued) == (BillState.PARTLY_PAID, 1000_00)
    allocating.give(actor, second.pk, issued.pk, 1000_00, DECEMBER)
    assert stands(cast, issued) == (BillState.PAID, 0)
    assert queries.standing(queries.payment_for(actor, second.pk)).free_fen == 1000_00
    allocating.give(actor, second.pk, other.pk, 400_00, DECEMBER)
    refunding.refund(actor, second.pk, 600_00, "paid too much", DECEMBER)
    assert queries.standing(queries.payment_for(actor, second.pk)).free_fen == 0
    assert not queries.with_free_money(queries.payments_visible(actor)).exists()
    assert wrong() == {}


@pytest.mark.parametrize("amount", [0, -1, 1080_01, 2000_01])
def test_no_more_is_given_than_is_open_and_free(cast, bill, take, amount):
    issued = bill()
    (payment,) = take(row("2,000"))
    with pytest.raises(Refusal) as refused:
        allocating.give(cast.actor("li"), payment.pk, issued.pk, amount, DECEMBER)
    assert refused.value.reasons[0].params == {"free_fen": 2000_00, "open_fen": 1080_00}


def test_what_was_given_is_taken_back_by_an_entry_once(cast, bill, take):
    issued = bill()
    (payment,) = take(row("1,080"))
    actor = cast.actor("li")
    given = allocating.give(actor, payment.pk, issued.pk, 1080_00, DECEMBER)
    allocating.undo(actor, given.pk, "another firm's", DECEMBER)
    assert stands(cast, issued) == (BillState.ISSUED, 1080_00) and Allocation.objects.count() == 2
    with pytest.raises(Refusal) as refused:
        allocating.undo(actor, given.pk, "again", DECEMBER)
    assert code_of(refused) == "payment.undone_already"
    allocating.give(actor, payment.pk, issued.pk, 1080_00, DECEMBER)
    assert stands(cast, issued) == (BillState.PAID, 0)
    assert wrong() == {}


def test_a_bill_that_was_paid_in_part_is_not_voided(cast, bill, take):
    issued = bill()
    (payment,) = take(row("80"))
    given = allocating.give(cast.actor("li"), payment.pk, issued.pk, 80_00, DECEMBER)
    with pytest.raises(Refusal) as refused:
        issuing.void(cast.actor("li"), issued.pk, "no", DECEMBER)
    assert code_of(refused) == "bill.not_voidable"
    with (
        pytest.raises(DatabaseError, match="unpaid, unclaimed and uncredited"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO billing_billvoid (bill_id, reason, voided_by_id, voided_at) VALUES (%s, 'x', %s, now())",
            [issued.pk, cast.users["li"].pk],
        )
    allocating.undo(cast.actor("li"), given.pk, "wrong", DECEMBER)
    issuing.void(cast.actor("li"), issued.pk, "no", DECEMBER)


def test_the_database_gives_no_bill_more_than_is_due_or_came_in(cast, bill, take):
    issued, other = bill(), bill(cast.other_firm)
    (payment,) = take(row("2,000"))
    values = {"payment": payment, "bill": issued, "at": DECEMBER}
    for bad in (1080_01, 2000_01):
        with pytest.raises(DatabaseError, match="than is due and was paid"), transaction.atomic():
            Allocation.objects.create(amount_fen=bad, **values)
    with transaction.atomic():  # the control
        with pgtrigger.ignore("billing.Allocation:allocation_fits"):
            Allocation.objects.create(amount_fen=1080_01, **values)
        assert "payments.no_bill_is_paid_beyond_what_is_due" in wrong()
        transaction.set_rollback(True)
    given = Allocation.objects.create(amount_fen=80_00, **values)
    undoing = {"undoes": given, "reason": "x", "at": DECEMBER}
    for bad in (
        {"payment": payment, "bill": issued, "amount_fen": -80_01},
        {"payment": payment, "bill": other, "amount_fen": -1},
    ):
        with pytest.raises(DatabaseError, match="no more is undone"), transaction.atomic():
            Allocation.objects.create(**bad, **undoing)
        with pgtrigger.ignore("billing.Allocation:allocation_fits"), transaction.atomic():  # the control
            Allocation.objects.create(**bad, **undoing)
            transaction.set_rollback(True)
    with pytest.raises(DatabaseError, match="than is free"), transaction.atomic():
        Refund.objects.create(payment=payment, kind="refund", amount_fen=1920_01, reason="x", at=DECEMBER)
    with transaction.atomic():  # the control
        with pgtrigger.ignore("billing.Refund:refund_fits"):
            Refund.objects.create(payment=payment, kind="refund", amount_fen=1920_01, reason="x", at=DECEMBER)
        assert "payments.nothing_is_given_that_did_not_come_in" in wrong()
        transaction.set_rollback(True)


KEPT = {
    "billing_payment": "amount_fen = amount_fen + 1",
    "billing_allocation": "amount_fen = amount_fen - 1",
    "billing_refund": "amount_fen = amount_fen - 1",
    "billing_bankstatement": "taken_count = taken_count + 1",
    "billing_creditnote": "total_fen = total_fen - 1",
    "billing_awardreversal": "claimed = NOT claimed",
}


@pytest.mark.parametrize("table", sorted(KEPT))
def test_what_is_written_once_is_never_changed(cast, bill, take, table):
    issued = bill()
    (payment,) = take(row("1,090"))
    actor = cast.actor("li")
    allocating.give(actor, payment.pk, issued.pk, 80_00, DECEMBER)
    refunding.refund(actor, payment.pk, 10_00, "too much", DECEMBER)
    credit(cast, issued, 100_00)
    settle()
    for statement in (f"UPDATE {table} SET {KEPT[table]}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with transaction.atomic(), connection.cursor() as cursor:  # the control
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE {table} SET {KEPT[table]}")
        assert cursor.rowcount
        transaction.set_rollback(True)


# --- Credit notes ---------------------------------------------------------------------------------------------------------
def credit(cast, bill, amount, position=1, who="li", **options):
    asked = CreditRequest(bill.pk, position, amount, "poor_result", "the peak was missing")
    return crediting.issue(cast.actor(who), asked, DECEMBER, **options)


def pools():
    return {
        account.key: account.posted_fen
        for account in Account.objects.filter(limited=True, key__contains="DEMO-QH-V").exclude(posted_fen=0)
    }


def test_a_credit_note_shows_its_effect_and_then_does_just_that(cast, bill):
    issued = bill()
    line = issued.content["lines"][0]
    before, amount = pools(), line["amount_fen"] // 3
    effect, postings = crediting.preview(cast.actor("li"), CreditRequest(issued.pk, 1, amount, "poor_result", "x"))
    assert not CreditNote.objects.exists() and pools() == before
    assert (effect.amount_fen, effect.unpaid_fen, effect.freed_fen) == (amount, amount, 0)
    deducted = sum(each["amount_fen"] for each in line["deductions"])
    assert effect.subsidy_fen == round(deducted / 3)
    assert [posting.debit for posting in postings] == ["revenue", "awarded"]
    note = credit(cast, issued, amount, shown=Shown(subsidy_fen=effect.subsidy_fen))
    assert note.number == "HZ-2026-000001" and note.content["totals"]["subsidy_fen"] == effect.subsidy_fen
    assert {key: before[key] - spent for key, spent in pools().items()} == dict.fromkeys(before, effect.subsidy_fen)
    assert stands(cast, issued)[1] == issued.total_fen - amount
    settle()
    assert wrong() == {}


def test_all_of_a_line_takes_all_of_its_subsidy_back_and_no_statement_takes_it_up(cast, bill, month):
    issued = bill()
    first, second = issued.content["lines"]
    credit(cast, issued, 1_00)
    credit(cast, issued, first["amount_fen"] - 1_00)
    award = Award.objects.get(charge=first["source"])
    assert sum(AwardReversal.objects.filter(award=award).values_list("amount_fen", flat=True)) == award.total_fen
    content = statements.preview(cast.actor("qian"), month["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER)
    assert [line["reservation"]["reference"] for line in content["lines"]] == [second["reference"]]
    with pytest.raises(Refusal) as refused:
        credit(cast, issued, 1)
    assert refused.value.reasons[0].params == {"left_fen": 0}
    assert wrong() == {}


def test_a_statement_takes_up_what_is_left_of_an_award(cast, bill, month):
    issued = bill()
    whole = statements.preview(cast.actor("qian"), month["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER)
    note = credit(cast, issued, issued.content["lines"][0]["amount_fen"] // 2)
    statement = statements.issue(cast.actor("qian"), month["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER)
    back = note.content["totals"]["subsidy_fen"]
    assert statement.total_fen == whole["totals"]["awarded_fen"] - back
    assert sum(each["amount_fen"] for each in statement.content["totals"]["payers"]) == statement.total_fen
    assert statement.content["lines"][0]["credited_fen"] == back
    late = credit(cast, issued, 10_00)
    assert late.reversals.get().claimed is True
    assert wrong() == {}


def test_paid_money_beyond_the_rest_becomes_free(cast, bill, take):
    issued = bill()
    (payment,) = take(row("1,080"))
    actor = cast.actor("li")
    allocating.give(actor, payment.pk, issued.pk, 1080_00, DECEMBER)
    effect, _ = crediting.preview(actor, CreditRequest(issued.pk, 1, 200_00, "other", "x"))
    assert (effect.unpaid_fen, effect.freed_fen) == (0, 200_00)
    credit(cast, issued, 200_00)
    assert stands(cast, issued) == (BillState.PAID, 0)
    assert queries.standing(queries.payment_for(actor, payment.pk)).free_fen == 200_00
    settle()
    assert wrong() == {}


def test_an_effect_that_changed_since_it_was_looked_at_is_not_done(cast, bill):
    issued = bill()
    with pytest.raises(Conflict) as refused:
        credit(cast, issued, 100_00, shown=Shown(subsidy_fen=1))
    assert code_of(refused) == "credit.effect_differs" and not CreditNote.objects.exists()


def test_money_that_came_since_it_was_looked_at_is_not_freed_unseen(cast, bill, take, client, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)
    client.force_login(cast.users["li"])
    issued, li = bill(), cast.actor("li")
    address = reverse("bill_credit", args=[issued.pk, 1])
    typed = {"amount": "100", "reason_code": "poor_result", "reason": "the peak was missing"}
    seen = client.post(address, typed)
    effect, said = seen.context["effect"], {"shown": seen.context["digest"], "key": seen.context["key"], "confirm": "1"}
    assert (effect.unpaid_fen, effect.freed_fen) == (100_00, 0)
    (payment,) = take(row("1,080"))
    allocating.give(li, payment.pk, issued.pk, 1080_00, DECEMBER)
    with pytest.raises(Conflict):
        credit(cast, issued, 100_00, shown=Shown(freed_fen=effect.freed_fen))
    refused = client.post(address, typed | said)
    assert refused.status_code == 409 and not CreditNote.objects.exists()
    assert refused.context["effect"].freed_fen == 100_00 and refused.context["typed"] == typed and refused.context["problems"]
    again = {"shown": refused.context["digest"], "key": refused.context["key"], "confirm": "1"}
    assert client.post(address, typed | again).status_code == 302
    assert CreditNote.objects.get().total_fen == 100_00


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount_fen": 0}, "amount_fen"),
        ({"amount_fen": 10**9}, "amount_fen"),
        ({"reason_code": "x"}, "reason_code"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_credit_note_needs_amount_and_reasons(cast, bill, changes, field):
    asked = {"bill_id": bill().pk, "position": 1, "amount_fen": 1, "reason_code": "other", "reason": "x"} | changes
    with pytest.raises(Refusal) as refused:
        crediting.issue(cast.actor("li"), CreditRequest(**asked), DECEMBER)
    assert refused.value.reasons[0].field == field


def test_only_the_owner_credits(cast, bill):
    issued = bill()
    with pytest.raises(Forbidden):
        credit(cast, issued, 1, who="zhao")
    with pytest.raises(NotFound):
        credit(cast, issued, 1, who="he")


def test_two_clicks_make_one_credit_note(cast, bill):
    asked = CreditRequest(bill().pk, 1, 100_00, "other", "x")
    first = crediting.issue_once(cast.actor("li"), asked, DECEMBER, idempotency_key="k")
    assert crediting.issue_once(cast.actor("li"), asked, DECEMBER, idempotency_key="k") == (first[0], True)
    assert CreditNote.objects.count() == 1


def test_the_database_credits_no_more_than_the_line_and_takes_back_no_more_than_the_award(cast, bill):
    issued = bill()
    note = credit(cast, issued, 100_00)
    line = issued.lines.get(position=1)
    copy = {
        "line": line, "bill": issued, "owner": cast.lab, "reason_code": "other", "reason": "x", "content": {}, "content_sha256": "",
        "issued_at": DECEMBER, "issued_by": cast.users["li"], "number": "HZ-2026-000009", "total_fen": line.amount_fen - 100_00 + 1,
    }  # fmt: skip
    with pytest.raises(DatabaseError, match="than it says"), transaction.atomic():
        CreditNote.objects.create(**copy)
    with transaction.atomic():  # the control
        with pgtrigger.ignore("billing.CreditNote:credit_note_within_line"):
            CreditNote.objects.create(**copy)
        assert "bills.credited_within_their_lines" in wrong()
        transaction.set_rollback(True)
    award = note.reversals.get().award
    more = {"credit_note": note, "amount_fen": award.total_fen, "claimed": False, "created_at": DECEMBER}
    more["payers"] = [{"payer": "x", "amount_fen": award.total_fen}]
    other = Award.objects.exclude(charge=line.charge).first()
    for of in (award, other):
        with pytest.raises(DatabaseError), transaction.atomic():
            AwardReversal.objects.create(award=of, **more)
    with pgtrigger.ignore("billing.AwardReversal:award_reversal_within_award"), transaction.atomic():  # the control
        AwardReversal.objects.create(award=other, **more)
        transaction.set_rollback(True)


# --- Rows in doubt ----------------------------------------------------------------------------------------------------------
EQUAL = "2026-12-01,100.00,,Gaoyuan,6222,goods,"


def brought(cast, *rows, name, **options):
    content = csv_of(*rows)
    return bank_import.import_statement(cast.actor("li"), cast.lab.pk, content, name, DECEMBER, **options).statement


def test_an_equal_row_of_another_list_is_asked_about_and_nothing_is_taken_in_before(cast, month, take):
    take(EQUAL, name="a.csv")
    later = (EQUAL, "2026-12-02,7.00,,z,6,goods,")
    with pytest.raises(Conflict) as refused:
        brought(cast, *later, name="b.csv")
    (doubt,) = refused.value.extra["doubtful"]
    assert code_of(refused) == "bank.doubtful" and (doubt["amount_fen"], doubt["file"]) == (100_00, "a.csv")
    assert Payment.objects.count() == 1 and BankStatement.objects.count() == 1
    taken = brought(cast, *later, name="b.csv", answers={doubt["fingerprint"]: "other"})
    assert (taken.taken_count, taken.known_count) == (2, 0)
    # A list that has both brings neither again.
    whole = brought(cast, EQUAL, *later, "2026-12-03,9.00,,z,6,goods,", name="c.csv")
    assert (whole.taken_count, whole.known_count) == (1, 3)


def test_an_equal_row_that_is_said_to_be_the_same_adds_nothing(cast, month, take):
    take(EQUAL, name="a.csv")
    later = (EQUAL, "2026-12-02,7.00,,z,6,goods,")
    with pytest.raises(Conflict) as refused:
        brought(cast, *later, name="b.csv")
    mark = refused.value.extra["doubtful"][0]["fingerprint"]
    taken = brought(cast, *later, name="b.csv", answers={mark: "same"})
    assert (taken.taken_count, taken.known_count) == (1, 1)


def test_lists_that_overlap_for_sure_are_taken_in_without_a_question_and_a_part_of_a_day_is_not(cast, month, take):
    noon = "2026-12-01,30.00,,Lianhe,6223,goods,"
    take(EQUAL, noon, name="a.csv")
    assert brought(cast, EQUAL, noon, "2026-12-01,7.00,,z,6,goods,", name="b.csv").taken_count == 1
    with pytest.raises(Conflict) as refused:
        brought(cast, EQUAL, "2026-12-02,8.00,,z,6,goods,", name="c.csv")
    assert code_of(refused) == "bank.doubtful"


def test_the_page_shows_the_row_in_doubt_keeps_what_was_said_and_takes_the_file_in(cast, month, take, client):
    take(EQUAL, name="a.csv")
    client.force_login(cast.users["li"])
    address = reverse("payment_import")

    def sent(**said):
        file = SimpleUploadedFile("b.csv", csv_of(EQUAL, "2026-12-02,7.00,,z,6,goods,"))
        return client.post(address, {"file": file, "owner": cast.lab.pk, "layout": ""} | said, headers={"accept-language": "en"})

    page = sent()
    (doubt,) = page.context["doubts"]
    assert page.status_code == 409 and "Is it the same payment?" in page.content.decode() and Payment.objects.count() == 1
    assert sent(**{doubt["name"]: "perhaps"}).status_code == 409
    assert sent(**{doubt["name"]: "other"}).status_code == 302
    assert sorted(Payment.objects.values_list("amount_fen", flat=True)) == [7_00, 100_00, 100_00]
