"""Telling the offices what waits for them, and no longer what does not.

Compared, not reacted to: what waits now against who was told of it. So a thousand claims that come to a step are one notice, whoever gets
the role later is told, too, and a change that nobody thought of here is found all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists

from billing.claims import worklist
from billing.claims.models import Claim, ClaimBatch
from billing.claims.rules.waiting import Work
from billing.claims.services.telling import Reached, people_of
from billing.claims.waiting_notices import EVENTS, OVERDUE, tell_waiting
from billing.claims.worklist import Waiting
from config.kernel.access import Role
from config.kernel.services.parking import each_parked
from instruments.models import Notice, OrganisationIdentifier
from instruments.services.settling import settle_these

_ABOUT = ClaimBatch._meta.label_lower
#: Event, batch, work and step.
Key = tuple[str, str, str, int]
#: A person, and for whom they stand in ("": in their own right): both are said.
Who = tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Due:
    """An event that these people are to have about claims that wait, and the notices of it that are open: whom they ask -> notice."""

    event: str
    each: Waiting
    people: list[Reached]
    told: Mapping[Who, int]

    @property
    def wanted(self) -> dict[Who, Reached]:
        """Whom it is to ask."""
        return {(one.user_id, one.behalf): one for one in self.people}


def tell_due(now: datetime) -> int:
    """Bring what the offices were told in line with what waits; returns how many people were told of something. Safe to repeat."""
    told = _told()  # before what waits: of what comes to wait in between nothing was told that would seem to be of nothing
    found = worklist.waiting(worklist.with_work(Claim.objects.all(), now))
    due = [each for each in _due(found, told, now) if each.wanted.keys() != each.told.keys()]
    alive = {_key(event, each) for each in found for event in _events(each, now)}
    settle_these([pk for key, people in told.items() if key not in alive for pk in people.values()], now)
    return each_parked(due, lambda each: _tell(each, now), "notice of claims that wait")


def _events(each: Waiting, now: datetime) -> list[str]:
    return [EVENTS[each.work], *([OVERDUE] if each.is_overdue(now) else [])]


def _key(event: str, each: Waiting) -> Key:
    return (event, str(each.batch.pk), each.work.value, each.step)


def _told(batch_id: int | None = None) -> dict[Key, dict[Who, int]]:
    """The open notices: whom each event was told, for whom, and with which notice; one query."""
    rows = Notice.objects.filter(object_type=_ABOUT, event__in=[*EVENTS.values(), OVERDUE], needs_action=True)
    if batch_id is not None:
        rows = rows.filter(object_id=str(batch_id))
    found: dict[Key, dict[Who, int]] = {}
    for pk, user_id, event, about, params in rows.values_list("pk", "user_id", "event", "object_id", "params"):
        found.setdefault((event, about, params["work"], params["step"]), {})[user_id, params.get("behalf", "")] = pk
    return found


def _due(found: Sequence[Waiting], told: Mapping[Key, dict[Who, int]], now: datetime) -> list[_Due]:
    codes = {each.office_code for each in found} - {""}
    offices = worklist.offices_by_code(OrganisationIdentifier.objects.filter(value__in=codes)) if codes else {}
    known: dict[tuple[int | None, tuple[Role, ...]], list[Reached]] = {}
    due = []
    for each in found:
        at: Sequence[int | None] = offices.get(each.office_code, []) if each.office_code else [each.batch.programme.issuer_id]
        reached: dict[int, Reached] = {}
        for office_id in at:
            key = (office_id, tuple(each.roles))
            if key not in known:
                known[key] = people_of(office_id, each.roles, now)
            for one in known[key]:
                reached.setdefault(one.user_id, one)
        people = _free(each, list(reached.values()), now)
        due += [_Due(event, each, people, told.get(_key(event, each), {})) for event in _events(each, now)]
    return due


def _free(each: Waiting, people: list[Reached], now: datetime) -> list[Reached]:
    """Those who may do it for one of the claims at least: of each, three people are three. One query, however many people."""
    if each.work not in (Work.REVIEW, Work.APPROVE) or not people:
        return people
    rows = worklist.with_work(Claim.objects.filter(batch=each.batch), now).filter(work=each.work.value, at=each.step)
    own = [[pk for pk in (one.user_id, one.behalf_id) if pk is not None] for one in people]
    asked = {f"free_{place}": Exists(worklist.free_for(rows, both)) for place, both in enumerate(own)}
    free = ClaimBatch.objects.filter(pk=each.batch.pk).annotate(**asked).values(*asked).get()
    return [one for one, is_free in zip(people, free.values(), strict=True) if is_free]


def _tell(due: _Due, now: datetime) -> int:
    """In a transaction, with the batch locked: who was told in between is not told again."""
    ClaimBatch.objects.select_for_update(no_key=True).get(pk=due.each.batch.pk)
    told = _told(due.each.batch.pk).get(_key(due.event, due.each), {})
    wanted = due.wanted
    settle_these([pk for who, pk in told.items() if who not in wanted], now)
    return tell_waiting(due.event, due.each, [one for who, one in wanted.items() if who not in told], now)
