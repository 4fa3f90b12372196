"""The first lab's use: codes at its instruments, a device that tells, sessions that wait for an agreement, one that runs now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from booking.models import Reservation
from booking.rules.device_runs import EventKind
from booking.rules.states import IN_REVIEW, ReservationState
from booking.services import (
    check_in_points,
    close_out,
    device_events,
    device_keys,
    reservations,
    self_service,
    transitions,
    usage_review,
)
from booking.services.close_out import Closing
from booking.services.device_events import Batch, Told
from booking.services.reservations import ReservationRequest
from config.demo.organisations import People
from config.demo.registry import HANDS_ON
from config.demo.source import words
from config.kernel.access import Actor, Role
from config.kernel.errors import Refusal
from config.kernel.time_range import TimeRange
from instruments.models import Instrument
from instruments.queries import actor_for

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
_WAITING, _ASKED, _DISPUTED, _CLOSED = 6, 1, 1, 3


def live(people: People, stocked: list[Instrument], now: datetime) -> dict[str, int]:
    """Play it through the services; what came of it."""
    lab = people.owners[0]
    manager = people.actor(lab, Role.LAB_MANAGER)
    own = [one for one in stocked if one.organisation_id == lab.pk]
    for instrument in own[:6]:
        check_in_points.set_ticks(manager, instrument.pk, words("records")["ticks"], now)
    told = {"finished": _finished(people, own, now)}
    told |= {"use under review": _review(lab.pk, now), "graded": _close(people, lab.pk, manager, now)}
    told["running now"] = int(_running(people, own, now))
    told["told by devices"] = _devices(lab.pk, manager, own, now)
    return told


def _finished(people: People, own: list[Instrument], now: datetime) -> int:
    """Sessions of the last days that nobody has looked at yet, on the lab's own instruments."""
    asking = [(people.customers[0], Role.FIRM_ADMIN), *((one, Role.RESEARCHER) for one in people.customers[1:3])]
    made = 0
    for days in range(1, 12):
        start = (now - timedelta(days=days)).replace(hour=2, minute=0, second=0, microsecond=0)
        for instrument in own[:4]:
            if made == _WAITING:
                return made
            manager = people.actors[instrument.organisation_id, Role.LAB_MANAGER]
            firm, role = asking[made % len(asking)]
            researcher = people.actor(firm, role)
            request = ReservationRequest(instrument.pk, firm.pk, TimeRange(start, start + 3 * HOUR), instrument.service_modes[0])
            asked_at = start - timedelta(days=4)
            key = f"demo-over-{instrument.pk}-{days}"
            try:
                pk = reservations.reserve(researcher, request, asked_at, idempotency_key=key).reservation_id
                if Reservation.objects.get(pk=pk).state == ReservationState.REQUESTED:
                    transitions.approve(manager, pk, asked_at + HOUR)
            except Refusal:
                continue
            self_service.start(researcher, pk, words("records")["ticks"], start + made * 4 * MINUTE)
            self_service.end(researcher, pk, agrees=made % 2 == 0, now=start + 3 * HOUR - (made % 3) * 12 * MINUTE)
            made += 1
    return made


def _review(lab_id: int, now: datetime) -> int:
    """Of the sessions that wait for the customers, some are asked about and one is disputed."""
    rows = Reservation.objects.filter(instrument__organisation_id=lab_id, state=ReservationState.COMPLETED).order_by(
        "-ends_at", "pk"
    )
    texts = words("records")["use"]
    for place, row in enumerate(rows[: _ASKED + _DISPUTED]):
        asked = actor_for(row.requested_by)
        if place < _ASKED:
            charged = row.session.billable or row.session.booked
            shorter = TimeRange(charged.starts_at, charged.starts_at + charged.duration / 2)
            usage_review.ask_adjustment(asked, row.pk, shorter, texts["wish"], now)
        else:
            usage_review.dispute(asked, row.pk, texts["dispute"], now)
    return min(len(rows), _ASKED + _DISPUTED)


def _close(people: People, lab_id: int, manager: Actor, now: datetime) -> int:
    rows = Reservation.objects.filter(instrument__organisation_id=lab_id, state=ReservationState.AGREED).order_by(
        "-ends_at", "pk"
    )
    for place, row in enumerate(rows[:_CLOSED]):
        done = row.ends_at.date()
        closing = Closing(done + timedelta(days=7), min(now.date(), done + timedelta(days=place)), place)
        close_out.close(manager, row.pk, closing, now)
    return min(len(rows), _CLOSED)


def _running(people: People, own: Iterable[Instrument], now: datetime) -> bool:
    """Somebody of the first firm is at an instrument right now, while the lab is open: never at the one that is kept free, so that the
    printed accounts can play a whole session at any hour."""
    firm = people.customers[0]
    researcher = people.actor(firm, Role.FIRM_ADMIN)
    hour = now.replace(minute=0, second=0, microsecond=0)
    for instrument in list(own)[HANDS_ON + 1 :]:
        manager = people.actors[instrument.organisation_id, Role.LAB_MANAGER]
        request = ReservationRequest(instrument.pk, firm.pk, TimeRange(hour, hour + 2 * HOUR), instrument.service_modes[0])
        asked_at = hour - timedelta(days=3)
        try:
            pk = reservations.reserve(researcher, request, asked_at, idempotency_key=f"demo-now-{instrument.pk}").reservation_id
            if Reservation.objects.get(pk=pk).state == ReservationState.REQUESTED:
                transitions.approve(manager, pk, asked_at + HOUR)
            self_service.start(researcher, pk, words("records")["ticks"], hour + 2 * MINUTE)
        except Refusal:
            continue
        return True
    return False


def _devices(lab_id: int, manager: Actor, own: list[Instrument], now: datetime) -> int:
    """A control computer that told of runs in the night and long before a booking began, and whose clock is somewhat slow."""
    names = words("records")["devices"]
    instrument = own[0]
    key, _text = device_keys.issue(manager, lab_id, instrument.pk, names["key"], now - timedelta(days=30))
    device_keys.issue(manager, lab_id, None, names["campus"], now - timedelta(days=60))
    midnight = now.replace(hour=16, minute=0, second=0, microsecond=0) - timedelta(days=1 if now.hour >= 16 else 2)
    behind = 3 * MINUTE
    spans = ((1 * HOUR, 2 * HOUR), (4 * HOUR, 5 * HOUR), (-20 * HOUR, -19 * HOUR))
    events: list[Told] = []
    told = [(midnight + first, midnight + last) for first, last in spans]
    booked = Reservation.objects.filter(instrument=instrument, state__in=IN_REVIEW).order_by("-starts_at").first()
    if booked is not None:
        told.append((booked.starts_at - 2 * HOUR, booked.ends_at - HOUR))
    for place, (start, end) in enumerate(told):
        events.append(Told(f"pc1-{place}-a", EventKind.START, start - behind, device="PC-1"))
        events.append(Told(f"pc1-{place}-b", EventKind.HEARTBEAT, start + 30 * MINUTE - behind, device="PC-1"))
        events.append(Told(f"pc1-{place}-c", EventKind.STOP, end - behind, device="PC-1"))
    receipt = device_events.receive(key, Batch(now - behind, tuple(events)), now)
    return sum(fate.result == "stored" for fate in receipt.fates)
