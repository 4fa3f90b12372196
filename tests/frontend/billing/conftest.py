"""November's sessions, and the clock of the pages on the first of December."""

from __future__ import annotations

from tests.billing.bills.conftest import begins_with_month, bill, month
from tests.billing.payments.conftest import take
from tests.frontend.finance.conftest import browse, december

__all__ = ["begins_with_month", "bill", "browse", "december", "month", "take"]
