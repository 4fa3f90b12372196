"""What is wrong with an invoice is found all at once; a table is read whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from billing.invoices.rules.checks import Expected, Given, Paired, faults, plain, red_faults
from billing.invoices.rules.table import Unreadable, read_rows

BUYER, SELLER = "91630100MA00000151", "12630000000000123E"
GOOD = Given("26632000000000000001", "", date(2026, 12, 1), BUYER, SELLER, 10_000, 600, 10_600)
BILL = Expected(BUYER, SELLER, 10_600, 12_000, date(2026, 11, 1), date(2026, 12, 31))
BLUE = Paired(BUYER, SELLER, date(2026, 12, 1), 10_600, 600)


def codes(given: Given, expected: Expected = BILL) -> list[str]:
    return [fault.code for fault in faults(given, expected)]


def test_a_right_invoice_has_no_fault_new_or_old():
    assert codes(GOOD) == []
    assert codes(replace(GOOD, code="6300191130", number="00000001")) == []
    assert codes(replace(GOOD, code="063001900111", number="00000001")) == []
    assert plain(" 2663-2000 0000 0000 0001 ") == "2663200000000000" + "0001" and plain("９１ａ") == "91A"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": "2663200000000000000"}, "invoice.number"),
        ({"number": "2663200000000000000A"}, "invoice.number"),
        ({"number": "25632000000000000001"}, "invoice.number_year"),
        ({"number": "26992000000000000001"}, "invoice.number_province"),
        ({"code": "123", "number": "00000001"}, "invoice.old_number"),
        ({"code": "6300191130"}, "invoice.old_number"),
        ({"buyer_code": SELLER}, "invoice.buyer"),
        ({"seller_code": BUYER}, "invoice.seller"),
        ({"net_fen": 0, "total_fen": 600}, "invoice.amount"),
        ({"tax_fen": -1, "total_fen": 9_999}, "invoice.amount"),
        ({"total_fen": 10_601}, "invoice.sum"),
        ({"net_fen": 9_999, "total_fen": 10_599}, "invoice.below_bill"),
        ({"net_fen": 11_401, "total_fen": 12_001}, "invoice.above_price"),
        ({"issued_on": date(2026, 10, 31)}, "invoice.window"),
        ({"issued_on": date(2027, 1, 1), "number": "27632000000000000001"}, "invoice.window"),
    ],
)
def test_every_fault_is_named(change, code):
    assert codes(replace(GOOD, **change)) == [code]


def test_all_faults_come_at_once():
    wrong = replace(GOOD, number="1", buyer_code="x", seller_code="y", total_fen=1, issued_on=date(2020, 1, 1))
    assert codes(wrong) == ["invoice.number", "invoice.buyer", "invoice.seller", "invoice.sum", "invoice.window"]


def test_a_red_letter_one_is_below_zero_and_takes_back_no_more_than_is_left():
    red = replace(GOOD, number="26632000000000000002", net_fen=-10_000, tax_fen=-600, total_fen=-10_600)
    today = date(2026, 12, 2)

    def found(given: Given) -> list[str]:
        return [fault.code for fault in red_faults(given, BLUE, today)]

    assert found(red) == []
    assert found(replace(red, net_fen=-100, tax_fen=-6, total_fen=-106)) == []
    assert found(replace(GOOD, number=red.number)) == ["invoice.red_below_zero"]
    assert found(replace(red, net_fen=-10_001, total_fen=-10_601)) == ["invoice.red_too_much"]
    assert found(replace(red, net_fen=-10_001, tax_fen=-599)) == ["invoice.red_too_much"]
    assert found(replace(red, net_fen=-9_000, tax_fen=-601, total_fen=-9_601)) == ["invoice.red_too_much"]
    assert found(replace(red, total_fen=-10_599)) == ["invoice.sum"]
    assert found(replace(red, buyer_code="x")) == ["invoice.buyer"]
    assert found(replace(red, issued_on=date(2026, 11, 30))) == ["invoice.window"]


HEAD = "账单号,数电发票号码,发票代码,开票日期,购买方识别号,销售方识别号,金额,税额,价税合计\n"
ROW = f'zd-2026-000001,26632000000000000001,,2026-12-01 10:00:00,{BUYER},{SELLER},"1,00.00",6,￥106.00\n'


def test_a_table_is_read_in_the_words_of_the_tax_platform_or_not_at_all():
    (row,) = read_rows(HEAD + ROW)
    assert (row.row, row.bill, row.given.total_fen, row.given.net_fen) == (2, "ZD-2026-000001", 10_600, 10_000)
    assert read_rows((HEAD + ROW.replace('"1,00.00"', "100")).replace(",", "\t"))[0].given == row.given
    for text, found in (
        ("", [(0, "invoice.file_unreadable")]),
        ("a,b\n1,2\n", [(0, "invoice.file_columns")]),
        (HEAD, [(0, "invoice.file_rows")]),
        (HEAD + ROW + ROW, [(3, "invoice.twice_in_file")]),
        (HEAD + ROW.replace("2026-12-01 10:00:00", "soon"), [(2, "invoice.day")]),
        (HEAD + ROW + ROW.replace("106.00", "1e3"), [(3, "invoice.yuan")]),
    ):
        with pytest.raises(Unreadable) as error:
            read_rows(text)
        assert [(each.row, each.fault.code) for each in error.value.faults] == found, text
