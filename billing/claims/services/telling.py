"""Telling an office that something waits there: who has the role, and who stands in for one of those people today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q

from billing.claims.services.office import standing_in
from config.kernel.access import Role
from instruments.models import Membership
from instruments.services.notices import News, holders, person, tell


def tell_office(news: News, office_id: int | None, roles: Sequence[Role], now: datetime) -> int:
    """Tell the people of an office (None: the programme names none, and any office's are meant) who have one of ``roles``, and their
    deputies, with the names of those for whom they stand in (``behalf``). Returns how many were told.

    Call it inside the transaction of the change. A deputy with one of the roles is told in their own right.
    """
    own = Q()
    for role in roles:
        own |= holders(role, office_id)
    told = tell(news, own, now)
    if office_id is None:
        return told
    for deputy_id, names in _deputies(office_id, roles, now).items():
        told += tell(replace(news, params={**news.params, "behalf": ", ".join(names)}), person(deputy_id), now)
    return told


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody who does something at an office: in their own right, or for ``behalf_id``, who is called ``behalf``."""

    user_id: int
    behalf_id: int | None = None
    behalf: str = ""


def people_of(office_id: int | None, roles: Sequence[Role], now: datetime) -> list[Reached]:
    """Who acts at an office as ``right_of`` says it (None: at any): those with one of ``roles``, and who stands in for one of them. Two
    queries."""
    rows = Membership.objects.filter(role__in=[str(role) for role in roles], user__is_active=True)
    if office_id is not None:
        rows = rows.filter(organisation=office_id)
    own = sorted(set(rows.values_list("user_id", flat=True)))
    found = {pk: Reached(pk) for pk in own}
    if office_id is not None:
        instead = standing_in(office_id, roles, now).filter(deputy__is_active=True).exclude(deputy__in=own)
        for row in instead.select_related("principal").order_by("pk"):
            found.setdefault(row.deputy_id, Reached(row.deputy_id, row.principal_id, row.principal.full_name))
    return list(found.values())


def _deputies(office_id: int, roles: Sequence[Role], now: datetime) -> dict[int, list[str]]:
    """Who stands in today for whom of those people, by name; one query."""
    in_own_right = Membership.objects.filter(organisation=office_id, role__in=[str(role) for role in roles]).values("user")
    rows = standing_in(office_id, roles, now).exclude(deputy__in=in_own_right)
    rows = rows.select_related("principal").order_by("deputy", "pk")
    found: dict[int, list[str]] = {}
    for row in rows:
        names = found.setdefault(row.deputy_id, [])
        if row.principal.full_name not in names:
            names.append(row.principal.full_name)
    return found
