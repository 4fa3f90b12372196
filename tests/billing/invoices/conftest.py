"""A bill of November, whose VAT invoice is to be had."""

from __future__ import annotations

from tests.billing.bills.conftest import begins_with_month, bill, month

__all__ = ["begins_with_month", "bill", "month"]
