"""Naming who stands in for oneself at an office, and ending it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from billing.bills.services.issuing import local_day
from billing.claims.deputy_models import Deputy
from billing.claims.rules.deputies import days_fault
from billing.claims.services.office import OFFICE, checked_text
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Conflict, NotFound, Refusal
from config.kernel.services import audit, transactions
from instruments.models import Membership, User


@dataclass(frozen=True, slots=True)
class Named:
    """Who is to stand in at an office, on which local days (included), and why."""

    office_id: int
    deputy_id: int
    from_on: date
    until_on: date
    reason: str


def name(actor: Actor, given: Named, now: datetime) -> Deputy:
    """Name somebody of the same office, who reviews or pays there, to stand in for the actor.

    Raises Forbidden, NotFound (not of the office), Refusal ``deputies.oneself`` / ``deputies.days`` / ``deputies.past`` /
    ``deputies.too_long`` / ``claims.text_*``.
    """
    actor.require_in(given.office_id, *OFFICE)
    why = checked_text(given.reason)
    if given.deputy_id == actor.user_id:
        raise Refusal.of("deputies.oneself", field="deputy")
    fault = days_fault(given.from_on, given.until_on, local_day(now))
    Refusal.raise_any([fault] if fault is not None else [])
    if given.deputy_id not in {each.pk for each in colleagues([given.office_id]).get(given.office_id, ())}:
        raise NotFound.of("access.not_found", model="user")

    def work() -> Deputy:
        row = Deputy.objects.create(
            office_id=given.office_id,
            principal_id=actor.person_id,
            deputy_id=given.deputy_id,
            from_on=given.from_on,
            until_on=given.until_on,
            reason=why,
            named_at=now,
        )
        after = {"deputy": given.deputy_id, "from": given.from_on.isoformat(), "until": given.until_on.isoformat()}
        audit.record(actor, "deputy.name", row, now, after=after, reason=why)
        return row

    return transactions.run(work)


def end(actor: Actor, deputy_id: int, now: datetime) -> None:
    """End it before its last day; either of the two does. Raises NotFound for others, Conflict ``deputies.ended`` (its last day is over,
    too)."""
    today = local_day(now)

    def work() -> None:
        own = Q(principal_id=actor.user_id) | Q(deputy_id=actor.user_id)
        found = get_visible(Deputy.objects.filter(own), actor, pk=deputy_id)
        if Deputy.objects.filter(pk=found.pk, ended_at__isnull=True, until_on__gte=today).update(ended_at=now) != 1:
            raise Conflict.of("deputies.ended")
        audit.record(actor, "deputy.end", found, now)

    transactions.run(work)


def colleagues(office_ids: Iterable[int]) -> dict[int, list[User]]:
    """The people who review or pay at each office, by name. One query."""
    roles = [str(role) for role in OFFICE]
    rows = Membership.objects.filter(organisation__in=list(office_ids), role__in=roles, user__is_active=True)
    found: dict[int, dict[int, User]] = {}
    for each in rows.select_related("user").order_by("user__full_name", "user"):
        found.setdefault(each.organisation_id, {})[each.user_id] = each.user
    return {office_id: list(people.values()) for office_id, people in found.items()}
