"""References, layouts of banks' lists, and what money is probably for: pure."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from billing.bills.rules.crediting import AwardLeft, subsidy_back
from billing.bills.rules.numbers import payment_reference, references_in
from billing.bills.rules.standing import BillState, Standing
from billing.payments import queries
from billing.payments.models import Payment
from billing.payments.rules import bank_rows
from billing.payments.rules.bank_rows import Unreadable, read_rows
from billing.payments.rules.matching import Confidence, Ground, Money, OpenBill, suggest
from billing.payments.rules.provider import Asked, SessionFacts, SessionState, mismatch
from billing.payments.rules.states import CHECKOUT_NEXT, may_follow

REFERENCE = payment_reference(12, 2026, 7)


def test_a_reference_is_found_however_it_is_written():
    digits = REFERENCE.removeprefix("JS")
    for remark in (
        REFERENCE,
        f"货款 {REFERENCE.lower()}。",
        f"JS {digits[:4]} {digits[4:]}",
        f"ＪＳ-{digits[:6]}-{digits[6:]} thanks",
    ):
        assert references_in(remark) == (REFERENCE,), remark


def test_a_reference_is_found_before_other_figures():
    for remark in (f"{REFERENCE} 20261201", f"{REFERENCE}-1080", f"{REFERENCE} 2026 12 01"):
        assert references_in(remark) == (REFERENCE,), remark


def test_no_digit_mistyped_and_no_two_exchanged_name_another_bill():
    digits = REFERENCE.removeprefix("JS")
    for place, digit in enumerate(digits):
        for other in "0123456789":
            if other != digit:
                assert not references_in("JS" + digits[:place] + other + digits[place + 1 :])
        if place and digits[place - 1] != digit:
            assert not references_in("JS" + digits[: place - 1] + digit + digits[place - 1] + digits[place + 1 :])


@pytest.mark.parametrize(
    ("facts", "state", "left"),
    [
        ((100,), BillState.ISSUED, 100),
        ((100, 0, 40), BillState.PARTLY_PAID, 60),
        ((100, 0, 100), BillState.PAID, 0),
        ((100, 30, 70), BillState.PAID, 0),
        ((100, 100, 0), BillState.CREDITED, 0),
        ((100, 0, 0, True), BillState.VOID, 0),
    ],
)
def test_where_a_bill_stands_follows_from_the_facts(facts, state, left):
    standing = Standing(*facts)
    assert (standing.state, standing.open_fen) == (state, left)
    assert standing.may_void is (state is BillState.ISSUED)


TWO = "交易日期,收入金额,支出金额,对方户名,摘要"
DIRECTION = "记账日期;借贷标志;交易金额;对方名称;用途"
SIGNED = "Date\tAmount\tPayer\tRemark"


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        (f'{TWO}\n2026-12-01,"1,234.50",,甲公司,款\n2026/12/2,,88,乙公司,付', "two_columns"),
        (f"{DIRECTION}\n20261201;贷;1234.50;甲公司;款\n20261202;借;88.00;乙公司;付", "direction"),
        (f"{SIGNED}\n2026-12-01\t1234.50\t甲公司\t款\n2026-12-02\t-88\t乙公司\t付", "signed"),
        (
            f"某银行对账单,,,,\n账号,6222,,,\n\n{TWO}\n2026年12月1日,¥1234.5,-,甲公司,款\n2026.12.02,0.00,88,乙公司,付\n合计,,,,",
            "two_columns",
        ),
    ],
)
def test_the_layouts_of_banks_are_read_to_the_same_rows(text, layout):
    read = read_rows(text)
    assert (read.layout, read.row_count, read.outgoing) == (layout, 2, 1)
    (row,) = read.incoming
    assert (row.booked_on, row.amount_fen, row.payer_name, row.remark) == (date(2026, 12, 1), 1234_50, "甲公司", "款")


@pytest.mark.parametrize(
    "text",
    [
        f"{TWO}\n2026-12-01,,-88,乙公司,付",
        f"{TWO}\n2026-12-01,-88,,乙公司,冲正",
        f"{DIRECTION}\n20261201;贷;-88;乙公司;冲正",
        f"{DIRECTION}\n20261201;借;-88;乙公司;付",
    ],
)
def test_money_that_went_out_is_never_money_that_came_in(text):
    read = read_rows(text)
    assert (read.outgoing, read.incoming) == (1, ())


@pytest.mark.parametrize("heading", ["收/支", "收付", "交易方向", "借贷标识", "收付方向"])
def test_a_column_that_says_which_way_is_known_by_the_names_banks_give_it(heading):
    read = read_rows(f"日期,金额,{heading},户名\n2026-12-01,10,收,甲\n2026-12-01,88,支,乙")
    assert (read.layout, read.outgoing, [row.amount_fen for row in read.incoming]) == ("direction", 1, [10_00])


def test_amounts_without_any_minus_say_which_way_only_where_somebody_said_so():
    text = "日期,金额,往来,户名\n2026-12-01,10,进,甲\n2026-12-01,88,出,乙"
    with pytest.raises(Unreadable) as refused:
        read_rows(text)
    assert [fault.code for fault in refused.value.faults] == ["bank.no_layout_fits"]
    assert len(read_rows(text, "signed").incoming) == 2


def test_a_movement_without_its_date_is_a_fault_and_no_footer():
    with pytest.raises(Unreadable) as refused:
        read_rows(f"{TWO}\n2026-12-01,10,,甲,款\n,20,,乙,款\n,,,,以上为全部明细\n合计,30,,,")
    assert [(fault.row, fault.code) for fault in refused.value.faults] == [(3, "bank.not_a_date")]


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2100-01-01", "9999年12月31日"])
def test_a_day_of_another_century_is_a_typing_fault(day):
    with pytest.raises(Unreadable) as refused:
        read_rows(f"{TWO}\n{day},10,,甲,款")
    assert [(fault.row, fault.field, fault.code) for fault in refused.value.faults] == [(2, "date", "bank.not_a_date")]


def test_every_column_of_remarks_is_read_each_thing_once():
    head = "交易日期,收入金额,支出金额,摘要,用途,附言"
    first, second = read_rows(f"{head}\n2026-12-01,10,,转账,{REFERENCE},转账\n2026-12-01,10,,转账,,").incoming
    assert (first.remark, second.remark) == (f"转账 {REFERENCE}", "转账")
    (before,) = read_rows("交易日期,收入金额,支出金额,摘要\n2026-12-01,10,,转账").incoming
    assert before.fingerprint == first.fingerprint != second.fingerprint


def test_gbk_and_utf8_say_the_same():
    text = f"{TWO}\n2026-12-01,10,,青海甲公司,款"
    read = [read_rows(bank_rows.decoded(text.encode(encoding))) for encoding in ("gbk", "utf-8", "utf-8-sig")]
    assert read[0] == read[1] == read[2]


def test_every_fault_is_named_with_its_row_and_field():
    text = f"{TWO}\nyesterday,10,,甲,款\n2026-12-01,ten,,甲,款\n2026-12-01,10,10,甲,款\n2026-02-30,10,,甲,款"
    with pytest.raises(Unreadable) as refused:
        read_rows(text)
    assert [(fault.row, fault.field, fault.code) for fault in refused.value.faults] == [
        (2, "date", "bank.not_a_date"),
        (3, "amount_in", "bank.not_an_amount"),
        (4, "amount", "bank.in_or_out"),
        (5, "date", "bank.not_a_date"),
    ]


@pytest.mark.parametrize("content", [b"\x00\x01", b"", b"a,b\n1,2", b"\xff\xfe\x00\x81"])
def test_what_is_no_list_of_movements_is_refused(content):
    with pytest.raises(Unreadable):
        read_rows(bank_rows.decoded(content))


def test_two_rows_that_say_the_same_are_two_movements():
    first, second = read_rows(f"{TWO}\n2026-12-01,10,,甲,款\n2026-12-01,10,,甲,款").incoming
    assert first.fingerprint != second.fingerprint


def bill(number, open_fen, customer=1, name="青海高原锂业有限公司", account=""):
    return OpenBill(number, 12, payment_reference(12, 2026, number), f"ZD-2026-{number:06d}", customer, name, account, open_fen)


BILLS = [bill(1, 100_00), bill(2, 250_00), bill(3, 100_00, 2, "联合材料（青海）有限公司", "6222 1")]


@pytest.mark.parametrize(
    ("money", "first", "confidence", "grounds"),
    [
        (Money(250_00, "张三", "", f"测试费 {BILLS[1].reference}"), 2, Confidence.CERTAIN, {Ground.REFERENCE, Ground.AMOUNT}),
        (Money(70_00, "张三", "", BILLS[1].reference), 2, Confidence.LIKELY, {Ground.REFERENCE}),
        (Money(100_00, "联合材料(青海)有限公司", "", "费用"), 3, Confidence.LIKELY, {Ground.AMOUNT, Ground.PAYER}),
        (Money(100_00, "张三", "62221", "费用"), 3, Confidence.LIKELY, {Ground.AMOUNT, Ground.PAYER}),
        (Money(350_00, "青海高原锂业有限公司", "", ""), 2, Confidence.LIKELY, {Ground.PAYER, Ground.ALL_OPEN}),
        (Money(250_00, "张三", "", "费用"), 2, Confidence.POSSIBLE, {Ground.AMOUNT}),
        (Money(250_00, "张三", "", "ZD-2026-000002"), 2, Confidence.LIKELY, {Ground.NUMBER, Ground.AMOUNT}),
    ],
)
def test_what_money_is_probably_for(money, first, confidence, grounds):
    found = suggest(money, BILLS)
    assert (found[0].bill_id, found[0].confidence, set(found[0].grounds)) == (first, confidence, grounds)
    assert found[0].amount_fen <= money.free_fen


def test_money_of_one_institution_is_never_proposed_for_a_bill_of_another():
    payments = [
        Payment(pk=pk, owner_id=owner_id, amount_fen=250_00, remark=BILLS[1].reference) for pk, owner_id in ((1, 12), (2, 13))
    ]
    for payment in payments:
        payment.given_fen = payment.returned_fen = payment.promised_fen = payment.prepaid_fen = 0
    found = queries.suggestions(payments, BILLS)
    assert [[each.bill_id for each in found[pk]] for pk in (1, 2)] == [[2], []]


def test_an_amount_that_several_bills_have_proposes_none_of_them():
    assert suggest(Money(100_00, "张三", "", "费用"), BILLS) == ()


def test_money_beyond_a_bill_is_proposed_up_to_what_is_open():
    (found, *_) = suggest(Money(300_00, "", "", BILLS[1].reference), BILLS)
    assert (found.amount_fen, found.confidence) == (250_00, Confidence.LIKELY)


def test_all_of_the_subsidy_goes_back_with_all_of_the_line_and_never_more():
    left = {"province": 333_33, "city": 166_67}
    line, gone = 500_01, 0
    for part in (1, 100_00, 200_33, 199_67):
        (back,) = subsidy_back(part, line, [AwardLeft(1, "X", tuple(left.items()), False)])
        line -= part
        gone += back.amount_fen
        for payer, amount in back.payers:
            left[payer] -= amount
        assert min(left.values()) >= 0
    assert (line, gone, set(left.values())) == (0, 500_00, {0})


@pytest.mark.parametrize("bad", [0, -1, 101])
def test_nothing_beyond_the_line_is_credited(bad):
    with pytest.raises(ValueError, match="at most what is left"):
        subsidy_back(bad, 100, [])


def test_states_end_alike_whatever_order_the_news_come_in():
    ends = set()
    for order in permutations(["open", "expired", "failed", "paid", "open", "expired"]):
        state = "asked"
        for news in order:
            state = news if may_follow(CHECKOUT_NEXT, state, news) else state
        ends.add(state)
    assert ends == {"paid"}


FACTS = SessionFacts("cs_1", "pay:1", SessionState.PAID, 100, "cny", False, "pi_1", "")


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        (Asked("pay:1", 100, False), ""),
        (Asked("pay:2", 100, False), "provider.other_key"),
        (Asked("pay:1", 101, False), "provider.other_amount"),
        (Asked("pay:1", 100, True), "provider.other_mode"),
    ],
)
def test_what_was_not_asked_for_is_no_payment(asked, fault):
    assert mismatch(asked, FACTS) == fault
