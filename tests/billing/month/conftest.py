"""November at the cast's lab, closed by two people of its finance: Li and Mei."""

from __future__ import annotations

from datetime import date

import pytest

from billing.bills import pdf
from billing.settlement.rules.series import Series
from config.kernel.access import Role
from tests.billing.bills.conftest import DECEMBER, begins_with_month, month
from tests.billing.payments.conftest import take

__all__ = ["DECEMBER", "begins_with_month", "month", "take"]

NOVEMBER = date(2026, 11, 1)


def second_person(cast):
    """Mei accounts for the lab too."""
    from instruments.models import Membership, User

    user = User.objects.create(email="mei@example.org", full_name="Mei", password="!", language="en")
    Membership.objects.create(user=user, organisation=cast.lab, role=Role.OWNER_FINANCE, created_at=cast.now)
    cast.users["mei"] = user
    return user


@pytest.fixture(autouse=True)
def cheap_paper(monkeypatch):
    """The PDFs of bills cost nothing: other tests make them."""
    monkeypatch.setattr(pdf, "render_pdf_apart", lambda content: f"%PDF-1.4 {content['number']}".encode())


@pytest.fixture
def two(cast, month, settings):
    """The month, with Mei, and a threshold that it reaches."""
    settings.SECOND_PERSON_FROM_FEN = 1000_00
    second_person(cast)
    return month


@pytest.fixture
def bills(cast):
    return Series(cast.lab.pk)
