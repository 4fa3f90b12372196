"""Issuing an internal charge slip, in the transaction of the charge."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from billing.settlement.models import Charge
from billing.settlement.rules.slips import series_key, slip_number
from billing.settlement.slip_models import InternalSlip
from billing.subsidy.rules.assess import Assessment
from booking.models import Reservation, UsageSession
from instruments.models import FundCard, ResearchGroup
from instruments.rules.spending import is_in_house


def issue(
    reservation: Reservation, session: UsageSession, charge: Charge, assessment: Assessment, covered_fen: int, now: datetime
) -> InternalSlip | None:
    """The slip of an agreed session of the owner's own people; None for others, and where nothing is due."""
    owner = reservation.instrument.organisation
    if not is_in_house(reservation.organisation_id, owner.pk) or charge.payable_now_fen == 0:
        return None
    on = now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    named = reservation.fund_card_id
    card = FundCard.objects.select_related("group").get(pk=named) if named is not None else None
    group = card.group if card else None
    return InternalSlip.objects.create(
        charge=charge,
        organisation_id=owner.pk,
        group=group,
        fund_card=card,
        number=_next_number(owner.pk, on.year),
        period_on=on.replace(day=1),
        total_fen=charge.payable_now_fen,
        covered_fen=covered_fen,
        content=_content(reservation, session, assessment, card, group),
        issued_at=now,
    )


def _next_number(owner_id: int, year: int) -> str:
    """The next number of the owner's year; its row stays locked until the slip is committed or nothing happened."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_numberseries (key, last) VALUES (%s, 1)"
            " ON CONFLICT (key) DO UPDATE SET last = billing_numberseries.last + 1 RETURNING last",
            [series_key(owner_id, year)],
        )
        (place,) = cursor.fetchone()
    return slip_number(year, place)


def _content(
    reservation: Reservation, session: UsageSession, assessment: Assessment, card: FundCard | None, group: ResearchGroup | None
) -> dict[str, Any]:
    """Names as they are now, the session's billable time in its zone, and one line per price band."""
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    billable = session.billable
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
        "starts_at": billable.starts_at.astimezone(zone).isoformat() if billable else "",
        "ends_at": billable.ends_at.astimezone(zone).isoformat() if billable else "",
        "lines": [
            {
                "kind": line.kind.value,
                "band": line.band,
                "seconds": line.seconds,
                "yuan_per_hour": line.yuan_per_hour,
                "amount_fen": line.amount_fen,
            }
            for line in assessment.priced.lines
        ],
    }
