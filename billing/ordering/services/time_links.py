"""A reservation under a commission: its time costs what both sides agreed there, not what the lab's list says."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from billing.ordering.models import CommissionReservation, CommissionSheet, QuotationLine
from billing.ordering.rules.lines import LineKind, shown_quantity, time_left
from billing.pricing import services as pricing
from billing.pricing.rules.schedule import TIME_UNITS
from billing.settlement.services import reservation_money
from booking.models import Reservation
from booking.rules.states import ReservationState
from config.kernel.access import Actor
from config.kernel.errors import Refusal

logger = logging.getLogger(__name__)
#: What can still be priced: nothing of it was used.
_BEFORE_USE = (ReservationState.REQUESTED, ReservationState.APPROVED)
_WITHOUT_USE = (ReservationState.REJECTED, ReservationState.CANCELLED, ReservationState.EXPIRED)


def price_by(sheet: CommissionSheet, reservation: Reservation, actor: Actor, now: datetime) -> bool:
    """Price a reservation that was attached to a commission by the commission's line for its instrument; whether there is one. What is used
    already stays as it is, and so does an instrument that the commission names no price for, but for what programmes ask of a contract.

    Both are locked. Raises Refusal ``commission.beyond_the_line``, ``commission.dearer``, Conflict ``billing.*``.
    """
    line = line_for(sheet, reservation.instrument_id)
    if reservation.state not in _BEFORE_USE:
        return False
    if line is None:
        if sheet.in_force_at is not None:
            reservation_money.tell_contract(reservation, actor, now)
        return False
    on, price = _local_day(reservation), (line.unit, line.unit_price_fen)
    version_id = pricing.agreed_version_id(line.pk, reservation.instrument_id, *price, actor, on, now)
    _require_room(sheet, line, reservation, pricing.schedule(version_id).unit_minutes)
    reservation_money.reprice(reservation, version_id, actor, now)
    return True


def tell_contract(sheet: CommissionSheet, reservations: QuerySet[Reservation], actor: Actor, now: datetime) -> None:
    """The sheet is in force: what is attached to it and not used yet (of ``reservations``, which locks them) is worked out anew where its
    programmes ask for the contract. One for which the customer would pay more stays as it was promised."""
    for reservation in reservations.filter(commission__sheet=sheet, state__in=_BEFORE_USE).order_by("pk"):
        try:
            with transaction.atomic():
                reservation_money.tell_contract(reservation, actor, now)
        except Refusal as refusal:
            logger.info("reservation %s stays as it was promised: %s", reservation.pk, refusal)


def price_by_list(reservation: Reservation, actor: Actor, now: datetime) -> None:
    """Price a reservation that is priced by a commission by the list again. Raises Refusal ``commission.priced`` where that is more."""
    if not reservation_money.at_agreed_price([reservation.pk]):
        return
    listed = pricing.version_id_in_force(reservation.instrument_id, _local_day(reservation))
    if listed is None or reservation.state not in _BEFORE_USE:
        raise Refusal.of("commission.priced", "reservation")
    try:
        reservation_money.reprice(reservation, listed, actor, now)
    except Refusal as refusal:
        if refusal.reasons[0].code != "commission.dearer":
            raise
        raise Refusal.of("commission.priced", "reservation") from refusal


def priced_by(sheet: CommissionSheet) -> list[str]:
    """The references of reservations that are still to be used and cost what a commission says; two queries."""
    rows = Reservation.objects.filter(commission__sheet=sheet, state__in=_BEFORE_USE).order_by("pk")
    references = {row.pk: row.reference for row in rows}
    agreed = reservation_money.at_agreed_price(references)
    return [reference for pk, reference in references.items() if pk in agreed]


def _local_day(reservation: Reservation) -> date:
    return reservation.starts_at.astimezone(ZoneInfo(reservation.instrument.site.time_zone)).date()


def line_for(sheet: CommissionSheet, instrument_id: int) -> QuotationLine | None:
    """The first line of a commission that prices an instrument's time."""
    rows = QuotationLine.objects.filter(quotation__sheet=sheet, kind=LineKind.INSTRUMENT_TIME.value, unit__in=list(TIME_UNITS))
    return rows.filter(instrument_id=instrument_id).order_by("position").first()


def _require_room(sheet: CommissionSheet, line: QuotationLine, reservation: Reservation, unit_minutes: int) -> None:
    """The line has room for the reservation beside those that are attached already."""
    others = CommissionReservation.objects.filter(sheet=sheet, reservation__instrument=reservation.instrument)
    others = others.exclude(reservation__state__in=_WITHOUT_USE).exclude(reservation=reservation)
    spans = others.values_list("reservation__starts_at", "reservation__ends_at")
    taken = sum((ends_at - starts_at for starts_at, ends_at in spans), timedelta())
    left = time_left(line.quantity, taken, unit_minutes)
    if Decimal((reservation.ends_at - reservation.starts_at) // timedelta(minutes=1)) > left * unit_minutes:
        shown = {"quantity": shown_quantity(line.quantity), "left": shown_quantity(round(left, 2))}
        raise Refusal.of("commission.beyond_the_line", "reservation", **shown)
