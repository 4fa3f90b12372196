"""Two accounts with money between them, and a cursor for what no service would do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from billing.ledger import services as ledger
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.services import AccountSpec, Source

SOURCE = Source("test", 1, "because")


@dataclass
class Purse:
    """``pool`` was granted 1,000 yuan from ``treasury``; ``payee`` collects."""

    pool: Account
    payee: Account
    treasury: Account
    now: datetime

    def hold(self, amount_fen: int, source: Source = SOURCE) -> Transfer:
        ledger.hold({self.pool.pk: amount_fen}, self.payee, source, self.now)
        return Transfer.objects.filter(kind="hold").latest("pk")

    def end(self, pending: Transfer, amount_fen: int, kind: TransferKind = TransferKind.VOID) -> None:
        ledger.end_holds([pending], {self.pool.pk: amount_fen} if amount_fen else {}, SOURCE, self.now, kind)

    def sums(self) -> tuple[int, int, int]:
        self.pool.refresh_from_db()
        return self.pool.granted_fen, self.pool.held_fen, self.pool.posted_fen

    def row(self, kind: str, amount_fen: int, **fields: Any) -> Transfer:
        """A transfer as somebody might write it past the service."""
        values = {"debit": self.pool, "credit": self.payee, "source_type": "test", "source_id": 1, "reason": "x", "at": self.now}
        return Transfer.objects.create(kind=kind, amount_fen=amount_fen, **(values | fields))


@pytest.fixture
def purse(db: None, now: datetime) -> Purse:
    specs = [
        AccountSpec("pool", "pool", 1000_00),
        AccountSpec("payee", "awarded", None),
        AccountSpec("treasury", "treasury", None),
    ]
    accounts = ledger.open_accounts(specs, now)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return Purse(accounts["pool"], accounts["payee"], accounts["treasury"], now)


@pytest.fixture
def refused() -> Callable[[Callable[[], object]], str]:
    """Do what the database must refuse; its words, and the transaction goes on."""

    def attempt(what: Callable[[], object]) -> str:
        with pytest.raises(DatabaseError) as error, transaction.atomic():
            what()
        return str(error.value)

    return attempt
