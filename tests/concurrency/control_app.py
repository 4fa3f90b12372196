"""The application as it must not be: whether a time is free is looked up before the transaction, and nothing is locked.

Served only by the negative control of the slot stampede, on a database without the constraint, to show that the stampede would
find a double booking if there were one.
"""

from __future__ import annotations

import os
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from django.core.checks import run_checks  # noqa: E402  (needs the applications)
from django.db import connection  # noqa: E402

from booking.services import conflicts, context, reservations  # noqa: E402

_load, _busy, _reserve = context.load, context.busy_ranges, reservations.reserve


def _without_lock(actor: Any, instrument_id: int, *, lock: bool) -> Any:
    return _load(actor, instrument_id, lock=False)


def _busy_outside(calendar_id: int, window: Any, **options: Any) -> Any:
    """Inside the transaction nobody looks."""
    return [] if connection.in_atomic_block else _busy(calendar_id, window, **options)


def _check_then_insert(actor: Any, request: Any, now: Any, *, idempotency_key: str) -> Any:
    found = context.load(actor, request.instrument_id, lock=False)
    if context.busy_ranges(found.instrument.calendar_id, found.policy.occupied(request.during)):
        raise conflicts.just_taken(actor, request.instrument_id, request.during, now)
    return _reserve(actor, request, now, idempotency_key=idempotency_key)


context.load = _without_lock
context.busy_ranges = _busy_outside
reservations.reserve = _check_then_insert
run_checks()  # loads every view before the workers are forked, as the real application does
