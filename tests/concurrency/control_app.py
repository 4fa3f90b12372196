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

from booking.services import conflicts, context, reservations  # noqa: E402
from tests.concurrency.guards import blind_write, unlocked_read  # noqa: E402

_reserve = reservations.reserve


def _check_then_insert(actor: Any, request: Any, now: Any, *, idempotency_key: str) -> Any:
    found = context.load(actor, request.instrument_id, lock=False)
    if context.busy_ranges(found.instrument.calendar_id, found.policy.occupied(request.during)):
        raise conflicts.just_taken(actor, request.instrument_id, request.during, now)
    return _reserve(actor, request, now, idempotency_key=idempotency_key)


context._LOCK_FOR_CUSTOMER = unlocked_read()
reservations._INSERT = blind_write()
reservations.reserve = _check_then_insert
run_checks()  # loads every view before the workers are forked, as the real application does
