"""What the treasury paid is recorded for many lines at once: all in full, or as its own answer says, whole or not at all."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from billing.claims.models import Claim, PaymentList, Payout
from billing.claims.rules import treasury_rows
from billing.claims.rules.treasury_rows import ListedLine, read_answer
from billing.claims.services import paying, paying_many
from billing.payments.rules.bank_rows import Unreadable
from config.kernel.access import Role
from config.kernel.errors import Busy, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Membership, Organisation, OrganisationIdentifier
from tests.billing.claims.conftest import PUBLIC_OVER, code_of, wrong
from tests.billing.settlement.conftest import run_session
from tests.conftest import slot_of

pytestmark = pytest.mark.django_db

PAID_ON = date(2026, 12, 16)
LINES = [ListedLine(1, "6222 01"), ListedLine(2, "6222 02"), ListedLine(3, "6222 02")]


def faults_of(text):
    with pytest.raises(Unreadable) as refused:
        read_answer(text, LINES)
    return [(fault.row, fault.field, fault.code) for fault in refused.value.faults]


def test_a_row_names_its_line_by_number_or_account_and_says_what_was_paid():
    rows = '02,,"1,000.50",2026年12月16日,P1,', ",622201,0,2026-12-16,,退票", "合计,,1000.5,,,"
    text = "\n".join(["拨付回执", "序号,收款账号,实付金额,支付日期,凭证号,失败原因", *rows])
    assert [(each.row, each.position, each.paid_fen, each.reference, each.reason) for each in read_answer(text, LINES)] == [
        (3, 2, 1000_50, "P1", ""),
        (4, 1, 0, "", "退票"),
    ]


def test_every_fault_of_an_answer_is_named_by_its_row():
    head = "line,account,amount,day\n"
    assert faults_of(head + "9,,1,2026-12-16\n1,6222 02,1,2026-12-16\n,6222 02,1,2026-12-16\n,,5,\n2,,x,16.12.") == [
        (2, "position", "treasury.no_such_line"),
        (3, "account", "treasury.other_account"),
        (4, "account", "treasury.account_of_several"),
        (5, "account", "treasury.no_such_line"),
        (5, "date", "bank.not_a_date"),
        (6, "amount", "bank.not_an_amount"),
        (6, "date", "bank.not_a_date"),
    ]
    assert faults_of(head + "1,,1,2026-12-16\n1,,1,2026-12-16") == [(3, "position", "treasury.line_twice")]
    assert faults_of(head + "1,,,2026-12-16") == [(2, "amount", "bank.not_an_amount")]
    assert faults_of(head) == [(0, "file", "treasury.no_rows")]
    assert faults_of("amount,day\n1,2026-12-16") == [(0, "file", "treasury.no_headings")]


@pytest.fixture
def listed(cast, office):
    """A list of each of two payers with the claims of two firms, signed by three people."""
    third = Organisation.objects.get(pk=cast.other_firm.pk)
    third.pk, third.name, third.name_key, third.bank_account_number = None, "Yinhe Alloys", "Yinhe Alloys", "6222 88"
    third._state.adding = True
    third.save()
    OrganisationIdentifier.objects.create(organisation=third, scheme="uscc", value="91630104MA00000771")
    for role in (Role.RESEARCHER, Role.FIRM_ADMIN):
        Membership.objects.create(user=cast.users["he"], organisation=third, role=role, created_at=cast.now)
    run_session(cast, slot_of(9, 12, 2), "he", third)
    batch, claims = office.filled()
    assert len(claims) == 2
    for claim in claims:
        office.submit(claim, "he")
    office.close(batch)
    for claim in claims:
        office.passed(claim)
    office.publicise(batch)
    for claim in claims:
        office.approve(claim)
    return office.listed(batch)


@pytest.fixture
def at_desk(cast, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: PUBLIC_OVER)

    def open_for(who):
        client = Client(headers={"Accept-Language": "en"})
        client.force_login(cast.users[who])
        return client

    return open_for


def in_full(cast, made, lines=None, who="qian", on=PAID_ON):
    pks = [line.pk for line in made.lines.all()] if lines is None else lines
    return paying_many.record_in_full(cast.actor(who), made.pk, pks, on, "T-1", PUBLIC_OVER)


def answer(cast, made, *rows, who="qian"):
    content = "\n".join(["line,account,amount,day,reference,reason", *rows]).encode()
    return paying_many.take_answer(cast.actor(who), made.pk, content, "answer.csv", PUBLIC_OVER)


def yuan(line):
    return f"{line.amount_fen / 100:.2f}"


def test_all_lines_are_recorded_in_full_once(cast, listed):
    for made in listed:
        for _ in range(2):
            assert all(each.done for each in in_full(cast, made))
    payouts = Payout.objects.all()
    assert {(each.paid_on, each.reference) for each in payouts} == {(PAID_ON, "T-1")}
    assert sum(each.paid_fen for each in payouts) == sum(each.total_fen for each in listed) > 0
    assert {claim.state for claim in Claim.objects.all()} == {"paid"} and wrong() == {}


def test_a_line_recorded_otherwise_is_reported_and_stops_no_other(cast, office, listed):
    made, _other = listed
    first, *others = made.lines.order_by("position")
    office.pay(first, 0, "returned")
    report = in_full(cast, made)
    assert [reason.code for reason in report[0].reasons] == ["claims.recorded_already"]
    assert len(report) == len(others) + 1 and all(each.done for each in report[1:])
    assert first.payout.paid_fen == 0 and Payout.objects.count() == made.line_count
    with pytest.raises(Refusal) as refused:
        in_full(cast, made, [first.pk])
    assert [(each.code, each.about) for each in refused.value.reasons] == [("claims.recorded_already", str(first.position))]


def test_what_is_wrong_with_the_list_or_the_day_is_said_once_and_records_nothing(cast, listed, office):
    made, *_ = listed
    for on in (date.min, date(2026, 12, 15), date(2026, 12, 17)):
        with pytest.raises(Refusal) as refused:
            in_full(cast, made, on=on)
        assert code_of(refused) == "claims.paid_on"
    with pytest.raises(Refusal) as refused:
        in_full(cast, made, [])
    assert code_of(refused) == "claims.no_lines"
    with pytest.raises(Refusal) as refused:
        in_full(cast, made, [0])
    assert code_of(refused) == "claims.other_lines"
    with pytest.raises(Forbidden):
        in_full(cast, made, who="chen")
    with pytest.raises(NotFound):
        in_full(cast, made, who="he")
    paying.cancel(cast.actor("qian"), made.pk, "wrong", PUBLIC_OVER)
    with pytest.raises(Refusal) as refused:
        in_full(cast, made)
    assert code_of(refused) == "claims.list_cancelled" and not Payout.objects.exists()


def test_an_answer_is_taken_in_whole_and_the_same_again_adds_nothing(cast, listed):
    made, _other = listed
    first, *others = made.lines.order_by("position")
    rows = [f"{first.position},,{(first.amount_fen - 1) / 100:.2f},2026-12-16,P1,fee kept by the bank"]
    rows += [f"{line.position},,{yuan(line)},2026-12-16,P1," for line in others]
    taken = answer(cast, made, *rows)
    assert (taken.recorded, taken.known, taken.paid_fen) == (made.line_count, 0, made.total_fen - 1)
    again = answer(cast, made, *rows)
    assert (again.recorded, again.known) == (0, made.line_count) and Payout.objects.count() == made.line_count
    assert Payout.objects.get(line=first).reason == "fee kept by the bank"
    assert AuditEntry.objects.filter(action="payment_list.answer").count() == 1 and wrong() == {}


def test_an_answer_with_one_bad_row_records_nothing_and_names_every_bad_row(cast, office, listed):
    made, _other = listed
    first, second, *_ = made.lines.order_by("position")
    more = f"{second.position},,{(second.amount_fen + 1) / 100:.2f},2026-12-16,P1,"
    with pytest.raises(Refusal) as refused:
        answer(cast, made, f"{first.position},,{yuan(first)},2026-12-16,P1,", more)
    assert [(each.code, each.params["row"]) for each in refused.value.reasons] == [("claims.paid_amount", 3)]
    with pytest.raises(Refusal) as refused:
        answer(cast, made, f"{first.position},,0,2026-12-16,,", more)
    assert [(each.code, each.params["row"]) for each in refused.value.reasons] == [
        ("claims.text_missing", 2),
        ("claims.paid_amount", 3),
    ]
    assert not Payout.objects.exists()
    office.pay(first, 0, "returned")
    with pytest.raises(Refusal) as refused:
        answer(cast, made, f"{first.position},,{yuan(first)},2026-12-16,P1,", f"{second.position},,{yuan(second)},2026-12-16,P1,")
    assert code_of(refused) == "claims.recorded_already" and Payout.objects.count() == 1


def test_the_page_records_the_rest_with_one_form_and_keeps_what_was_typed(cast, listed, at_desk):
    made, _other = listed
    address, client = f"/payout-lists/{made.pk}/", at_desk("qian")
    assert f"Record all {made.line_count} lines: ¥{made.total_fen / 100:,.2f}" in client.get(address).content.decode()
    assert "Record all" not in at_desk("wu").get(address).content.decode()
    lines = [line.pk for line in made.lines.all()]
    refused = client.post(f"{address}record-rest", {"line": lines, "paid_on": "", "reference": "T-77"})
    assert refused.status_code == 422 and 'value="T-77"' in refused.content.decode() and not Payout.objects.exists()
    sent = {"line": lines, "paid_on": "2026-12-16", "reference": "T-77"}
    for _ in range(2):
        done = client.post(f"{address}record-rest", sent)
        assert f"{made.line_count} lines are recorded as paid in full" in done.content.decode()
    assert Payout.objects.count() == made.line_count and "Record all" not in client.get(address).content.decode()


def test_the_page_takes_the_treasurys_answer_in_or_names_each_row(cast, listed, at_desk):
    made, _other = listed
    address, client = f"/payout-lists/{made.pk}/answer", at_desk("qian")

    def send(*rows):
        text = "\n".join(["序号,实付金额,支付日期,凭证号", *rows])
        return client.post(address, {"file": SimpleUploadedFile("answer.csv", text.encode("gbk"))})

    bad = send("1,x,2026-12-16,P1", "99,1,2026-12-16,P1")
    page = bad.content.decode()
    assert bad.status_code == 422 and "“x”" in page and "“99”" in page and not Payout.objects.exists()
    assert client.post(address).status_code == 422
    good = [f"{line.position},{yuan(line)},2026-12-16,P1" for line in made.lines.all()]
    assert send(*good).status_code == 302 and Payout.objects.count() == made.line_count


def test_the_api_does_both(cast, listed, at_desk):
    one, other = listed
    client = at_desk("qian")
    asked = {"lines": [line.pk for line in one.lines.all()], "paid_on": "2026-12-16", "reference": "T"}
    said = client.post(f"/api/v1/payment-lists/{one.pk}/payouts/", asked, "application/json")
    assert said.status_code == 200 and all(each["done"] for each in said.json()["lines"]), said.content
    rows = "\n".join(f"{line.position},{yuan(line)},2026-12-16" for line in other.lines.all())
    file = SimpleUploadedFile("a.csv", f"line,amount,day\n{rows}".encode())
    said = client.post(f"/api/v1/payment-lists/{other.pk}/answer/", {"file": file})
    assert said.json() == {"recorded": other.line_count, "paid_fen": other.total_fen, "known": 0}, said.content
    bad = client.post(
        f"/api/v1/payment-lists/{other.pk}/answer/", {"file": SimpleUploadedFile("a.csv", b"line,amount,day\n9,1,x")}
    )
    assert bad.status_code == 422 and len(bad.json()["errors"]) == 2, bad.content
    assert PaymentList.objects.count() == 2


def test_of_too_many_rows_none_is_read(monkeypatch):
    monkeypatch.setattr(treasury_rows, "MOST_ROWS", 2)
    monkeypatch.setattr(treasury_rows, "_read", lambda *_given: pytest.fail("read"))
    assert faults_of("line,amount,day\n" + "x,1,2026-12-16\n" * 3) == [(0, "file", "treasury.too_many_rows")]


def test_a_lock_that_was_not_had_is_to_be_tried_again_and_no_fault_of_a_row(cast, listed, monkeypatch):
    made, _other = listed

    def busy(*_given):
        raise Busy.of("kernel.busy")

    monkeypatch.setattr(paying, "locked", busy)
    line = made.lines.earliest("position")
    with pytest.raises(Busy):
        answer(cast, made, f"{line.position},,{yuan(line)},2026-12-16,P1,")
    with pytest.raises(Busy):
        in_full(cast, made)
    assert not Payout.objects.exists()


def test_who_waits_for_a_list_is_told_once_for_its_answer(cast, listed, monkeypatch):
    made, _other = listed
    told = []
    monkeypatch.setattr(paying_many, "tell_list", lambda *given: told.append(given))
    monkeypatch.setattr(paying, "tell_list", lambda *given: told.append(given))
    answer(cast, made, *(f"{line.position},,{yuan(line)},2026-12-16,P1," for line in made.lines.all()))
    assert len(told) == 1
