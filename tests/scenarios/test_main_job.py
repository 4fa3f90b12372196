"""The main job, end to end, on real input: a registry of 623 instruments, three firms, two programmes, and what finance pays."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.utils import translation

from billing.api.shapes import frozen_json
from billing.ledger.models import Account, Transfer
from billing.ledger.rules.money import amount_in_capitals
from billing.pricing import services as pricing
from billing.settlement.captions import captions
from billing.settlement.models import Award, Charge, Statement
from billing.settlement.services import quotes, statements
from billing.tasks import render_statement
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import files
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Organisation, User
from instruments.queries import actor_for
from instruments.services import registry
from instruments.services.registry import WeeklyWindow
from tests.conftest import PRICE
from tests.scenarios.conftest import Province, take_place

NOVEMBER = date(2026, 11, 1)
DECEMBER = datetime(2026, 12, 2, 1, 0, tzinfo=UTC)
MONDAY_TO_SATURDAY = range(6)
LANGUAGES = ("zh-hans", "en")


def day(number: int, hour: float, hours: float) -> TimeRange:
    """Hours of a November day in St Andrews, where winter time is UTC."""
    start = datetime(2026, 11, number, tzinfo=UTC) + timedelta(hours=hour)
    return TimeRange(start, start + timedelta(hours=hours))


@dataclass
class Month:
    """What happened in November: the parties, the two instruments, and the charges in order."""

    owner: Organisation
    microscope: Instrument
    diffractometer: Instrument
    small: Organisation
    medium: Organisation
    large: Organisation
    cut: list[Charge]
    refunded: list[Charge]
    refused: Charge

    @property
    def charges(self) -> list[Charge]:
        return [*self.cut, *self.refunded, self.refused]


def imported(province: Province, shared_data: Path) -> tuple[Organisation, User, str]:
    """The university takes in its real registry by the command; the report's words."""
    owner, manager = province.found("owner", "University of St Andrews", owner_class="public_welfare_2")
    out = StringIO()
    source = shared_data / "registries" / "uk-st-andrews-equipment.uniquip.csv"
    options = {"format": "uniquip", "owner": owner.pk, "time_zone": "Europe/London", "stdout": out}
    call_command("import_registry", str(source), **options)
    return owner, manager, out.getvalue()


def opened(manager: User, instrument: Instrument, yuan_per_hour: str, province: Province) -> Instrument:
    """Opening hours and a price, as the lab sets them."""
    actor, now = actor_for(manager), province.cast.now
    windows = [WeeklyWindow(weekday, time(8), time(20)) for weekday in MONDAY_TO_SATURDAY]
    registry.set_weekly_hours(actor, instrument.pk, windows, date(2026, 11, 23), now)
    registry.update_instrument(actor, instrument.pk, {"service_modes": ("assisted",)}, now)
    prices = PRICE | {"rates": dict.fromkeys(PRICE["rates"], yuan_per_hour)}
    pricing.publish_price(actor, instrument, prices, date(2026, 11, 23), now, date(2026, 11, 23))
    return Instrument.objects.get(pk=instrument.pk)


@pytest.fixture
def month(province: Province, programmes: dict[str, Any], shared_data: Path) -> Month:
    now = province.cast.now
    owner, manager, _ = imported(province, shared_data)
    chosen = Instrument.objects.filter(organisation=owner).exclude(name__startswith="UNKNOWN").order_by("pk")
    microscope = opened(manager, chosen[0], "12500", province)
    diffractometer = opened(manager, chosen[1], "333.33", province)
    small, ma = province.found("firm", "Golmud Lake Salts", "630103", staff_count=15, annual_revenue_fen=2_000_000_00)
    medium, tsering = province.found("firm", "Haixi Lithium Works", "632801", staff_count=400, annual_revenue_fen=90_000_000_00)
    large, wei = province.found("firm", "Capital Batteries", "110108", staff_count=5000, annual_revenue_fen=9_000_000_000_00)
    lab = actor_for(manager)

    wanted = [day(25, 9, 4), day(26, 9, 4), day(27, 9, 3), day(28, 9, 4)]
    cut = [take_place(lab, province.book(ma, small, microscope, each), now) for each in wanted]
    refunded = [take_place(lab, province.book(tsering, medium, diffractometer, day(number, 10, 2.5)), now) for number in (25, 26)]
    refused = take_place(lab, province.book(wei, large, diffractometer, day(27, 10, 2)), now)
    return Month(owner, microscope, diffractometer, small, medium, large, cut, refunded, refused)


