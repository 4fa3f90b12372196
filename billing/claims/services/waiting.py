"""Telling the offices what waits for them, and no longer what does not.

Compared, not reacted to: what waits now against who was told of it. So a thousand claims that come to a step are one notice, whoever gets
the role later is told, too, and a change that nobody thought of here is found all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.claims import worklist
from billing.claims.models import Claim, ClaimBatch
from billing.claims.services.telling import People, Reached, Who, bring, open_notices
from billing.claims.waiting_notices import EVENTS, OVERDUE, news_of
from billing.claims.worklist import Waiting
from config.kernel.services.parking import many_parked
from instruments.models import OrganisationIdentifier
from instruments.services.settling import settle_these

#: So many notices are brought up to date in one transaction: their batches are locked for a moment.
TOGETHER = 50
#: Event, batch, work and step.
Key = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class _Due:
    """An event that these people are to have about claims that wait."""

    event: str
    each: Waiting
    wanted: frozenset[Who]

    @property
    def key(self) -> Key:
        return (self.event, str(self.each.batch.pk), self.each.work.value, self.each.step)


def tell_due(now: datetime) -> int:
    """Bring what the offices were told in line with what waits; returns of how much somebody was told. Safe to repeat: where everybody is
    told, it is a dozen queries, however many batches."""
    told = _told()  # before what waits: of what comes to wait in between nothing was told that would seem to be of nothing
    found = worklist.waiting(worklist.with_work(Claim.objects.all(), now))
    due = _due(found, now)
    alive = {each.key for each in due}
    settle_these([pk for key, people in told.items() if key not in alive for pk in people.values()], now)
    changed = [each for each in due if each.wanted != told.get(each.key, {}).keys()]
    together, one = lambda some: (_tell(some, now), ()), lambda each: _tell([each], now)
    return many_parked(changed, TOGETHER, together, one, "notice of claims that wait")


def _told(batch_ids: Collection[int] | None = None) -> dict[Key, dict[Who, int]]:
    return open_notices(ClaimBatch, [*EVENTS.values(), OVERDUE], _key_of, batch_ids)


def _key_of(event: str, batch_id: str, params: Mapping[str, Any]) -> Key:
    return (event, batch_id, params["work"], params["step"])


def _due(found: Sequence[Waiting], now: datetime) -> list[_Due]:
    reached = _reached(found, now)
    parts = worklist.parts_in(
        worklist.with_work(Claim.objects.all(), now), {pk for own in reached for one in own for pk in one.people}
    )
    due = []
    for each, people in zip(found, reached, strict=True):
        had = parts.get(each.key)
        free = frozenset(one.who for one in people if had is None or any(not one.people & kept for kept in had))
        due += [_Due(event, each, free) for event in (EVENTS[each.work], *([OVERDUE] if each.is_overdue(now) else []))]
    return due


def _reached(found: Sequence[Waiting], now: datetime) -> list[list[Reached]]:
    """Who does what waits, of each: at the programme's office, or at those of a code."""
    codes = {each.office_code for each in found} - {""}
    of_code = worklist.offices_by_code(OrganisationIdentifier.objects.filter(value__in=codes)) if codes else {}
    places: list[Sequence[int | None]] = [
        of_code.get(each.office_code, []) if each.office_code else [each.batch.programme.issuer_id] for each in found
    ]
    known = People({office_id for offices in places for office_id in offices}, now)
    reached = []
    for each, offices in zip(found, places, strict=True):
        own: dict[int, Reached] = {}
        for office_id in offices:
            for one in known.at(office_id, each.roles):
                own.setdefault(one.user_id, one)
        reached.append(list(own.values()))
    return reached


def _tell(some: Sequence[_Due], now: datetime) -> int:
    """In a transaction, with the batches locked: who was told in between is not told again."""
    batch_ids = sorted({due.each.batch.pk for due in some})
    list(ClaimBatch.objects.select_for_update(no_key=True).filter(pk__in=batch_ids).order_by("pk").values_list("pk"))
    told = _told(batch_ids)
    return sum(bool(bring(told.get(due.key, {}), due.wanted, news_of(due.event, due.each), now)) for due in some)
