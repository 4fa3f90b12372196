"""Writing a booking that a lab brought along, telling people once about all of theirs, and taking an import back.

Everything is part of the caller's transaction, behind the calendars' locks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.urls import reverse
from schedule.models import Calendar

from booking import ports
from booking.models import (
    CloseOut,
    DeviceRun,
    ImportedBooking,
    Reservation,
    ReservationChange,
    UsageSession,
)
from booking.rules.booking_rows import BookingRow, Kind
from booking.rules.states import Action, ReservationState
from booking.services import holds, notices, written_down
from booking.services.state_writing import lock_row, move
from config.kernel.access import Actor, Role
from config.kernel.errors import Conflict
from config.kernel.services import audit
from config.kernel.services.silence import silence
from instruments.models import ImportRun, Organisation
from instruments.services.notices import News, person, tell

REASON_LENGTH = 300
LISTED = 20
KIND = "bookings"


@dataclass(frozen=True, slots=True)
class Brought:
    """A reservation that is not stored yet (with instrument, site, owner and customer), and the row that it comes from."""

    reservation: Reservation
    row: BookingRow
    key: str
    kind: Kind
    file_name: str

    @property
    def source(self) -> str:
        return f"{self.file_name}, {self.row.line}"[:REASON_LENGTH]

    @property
    def is_charged(self) -> bool:
        """What is still to come always is, past use where the row says so."""
        return self.kind is Kind.UPCOMING or bool(self.row.charge)


def write(actor: Actor, brought: Brought, run_id: int | None, now: datetime) -> None:
    """Store it: approved, or, when it is over, as a session that waits for the customer's yes. No person is told
    of it alone; webhooks hear of it.

    Raises the exclusion constraint's IntegrityError, Conflict ``booking.figures_changed``.
    """
    reservation, is_past = brought.reservation, brought.kind is Kind.PAST
    with silence():
        holds.clear(reservation.instrument.calendar_id, reservation.during, now)
        written_down.store(actor, reservation, "reservation.import", brought.source, now, run=run_id)
        _keep_source(brought, run_id)
        locked = written_down.approve(actor, reservation.pk, brought.source, now, charged=brought.is_charged)
        if is_past:
            evidence = brought.row.evidence or brought.source
            written_down.write_use(actor, locked, evidence, brought.source, now, charged=brought.is_charged)
    _let_webhooks_hear(locked, "completed" if is_past else "approved", now)


def _let_webhooks_hear(locked: Reservation, event: str, now: datetime) -> None:
    with notices.told_together():
        notices.defer(locked, event, now)


def _keep_source(brought: Brought, run_id: int | None) -> None:
    """By what it is known when its list comes again."""
    reservation = brought.reservation
    ImportedBooking.objects.create(
        reservation=reservation,
        organisation_id=reservation.instrument.organisation_id,
        run_id=run_id,
        line=brought.row.line,
        source_key=brought.key,
        source_starts_at=reservation.starts_at,
        source_ends_at=reservation.ends_at,
    )


def tell_all(owner: Organisation, brought: Sequence[Brought], now: datetime) -> None:
    """One notice for each person, with the list of what was brought over."""
    of_person: dict[int, list[Brought]] = defaultdict(list)
    for one in brought:
        of_person[one.reservation.requested_by_id].append(one)
    for person_id, own in of_person.items():
        listed = sorted(own, key=lambda one: one.reservation.starts_at)
        params = {
            "lab": owner.name,
            "lab_en": owner.name_en,
            "count": len(listed),
            "past": sum(one.kind is Kind.PAST for one in listed),
            "listed": [_line(one) for one in listed[:LISTED]],
        }
        tell(News("bookings.imported", params, reverse("reservation_list"), owner, owner.pk), person(person_id), now)


def _line(one: Brought) -> dict[str, Any]:
    """``price_fen``: what its use will cost the customer by what is known now, None where nothing is charged."""
    reservation, zone = one.reservation, ZoneInfo(one.reservation.instrument.site.time_zone)
    return {
        "instrument": reservation.instrument.name,
        "instrument_en": reservation.instrument.name_en,
        "starts_at": reservation.starts_at.astimezone(zone).isoformat(),
        "ends_at": reservation.ends_at.astimezone(zone).isoformat(),
        "price_fen": ports.money().payable_now_fen(reservation) if one.is_charged else None,
    }


# --- Taking it back ---------------------------------------------------------------------------------------------------
def take_back(actor: Actor, run: ImportRun, now: datetime) -> dict[str, Any]:
    """Take back what is still as the import brought it; its rows may come again. Gives how many were taken back (``undone``), and how
    many stay because they have a life of their own (``left``).

    Raises Forbidden, Conflict ``booking_import.in_use`` (none is as it came: how many, and one of them).
    """
    if run.organisation is None:
        raise Conflict.of("import.state_changed", "file")
    actor.require_in(run.organisation.pk, Role.LAB_MANAGER)
    rows = ImportedBooking.objects.filter(run=run, undone_at__isnull=True)
    calendars = Calendar.objects.filter(instruments__reservations__brought__in=rows).distinct()
    list(Calendar.objects.filter(pk__in=calendars).order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    as_they_came, left = _sorted_out(rows, now)
    if left and not as_they_came:
        raise Conflict.of("booking_import.in_use", "file", count=len(left), reference=left[0].reservation.reference)
    reservations = [one.reservation_id for one in as_they_came]
    for pk in reservations:
        locked = lock_row(pk)
        with silence():
            _take_back(actor, locked, now)
        _let_webhooks_hear(locked, "cancelled", now)
    rows.filter(reservation__in=reservations).update(undone_at=now)
    _tell_undone(run.organisation, reservations, now)
    return {"undone": len(reservations), "left": len(left)}


_OWN_STEPS = {ReservationState.APPROVED.value: 2, ReservationState.COMPLETED.value: 4}
"""How many steps of history the import itself leaves: asked and approved, and of past use its beginning and end too."""


def _sorted_out(rows: QuerySet[ImportedBooking], now: datetime) -> tuple[list[ImportedBooking], list[ImportedBooking]]:
    """Those that are as they came, and those that have begun, were moved, agreed to, or measured by a device; in the list's order."""
    steps = Count("reservation__transitions", distinct=True)
    touched = rows.annotate(
        steps=steps,
        changed=Exists(ReservationChange.objects.filter(reservation_id=OuterRef("reservation_id"))),
        closed=Exists(CloseOut.objects.filter(reservation_id=OuterRef("reservation_id"))),
        measured=Exists(DeviceRun.objects.filter(reservation_id=OuterRef("reservation_id"))),
    ).select_related("reservation", "reservation__session")
    as_they_came: list[ImportedBooking] = []
    left: list[ImportedBooking] = []
    for one in touched.order_by("line", "pk"):
        (as_they_came if _is_as_it_came(one, now) else left).append(one)
    return as_they_came, left


