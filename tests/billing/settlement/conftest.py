"""A month with agreed sessions of two firms under both DEMO programmes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billing.settlement.services import statements
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from tests.agreeing import check_out_agreed
from tests.beginnings import BEGINNINGS
from tests.booking.finding.labs import labs, search
from tests.conftest import WITH_PROGRAMMES, slot_of

__all__ = ["labs", "search"]

DECEMBER = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
NOVEMBER = date(2026, 11, 1)


def run_session(cast, during, who="lin", firm=None, hours=None, key="", **more):
    """Request, approve, check in and out; returns the reservation's id."""
    request = ReservationRequest(cast.xrd.pk, (firm or cast.firm).pk, during, "self_operated", "lithium salts", **more)
    key = key or f"{who}-{during.starts_at:%d%H%M}"
    reserved = reservations.reserve(cast.actor(who), request, cast.now, idempotency_key=key)
    transitions.approve(cast.actor("wang"), reserved.reservation_id, cast.now)
    transitions.check_in(cast.actor("wang"), reserved.reservation_id, during.starts_at)
    end = during.starts_at + timedelta(hours=hours) if hours else during.ends_at
    check_out_agreed(cast.actor("wang"), reserved.reservation_id, end)
    return reserved.reservation_id


def write_month(cast):
    """Two sessions of Gaoyuan (voucher, paid to the lab) and two of Lianhe (refund, paid to the firm), all in November."""
    from instruments.models import OrganisationIdentifier

    for organisation, code in (
        (cast.lab, "12630000000000123E"),
        (cast.firm, "91630100MA00000151"),
        (cast.other_firm, "91630104MA0000023M"),
    ):
        OrganisationIdentifier.objects.create(organisation=organisation, scheme="uscc", value=code)
    cast.lab.bank_name, cast.lab.bank_account_name, cast.lab.bank_account_number = "Bank of Demo", "Kunlun Institute", "6222 0000"
    cast.lab.save()
    run_session(cast, slot_of(9, 12))
    run_session(cast, slot_of(13, 14.5))
    run_session(cast, slot_of(9, 15, 1), "he", cast.other_firm)
    run_session(cast, slot_of(15, 18, 1), "he", cast.other_firm)


BEGINNINGS.add("begins_with_month", WITH_PROGRAMMES, lambda left: write_month(left["begins_with_cast"]))


@pytest.fixture
def begins_with_month():
    """The database begins with the month's sessions."""


@pytest.fixture
def month(begins_with_month, programmes):
    return programmes


@pytest.fixture
def issue(cast, month):
    """``issue()``: the lab's statement under the voucher; ``issue("DEMO-QH-A", cast.other_firm)``: the firm's refund."""

    def make(code="DEMO-QH-V", payee=None, who="qian", now=DECEMBER, **options):
        payee = payee or cast.lab
        return statements.issue(cast.actor(who), month[code].pk, payee.pk, NOVEMBER, now, **options)

    return make
