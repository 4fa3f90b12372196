"""A measure of credit under which everything that a person asks for waits for the lab, also what would count at once.

It is put into the policy by which they are judged, so that what is shown before and what is done agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from booking.credit_queries import Asked, measures_against_each, measures_against_many
from booking.models import Reservation
from booking.rules.auto_approval import Trusted
from booking.rules.credit import MeasureKind
from booking.rules.policy import BookingPolicy
from booking.services.context import BookingContext, policy_for


def applied(context: BookingContext, person_id: int | None, customer_id: int, now: datetime) -> BookingContext:
    """The context as it is for that person and customer: one statement, none where no points are kept or the lab looks anyway."""
    return applied_to_all([context], person_id, customer_id, now)[0]


def applied_to_all(
    contexts: Sequence[BookingContext], person_id: int | None, customer_id: int, now: datetime
) -> list[BookingContext]:
    """As ``applied`` for many instruments: one statement, or none."""
    asked = {one.instrument.pk: one.instrument.organisation_id for one in contexts if one.keeps_standing and _lets(one.policy)}
    if person_id is None or not asked:
        return list(contexts)
    found = measures_against_many(person_id, customer_id, asked, now)
    held = {pk for pk, measures in found.items() if any(one.kind is MeasureKind.WITH_APPROVAL for one in measures)}
    return [replace(one, policy=_looked_at(one.policy)) if one.instrument.pk in held else one for one in contexts]


def policies_of(booked: Sequence[Reservation], now: datetime) -> dict[int, BookingPolicy]:
    """The policy of each of the bookings (with their instruments and policies) as it is for whose it is, by their ids: one statement, none
    where the lab looks at everything anyway."""
    policies = {one.pk: policy_for(one.instrument) for one in booked}
    asked = {
        one.pk: Asked(one.requested_by_id, one.organisation_id, one.instrument_id, one.instrument.organisation_id)
        for one in booked
        if _lets(policies[one.pk])
    }
    found = measures_against_each(asked.values(), now) if asked else {}
    held = {pk for pk, one in asked.items() if any(measure.kind is MeasureKind.WITH_APPROVAL for measure in found[one])}
    return {pk: _looked_at(policy) if pk in held else policy for pk, policy in policies.items()}


def _lets(policy: BookingPolicy) -> bool:
    """Whether anything counts at once by the lab's rules."""
    rule = policy.auto_approval
    return not policy.approval_required or (rule is not None and rule.who is not Trusted.NOBODY)


def _looked_at(policy: BookingPolicy) -> BookingPolicy:
    """What keeps its time while it waits goes on doing so."""
    return replace(policy, approval_required=True, auto_approval=None, pending_blocks=policy.request_blocks)
