"""A month that is billed and settled, so that there is a paper of each kind."""

from __future__ import annotations

from tests.billing.bills.conftest import begins_with_month, bill, month
from tests.billing.payments.conftest import take

__all__ = ["begins_with_month", "bill", "month", "take"]
