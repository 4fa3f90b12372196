"""Bills of November at the cast's lab, and a bank's list of movements in December."""

from __future__ import annotations

import pytest

from billing.payments.models import Payment
from billing.payments.services import bank_import
from tests.billing.bills.conftest import DECEMBER, begins_with_month, bill, month

__all__ = ["begins_with_month", "bill", "month"]

HEAD = "交易日期,收入金额,支出金额,对方户名,对方账号,摘要,交易流水号"


def csv_of(*rows: str, head: str = HEAD) -> bytes:
    return "\r\n".join(["活期存款账户明细", "账号:6222 0000", head, *rows, "合计,,,,,,"]).encode("gbk")


@pytest.fixture
def take(cast):
    """``take(row, ...)``: Li takes a bank's rows in; returns the payments of the file, in its order."""

    def make(*rows, name="december.csv", who="li"):
        taken = bank_import.import_statement(cast.actor(who), cast.lab.pk, csv_of(*rows), name, DECEMBER)
        return list(Payment.objects.filter(statement=taken.statement).order_by("row"))

    return make
