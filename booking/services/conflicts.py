"""What a loser is told: the time is gone, and this is the nearest that is free."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from booking.models.assistant import BUSY_ELSEWHERE
from booking.rules.assistance import ASSISTED
from booking.services import assisting
from booking.services import context as booking_context
from booking.services.taken import NobodyCan, Taken
from config.kernel.access import Actor
from config.kernel.errors import Busy, Conflict, Forbidden, NotFound, Reason, Refusal
from config.kernel.services import transactions
from config.kernel.time_range import TimeRange

__all__ = ["NO_OVERLAP", "Taken", "answered", "just_taken", "undoing_all"]
NO_OVERLAP = "occupancy_no_overlap"


@contextmanager
def answered(
    actor: Actor,
    instrument_id: int,
    during: TimeRange,
    now: datetime,
    customer_id: int | None = None,
    service_mode: str = "",
) -> Iterator[None]:
    """Turn ``Taken`` and the exclusion constraint's refusal (23P01) into a Conflict with alternatives for the customer, that nobody can
    assist into one of its own."""
    try:
        yield
        return
    except NobodyCan:
        alone = False
    except Taken:
        alone = True
    except IntegrityError as error:
        name = transactions.constraint_name(error)
        if name not in (NO_OVERLAP, BUSY_ELSEWHERE):
            raise
        alone = name == NO_OVERLAP
    if not alone:
        raise _nobody_assists(actor, instrument_id, during, now, customer_id)
    raise just_taken(actor, instrument_id, during, now, customer_id, service_mode)


@contextmanager
def undoing_all(whole: Reason, **extra: Any) -> Iterator[None]:
    """One of several that are asked for together: whatever stands in its way is said as a Conflict of the ``whole`` with its reasons, so
    that all are undone. ``extra`` says which one it was."""
    try:
        yield
        return
    except NobodyCan:
        reasons: tuple[Reason, ...] = (assisting.nobody(),)
    except Taken:
        reasons = (Reason("booking.taken"),)
    except IntegrityError as error:
        name = transactions.constraint_name(error)
        if name not in (NO_OVERLAP, BUSY_ELSEWHERE):
            raise
        reasons = (Reason("booking.taken") if name == NO_OVERLAP else assisting.nobody(),)
    except (NotFound, Forbidden, Busy):
        raise
    except Refusal as refusal:
        reasons = refusal.reasons
    raise Conflict(whole, *reasons, extra=extra)


def just_taken(
    actor: Actor,
    instrument_id: int,
    during: TimeRange,
    now: datetime,
    customer_id: int | None = None,
    service_mode: str = "",
) -> Conflict:
    """The refusal with ``extra["alternatives"]``: up to three [start, end] ISO pairs in the site's zone."""
    pairs, params = _alternatives(actor, instrument_id, during, now, customer_id, service_mode)
    code = "booking.just_taken" if pairs else "booking.just_taken_none_left"
    return Conflict(Reason(code, params, "starts_at"), extra={"alternatives": pairs})


def _nobody_assists(
    actor: Actor, instrument_id: int, during: TimeRange, now: datetime, customer_id: int | None = None
) -> Conflict:
    pairs, params = _alternatives(actor, instrument_id, during, now, customer_id, ASSISTED)
    reason = Reason("booking.nobody_assists_but_then", params, "starts_at") if pairs else assisting.nobody()
    return Conflict(reason, extra={"alternatives": pairs})


def _alternatives(
    actor: Actor, instrument_id: int, during: TimeRange, now: datetime, customer_id: int | None, service_mode: str
) -> tuple[list[list[str]], dict[str, Any]]:
    """The nearest free times as ISO pairs, and what the sentence about ``during`` names."""
    context = booking_context.load(actor, instrument_id, lock=False, customer_id=customer_id)
    pairs = [
        [option.starts_at.astimezone(context.zone).isoformat(), option.ends_at.astimezone(context.zone).isoformat()]
        for option in booking_context.alternatives(context, during, now, service_mode=service_mode)
    ]
    params = {
        "starts_at": during.starts_at.astimezone(context.zone).isoformat(),
        "ends_at": during.ends_at.astimezone(context.zone).isoformat(),
    }
    return pairs, params | ({"alternative_at": pairs[0][0]} if pairs else {})
