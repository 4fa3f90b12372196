"""Issuing an internal charge slip, in the transaction of the charge, of the fee, or of what of a fee falls away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from billing.pricing.rules.pricing import line_json
from billing.pricing.rules.samples import PricedSamples
from billing.pricing.rules.tax import IN_EXTRAS, INCLUDED
from billing.settlement.fee_models import BookingFee, FeeRelief
from billing.settlement.models import Charge
from billing.settlement.rules.slips import series_key, slip_number
from billing.settlement.services.numbering import next_place
from billing.settlement.slip_models import InternalSlip
from billing.subsidy.rules.assess import Assessment
from booking.models import Reservation, SampleJob, UsageSession
from config.kernel.time_range import TimeRange
from instruments.models import FundCard, Instrument, Organisation, ResearchGroup, Resource
from instruments.rules.spending import is_in_house
from instruments.services.answer_time import zone_of_owner


def issue(
    reservation: Reservation, session: UsageSession, charge_id: int, assessment: Assessment, covered_fen: int, now: datetime
) -> InternalSlip | None:
    """The slip of an agreed session of the owner's own people; None for others, and where nothing is due."""
    owner = reservation.instrument.organisation
    if not is_in_house(reservation.organisation_id, owner.pk) or assessment.payable_now_fen == 0:
        return None
    lines = [line_json(line) for line in assessment.priced.lines]
    amounts = _Amounts(assessment.payable_now_fen, covered_fen)
    return _write(_used(reservation), reservation.fund_card_id, amounts, session.billable, lines, "", now, charge_id=charge_id)


def issue_samples(
    job: SampleJob, charge: Charge, assessment: Assessment[PricedSamples], covered_fen: int, now: datetime
) -> InternalSlip | None:
    """The slip of a sample job of the owner's own people, a line for each that was priced; None for others, and where nothing is due."""
    if not is_in_house(job.organisation_id, job.lab_id) or charge.payable_now_fen == 0:
        return None
    steps = [
        step for step in assessment.priced.steps if step.key not in (INCLUDED, IN_EXTRAS)
    ]  # they tell of no line of their own
    lines = [
        {"kind": "samples", "words": str(step.params.get("words", "")), **line._asdict()}
        for line, step in zip(assessment.priced.lines, steps, strict=True)
    ]
    used = _Used(
        job.lab,
        job.resource,
        str(job.requested_by),
        job.reference,
        zone_of_owner(job.lab_id),
    )
    return _write(used, job.fund_card_id, _Amounts(charge.payable_now_fen, covered_fen), None, lines, "", now, charge=charge)


def issue_fee(reservation: Reservation, fee: BookingFee, now: datetime) -> InternalSlip | None:
    """The slip of a fee that the owner takes from its own people; None for others."""
    if not is_in_house(reservation.organisation_id, reservation.instrument.organisation_id):
        return None
    amounts = _Amounts(fee.payable_now_fen, fee.covered_fen)
    lost = TimeRange(fee.starts_at, fee.ends_at)
    return _write(_used(reservation), fee.fund_card_id, amounts, lost, [], fee.kind, now, fee=fee)


def issue_relief(reservation: Reservation, relief: FeeRelief, now: datetime) -> InternalSlip | None:
    """The counter slip of what of such a fee fell away; the fee's own slip stays as it was issued. None for others."""
    if not is_in_house(reservation.organisation_id, reservation.instrument.organisation_id):
        return None
    fee = relief.fee
    amounts = _Amounts(-relief.amount_fen, -relief.returned_fen)
    lost = TimeRange(fee.starts_at, fee.ends_at)
    return _write(_used(reservation), fee.fund_card_id, amounts, lost, [], relief.cause, now, relief=relief)


@dataclass(frozen=True, slots=True)
class _Amounts:
    """In fen; below zero on a counter slip."""

    total_fen: int
    covered_fen: int


@dataclass(frozen=True, slots=True)
class _Used:
    """What a slip says of what was used: whose it is, what, by whom, and the zone of its times."""

    owner: Organisation
    thing: Instrument | Resource
    person: str
    reference: str
    zone: ZoneInfo
    research_project: str = ""


def _used(reservation: Reservation) -> _Used:
    instrument = reservation.instrument
    return _Used(
        instrument.organisation,
        instrument,
        str(reservation.requested_by),
        reservation.reference,
        ZoneInfo(instrument.site.time_zone),
        reservation.research_project,
    )


def _write(
    used: _Used,
    card_id: int | None,
    amounts: _Amounts,
    during: TimeRange | None,
    lines: list[dict[str, Any]],
    cause: str,
    now: datetime,
    **of: Any,
) -> InternalSlip:
    """``cause``: what it is for beside use; ``of``: the charge, fee or relief."""
    owner = used.owner
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
        content=_content(used, during, lines, cause, card, group),
        issued_at=now,
    )


def _next_number(owner_id: int, year: int) -> str:
    """The next number of the owner's year."""
    return slip_number(year, next_place(series_key(owner_id, year)))


def _content(
    used: _Used,
    during: TimeRange | None,
    lines: list[dict[str, Any]],
    cause: str,
    card: FundCard | None,
    group: ResearchGroup | None,
) -> dict[str, Any]:
    """Names as they are now, the charged time in its zone, and one line per price band or kind of sample; ``cause``: what beside use it
    is for."""
    owner, thing, zone = used.owner, used.thing, used.zone
    return {
        "owner": {"name": owner.name, "name_en": owner.name_en},
        "group": group.name if group else "",
        "card": {"number": card.number, "title": card.title} if card else None,
        "person": used.person,
        "research_project": used.research_project,
        "reference": used.reference,
        "instrument": {"name": thing.name, "name_en": thing.name_en},
        "zone": zone.key,
        "starts_at": during.starts_at.astimezone(zone).isoformat() if during else "",
        "ends_at": during.ends_at.astimezone(zone).isoformat() if during else "",
        "cause": cause,
        "lines": lines,
    }
