"""The outer transaction of a write: bounded waits, and a retry of the whole when the database asks for one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, OperationalError, connection, transaction

from config.kernel.errors import Busy

T = TypeVar("T")
P = ParamSpec("P")
RETRYABLE = {"40001", "40P01"}  # serialization failure, deadlock
LOCK_NOT_AVAILABLE = "55P03"
ATTEMPTS = 3


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE behind a Django database error, or an empty string."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def constraint_name(error: BaseException) -> str:
    """The name of the violated constraint, or an empty string."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) or ""


def run(work: Callable[[], T]) -> T:
    """Run ``work`` in one transaction; retry it whole on deadlock or serialization failure.

    Inside an open transaction ``work`` joins it behind a savepoint (the caller owns the retry), so that what it wrote is undone
    when it fails and the caller may still read. Raises Busy when a lock is not had within the connection's lock_timeout.
    """
    joins = connection.in_atomic_block
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return work()
        except DatabaseError as error:
            if sqlstate(error) == LOCK_NOT_AVAILABLE:
                raise Busy.of("kernel.busy", retry_after_seconds=2) from error
            if joins or sqlstate(error) not in RETRYABLE or attempt == ATTEMPTS:
                raise
            time.sleep(random.uniform(0.005, 0.05) * attempt)  # noqa: S311  (jitter, not a secret)
    raise OperationalError("unreachable")


def trial(work: Callable[[], T]) -> T:
    """Run ``work`` as ``run`` does, undo everything that it wrote, and return what it gave: what would happen, by doing it."""

    def undone() -> T:
        found = work()
        transaction.set_rollback(True)
        return found

    return run(undone)


def whole(service: Callable[P, T]) -> Callable[P, T]:
    """Make every call of ``service`` one transaction, as ``run`` does it."""

    @wraps(service)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return run(lambda: service(*args, **kwargs))

    return call
