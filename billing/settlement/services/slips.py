"""Issuing an internal charge slip, in the transaction of the charge, of the fee, or of what of a fee falls away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.settlement.fee_models import BookingFee, FeeRelief
from billing.settlement.models import Charge
from billing.settlement.rules.slips import series_key, slip_number
from billing.settlement.services.numbering import next_place
from billing.settlement.slip_models import InternalSlip
from billing.subsidy.rules.assess import Assessment
from booking.models import Reservation, UsageSession
from config.kernel.time_range import TimeRange
from instruments.models import FundCard, ResearchGroup
from instruments.rules.spending import is_in_house


def issue(
    reservation: Reservation, session: UsageSession, charge: Charge, assessment: Assessment, covered_fen: int, now: datetime
) -> InternalSlip | None:
    """The slip of an agreed session of the owner's own people; None for others, and where nothing is due."""
    owner = reservation.instrument.organisation
    if not is_in_house(reservation.organisation_id, owner.pk) or charge.payable_now_fen == 0:
        return None
    lines = [
        {
            "kind": line.kind.value,
            "band": line.band,
            "seconds": line.seconds,
            "yuan_per_hour": line.yuan_per_hour,
            "amount_fen": line.amount_fen,
        }
        for line in assessment.priced.lines
    ]
    amounts = _Amounts(charge.payable_now_fen, covered_fen)
    return _write(reservation, reservation.fund_card_id, amounts, session.billable, lines, "", now, charge=charge)


def issue_fee(reservation: Reservation, fee: BookingFee, now: datetime) -> InternalSlip | None:
    """The slip of a fee that the owner takes from its own people; None for others."""
    if not is_in_house(reservation.organisation_id, reservation.instrument.organisation_id):
        return None
    amounts = _Amounts(fee.payable_now_fen, fee.covered_fen)
    return _write(reservation, fee.fund_card_id, amounts, TimeRange(fee.starts_at, fee.ends_at), [], fee.kind, now, fee=fee)


def issue_relief(reservation: Reservation, relief: FeeRelief, now: datetime) -> InternalSlip | None:
    """The counter slip of what of such a fee fell away; the fee's own slip stays as it was issued. None for others."""
    if not is_in_house(reservation.organisation_id, reservation.instrument.organisation_id):
        return None
    fee = relief.fee
    amounts = _Amounts(-relief.amount_fen, -relief.returned_fen)
    lost = TimeRange(fee.starts_at, fee.ends_at)
    return _write(reservation, fee.fund_card_id, amounts, lost, [], relief.cause, now, relief=relief)


@dataclass(frozen=True, slots=True)
class _Amounts:
    """In fen; below zero on a counter slip."""

    total_fen: int
    covered_fen: int


def _write(
    reservation: Reservation,
    card_id: int | None,
    amounts: _Amounts,
    during: TimeRange | None,
    lines: list[dict[str, Any]],
    cause: str,
    now: datetime,
    **of: Any,
) -> InternalSlip:
    """``cause``: what it is for beside use; ``of``: the charge, fee or relief."""
    owner = reservation.instrument.organisation
    on = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    card = FundCard.objects.select_related("group").get(pk=card_id) if card_id is not None else None
    group = card.group if card else None
    return InternalSlip.objects.create(
        **of,
        organisation_id=owner.pk,
        group=group,
        fund_card=card,
        number=_next_number(owner.pk, on.year),
        period_on=on.replace(day=1),
        total_fen=amounts.total_fen,
        covered_fen=amounts.covered_fen,
        content=_content(reservation, during, lines, cause, card, group),
        issued_at=now,
    )


def _next_number(owner_id: int, year: int) -> str:
    """The next number of the owner's year."""
    return slip_number(year, next_place(series_key(owner_id, year)))


def _content(
    reservation: Reservation,
    during: TimeRange | None,
    lines: list[dict[str, Any]],
    cause: str,
    card: FundCard | None,
    group: ResearchGroup | None,
) -> dict[str, Any]:
    """Names as they are now, the charged time in its zone, and one line per price band; ``cause``: what beside use it is for."""
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    owner, instrument = reservation.instrument.organisation, reservation.instrument
    return {
        "owner": {"name": owner.name, "name_en": owner.name_en},
        "group": group.name if group else "",
        "card": {"number": card.number, "title": card.title} if card else None,
        "person": str(reservation.requested_by),
        "research_project": reservation.research_project,
        "reference": reservation.reference,
        "instrument": {"name": instrument.name, "name_en": instrument.name_en},
        "zone": zone.key,
        "starts_at": during.starts_at.astimezone(zone).isoformat() if during else "",
        "ends_at": during.ends_at.astimezone(zone).isoformat() if during else "",
        "cause": cause,
        "lines": lines,
    }
