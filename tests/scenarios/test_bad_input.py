"""What goes wrong at every counter: a clear answer, nothing lost, nothing half done."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from billing.pricing import services as pricing
from billing.pricing.models import PriceVersion
from billing.settlement.services import statements
from billing.tasks import render_statement
from booking.models import Reservation
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from config.kernel.services import files, tokens
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, Organisation
from instruments.queries import actor_for
from instruments.services import registry
from instruments.services.registry import InstrumentFields, WeeklyWindow
from tests.conftest import PRICE
from tests.scenarios.conftest import Province, take_place

TIBETAN = "\u0f58\u0f5a\u0f7c\u0f0b\u0f66\u0f94\u0f7c\u0f53\u0f0b"
FORMULA = "=cmd|' /C calc'!A0"
NAMES = [f"{TIBETAN} \U0001f9ea Lithium", FORMULA, '"><script>alert(1)</script>', "O'Brien & S\u00f6hne; DROP TABLE"]


def reasons(refused: pytest.ExceptionInfo[Refusal]) -> list[tuple[str, str]]:
    """(code, field) of each; each has a sentence."""
    for reason in refused.value.reasons:
        assert reason_sentence(reason) not in ("", reason.code)
    return [(reason.code, reason.field) for reason in refused.value.reasons]


# --- Names ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_a_firm_may_be_called_anything_that_can_be_written(province: Province, name: str) -> None:
    made, person = province.found("firm", name, "630104")
    key = tokens.issue(actor_for(person), "key", ["read"], province.cast.now)
    answer = APIClient().get(f"/api/v1/organisations/{made.pk}/", HTTP_AUTHORIZATION=f"Bearer {key}")
    assert answer.status_code == 200 and answer.json()["name"] == name


@pytest.mark.parametrize("name", ["x" * 1000, TIBETAN * 200, "a\x00b", "a\u202eb", "\u200b", "   "])
def test_a_name_too_long_or_not_readable_is_refused_with_its_field(province: Province, name: str) -> None:
    before = Organisation.objects.count()
    with pytest.raises(Refusal) as refused:
        province.found("firm", name, "630104")
    assert {field for _, field in reasons(refused)} == {"name"}
    with pytest.raises(Refusal) as refused:
        registry.create_instrument(province.cast.actor("wang"), province.cast.site.pk, InstrumentFields(name), province.cast.now)
    assert {field for _, field in reasons(refused)} == {"name"}
    assert Organisation.objects.count() == before
    assert Instrument.objects.count() == 1


def test_a_formula_in_a_name_stays_a_text_in_the_workbook(province: Province, programmes: dict[str, Any]) -> None:
    cast = province.cast
    firm, person = province.found("firm", FORMULA, "630104", staff_count=15, annual_revenue_fen=2_000_000_00)
    instrument = registry.create_instrument(
        cast.actor("wang"), cast.site.pk, InstrumentFields("=1+1", service_modes=("assisted",)), cast.now
    )
    windows = [WeeklyWindow(weekday, time(8), time(20)) for weekday in range(7)]
    registry.set_weekly_hours(cast.actor("wang"), instrument.pk, windows, date(2026, 11, 23), cast.now)
    pricing.publish_price(cast.actor("wang"), instrument, PRICE, date(2026, 11, 23), cast.now, date(2026, 11, 23))
    start = datetime(2026, 11, 25, 1, tzinfo=UTC)
    take_place(
        cast.actor("wang"), province.book(person, firm, instrument, TimeRange(start, start + timedelta(hours=2))), cast.now
    )
    december = datetime(2026, 12, 2, tzinfo=UTC)
    issued = statements.issue(cast.actor("qian"), programmes["DEMO-QH-V"].pk, cast.lab.pk, date(2026, 11, 1), december)
    render_statement(issued.pk)
    issued.refresh_from_db()
    book = openpyxl.load_workbook(BytesIO(files.read(issued.xlsx)))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert {"=1+1", FORMULA} <= {cell.value for cell in cells}


# --- Amounts --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [
        {"rates": PRICE["rates"] | {"inside": "-200"}},
        {"rates": PRICE["rates"] | {"inside": "abc"}},
        {"rates": PRICE["rates"] | {"inside": "1e9"}},
        {"minimum": {"minutes": -30, "amount": "0"}},
        {"minimum": {"minutes": 30, "amount": "-1"}},
        {"currency": "XXX"},
        {"unheard": 1},
    ],
)
def test_a_price_that_cannot_be_meant_is_refused_with_its_place(province: Province, change: dict[str, Any]) -> None:
    cast = province.cast
    with pytest.raises(Refusal) as refused:
        pricing.publish_price(cast.actor("wang"), cast.xrd, PRICE | change, date(2026, 12, 1), cast.now, date(2026, 11, 23))
    assert {code for code, _ in reasons(refused)} == {"price.invalid"}
    assert all(place.startswith("$") for _, place in reasons(refused))
    assert PriceVersion.objects.filter(instrument=cast.xrd).count() == 1


def test_a_firm_has_no_negative_staff_or_revenue(province: Province) -> None:
    with pytest.raises(Refusal) as refused:
        province.found("firm", "Nobody", "630104", staff_count=-1, annual_revenue_fen=-1)
    assert {field for _, field in reasons(refused)} == {"staff_count", "annual_revenue_fen"}


# --- Files ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01\x02\xff\xfe" * 50,
        b"no,known,column\n1,2,3\n",
        b'Name,Owner\n"never closed',
        "\ufeffName\n".encode("utf-16"),
        b"Name,Description\n" + b"x" * 2000 + b",y\n",
        b"PK\x03\x04" + b"\x00" * 100,
    ],
)
def test_a_broken_registry_is_refused_in_words_and_nothing_is_taken_in(
    province: Province, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    before = Instrument.objects.count()
    with pytest.raises(CommandError) as refused:
        call_command("import_registry", str(path), format="uniquip", owner=province.cast.lab.pk, stdout=StringIO())
    assert "Nothing was imported" in str(refused.value)
    assert "import." not in str(refused.value), "a code instead of a sentence"
    assert Instrument.objects.count() == before


# --- Over the API -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def lin(province: Province) -> APIClient:
    client = APIClient(HTTP_ACCEPT_LANGUAGE="en", HTTP_IDEMPOTENCY_KEY="key")
    key = tokens.issue(province.cast.actor("lin"), "key", ["read", "book"], province.cast.now)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def wanted(cast: Any, **changes: Any) -> dict[str, Any]:
    """A good request for a time next week by the clock of the machine."""
    start = (datetime.now(UTC) + timedelta(days=7)).replace(hour=2, minute=0, second=0, microsecond=0)
    asked = {
        "instrument": cast.xrd.pk,
        "organisation": cast.firm.pk,
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=2)).isoformat(),
        "service_mode": "assisted",
        "purpose": TIBETAN,
    }
    return asked | changes


def test_a_good_request_is_taken_and_its_text_comes_back(province: Province, lin: APIClient) -> None:
    made = lin.post("/api/v1/reservations/", wanted(province.cast), format="json")
    assert made.status_code == 201
    assert lin.get(f"/api/v1/reservations/{made.json()['id']}/").json()["purpose"] == TIBETAN
    rival = lin.post("/api/v1/reservations/", wanted(province.cast), format="json", HTTP_IDEMPOTENCY_KEY="other")
    assert (rival.status_code, rival.json()["code"], bool(rival.json()["alternatives"])) == (409, "booking.just_taken", True)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"starts_at": "tomorrow"}, 400),
        ({"starts_at": "2026-11-25T09:00:00"}, 400),
        ({"ends_at": "0001-01-01T00:00:00Z"}, 422),
        ({"starts_at": "9999-12-31T23:59:59-12:00", "ends_at": "9999-12-31T23:59:59-12:00"}, 400),
        ({"instrument": -1}, 400),
        ({"instrument": 10**30}, 400),
        ({"instrument": 10**12}, 404),
        ({"organisation": 10**12}, 403),
        ({"service_mode": "=cmd()"}, 400),
        ({"purpose": "x" * 1000}, 422),
        ({"purpose": None}, 400),
        ({"purpose": "a\x00b"}, 400),
        ({"price_fen": 1}, 400),
        ({"expected": {"payable_now_fen": -5}}, 400),
    ],
)
def test_bad_fields_are_answered_as_problems_and_nothing_is_booked(
    province: Province, lin: APIClient, changes: dict[str, Any], status: int
) -> None:
    answer = lin.post("/api/v1/reservations/", wanted(province.cast, **changes), format="json")
    assert answer.status_code in {400, 422} if status in {400, 422} else answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"] and all(error["detail"] != error["code"] for error in answer.json()["errors"])
    assert not Reservation.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"a":' * 1000, b"{}" + b" " * 3_000_000])
def test_bodies_that_are_no_request_are_answered_as_problems(lin: APIClient, body: bytes) -> None:
    answer = lin.generic("POST", "/api/v1/reservations/", body, content_type="application/json")
    assert answer.status_code in {400, 413}
    assert answer["Content-Type"] == "application/problem+json"


def test_an_expired_login_is_told_so_and_loses_nothing(province: Province) -> None:
    past = province.cast.now - timedelta(days=400)
    key = tokens.issue(province.cast.actor("lin"), "old", ["book"], past, expires_at=past + timedelta(days=1))
    answer = APIClient().post("/api/v1/reservations/", wanted(province.cast), format="json", HTTP_AUTHORIZATION=f"Bearer {key}")
    assert (answer.status_code, "WWW-Authenticate" in answer) == (401, True)


def test_a_foreign_reservation_is_the_same_as_none(province: Province, lin: APIClient) -> None:
    made = lin.post("/api/v1/reservations/", wanted(province.cast), format="json").json()["id"]
    key = tokens.issue(province.cast.actor("he"), "key", ["read", "book"], province.cast.now)
    he = APIClient(HTTP_AUTHORIZATION=f"Bearer {key}", HTTP_IDEMPOTENCY_KEY="k")
    for path in ("", "cancel/"):
        call = he.post if path else he.get
        foreign, missing = (call(f"/api/v1/reservations/{pk}/{path}") for pk in (made, 10**9))
        assert (foreign.status_code, foreign.content) == (404, missing.content)
    assert Reservation.objects.get(pk=made).state == "requested"