@pytest.fixture
def issued(month: Month, province: Province, programmes: dict[str, Any]) -> dict[str, Statement]:
    """Finance closes the month: a statement for each payee, its documents made as the worker makes them."""
    qian = province.cast.actor("qian")
    made = {
        code: statements.issue(qian, programmes[code].pk, payee.pk, NOVEMBER, DECEMBER)
        for code, payee in (("DEMO-QH-V", month.owner), ("DEMO-QH-A", month.medium))
    }
    for statement in made.values():
        render_statement(statement.pk)
        statement.refresh_from_db()
    return made


def posted_fen(version: Any, account_kind: str) -> int:
    """What the ledger says was spent under a version, on one kind of account."""
    rows = Transfer.objects.filter(kind="post", programme_version=version, debit__kind=account_kind)
    return rows.aggregate(sum=Sum("amount_fen"))["sum"] or 0


# --- The registry -------------------------------------------------------------------------------------------------------
def test_the_real_registry_is_taken_in_with_every_rows_fate_and_nothing_twice(province: Province, shared_data: Path) -> None:
    owner, _, report = imported(province, shared_data)
    assert "623 rows" in report
    kept = Instrument.objects.filter(organisation=owner).count()
    assert 0 < kept <= 623
    source = shared_data / "registries" / "uk-st-andrews-equipment.uniquip.csv"
    again = StringIO()
    call_command("import_registry", str(source), format="uniquip", owner=owner.pk, time_zone="Europe/London", stdout=again)
    assert "created 0" in again.getvalue()
    assert Instrument.objects.filter(organisation=owner).count() == kept


# --- The figures --------------------------------------------------------------------------------------------------------
def test_the_four_numbers_of_every_session(month: Month) -> None:
    def figures(charge: Charge) -> tuple[int, int, int, int, int]:
        return (charge.gross_fen, charge.deducted_fen, charge.payable_now_fen, charge.refunded_fen, charge.final_cost_fen)

    assert [figures(charge) for charge in month.cut] == [
        (50_000_00, 20_000_00, 30_000_00, 0, 30_000_00),
        (50_000_00, 20_000_00, 30_000_00, 0, 30_000_00),
        (37_500_00, 15_000_00, 22_500_00, 0, 22_500_00),
        (50_000_00, 5_000_00, 45_000_00, 0, 45_000_00),  # 60,000 a year, 55,000 of it used
    ]
    # 2.5 h at 333.33 are 833.325, charged as 833.33; half of it is 416.665, so 416.67; the first use brings the rest of the cost
    assert [figures(charge) for charge in month.refunded] == [
        (833_33, 0, 833_33, 833_33, 0),
        (833_33, 0, 833_33, 416_67, 416_66),
    ]
    assert figures(month.refused) == (666_66, 0, 666_66, 0, 666_66)


def test_who_gets_nothing_reads_why_with_the_clause_in_both_languages(month: Month) -> None:
    for language in LANGUAGES:
        with translation.override(language):
            outcomes = {each["programme"]: each for each in frozen_json(month.refused)["outcomes"]}
        assert {code for code, each in outcomes.items() if not each["awarded"]} == {"DEMO-QH-A", "DEMO-QH-V"}
        codes = {reason["code"] for reason in outcomes["DEMO-QH-V"]["reasons"]}
        assert {"subsidy.unmet.firm_size", "subsidy.unmet.region"} <= codes
        assert "subsidy.unmet.region" in {reason["code"] for reason in outcomes["DEMO-QH-A"]["reasons"]}
        for reason in (reason for outcome in outcomes.values() for reason in outcome["reasons"]):
            said = reason["sentence"].replace("海淀区", "")  # where no English name is known, a place has its own
            assert_is_a_sentence(said, reason["code"], language)
            assert reason["clause_text"]


def test_who_is_cut_by_the_yearly_limit_reads_how_much_was_left_in_both_languages(month: Month) -> None:
    for language in LANGUAGES:
        with translation.override(language):
            outcome = next(each for each in frozen_json(month.cut[3])["outcomes"] if each["awarded"])
        assert outcome["cut_by"] == ["firm-year"]
        step = next(each for each in outcome["steps"] if each["code"] == "subsidy.step.cap_cut")
        assert_is_a_sentence(step["sentence"], step["code"], language)
        assert "5,000.00" in step["sentence"] and "20,000.00" in step["sentence"]


def assert_is_a_sentence(text: str, code: str, language: str) -> None:
    """In the reader's language, and not the code."""
    assert text and code not in text and "%(" not in text
    assert bool(re.search(r"[\u4e00-\u9fff]", text)) == (language == "zh-hans"), text