def _is_as_it_came(one: ImportedBooking, now: datetime) -> bool:
    reservation = one.reservation
    hangs = one.changed or one.closed or one.measured  # type: ignore[attr-defined]  # annotated by _sorted_out
    if hangs or one.steps != _OWN_STEPS.get(reservation.state):  # type: ignore[attr-defined]
        return False
    if reservation.state == ReservationState.APPROVED:
        return reservation.starts_at > now
    return reservation.session.customer_agreed_at is None


def _take_back(actor: Actor, locked: Reservation, now: datetime) -> None:
    session = UsageSession.objects.filter(reservation=locked).first()
    move(locked, Action.UNDO_IMPORT, actor, now)
    ports.money().on_release(locked, actor, Action.UNDO_IMPORT.value, now)
    if session is not None:
        said = {"evidence": session.evidence, "actual_starts_at": session.actual_starts_at.isoformat()}
        audit.record(actor, "usage.undo_import", session, now, before=said)
        session.delete()


def _tell_undone(owner: Organisation, reservation_ids: Sequence[int], now: datetime) -> None:
    rows = Reservation.objects.filter(pk__in=reservation_ids).values_list("requested_by_id").annotate(count=Count("pk"))
    for person_id, count in rows.order_by("requested_by_id"):
        params = {"lab": owner.name, "lab_en": owner.name_en, "count": count}
        tell(News("bookings.import_undone", params, reverse("reservation_list"), owner, owner.pk), person(person_id), now)
