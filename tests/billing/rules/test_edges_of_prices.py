"""Where one comparison, one sign or one default of the rules of prices and of the ledger decides."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from billing.ledger.rules import chain
from billing.ledger.rules.accounting import (
    CODE_LENGTH,
    KEY_LENGTH,
    MOST_CODES,
    Entry,
    UnreadableCodes,
    lines,
    read_codes,
)
from billing.ledger.rules.documents import DocumentError, _refuse_floats
from billing.ledger.rules.money import Rounding, round_fen
from billing.ledger.rules.table import Column, read_table
from billing.pricing.rules import LineKind, parse_schedule
from billing.pricing.rules.classes import Customer
from billing.pricing.rules.counted import parse_counted
from billing.pricing.rules.marginal import cut_at, marginal_faults
from billing.pricing.rules.pricing import Use
from billing.pricing.rules.samples import SamplePrice
from billing.pricing.rules.split import _jumps
from config.kernel.errors import Refusal
from tests.billing.rules.test_prices_format_2 import COUNTED, DAYS, NEW_YORK, SHANGHAI, document, plain, priced
from tests.billing.rules.test_small_rules import movement

HOUR = timedelta(hours=1)


def faults(made: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(DocumentError) as wrong:
        parse_schedule(made)
    return [(fault.path, fault.message) for fault in wrong.value.faults]


# --- The ledger ---------------------------------------------------------------------------------------------------------
def test_a_movement_is_a_debit_and_a_credit_of_the_same_amount_and_nothing_else() -> None:
    entry = Entry(1, date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), ("a", "", ""), ("b", "", ""), 7_00, "", "", "", "")
    assert [(line.account[0], line.against[0], line.debit_fen, line.credit_fen) for line in lines([entry])] == [
        ("a", "b", 7_00, 0),
        ("b", "a", 0, 7_00),
    ]


def test_codes_are_those_of_the_accounts_by_their_keys() -> None:
    debit, credit = ("receivable:7:9", "receivable", "Firm"), ("cash:7", "cash", "Lab")
    entry = Entry(1, date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), debit, credit, 7_00, "", "", "", "")
    found = [(line.account_code, line.against_code) for line in lines([entry], {"receivable:7": "1122.07", "cash:7": "1002"})]
    assert found == [("1122.07", "1002"), ("1002", "1122.07")]


def test_codes_are_as_long_and_as_many_as_is_said() -> None:
    longest = f"{'a' * KEY_LENGTH} = {'1' * CODE_LENGTH}"
    most = [longest, *(f"a{place} = 1" for place in range(MOST_CODES - 1))]
    assert len(read_codes("\n".join(most))) == MOST_CODES
    for wrong in (f"a{longest}", f"{longest}1", "\n".join([*most, "b = 1"])):
        with pytest.raises(UnreadableCodes):
            read_codes(wrong)


def test_the_digest_of_a_movement_stays_what_it_is_and_is_of_everything_it_says() -> None:
    """Seals that were written hold only as long as this text does not change."""
    assert chain.digest(movement(1, reason="退回")).hex() == "07ba66256060916388bb5cdb4bddf411d2535aa4370ae06b4528b942cdf07967"
    others = [movement(1, **{name: 77}) for name in chain.Movement.__slots__ if name != "at"]
    assert len({chain.digest(each) for each in [movement(1), *others]}) == len(others) + 1


def test_no_float_is_part_of_a_document_however_it_is_held() -> None:
    _refuse_floats(MappingProxyType({"a": MappingProxyType({"b": [1, "x"]})}))
    with pytest.raises(TypeError, match="a float"):
        _refuse_floats([MappingProxyType({"a": (1, {"b": 0.5})})])


def test_steps_of_two_fen_are_steps() -> None:
    assert [round_fen(Decimal(fen), Rounding.HALF_UP, 2) for fen in (0, 1, 2, 3)] == [0, 2, 2, 4]


def test_a_table_is_read_in_the_encoding_it_has_and_a_long_cell_is_shown_in_part() -> None:
    columns = [Column("name", ("名称",), str), Column("count", ("count",), int)]
    assert read_table("名称,count\n水,3".encode("gb18030"), columns) == [(2, {"name": "水", "count": 3})]
    with pytest.raises(Refusal) as refused:
        read_table(("名称,count\n水," + "x" * 70).encode(), columns)
    assert [reason.params["text"] for reason in refused.value.reasons] == ["x" * 60]


# --- Documents of prices --------------------------------------------------------------------------------------------------
def test_a_code_stands_for_one_thing_and_rates_are_for_all_classes() -> None:
    addon = {"code": "x", "name": {"zh": "x", "en": "x"}, "rates": {"inside": 1, "firm_sme": 1}}
    assert faults(plain(addons=[addon, addon])) == [("$.addons[1].code", "the code 'x' is taken")]
    assert [path for path, _ in faults(plain(addons=[{**addon, "rates": {"inside": 1}}]))] == ["$.addons[0].rates"]
    classes = [{"code": "ours", "when": {"own": True}}, {"code": "ours", "when": {"verified": True}}, {"code": "rest"}]
    assert faults(plain(classes=classes, rates={"ours": 1, "rest": 2})) == [
        ("$.classes[1].code", "the class 'ours' is there already")
    ]


def test_a_fee_may_be_one_fixed_amount() -> None:
    fee = {"share": "0.5", "at_least": 50, "at_most": 50}
    assert parse_schedule(plain(fees={"late_cancel": fee})) is not None
    assert [path for path, _ in faults(plain(fees={"late_cancel": {**fee, "at_most": 49}}))] == ["$.fees.late_cancel.at_most"]


def test_steps_end_at_whole_minutes_or_whole_units_and_each_fault_is_told() -> None:
    steps = {"rates": {}, "steps": [{"ratio": "1"}, {"up_to": "0.333", "ratio": "1"}, {"ratio": "1"}]}
    told = {unit: [(fault.path, fault.message) for fault in marginal_faults(steps, unit)] for unit in (60, None)}
    missing = ("$.steps[0]", "a step that is not the last says up to where it goes (up_to)")
    assert told[60] == [missing, ("$.steps[1].up_to", "it is a whole number of minutes")]
    assert told[None] == [missing, ("$.steps[1].up_to", "it is a whole number")]


def test_bands_that_overlap_name_each_other() -> None:
    band = {"weekdays": [1], "from": "08:00", "to": "12:00", "ratio": "2"}
    assert faults(plain(bands=[{"code": "a", **band}, {"code": "b", **band}])) == [("$.bands[1]", "overlaps the band 'a'")]


# --- Prices ---------------------------------------------------------------------------------------------------------------
def test_what_lasts_no_time_is_not_cut() -> None:
    at = datetime(2026, 11, 3, tzinfo=UTC)
    assert list(cut_at((HOUR,), timedelta(0), at, at, 0)) == []
    assert list(cut_at((HOUR,), timedelta(0), at, at + 2 * HOUR, 0)) == [(at, at + HOUR, 0, 0), (at + HOUR, at + 2 * HOUR, 0, 1)]


def test_a_minimum_of_what_costs_nothing_is_topped_up_whole() -> None:
    free = plain(rates={"inside": 0, "firm_sme": 0}, minimum={"amount": 5}, steps=None)
    found = priced(free, "2026-11-03T08:00", "2026-11-03T10:00")
    assert (found.gross_fen, found.minimum_top_up_fen) == (5_00, 5_00)


def test_samples_are_priced_in_the_customers_own_class_and_the_lowest_step_is_the_lowest() -> None:
    own = [{"code": "ours", "when": {"own": True}}, {"code": "rest"}]
    made = {**{name: COUNTED[name] for name in ("format", "currency", "unit", "steps", "rounding")}, "classes": own}
    price = SamplePrice.of_terms(parse_counted({**made, "rates": {"ours": "50", "rest": "80"}}))
    assert [price.class_of(Customer("firm", None, is_owner)) for is_owner in (True, False)] == ["ours", "rest"]
    assert price.lowest_fen == 25_00  # half of 50 from the fifty-first on


def test_a_night_before_a_holiday_goes_on_into_it_and_one_after_it_does_not() -> None:
    late = {"code": "late", "weekdays": [1, 2, 3, 4, 5], "from": "22:00", "to": "06:00", "ratio": "0.5"}
    made = document(bands=[late], holidays={}, steps=None)

    def band(day: str) -> list[str]:
        return [
            line.band for line in priced(made, f"{day}T02:00", f"{day}T03:00", Use(days=DAYS)).lines if line.kind is LineKind.TIME
        ]

    # 1 October 2026 is a Thursday; the holidays go on to Wednesday, 7 October.
    assert [band(day) for day in ("2026-10-01", "2026-10-02", "2026-10-08", "2026-10-09")] == [
        ["late"],
        ["standard"],
        ["standard"],
        ["late"],
    ]


def test_a_session_that_begins_seconds_before_an_edge_begins_in_the_band_before_it() -> None:
    found = priced(document(steps=None), "2026-11-03T21:59:55", "2026-11-05T01:00")
    assert [(line.band, line.seconds) for line in found.lines][:2] == [("standard", 5), ("night", 8 * 3600)]


def test_every_change_of_the_clock_within_a_year_is_found() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert list(_jumps(start, end, NEW_YORK)) == [datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)]
    assert list(_jumps(start, end, SHANGHAI)) == []
