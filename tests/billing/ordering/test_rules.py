"""Lives of quotations and commission sheets against tables in plain words; lines and their money."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.ordering.rules import quotations, sheets
from billing.ordering.rules.lines import (
    LineInput,
    LineKind,
    PricedLine,
    amount_fen,
    parse_quantity,
    reasons_against,
    shown_quantity,
    total_fen,
)
from billing.ordering.rules.numbers import Series, document_number, series_key
from billing.ordering.rules.quotations import QuotationEvent, QuotationState, is_over
from billing.ordering.rules.sheets import SheetEvent, SheetState
from config.kernel.errors import Refusal

QUOTATION = {
    ("draft", "edit"): "draft",
    ("draft", "send"): "sent",
    ("draft", "withdraw"): "withdrawn",
    ("sent", "accept"): "accepted",
    ("sent", "decline"): "declined",
    ("sent", "expire"): "expired",
    ("sent", "withdraw"): "withdrawn",
}
SHEET = {
    ("draft", "edit"): "draft",
    ("draft", "issue"): "issued",
    ("draft", "link"): "draft",
    ("draft", "unlink"): "draft",
    ("draft", "cancel"): "cancelled",
    ("issued", "sign"): "issued",
    ("issued", "bind"): "in_force",
    ("issued", "link"): "issued",
    ("issued", "unlink"): "issued",
    ("issued", "cancel"): "cancelled",
    ("in_force", "link"): "in_force",
    ("in_force", "charge"): "in_force",
    ("in_force", "finish"): "finished",
}
CASES = [
    *(("quotation", quotations, QUOTATION, state, event) for state in QuotationState for event in QuotationEvent),
    *(("commission", sheets, SHEET, state, event) for state in SheetState for event in SheetEvent),
]


@pytest.mark.parametrize(("name", "rules", "table", "state", "event"), CASES, ids=lambda each: getattr(each, "value", None))
def test_every_state_takes_exactly_the_events_of_its_table(name, rules, table, state, event):
    expected = table.get((state.value, event.value))
    assert (event in rules.events_from(state)) == (expected is not None)
    if expected is not None:
        assert rules.next_state(state, event) == expected
        return
    with pytest.raises(Refusal) as caught:
        rules.next_state(state, event)
    assert [reason.code for reason in caught.value.reasons] == [f"{name}.illegal_transition"]


def test_what_both_sides_signed_can_only_be_finished_or_added_to():
    for state in sheets.SIGNED_STATES:
        assert sheets.events_from(state) <= {SheetEvent.LINK, SheetEvent.CHARGE, SheetEvent.FINISH}


def test_a_quotation_binds_until_the_end_of_its_last_day():
    assert not is_over(date(2026, 11, 30), date(2026, 11, 30))
    assert is_over(date(2026, 11, 30), date(2026, 12, 1))


@given(st.decimals("0.001", "1000000", places=3), st.integers(0, 10**11))
def test_a_line_is_rounded_once_half_up(quantity, unit_price):
    exact = Decimal(quantity) * unit_price
    assert amount_fen(quantity, unit_price) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def test_the_total_is_the_sum_of_the_rounded_lines():
    lines = [PricedLine(LineKind.OTHER, None, "", "x", Decimal("0.333"), "piece", 100, None) for _ in range(3)]
    assert [line.amount_fen for line in lines] == [33, 33, 33]
    assert total_fen(lines) == 99


@pytest.mark.parametrize(
    ("text", "found"),
    [("2.5", "2.5"), ("１２", "12"), ("1,000", "1000"), (" 3 ", "3"), ("0.001", "0.001"), ("1000000", "1000000")],
)
def test_a_quantity_is_read_as_people_type_it(text, found):
    assert parse_quantity(text) == Decimal(found)


@pytest.mark.parametrize("text", ["", "0", "0.000", "-1", "1e3", "1.2345", "1000001", "NaN", "x", "1..2", "9" * 400])
def test_what_is_no_quantity_is_refused(text):
    assert parse_quantity(text) is None


def test_a_quantity_is_shown_without_trailing_zeros():
    assert [shown_quantity(Decimal(text)) for text in ("2.500", "100.000", "0.001")] == ["2.5", "100", "0.001"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (LineInput("", "1"), "quotation.kind_unknown"),
        (LineInput("instrument_time", "1"), "quotation.subject_missing"),
        (LineInput("other", "1", 7, "x", "", 1), "quotation.subject_not_wanted"),
        (LineInput("other", "1", None, " ", "", 1), "quotation.description_missing"),
        (LineInput("other", "one", None, "x", "", 1), "quotation.quantity_unreadable"),
        (LineInput("other", "1", None, "x", "bucket", 1), "quotation.unit_unknown"),
        (LineInput("other", "1", None, "x", "", -1), "quotation.price_out_of_range"),
        (LineInput("other", "1", None, "x"), "quotation.price_missing"),
    ],
)
def test_each_fault_of_a_line_is_named_at_its_field(line, code):
    found = reasons_against([LineInput("instrument_time", "1", 3), line])
    assert [reason.code for reason in found] == [code]
    assert found[0].field.startswith("lines.1.")


def test_a_quotation_has_lines_and_not_too_many():
    assert [reason.code for reason in reasons_against([])] == ["quotation.lines_missing"]
    many = [LineInput("instrument_time", "1", 3)] * 61
    assert [reason.code for reason in reasons_against(many)] == ["quotation.too_many_lines"]


def test_numbers_say_series_year_and_place():
    assert document_number(Series.QUOTATION, 2026, 123) == "BJ-2026-000123"
    assert document_number(Series.COMMISSION, 2026, 1_234_567) == "WT-2026-1234567"
    assert series_key(Series.COMMISSION, 2026) == "WT/2026/N"
    with pytest.raises(ValueError, match="begins with one"):
        document_number(Series.QUOTATION, 2026, 0)
