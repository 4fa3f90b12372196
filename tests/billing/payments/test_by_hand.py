"""Money that finance enters by hand: two people, its evidence, given to bills as any other, undone, and never the same money as a bank's
list brings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from billing.payments import queries
from billing.payments.hand_models import HandEntry
from billing.payments.models import Payment, Refund
from billing.payments.rules.by_hand import Money, maybe_same
from billing.payments.services import allocating, bank_import, by_hand
from billing.payments.services.by_hand import Wanted
from billing.receipts.services import issuing as receipts
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from tests.billing.bills.conftest import DECEMBER, wrong
from tests.billing.month.conftest import second_person
from tests.billing.payments.conftest import csv_of
from tests.billing.payments.test_bank_transfers import row

pytestmark = pytest.mark.django_db
SLIP = b"%PDF-1.4 a slip"
CASH = Wanted("cash", 300_00, date(2026, 12, 1), "Gaoyuan Lithium", "SLIP-0042", "ZD-2026-000001")


@pytest.fixture
def people(cast, month):
    second_person(cast)
    return cast.actor("li"), cast.actor("mei")


def entered(actor, cast, wanted=CASH, now=DECEMBER):
    return by_hand.record(actor, cast.lab.pk, wanted, SLIP, "slip.pdf", now)


def codes(call, error=Refusal):
    with pytest.raises(error) as refused:
        call()
    return [reason.code for reason in refused.value.reasons]


def test_one_writes_it_down_another_confirms_it_and_then_it_pays_bills_and_has_a_receipt(cast, bill, people):
    li, second = people
    made = bill()
    entry = entered(li, cast)
    assert not Payment.objects.exists() and wrong() == {}
    with pytest.raises(Forbidden) as forbidden:
        by_hand.confirm(li, entry.pk, DECEMBER)
    assert forbidden.value.reasons[0].code == "hand.second_person"
    payment = by_hand.confirm(second, entry.pk, DECEMBER)
    assert (payment.method, payment.amount_fen, payment.by_hand_id) == ("hand", 300_00, entry.pk)
    assert codes(lambda: by_hand.confirm(second, entry.pk, DECEMBER), Conflict) == ["hand.done_already"]
    (found,) = queries.suggestions([queries.payment_for(li, payment.pk)], queries.open_bills(li, [cast.lab.pk]))[payment.pk][:1]
    assert found.bill_id == made.pk  # its number stands in the remark
    allocating.give(li, payment.pk, made.pk, 300_00, DECEMBER)
    assert allocating.open_fen(made) == made.total_fen - 300_00 and wrong() == {}
    receipt = receipts.receipt(li, payment.pk, made.customer_id, DECEMBER)
    assert receipt.total_fen == 300_00
    assert queries.hand_evidence(li, entry.pk)[1] == SLIP


def test_every_field_is_named_and_another_institution_is_not_found(cast, people):
    li, _second = people
    bad = Wanted("gift", 0, date(2027, 1, 1), " ", "")
    assert codes(lambda: entered(li, cast, bad)) == ["hand.way", "hand.amount", "hand.day", "hand.payer", "hand.reference"]
    with pytest.raises(NotFound):
        by_hand.record(li, cast.firm.pk, CASH, SLIP, "x.pdf", DECEMBER)
    with pytest.raises(Forbidden):
        by_hand.record(cast.actor("wang"), cast.lab.pk, CASH, SLIP, "x.pdf", DECEMBER)
    assert codes(lambda: by_hand.record(li, cast.lab.pk, CASH, b"no file of ours", "x.pdf", DECEMBER)) == ["upload.unknown_type"]


def test_what_is_undone_was_never_there_and_nothing_that_pays_a_bill_is(cast, bill, people):
    li, second = people
    made = bill()
    waiting = entered(li, cast)
    by_hand.end(li, waiting.pk, "typed twice", DECEMBER)
    entry = entered(li, cast)
    payment = by_hand.confirm(second, entry.pk, DECEMBER)
    given = allocating.give(li, payment.pk, made.pk, 100_00, DECEMBER)
    assert codes(lambda: by_hand.end(li, entry.pk, "no money", DECEMBER)) == ["hand.in_use"]
    allocating.undo(li, given.pk, "wrong bill", DECEMBER)
    by_hand.end(li, entry.pk, "the cheque bounced", DECEMBER)
    assert allocating.standing_of(payment).free_fen == 0 and wrong() == {}
    assert Refund.objects.get().kind == "undone"
    assert codes(lambda: by_hand.end(li, entry.pk, "again", DECEMBER), Conflict) == ["hand.done_already"]


def test_money_that_is_there_already_is_asked_about(cast, people, take):
    li, second = people
    take(row("300", "Slip SLIP 0042"))
    assert codes(lambda: entered(li, cast), Conflict) == ["hand.maybe_same"]
    entry = entered(li, cast, replace(CASH, another=True))
    assert entry.told_apart and by_hand.confirm(second, entry.pk, DECEMBER).amount_fen == 300_00
    other = replace(CASH, amount_fen=77_00, reference="R-9000")
    first = entered(li, cast, other)
    assert codes(lambda: entered(li, cast, other), Conflict) == ["hand.maybe_same"]  # one that waits is asked about, too
    assert by_hand.confirm(second, first.pk, DECEMBER).amount_fen == 77_00


@pytest.mark.parametrize("remark", ["slip0042", "ＳＬＩＰ－００４２ 现金", "收SLIP 0042"])
def test_money_of_another_amount_whose_remark_writes_the_reference_in_another_way_is_asked_about(cast, people, take, remark):
    li, _second = people
    take(row("301", remark))
    assert codes(lambda: entered(li, cast), Conflict) == ["hand.maybe_same"]
    short = replace(CASH, reference="00-4", amount_fen=5_00)  # too short to say anything
    assert entered(li, cast, short).pk


def test_no_more_is_entered_than_a_page_lets_anybody_type_and_the_field_is_named_as_it_is_sent(cast, people):
    li, _second = people
    for amount in (10**17 + 1, 0, -1):
        with pytest.raises(Refusal) as refused:
            entered(li, cast, replace(CASH, amount_fen=amount))
        assert [(reason.code, reason.field) for reason in refused.value.reasons] == [("hand.amount", "amount_fen")]


def test_a_list_that_brings_money_that_was_entered_is_asked_about_and_never_counted_twice(cast, people):
    li, second = people
    entry = entered(li, cast)
    by_hand.confirm(second, entry.pk, DECEMBER)
    lines = (row("300", "SLIP-0042 cash deposit"), row("12", "other", serial="2"))

    def list_of(answers=None, name="a.csv", more=()):
        content = csv_of(*lines, *more)
        return bank_import.import_statement(li, cast.lab.pk, content, name, DECEMBER, answers=answers or {})

    with pytest.raises(Conflict) as conflict:
        list_of()
    (doubt,) = conflict.value.extra["doubtful"]
    assert (conflict.value.reasons[0].code, doubt["by_hand"], doubt["amount_fen"]) == ("bank.by_hand", "SLIP-0042", 300_00)
    assert Payment.objects.count() == 1
    taken = list_of({doubt["fingerprint"]: "same"})
    assert (taken.statement.taken_count, taken.statement.known_count) == (1, 1)
    assert sorted(Payment.objects.values_list("amount_fen", flat=True)) == [12_00, 300_00]
    again = list_of(
        name="c.csv", more=(row("13", "new", serial="3"),)
    )  # a later list with the same row asks nothing and adds nothing
    assert (again.statement.taken_count, again.statement.known_count) == (1, 2) and wrong() == {}


def test_a_person_may_say_that_it_is_other_money_and_never_that_other_amounts_are_the_same(cast, people):
    li, second = people
    by_hand.confirm(second, entered(li, cast).pk, DECEMBER)
    content = csv_of(row("299", "SLIP-0042"))
    with pytest.raises(Conflict) as conflict:
        bank_import.import_statement(li, cast.lab.pk, content, "a.csv", DECEMBER)
    mark = conflict.value.extra["doubtful"][0]["fingerprint"]
    same = {mark: "same"}
    assert codes(lambda: bank_import.import_statement(li, cast.lab.pk, content, "a.csv", DECEMBER, answers=same)) == [
        "bank.other_amount"
    ]
    bank_import.import_statement(li, cast.lab.pk, content, "a.csv", DECEMBER, answers={mark: "other"})
    assert sorted(Payment.objects.values_list("amount_fen", flat=True)) == [299_00, 300_00]


def test_what_may_be_the_same_money():
    day = date(2026, 12, 1)
    for amount, on, text, same in (
        (1, day, "paid with slip-0042", True),
        (1, day, "ＳＬＩＰ ００４２", True),
        (300_00, day + timedelta(days=7), "", True),
        (300_00, day + timedelta(days=8), "", False),
        (1, day, "another", False),
    ):
        assert maybe_same("SLIP-0042", 300_00, day, Money(amount, on, (text,))) is same, text
    assert not maybe_same("42", 300_00, day, Money(1, day, ("42 things",)))  # too short to say anything


def test_the_database_keeps_entries_and_their_two_people(cast, people):
    li, second = people
    entry = entered(li, cast)
    rows = HandEntry.objects.filter(pk=entry.pk)
    for change, said in (
        ({"amount_fen": 1}, "frozen"),
        ({"confirmed_by_id": li.user_id, "confirmed_at": DECEMBER}, "hand_entry_two_people"),
        ({"ended_at": DECEMBER}, "hand_entry_ended_whole"),
    ):
        with pytest.raises(DatabaseError, match=said), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError, match="delete"), transaction.atomic():
        rows.delete()
    with pytest.raises(DatabaseError, match="cannot be truncated"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE billing_handentry CASCADE")
    unconfirmed = {"owner_id": cast.lab.pk, "method": "hand", "amount_fen": 300_00, "received_on": CASH.received_on}
    with pytest.raises(IntegrityError, match="another person confirmed"), transaction.atomic():
        Payment.objects.create(**unconfirmed, by_hand=entry, created_at=DECEMBER)
    payment = by_hand.confirm(second, entry.pk, DECEMBER)
    with pytest.raises(DatabaseError, match="undone whole"), transaction.atomic():
        rows.update(ended_at=DECEMBER, ended_by_id=li.user_id, end_reason="x")
    with pytest.raises(IntegrityError, match="and whole"), transaction.atomic():
        Refund.objects.create(payment=payment, kind="undone", amount_fen=1, reason="x", at=DECEMBER)
    with pytest.raises(IntegrityError, match="payment_has_its_proof"), transaction.atomic():
        Payment.objects.create(**unconfirmed, created_at=DECEMBER)


def test_pages_and_api_do_it_too(cast, bill, people):
    bill()
    first, second = (Client(headers={"Accept-Language": "en"}) for _each in range(2))
    first.force_login(cast.users["li"])
    second.force_login(cast.users["mei"])
    typed = {
        "owner": cast.lab.pk,
        "way": "cheque",
        "amount": "0",
        "received_on": "2026-11-20",
        "payer_name": "Gaoyuan",
        "reference": "C-778",
    }
    answer = first.post(reverse("hand_payment_enter"), {**typed, "file": SimpleUploadedFile("c.pdf", SLIP)})
    assert answer.status_code == 422 and "C-778" in answer.content.decode()
    assert "amount" in answer.context["form"].errors
    # What is wrong is told at once, also beside what is missing, and what was typed stays.
    unread = first.post(reverse("hand_payment_enter"), {**typed, "amount": "much"})
    assert unread.status_code == 422 and set(unread.context["form"].errors) == {"amount", "file"}
    assert 'value="much"' in unread.content.decode()
    answer = first.post(reverse("hand_payment_enter"), {**typed, "amount": "45.50", "file": SimpleUploadedFile("c.pdf", SLIP)})
    assert answer.status_code == 302, answer.content
    entry = HandEntry.objects.get()
    again = first.post(reverse("hand_payment_enter"), {**typed, "amount": "45.50", "file": SimpleUploadedFile("c.pdf", SLIP)})
    assert again.status_code == 409 and "Is it the same money?" in again.content.decode()
    assert "Confirm" not in first.get(reverse("hand_payment_list")).content.decode().split("<main")[1].split("<table")[1]
    assert first.post(reverse("hand_payment_confirm", args=[entry.pk])).status_code == 403
    assert second.get(reverse("hand_payment_evidence", args=[entry.pk])).content == SLIP
    assert second.post(reverse("hand_payment_confirm", args=[entry.pk])).status_code == 302
    assert "Cheque" in second.get(reverse("hand_payment_list")).content.decode()
    said = {
        "owner": cast.lab.pk,
        "way": "card",
        "amount_fen": 99,
        "received_on": "2026-11-21",
        "payer_name": "x",
        "reference": "T-1234",
    }
    made = first.post("/api/v1/hand-payments/", {**said, "file": SimpleUploadedFile("c.pdf", SLIP)})
    assert made.status_code == 201, made.content
    url = f"/api/v1/hand-payments/{made.json()['id']}"
    done = second.post(f"{url}/confirm/", {}, content_type="application/json")
    assert done.status_code == 200 and done.json()["payment"], done.content
    assert second.post(f"{url}/end/", {"reason": "bounced"}, content_type="application/json").json()["ended"]
    assert len(first.get("/api/v1/hand-payments/").json()["results"]) == 2 and wrong() == {}
