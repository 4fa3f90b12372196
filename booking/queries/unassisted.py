"""Sessions with assistance to come in which nobody assists yet: brought over from elsewhere, or booked before anybody was named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet

from booking.models import InstrumentAssistant, Occupancy, OccupancySource, Reservation
from booking.queries.reservations import lab_reservations
from booking.rules.assistance import ASSISTED, Helper
from booking.rules.assisting_together import Session, one_by_one
from booking.rules.states import ReservationState
from booking.services import assisting
from config.kernel.access import Actor
from config.kernel.time_range import TimeRange
from instruments.models import Membership


@dataclass(frozen=True, slots=True)
class Proposal:
    """A session and who would assist in it; None: nobody can then, besides what those before it are given."""

    reservation: Reservation
    helper: Helper | None


def unassisted(actor: Actor, now: datetime) -> QuerySet[Reservation]:
    """Of the labs that the actor manages, by start: only where somebody was named who is still of the lab."""
    member = Membership.objects.filter(
        user=OuterRef("assistant__person"), organisation=OuterRef("instrument__organisation"), user__is_active=True
    )
    named = InstrumentAssistant.objects.filter(Exists(member), instrument=OuterRef("instrument"))
    given = Occupancy.objects.filter(reservation=OuterRef("pk"), source=OccupancySource.ASSISTANCE)
    rows = lab_reservations(actor).filter(
        state__in=[ReservationState.REQUESTED, ReservationState.APPROVED], service_mode=ASSISTED, starts_at__gt=now
    )
    return rows.filter(~Exists(given), Exists(named)).order_by("starts_at", "pk")


def proposals(rows: Sequence[Reservation], now: datetime) -> list[Proposal]:
    """A page of them, each with who would assist, so that all of the page could be given at once: three queries."""
    sessions = _sessions(rows, now)
    return [
        Proposal(one, next((who for who in session.helpers if who.id == helper_id), None))
        for one, session, helper_id in zip(rows, sessions, one_by_one(sessions), strict=True)
    ]


def _sessions(rows: Sequence[Reservation], now: datetime) -> list[Session]:
    taken = Occupancy.objects.filter(reservation__in=rows, source=OccupancySource.RESERVATION)
    during = {pk: TimeRange(one.lower, one.upper) for pk, one in taken.values_list("reservation_id", "during")}
    asked = [
        assisting.Asked(
            one.instrument_id, during[one.pk], assisting.week_of(one.starts_at, ZoneInfo(one.instrument.site.time_zone)), one.pk
        )
        for one in rows
    ]
    return [
        Session(one.during, each.window, each.week, tuple(helpers))
        for one, each, helpers in zip(rows, asked, assisting.helpers_of_many(asked, now), strict=True)
    ]
