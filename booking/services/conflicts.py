"""What a loser is told: the time is gone, and this is the nearest that is free."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from booking.models.assistant import BUSY_ELSEWHERE
from booking.queries.equal import equal_instrument
from booking.rules.assistance import ASSISTED
from booking.services import assisting
from booking.services import context as booking_context
from booking.services.context import BookingContext
from booking.services.taken import NobodyCan, Taken
from config.kernel.access import Actor
from config.kernel.errors import Busy, Conflict, Forbidden, NotFound, Reason, Refusal
from config.kernel.services import transactions
from config.kernel.time_range import TimeRange
from instruments.models import Organisation

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
    *,
    equal: bool = False,
) -> Iterator[None]:
    """Turn ``Taken`` and the exclusion constraint's refusal (23P01) into a Conflict with alternatives for the customer, that nobody can
    assist into one of its own. ``equal``: whoever asks could as well have another instrument, so that one is looked for too."""
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
    raise just_taken(actor, instrument_id, during, now, customer_id, service_mode, equal=equal)


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
    *,
    equal: bool = False,
) -> Conflict:
    """The refusal with ``extra["alternatives"]``: up to three [start, end] ISO pairs in the site's zone.

    With ``equal`` also ``extra["elsewhere"]``: the earliest time on an instrument of the same class (``instrument``, ``starts_at`` and
    ``ends_at`` as ISO in its zone), None where there is none.
    """
    context = booking_context.load(actor, instrument_id, lock=False, customer_id=customer_id)
    pairs, params = _alternatives(context, during, now, service_mode)
    code = "booking.just_taken" if pairs else "booking.just_taken_none_left"
    extra: dict[str, Any] = {"alternatives": pairs}
    if equal:
        extra["elsewhere"] = _elsewhere(actor, context, during, now, customer_id, service_mode)
    return Conflict(Reason(code, params, "starts_at"), extra=extra)


def _elsewhere(
    actor: Actor, context: BookingContext, during: TimeRange, now: datetime, customer_id: int | None, service_mode: str
) -> dict[str, Any] | None:
    customer = Organisation.objects.filter(pk=customer_id).first() if customer_id is not None else None
    found = equal_instrument(actor, context, during, customer, now, service_mode)
    if found is None:
        return None
    starts_at, ends_at = _pair(found.during, found.context)
    return {"instrument": found.instrument.pk, "starts_at": starts_at, "ends_at": ends_at}


def _nobody_assists(
    actor: Actor, instrument_id: int, during: TimeRange, now: datetime, customer_id: int | None = None
) -> Conflict:
    context = booking_context.load(actor, instrument_id, lock=False, customer_id=customer_id)
    pairs, params = _alternatives(context, during, now, ASSISTED)
    reason = Reason("booking.nobody_assists_but_then", params, "starts_at") if pairs else assisting.nobody()
    return Conflict(reason, extra={"alternatives": pairs})


def _alternatives(
    context: BookingContext, during: TimeRange, now: datetime, service_mode: str
) -> tuple[list[list[str]], dict[str, Any]]:
    """The nearest free times as ISO pairs, and what the sentence about ``during`` names."""
    others = booking_context.alternatives(context, during, now, service_mode=service_mode)
    pairs = [_pair(option, context) for option in others]
    starts_at, ends_at = _pair(during, context)
    params = {"starts_at": starts_at, "ends_at": ends_at}
    return pairs, params | ({"alternative_at": pairs[0][0]} if pairs else {})


def _pair(during: TimeRange, context: BookingContext) -> list[str]:
    """Start and end as ISO in the site's zone."""
    return [moment.astimezone(context.zone).isoformat() for moment in (during.starts_at, during.ends_at)]
