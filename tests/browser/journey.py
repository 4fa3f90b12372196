"""Steps that the journeys by mouse and by keyboard share: what stands in the database, and what the downloads must hold."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.sessions.models import Session
from openpyxl import load_workbook
from playwright.sync_api import Page

from config.demo.accounts import DEMO_PASSWORD
from tests.browser import stage
from tests.browser.running_site import Site
from tests.browser.visitors import PERSONAS, Visitor, Visitors

RATE_YUAN = 400
SHANGHAI = timedelta(hours=8)


def new_instrument(site: Site, name: str, **fields: Any) -> int:
    """An instrument of the personas' lab for one test; returns its id."""
    with site.data():
        return int(stage.add_instrument(name, datetime.now(UTC), rate=RATE_YUAN, **fields).pk)


def newly_arrived(people: Visitors, language: str = "en") -> Visitor:
    """Somebody with a browser of their own who has not logged in."""
    return people.fresh("anonymous", language, timezone_id="Asia/Shanghai", accept_downloads=True)


def log_in(visitor: Visitor, persona: str) -> None:
    """Through the form, as anybody does."""
    page = visitor.page
    visitor.open("/accounts/login/")
    fill_log_in(page, persona)
    page.wait_for_url(visitor.site.address + "/")


def fill_log_in(page: Page, persona: str) -> None:
    """The form of the log-in that is shown."""
    page.get_by_label("Email").fill(PERSONAS[persona])
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


def end_session(visitor: Visitor, site: Site) -> None:
    """The log-in runs out while a page is open."""
    cookie = next(one for one in visitor.context.cookies() if one["name"] == "session")
    with site.data():
        assert Session.objects.filter(session_key=cookie["value"]).delete()[0] == 1


def yuan(text: str) -> int:
    """Fen of an amount as pages write it: ``¥1,234.50``, with a minus sign or without."""
    found = re.search(r"\d[\d,]*\.\d{2}", text)
    assert found, f"no amount in {text!r}"
    return int(Decimal(found[0].replace(",", "")) * 100)


@dataclass(frozen=True)
class Figures:
    """The four numbers in fen."""

    gross: int
    deducted: int
    payable_now: int
    refunded: int
    final_cost: int

    def hold_together(self) -> None:
        assert self.payable_now == self.gross - self.deducted
        assert self.final_cost == self.payable_now - self.refunded


def quoted(site: Site, reservation_id: int) -> Figures:
    """What the database holds for the reservation: its charge where there is one, else its quote."""
    from billing.settlement.models import Charge, Quote

    with site.data():
        charge = Charge.objects.filter(reservation_id=reservation_id).first()
        row = charge or Quote.objects.filter(reservation_id=reservation_id).latest("revision")
        return Figures(row.gross_fen, row.deducted_fen, row.payable_now_fen, row.refunded_fen, row.final_cost_fen)


def state_of(site: Site, reservation_id: int) -> str:
    from booking.models import Reservation

    with site.data():
        return str(Reservation.objects.get(pk=reservation_id).state)


def reservation_at(url: str) -> int:
    """The id in the address of a reservation's page."""
    found = re.search(r"/bookings/(\d+)/", url)
    assert found, url
    return int(found[1])


def day_of(site: Site, reservation_id: int) -> date:
    """The reservation's day in Shanghai."""
    from booking.models import Reservation

    with site.data():
        return (Reservation.objects.get(pk=reservation_id).starts_at.astimezone(UTC) + SHANGHAI).date()


def statement_totals(site: Site, statement_id: int) -> tuple[str, int, list[int]]:
    """The number, the total and the lines' awards, in fen."""
    from billing.settlement.models import Statement

    with site.data():
        statement = Statement.objects.get(pk=statement_id)
        return statement.number, statement.total_fen, [line.award.total_fen for line in statement.lines.select_related("award")]


def check_pdf(path: Path, number: str, total_fen: int) -> None:
    """It is a PDF whose text has the statement's number and total."""
    assert path.read_bytes().startswith(b"%PDF-")
    program = shutil.which("pdftotext")
    assert program, "pdftotext is missing (Debian: apt-get install poppler-utils)"
    text = subprocess.run([program, "-layout", str(path), "-"], capture_output=True, check=True, text=True).stdout
    assert number in text
    assert f"{Decimal(total_fen) / 100:,.2f}" in text


def check_workbook(path: Path, number: str, total_fen: int, awards_fen: list[int]) -> None:
    """It is a workbook whose lines and total are those of the database, as numbers."""
    content = path.read_bytes()
    assert content.startswith(b"PK\x03\x04")
    cells = [cell for sheet in load_workbook(io.BytesIO(content)) for row in sheet.iter_rows(values_only=True) for cell in row]
    amounts = [round(Decimal(str(cell)) * 100) for cell in cells if isinstance(cell, (int, float)) and not isinstance(cell, bool)]
    assert any(number in cell for cell in cells if isinstance(cell, str))
    assert total_fen in amounts
    assert set(awards_fen) <= set(amounts)
    assert sum(awards_fen) == total_fen
