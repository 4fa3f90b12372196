"""Why nothing can be booked while an instrument is closed."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from config.kernel.errors import Reason
from config.kernel.time_range import TimeRange
from instruments.rules.opening import ClosedCause, WhyClosed

_CODES = {
    ClosedCause.HOURS: "booking.outside_opening_hours",
    ClosedCause.SEASON: "booking.closed_in_season",
    ClosedCause.HOLIDAY: "booking.closed_on_holiday",
    ClosedCause.RESTRICTION: "booking.closed_because",
    ClosedCause.CLOSURE: "booking.closed_because",
    ClosedCause.OTHERS_ONLY: "booking.open_for_others",
}


def closed_reason(why: WhyClosed, stretch: TimeRange, zone: ZoneInfo) -> Reason:
    """The refusal of a time that is closed during ``stretch``.

    Codes: ``booking.outside_opening_hours``, ``booking.closed_*`` or ``booking.open_for_others``.

    Parameters: ``closed_from`` and ``closed_until`` (ISO 8601 with the site's offset), and ``season``, ``holiday`` (a code),
    ``why`` (a text) or ``open_for`` (codes of audiences) where the layer has one.
    """
    params: dict[str, Any] = {
        "closed_from": stretch.starts_at.astimezone(zone).isoformat(),
        "closed_until": stretch.ends_at.astimezone(zone).isoformat(),
    }
    code = _CODES[why.cause]
    if why.cause is ClosedCause.SEASON:
        params["season"] = why.name
    elif why.cause is ClosedCause.HOLIDAY:
        params["holiday"] = why.name
    elif why.cause is ClosedCause.OTHERS_ONLY:
        params["open_for"] = list(why.audiences)
    elif why.name:
        params["why"] = why.name
    elif code == "booking.closed_because":
        code = "booking.closed_exceptionally"
    return Reason(code, params, "starts_at")
