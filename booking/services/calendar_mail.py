"""What a mail about a reservation brings to the reader's calendar program (iTIP, RFC 5546)."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import get_language

from booking.calendar_queries import with_history
from booking.models import Reservation
from booking.rules.calendar_text import CalendarEvent, calendar_text
from booking.rules.states import ReservationState
from instruments.notice_events import Calendar

_GIVEN_UP = frozenset({ReservationState.CANCELLED, ReservationState.REJECTED, ReservationState.EXPIRED, ReservationState.NO_SHOW})
_STATUS = {ReservationState.REQUESTED: "TENTATIVE"}


def calendar_of(reservation_id: int, address: str) -> Calendar | None:
    """The reservation as it is now: a REQUEST with its time, or a CANCEL of it. UID and SEQUENCE are those of the feeds, so that a
    reader who follows both has it once."""
    return _calendar(reservation_id, address)


def calendar_without(reservation_id: int, address: str) -> Calendar | None:
    """A CANCEL for a reader who has nothing to do with the reservation any more, whatever it is."""
    return _calendar(reservation_id, address, is_gone=True)


def calendar_of_series(series_id: int, address: str) -> Calendar | None:
    """Every time of a series as it is now, those that were given up too, in one file: the times are events of their own, as each may move
    by itself, so that they are published and not requested (RFC 5546, 3.2.1 and 3.2.2). ``address`` is not named in it."""
    rows: list[Any] = list(_rows().filter(series_id=series_id).order_by("starts_at", "pk"))
    if not rows:
        return None
    return Calendar(calendar_text([_event(each) for each in rows], method="PUBLISH"), "PUBLISH")


def _calendar(reservation_id: int, address: str, *, is_gone: bool = False) -> Calendar | None:
    reservation: Any = _rows().filter(pk=reservation_id).first()
    if reservation is None:
        return None
    event = _event(reservation, address, is_gone=is_gone)
    method = "CANCEL" if event.status == "CANCELLED" else "REQUEST"
    return Calendar(calendar_text([event], method=method), method)


def _rows() -> QuerySet[Any]:
    """Reservations with their history and whatever an event names."""
    return with_history(Reservation.objects.select_related("instrument__site", "organisation"))


def _event(reservation: Any, attendee: str = "", *, is_gone: bool = False) -> CalendarEvent:
    given_up = is_gone or ReservationState(reservation.state) in _GIVEN_UP
    english = (get_language() or "").startswith("en")
    instrument, site = reservation.instrument, reservation.instrument.site
    return CalendarEvent(
        uid=reservation_uid(reservation),
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        summary=instrument.name_en if english and instrument.name_en else instrument.name,
        changed_at=reservation.changed_at,
        sequence=reservation.steps,
        status="CANCELLED" if given_up else _STATUS.get(ReservationState(reservation.state), "CONFIRMED"),
        description=f"{reservation.reference}\n{reservation.organisation.name}",
        location=", ".join(part for part in (site.name, site.address) if part),
        url=settings.PUBLIC_URL + reverse("reservation_detail", args=[reservation.pk]),
        zone=site.time_zone,
        organizer=parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        attendee=attendee,
    )


def reservation_uid(reservation: Reservation) -> str:
    """The same for good, in files, feeds and mails; of this installation, so that events of two are never taken for one."""
    return f"{reservation.reference}@{urlsplit(settings.PUBLIC_URL).hostname or 'jishi'}"
