"""What a loser is told: the time is gone, and this is the nearest that is free."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from booking.services import context as booking_context
from config.kernel.access import Actor
from config.kernel.errors import Busy, Conflict, Forbidden, NotFound, Reason, Refusal
from config.kernel.services import transactions
from config.kernel.time_range import TimeRange

NO_OVERLAP = "occupancy_no_overlap"


class Taken(Exception):
    """Somebody else has the time; raised through the transaction so that it is undone before alternatives are sought."""


@contextmanager
def answered(
    actor: Actor, instrument_id: int, during: TimeRange, now: datetime, customer_id: int | None = None
) -> Iterator[None]:
    """Turn ``Taken`` and the exclusion constraint's refusal (23P01) into a Conflict with alternatives for the customer."""
    try:
        yield
    except Taken:
        pass
    except IntegrityError as error:
        if transactions.constraint_name(error) != NO_OVERLAP:
            raise
    else:
        return
    raise just_taken(actor, instrument_id, during, now, customer_id)


@contextmanager
def undoing_all(whole: Reason, **extra: Any) -> Iterator[None]:
    """One of several that are asked for together: whatever stands in its way is said as a Conflict of the ``whole`` with its reasons, so
    that all are undone. ``extra`` says which one it was."""
    try:
        yield
        return
    except Taken:
        reasons: tuple[Reason, ...] = (Reason("booking.taken"),)
    except IntegrityError as error:
        if transactions.constraint_name(error) != NO_OVERLAP:
            raise
        reasons = (Reason("booking.taken"),)
    except (NotFound, Forbidden, Busy):
        raise
    except Refusal as refusal:
        reasons = refusal.reasons
    raise Conflict(whole, *reasons, extra=extra)


def just_taken(actor: Actor, instrument_id: int, during: TimeRange, now: datetime, customer_id: int | None = None) -> Conflict:
    """The refusal with ``extra["alternatives"]``: up to three [start, end] ISO pairs in the site's zone."""
    context = booking_context.load(actor, instrument_id, lock=False, customer_id=customer_id)
    pairs = [
        [option.starts_at.astimezone(context.zone).isoformat(), option.ends_at.astimezone(context.zone).isoformat()]
        for option in booking_context.alternatives(context, during, now)
    ]
    params = {
        "starts_at": during.starts_at.astimezone(context.zone).isoformat(),
        "ends_at": during.ends_at.astimezone(context.zone).isoformat(),
    }
    if not pairs:
        return Conflict(Reason("booking.just_taken_none_left", params, "starts_at"), extra={"alternatives": []})
    params["alternative_at"] = pairs[0][0]
    return Conflict(Reason("booking.just_taken", params, "starts_at"), extra={"alternatives": pairs})
