"""Fixtures of the page tests: people of the cast in a browser at the cast's time. Imported by the conftest of each folder."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.pricing.models import PriceVersion
from billing.settlement.services import quotes
from booking.models import Reservation
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from instruments.models import Instrument
from tests.agreeing import check_out_agreed
from tests.conftest import PRICE

BACKEND = "frontend.login_backend.PersonBackend"


class Clock:
    """What the pages take for now; the cast's time until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(now, monkeypatch):
    clock = Clock(now)
    monkeypatch.setattr(timezone, "now", clock)
    return clock


@pytest.fixture
def as_(cast, clock):
    """``as_("lin")`` is a browser in which Lin is logged in; ``as_()`` one of a visitor. Both read English."""

    def browser(name: str = "", **options) -> Client:
        client = Client(headers={"accept-language": "en"}, **options)
        if name:
            client.force_login(cast.users[name], backend=BACKEND)
        return client

    return browser


@pytest.fixture
def ask(cast, slot):
    """``ask(9, 12)``: a reservation's id, asked for by Lin for her firm; the rest by name."""

    def make(first, last, day=0, who="lin", firm=None, instrument=None, at=None, **fields):
        firm = firm or (cast.other_firm if who == "he" else cast.firm)
        instrument = instrument or cast.xrd
        request = ReservationRequest(instrument.pk, firm.pk, slot(first, last, day), "self_operated", **fields)
        return reservations.reserve(cast.actor(who), request, at or cast.now, idempotency_key=str(uuid4())).reservation_id

    return make


@pytest.fixture
def twin(cast):
    """``twin()``: an instrument of the lab with the same calendar as the cast's; of another owner where one is named."""

    def make(owner=None):
        made = Instrument.objects.create(
            organisation=owner or cast.lab, site=cast.site, calendar_id=cast.xrd.calendar_id, name="Twin",
            service_modes=["self_operated"], created_at=cast.now, updated_at=cast.now,
        )  # fmt: skip
        PriceVersion.objects.create(instrument=made, effective_from=date(2025, 1, 1), document=PRICE, published_at=cast.now)
        return made

    return make


@pytest.fixture
def approved(cast, ask):
    """Like ``ask``, and approved by Wang."""

    def make(*args, **options):
        pk = ask(*args, **options)
        transitions.approve(cast.actor("wang"), pk, cast.now)
        return pk

    return make


@pytest.fixture
def charged(cast, approved):
    """Like ``approved``, used as booked and charged."""

    def make(*args, **options):
        pk = approved(*args, **options)
        reservation = Reservation.objects.get(pk=pk)
        transitions.check_in(cast.actor("wang"), pk, reservation.starts_at)
        check_out_agreed(cast.actor("wang"), pk, reservation.ends_at)
        return pk

    return make


@pytest.fixture
def form(cast, slot):
    """``form(9, 12)``: what the booking form sends for 25 November, with the figures that Lin sees for it."""

    def make(first=9, last=12, **changes):
        during = slot(first, last)
        preview = quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, during, cast.now)
        fields = {
            "key": str(uuid4()),
            "instrument": cast.xrd.pk,
            "organisation": cast.firm.pk,
            "on": "2026-11-25",
            "from": _clock_text(first),
            "to": _clock_text(last),
            "service_mode": "self_operated",
            "purpose": "lithium salts",
            "expected_payable_now_fen": preview.assessment.payable_now_fen,
            "expected_final_cost_fen": preview.assessment.final_cost_fen,
        }
        return {name: value for name, value in (fields | changes).items() if value is not None}

    return make


def _clock_text(hour: float) -> str:
    return f"{int(hour):02d}:{int(hour * 60) % 60:02d}"


def words(response) -> str:
    """The text of a page as people read it: no markup, single blanks."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def query_count(client: Client, address: str) -> int:
    """How many queries a page takes, once this process remembers what it reads once (programmes, names of codes)."""
    assert client.get(address).status_code == 200
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


FRAGMENT = {"HX-Request": "true"}
HOUR = timedelta(hours=1)


def may_pass_over_rules_is_opened(response) -> bool:
    """Whether the part in which a lab's manager says why they book in spite of its rules stands open on a page."""
    return bool(re.search(r'<details class="reveal" open><summary>[^\n]*In spite of the lab', response.content.decode()))
