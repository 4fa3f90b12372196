"""Reservations and busy times as events of calendars, in the reader's words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from booking.calendar_queries import BusyTime
from booking.models import Reservation
from booking.rules.calendar_text import CalendarEvent, Gaps, calendar_text
from booking.rules.feed import Feed
from booking.rules.states import ReservationState
from booking.services.calendar_mail import reservation_uid
from config.kernel.messages import local_time
from frontend.states import look_of
from frontend.templatetags.jishi import bilingual

REFRESH = timedelta(minutes=30)
_STATUS = {
    ReservationState.REQUESTED: "TENTATIVE",
    ReservationState.CANCELLED: "CANCELLED",
    ReservationState.REJECTED: "CANCELLED",
    ReservationState.EXPIRED: "CANCELLED",
    ReservationState.NO_SHOW: "CANCELLED",
}


def reservation_event(reservation: Any, *, for_lab: bool = False) -> CalendarEvent:
    """The event of a reservation that was read ``with_history``; for the lab it says who comes. One that was given up says so in its title
    too: not every program knows of a status."""
    instrument, customer = reservation.instrument, bilingual(reservation.organisation)
    state = str(look_of("reservation", reservation.state).word)
    lines = [reservation.reference, state, f"{customer} · {reservation.requested_by.full_name}" if for_lab else customer]
    status = _STATUS.get(ReservationState(reservation.state), "CONFIRMED")
    title = f"{bilingual(instrument)} · {customer}" if for_lab else bilingual(instrument)
    return CalendarEvent(
        uid=reservation_uid(reservation),
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        summary=f"{state}: {title}" if status == "CANCELLED" else title,
        changed_at=reservation.changed_at,
        sequence=reservation.steps,
        status=status,
        description="\n".join(lines),
        location=", ".join(part for part in (instrument.site.name, instrument.site.address) if part),
        url=settings.PUBLIC_URL + reverse("reservation_detail", args=[reservation.pk]),
    )


def reservation_file(reservation: Reservation) -> bytes:
    """One reservation to take into one's own calendar; a later file of it replaces an earlier one."""
    return calendar_text([reservation_event(reservation)], method="PUBLISH")


def reservations_feed(feed: Feed[Reservation], name: str, *, for_lab: bool) -> bytes:
    """Reservations as a calendar that programs read again and again."""
    return _feed_text(feed, (reservation_event(one, for_lab=for_lab) for one in feed.rows), name)


def busy_feed(feed: Feed[BusyTime], name: str) -> bytes:
    """When something is taken, and nothing else."""
    events = (
        CalendarEvent(
            uid=f"{one.name}@{_host()}",
            starts_at=one.during.starts_at,
            ends_at=one.during.ends_at,
            summary=_("Cancelled") if one.given_up else _("Busy"),
            changed_at=one.changed_at,
            sequence=one.changes,
            status="CANCELLED" if one.given_up else "CONFIRMED",
        )
        for one in feed.rows
    )
    return _feed_text(feed, events, name)


def _feed_text(feed: Feed[Any], events: Iterable[CalendarEvent], name: str) -> bytes:
    return calendar_text(events, name=name, refresh=REFRESH, gaps=_gaps(feed))


def _gaps(feed: Feed[Any]) -> Gaps | None:
    """What the calendar itself says where not everything is in it."""
    if feed.whole_until is not None:
        words = _(
            "This calendar is too long to be given whole. It has everything that begins before %(until)s, and nothing that is over."
        ) % {"until": local_time(timezone.localtime(feed.whole_until))}
    elif feed.left_out_before is not None:
        words = _("This calendar is too long to be given whole. Something of what was over before %(before)s is left out.") % {
            "before": local_time(timezone.localtime(feed.left_out_before))
        }
    else:
        return None
    return Gaps(words, feed.whole_until, feed.left_out_before)


def _host() -> str:
    """The installation's name, so that events of two of them are never taken for one."""
    return urlsplit(settings.PUBLIC_URL).hostname or "jishi"
