"""Telling an office that something waits there: who has the role, and who stands in for one of those people today."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q

from billing.claims.services.office import standing_in
from config.kernel.access import Role
from instruments.models import Membership, Notice
from instruments.services.notices import News, holders, person, tell
from instruments.services.settling import settle_these

#: A person, and for whom they stand in ("": in their own right): both are said.
Who = tuple[int, str]
K = TypeVar("K", bound=Hashable)


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

    @property
    def who(self) -> Who:
        return self.user_id, self.behalf

    @property
    def people(self) -> frozenset[int]:
        """Themselves, and for whom they do it: of three people they are one."""
        return frozenset(pk for pk in (self.user_id, self.behalf_id) if pk is not None)


class People:
    """Who acts at some offices as ``right_of`` says it (None: at any): those with one of some roles, and who stands in for one of them.
    Two queries for each choice of roles, however many offices."""

    def __init__(self, offices: Iterable[int | None], now: datetime) -> None:
        self._offices, self._now = frozenset(offices), now
        self._known: dict[tuple[Role, ...], dict[int | None, dict[int, Reached]]] = {}

    def at(self, office_id: int | None, roles: Sequence[Role]) -> list[Reached]:
        """Those of one of these offices, by who they are."""
        key = tuple(roles)
        if key not in self._known:
            self._known[key] = self._read(key)
        return list(self._known[key][office_id].values())

    def _read(self, roles: tuple[Role, ...]) -> dict[int | None, dict[int, Reached]]:
        found: dict[int | None, dict[int, Reached]] = {office_id: {} for office_id in self._offices}
        offices = self._offices - {None}
        rows = Membership.objects.filter(role__in=[str(role) for role in roles], user__is_active=True)
        if None not in self._offices:
            rows = rows.filter(organisation__in=offices)
        for office_id, user_id in rows.order_by("user_id").values_list("organisation_id", "user_id"):
            for place in {office_id, None} & self._offices:
                found[place].setdefault(user_id, Reached(user_id))
        named = [office_id for office_id in offices if office_id is not None]
        instead = standing_in(named, roles, self._now).filter(deputy__is_active=True)
        for row in instead.select_related("principal").order_by("pk"):
            found[row.office_id].setdefault(row.deputy_id, Reached(row.deputy_id, row.principal_id, row.principal.full_name))
        return found


def open_notices(
    about: type[Model],
    events: Collection[str],
    key_of: Callable[[str, str, Mapping[str, Any]], K],
    pks: Collection[int] | None = None,
) -> dict[K, dict[Who, int]]:
    """The notices of some events that need somebody, about all things of a kind or these: whom each asks, and with which notice, by what
    ``key_of`` makes of event, thing and params. One query."""
    rows = Notice.objects.filter(object_type=about._meta.label_lower, event__in=events, needs_action=True)
    if pks is not None:
        rows = rows.filter(object_id__in=[str(pk) for pk in pks])
    found: dict[K, dict[Who, int]] = {}
    for notice_id, user_id, event, object_id, params in rows.values_list("pk", "user_id", "event", "object_id", "params"):
        found.setdefault(key_of(event, object_id, params), {})[user_id, params.get("behalf", "")] = notice_id
    return found


def bring(told: Mapping[Who, int], wanted: Collection[Who], news: News, now: datetime) -> int:
    """Have just these people told something: whoever else was told is asked no more, nobody is told twice, and who stands in reads for
    whom. Returns how many were told. Call it inside the transaction of the change."""
    settle_these([pk for who, pk in told.items() if who not in wanted], now)
    by: dict[str, list[int]] = {}
    for user_id, behalf in sorted(set(wanted) - told.keys()):
        by.setdefault(behalf, []).append(user_id)
    return sum(
        tell(replace(news, params={**news.params, **({"behalf": behalf} if behalf else {})}), person(*people), now)
        for behalf, people in by.items()
    )


def _deputies(office_id: int, roles: Sequence[Role], now: datetime) -> dict[int, list[str]]:
    """Who stands in today for whom of those people, by name; one query."""
    in_own_right = Membership.objects.filter(organisation=office_id, role__in=[str(role) for role in roles]).values("user")
    rows = standing_in([office_id], roles, now).exclude(deputy__in=in_own_right)
    rows = rows.select_related("principal").order_by("deputy", "pk")
    found: dict[int, list[str]] = {}
    for row in rows:
        names = found.setdefault(row.deputy_id, [])
        if row.principal.full_name not in names:
            names.append(row.principal.full_name)
    return found
