"""What an agreed session is charged for: its billable time under what was frozen when its money was held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from billing.pricing.rules.samples import ExtraCharge
from billing.settlement.services import assessing, awarding, basis_day, grading
from billing.settlement.services.awarding import WasHeld
from billing.settlement.services.gathering import Gathered
from billing.settlement.services.still_eligible import looked_at_again
from billing.subsidy import services as subsidy
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.codec import Inputs, candidate_to_json, use_to_json
from billing.subsidy.rules.facts import GroupsRead
from billing.subsidy.services import InForce
from booking.models import Reservation, UsageSession


@dataclass(frozen=True, slots=True)
class Used:
    """What is charged: an agreed session (both rows), ``grade``, a confirmed quality grade of it, or empty, and what was used besides."""

    reservation: Reservation
    session: UsageSession
    grade: str = ""
    extras: tuple[ExtraCharge, ...] = ()


def worked_out(
    held: WasHeld, used: Used, now: datetime, gathered: Gathered | None = None, before: GroupsRead | None = None
) -> tuple[dict[str, Any], Assessment, Inputs]:
    """The engine's inputs for a charge in their frozen form, what they come to, and the inputs themselves. ``gathered``: what is loaded
    of both sides already; ``before``: facts that were read of others.

    What goes on beyond the booked end is not subsidised. A programme that gave nothing when the money was held gives nothing now,
    because nothing is held for it, and none gives more than is held; the grade may lower what was held but never raise it; and whoever
    is no longer eligible gets nothing.
    """
    session, billable = used.session, used.session.billable
    thawed = assessing.thaw(held.inputs, before)
    inputs = replace(thawed, nothing=True) if billable is None else replace(thawed, time_range=billable)
    if billable is not None and billable.ends_at > session.booked_ends_at:
        inputs = replace(inputs, subsidised_until=session.booked_ends_at)
    inputs, assessment = awarding.within_held(
        held, *_only_promised(_still_eligible(inputs, used.reservation, now, gathered), held)
    )
    if used.grade:
        inputs, assessment = grading.under(used.grade, inputs, assessment)
    if used.extras:
        inputs = replace(inputs, extras=used.extras)
        assessment = inputs.assess()
    return frozen_under(held, thawed, inputs), assessment, inputs


def counts_otherwise(held: WasHeld, now: datetime) -> bool:
    """Whether a programme counts on the day of the charge otherwise than was expected: that is promised anew first."""
    if not basis_day.may_be_other(held):
        return False
    thawed = assessing.thaw(held.inputs)
    return basis_day.is_other(held, thawed, now.astimezone(thawed.zone).date())


def row_of(reservation: Reservation, frozen: Mapping[str, Any], assessment: Assessment, now: datetime) -> dict[str, Any]:
    """The fields of a session's Charge."""
    return _of(reservation, frozen, now) | assessing.frozen_row(frozen, assessment)


def row_as_text(reservation: Reservation, frozen: Mapping[str, Any], assessment: Assessment, now: datetime) -> dict[str, Any]:
    """``row_of`` for COPY."""
    return _of(reservation, frozen, now) | assessing.frozen_row_as_text(frozen, assessment)


def _of(reservation: Reservation, frozen: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {"reservation_id": reservation.pk, "price_version_id": frozen["schedule"]["price_version"], "created_at": now}


def versions_of(frozen: Mapping[str, Any]) -> list[InForce]:
    """The programmes of a session's frozen inputs, in the order of their outcomes."""
    return [subsidy.in_force(version_id) for version_id in assessing.Pins.of(frozen).programme_version_ids]


def parties_of(reservation: Reservation) -> tuple[int, int]:
    """The ids of owner and customer."""
    return reservation.instrument.organisation_id, reservation.organisation_id


def frozen_under(held: WasHeld, thawed: Inputs, inputs: Inputs, versions: Sequence[InForce] = ()) -> dict[str, Any]:
    """The frozen form of ``inputs``, which came from ``held`` as it was ``thawed``: documents by reference as there, and a programme about
    which nothing has changed as it stands there. ``versions``: others than there."""
    stands = {id(each): frozen for each, frozen in zip(thawed.candidates, held.inputs["candidates"], strict=True)}
    references = {each["programme"]["sha256"]: each["programme"] for each in held.inputs["candidates"]}
    references |= {each.programme.sha256: assessing.reference(each) for each in versions}
    candidates = [
        stands.get(id(each)) or {**candidate_to_json(each), "programme": references[each.programme.sha256]}
        for each in inputs.candidates
    ]
    return {
        **held.inputs,
        **use_to_json(inputs),
        "starts_at": inputs.time_range.starts_at.isoformat(),
        "ends_at": inputs.time_range.ends_at.isoformat(),
        "candidates": candidates,
    }


def _still_eligible(inputs: Inputs, reservation: Reservation, now: datetime, gathered: Gathered | None) -> Inputs:
    instrument, service_on = reservation.instrument, inputs.time_range.starts_at.astimezone(inputs.zone).date()
    today = now.astimezone(inputs.zone).date()
    again = looked_at_again(
        inputs.candidates,
        instrument.organisation,
        reservation.organisation,
        service_on,
        today,
        gathered,
        instrument.site.region_code,
    )
    return replace(inputs, candidates=again)


def _only_promised(inputs: Inputs, held: WasHeld) -> tuple[Inputs, Assessment | None]:
    """Without the programmes that would give something now and gave nothing when the money was held; and what they come to, where there
    are none of those."""
    assessment = inputs.assess()
    stay = awarding.promised_outcomes(held, assessment.outcomes)
    if all(stay):
        return inputs, assessment
    kept = [each for each, stays in zip(inputs.candidates, stay, strict=True) if stays]
    return replace(inputs, candidates=tuple(kept)), None
