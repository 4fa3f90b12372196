"""November's sessions of two firms at the cast's lab (two each), to be billed in December; amounts in fen."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from tests.billing.money_invariants import wrong
from tests.billing.settlement.conftest import begins_with_month, month

__all__ = ["begins_with_month", "month", "wrong"]

DECEMBER = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
NOVEMBER_30 = date(2026, 11, 30)


@pytest.fixture
def bill(cast, month):
    """``bill()``: Li bills Gaoyuan for November; ``bill(customer=cast.other_firm)``: Lianhe."""

    def make(customer=None, who="li", until=NOVEMBER_30, now=DECEMBER, **options):
        request = BillRequest(cast.lab.pk, (customer or cast.firm).pk, until)
        return issuing.issue(cast.actor(who), request, now, **options)

    return make
