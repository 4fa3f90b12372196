"""What the quotas of vouchers have come to, and where they lead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.ledger.models import Account
from billing.vouchers.budgets import QuotaBudget, quota_budgets
from billing.vouchers.models import VoucherAnnouncement
from config.kernel.errors import Forbidden
from tests.billing.services.conftest import Life
from tests.conftest import Cast, slot_of
from tests.frontend.acting import BACKEND

pytestmark = pytest.mark.django_db


@pytest.fixture
def life_of(desk) -> Life:
    return Life(desk.cast)


def of_province(cast: Cast) -> QuotaBudget:
    return next(each for each in quota_budgets(cast.actor("chen"), cast.now) if each.quota.code_prefix == "63")


def test_a_quota_says_what_was_given_out_spent_and_is_left(desk, life_of):
    desk.issued(500_00)
    life_of.whole(slot_of(9, 11))
    found = of_province(desk.cast)
    assert (found.granted_fen, found.given_fen, found.spent_fen) == (8_000_00, 500_00, 320_00)
    assert (found.waiting_fen, found.left_fen) == (180_00, 7_500_00)
    assert found.months[-1] == ("2026-11", 320_00)
    assert sum(fen for _month, fen in found.months) == 320_00
    # Announced today: one day's pace, 500 yuan a day, over the 38 days to the end of the year.
    assert found.forecast.used_fen == 500_00 + 38 * 500_00
    assert found.forecast.short_on == desk.cast.now.date() + timedelta(days=16)


def test_a_quota_of_which_nothing_was_given_out_lasts(desk):
    desk.announce()
    found = of_province(desk.cast)
    assert (found.given_fen, found.left_fen, found.forecast.used_fen, found.forecast.short_on) == (0, 8_000_00, 0, None)


def test_what_comes_back_from_a_voucher_can_be_given_out_again(desk):
    voucher = desk.issued(500_00)
    purse, quota = Account.objects.get(pk=voucher.account_id), voucher.application.quota.account
    Account.objects.filter(pk=quota.pk).update(granted_fen=quota.granted_fen + 200_00)
    Account.objects.filter(pk=purse.pk).update(granted_fen=300_00)
    assert (of_province(desk.cast).given_fen, of_province(desk.cast).granted_fen) == (300_00, 8_000_00)


def test_only_who_supervises_reads_them(desk):
    desk.announce()
    with pytest.raises(Forbidden):
        quota_budgets(desk.cast.actor("zhao"), desk.cast.now)


def test_the_page_shows_them_in_a_fixed_number_of_statements(desk, life_of, settings):
    def look() -> tuple[int, str]:
        with CaptureQueriesContext(connection) as queries:
            answer = page.get(reverse("programme_budgets"))
        return len(queries), answer.content.decode()

    page = Client(headers={"accept-language": "en"})
    page.force_login(desk.cast.users["chen"], backend=BACKEND)
    desk.issued(500_00)
    life_of.whole(slot_of(9, 11))
    look()
    few, text = look()
    assert "Innovation vouchers of November" in text
    assert "7,500.00" in text
    desk.issued(300_00, who="he")
    many, _text = look()
    assert VoucherAnnouncement.objects.count() == 2
    assert many == few
