"""A reservation as an iCalendar file, for people's own calendars. The only module that imports icalendar."""

from __future__ import annotations

from datetime import UTC, datetime

from icalendar import Calendar, Event

from booking.models import Reservation
from booking.rules.states import ReservationState

_STATUS = {
    ReservationState.REQUESTED: "TENTATIVE",
    ReservationState.CANCELLED: "CANCELLED",
    ReservationState.REJECTED: "CANCELLED",
    ReservationState.EXPIRED: "CANCELLED",
    ReservationState.NO_SHOW: "CANCELLED",
}


def calendar_file(reservation: Reservation, name: str, description: str, url: str, now: datetime) -> bytes:
    """One event in UTC; the same reservation always has the same identity, so that a later file replaces an earlier one."""
    event = Event()
    event.add("uid", f"{reservation.reference}@jishi")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", reservation.starts_at.astimezone(UTC))
    event.add("dtend", reservation.ends_at.astimezone(UTC))
    event.add("summary", name)
    event.add("description", description)
    event.add(
        "location", ", ".join(part for part in (reservation.instrument.site.name, reservation.instrument.site.address) if part)
    )
    event.add("url", url)
    event.add("status", _STATUS.get(ReservationState(reservation.state), "CONFIRMED"))
    calendar = Calendar()
    calendar.add("prodid", "-//Jishi//Reservations//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