# --- The money ----------------------------------------------------------------------------------------------------------
def test_the_ledger_the_awards_and_the_charges_say_the_same_to_the_fen(month: Month, programmes: dict[str, Any]) -> None:
    deducted = sum(charge.deducted_fen for charge in month.charges)
    refunded = sum(charge.refunded_fen for charge in month.charges)
    assert (deducted, refunded) == (60_000_00, 1250_00)
    assert posted_fen(programmes["DEMO-QH-V"], "pool") == posted_fen(programmes["DEMO-QH-V"], "firm_year") == deducted
    assert posted_fen(programmes["DEMO-QH-A"], "firm_year") == refunded
    assert Award.objects.aggregate(sum=Sum("total_fen"))["sum"] == deducted + refunded
    assert not Account.objects.filter(held_fen__gt=0).exists()
    assert {award.payee for award in Award.objects.filter(mode="deducted_now")} == {month.owner}
    assert {award.payee for award in Award.objects.filter(mode="refunded_later")} == {month.medium}


def test_pdf_and_workbook_of_each_statement_total_what_the_ledger_posted(
    issued: dict[str, Statement], programmes: dict[str, Any], tmp_path: Path
) -> None:
    for code, account in (("DEMO-QH-V", "pool"), ("DEMO-QH-A", "firm_year")):
        statement, posted = issued[code], posted_fen(programmes[code], account)
        assert (statement.render_state, statement.total_fen) == ("done", posted)

        text = "".join(pdf_text(files.read(statement.pdf), tmp_path).split())
        assert statement.number in text
        assert f"{Decimal(posted) / 100:,.2f}" in text
        assert amount_in_capitals(posted, currency=True) in text
        for award in statement_awards(statement):
            assert award.charge.reservation.reference in text
            assert f"{Decimal(award.total_fen) / 100:,.2f}" in text

        awarded, total = workbook_amounts(files.read(statement.xlsx))
        assert total == sum(awarded) == Decimal(posted) / 100
        assert awarded == [Decimal(award.total_fen) / 100 for award in statement_awards(statement)]


def statement_awards(statement: Statement) -> list[Award]:
    return [line.award for line in statement.lines.select_related("award__charge__reservation").order_by("position")]


def pdf_text(content: bytes, folder: Path) -> str:
    path = folder / "statement.pdf"
    path.write_bytes(content)
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True).stdout


def workbook_amounts(content: bytes) -> tuple[list[Decimal], Decimal]:
    """The awarded amounts of the first sheet's lines, and its total row."""
    sheet = openpyxl.load_workbook(BytesIO(content), data_only=True).worksheets[0]
    caption = captions()["awarded"].line
    head = next(cell for row in sheet.iter_rows() for cell in row if cell.value == caption)
    below = [sheet.cell(row, head.column).value for row in range(head.row + 1, sheet.max_row + 1)]
    amounts = [Decimal(str(value)).quantize(Decimal("0.01")) for value in below if isinstance(value, int | float)]
    return amounts[:-1], amounts[-1]


def test_statements_are_issued_once_their_files_come_back_as_they_were_and_everything_is_consistent(
    issued: dict[str, Statement], province: Province
) -> None:
    qian = province.cast.actor("qian")
    for statement in issued.values():
        with pytest.raises((Refusal, Conflict)):
            statements.issue(qian, statement.programme_version_id, statement.payee_id, NOVEMBER, DECEMBER)
        before = files.read(statement.pdf), files.read(statement.xlsx)
        render_statement(statement.pk)
        statement.refresh_from_db()
        assert (files.read(statement.pdf), files.read(statement.xlsx)) == before
    assert len({statement.number for statement in issued.values()}) == 2
    out = StringIO()
    call_command("check_invariants", stdout=out)
    assert "WRONG" not in out.getvalue()
    looked_at = dict(re.findall(r"^(\S+)\s+(\d+) checked", out.getvalue(), re.MULTILINE))
    assert looked_at["settlement.charges_add_up"] == "7"
    assert looked_at["settlement.statements_are_their_lines"] == "2"
    assert looked_at["kernel.files_unchanged"] != "0"


def test_what_a_firm_sees_before_it_books_is_what_it_is_charged(province: Province, month: Month) -> None:
    """A quote for December's first session of the firm that used up its year: the same engine, before anything is promised."""
    person = month.small.memberships.get(role="firm_admin").user
    shown = quotes.preview(actor_for(person), month.microscope.pk, month.small.pk, day(30, 9, 2), province.cast.now)
    assert (shown.assessment.gross_fen, shown.assessment.deducted_fen) == (25_000_00, 0)
    assert [left.left_fen for left in shown.caps_left if left.per == "firm_year"] == [0]
