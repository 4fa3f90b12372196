"""What holds against a person, for the write path of a reservation and for transitions: each function is one statement.

They lie outside of ``booking.queries`` because services call them. ``in_use`` says cheaply, inside another statement, whether a lab
(or the platform) keeps points or lists at all.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from booking.models import CreditRules
from booking.rules.credit import (
    CreditPolicy,
    Measure,
    MeasureKind,
    PastEvent,
    Scope,
    Standing,
    policy_from,
    standing_of,
    strictest_first,
)
from config.kernel.statements import planned_once


def in_use(instrument: str) -> str:
    """SQL for another statement that knows an instrument by that alias: whether ``measures_against`` could find anything."""
    return f"""(
    EXISTS (SELECT FROM booking_creditrules cr WHERE cr.organisation_id IS NULL OR cr.organisation_id = {instrument}.organisation_id)
    OR EXISTS (SELECT FROM booking_accesslistentry al WHERE al.ended_at IS NULL
                AND (al.organisation_id IS NULL OR al.organisation_id = {instrument}.organisation_id)))"""  # noqa: S608  (an alias of ours)


_KEEPS_STANDING = f"SELECT {in_use('i')} FROM instruments_instrument i WHERE i.id = %s"  # noqa: S608  (constants only)


def keeps_standing(instrument_id: int) -> bool:
    """Whether ``measures_against`` could find anything at an instrument: asked once where it would be asked for several times."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEPS_STANDING, [instrument_id])
        row = cursor.fetchone()
        return row is not None and bool(row[0])


NO_INSTRUMENT = 0
"""For what is asked of a lab and not of one of its instruments: entries and measures of single instruments do not count."""


def _against(person: str, customer: str) -> str:
    """SQL for what is known of ``person`` and ``customer`` (SQL for their ids): the rules, the events, the entries of lists."""
    counted = f"""
SELECT jsonb_agg(jsonb_build_array(e.at, e.lab_points, e.platform_points, e.organisation_id, e.instrument_id, e.kind) ORDER BY e.at, e.id)
  FROM booking_creditevent e
 WHERE e.person_id = {person} AND e.reverses_id IS NULL AND e.at <= %(at)s
   AND NOT EXISTS (SELECT FROM booking_creditevent r WHERE r.reverses_id = e.id)"""  # noqa: S608  (constants only; values are bound)
    return f"""
WITH rules AS (
    SELECT organisation_id, document FROM booking_creditrules WHERE organisation_id IS NULL OR organisation_id = ANY(%(owners)s))
SELECT (SELECT jsonb_agg(jsonb_build_array(organisation_id, document)) FROM rules),
       CASE WHEN EXISTS (SELECT FROM rules) THEN ({counted}) END,
       (SELECT jsonb_agg(jsonb_build_array(verdict, until, reason, instrument_id, organisation_id))
          FROM booking_accesslistentry
         WHERE ended_at IS NULL AND (until IS NULL OR until > %(at)s)
           AND (organisation_id IS NULL OR organisation_id = ANY(%(owners)s))
           AND (instrument_id IS NULL OR instrument_id = ANY(%(instruments)s))
           AND (person_id = {person} OR customer_id = {customer}))"""  # noqa: S608  (constants only; values are bound)


_AGAINST = _against("%(person)s", "%(customer)s")
_AGAINST_EACH = f"""
SELECT w.person, w.customer, known.* FROM unnest(%(people)s::bigint[], %(customers)s::bigint[]) AS w (person, customer)
 CROSS JOIN LATERAL ({_against("w.person", "w.customer")}) known (rules, events, entries)"""  # noqa: S608  (constants only)


class Asked(NamedTuple):
    """Somebody who asks for a customer at an instrument of an owner."""

    person_id: int
    customer_id: int
    instrument_id: int
    owner_id: int


def measures_against(person_id: int, organisation_id: int, instrument_id: int, owner_id: int, at: datetime) -> list[Measure]:
    """What holds against a person who asks ``at`` that moment for a customer, the strictest first: one statement.

    An ``allow`` entry takes away what credit leads to, not what a ``deny`` entry says.
    """
    return measures_against_many(person_id, organisation_id, {instrument_id: owner_id}, at)[instrument_id]


def measures_against_many(
    person_id: int, organisation_id: int, owners: Mapping[int, int], at: datetime
) -> dict[int, list[Measure]]:
    """As ``measures_against`` at many instruments, whose ``owners`` are named by their ids: one statement, by the instruments' ids."""
    values: dict[str, Any] = {
        "person": person_id,
        "customer": organisation_id,
        "instruments": list(owners),
        "owners": sorted(set(owners.values())),
        "at": at,
    }
    with planned_once() as cursor:
        cursor.execute(_AGAINST, values)
        known = _Known(cursor.fetchone())
    return {instrument_id: known.measures_at(instrument_id, owner_id, at) for instrument_id, owner_id in owners.items()}


def measures_against_each(asked: Collection[Asked], at: datetime) -> dict[Asked, list[Measure]]:
    """As ``measures_against`` for many people and customers at once: one statement."""
    pairs = sorted({(one.person_id, one.customer_id) for one in asked})
    values: dict[str, Any] = {
        "people": [person_id for person_id, _customer_id in pairs],
        "customers": [customer_id for _person_id, customer_id in pairs],
        "instruments": sorted({one.instrument_id for one in asked}),
        "owners": sorted({one.owner_id for one in asked}),
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_AGAINST_EACH, values)
        known = {(person_id, customer_id): _Known(found) for person_id, customer_id, *found in cursor.fetchall()}
    return {one: known[one.person_id, one.customer_id].measures_at(one.instrument_id, one.owner_id, at) for one in asked}


class _Known:
    """What a statement of ``_against`` found."""

    def __init__(self, found: Sequence[Any]) -> None:
        rules, events, self._entries = (_value(one) or [] for one in found)
        self._documents, self._rows = dict(map(tuple, rules)), [_Row(one) for one in events]

    def measures_at(self, instrument_id: int, owner_id: int, at: datetime) -> list[Measure]:
        return strictest_first(_measures_at(instrument_id, owner_id, self._documents, self._rows, self._entries, at))


def _measures_at(
    instrument_id: int,
    owner_id: int,
    documents: Mapping[int | None, Any],
    rows: Sequence[_Row],
    entries: Sequence[Sequence[Any]],
    at: datetime,
) -> list[Measure]:
    """What holds at one instrument, of all that was read."""
    here = [one for one in entries if one[3] in (None, instrument_id) and one[4] in (None, owner_id)]
    found = [_listed(one) for one in here if one[0] == "deny"]
    if not any(one[0] == "allow" for one in here):
        for standing in _standings(documents.get(owner_id), documents.get(None), rows, owner_id, at, instrument_id):
            found += standing.measures
    return found


class _Row:
    """An event of the statement's JSON."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.at = datetime.fromisoformat(values[0])
        self.lab_points, self.platform_points, self.owner_id, self.instrument_id, self.kind = values[1:6]


def _standings(
    lab: Any, platform: Any, rows: Sequence[Any], owner_id: int, at: datetime, instrument_id: int | None
) -> list[Standing]:
    found = []
    if lab is not None:
        own = [PastEvent(one.at, one.lab_points, one.instrument_id, one.kind) for one in rows if one.owner_id == owner_id]
        found.append(standing_of(policy_from(lab, Scope.LAB), Scope.LAB, own, at, instrument_id))
    if platform is not None:
        everywhere = [PastEvent(one.at, one.platform_points, one.instrument_id, one.kind) for one in rows]
        policy = policy_from(platform, Scope.PLATFORM)
        standing = standing_of(policy, Scope.PLATFORM, everywhere, at, instrument_id)
        tallied = {one.kind for one in policy.counts}
        met = any(one.owner_id == owner_id and (one.platform_points < 0 or one.kind in tallied) for one in rows)
        kept = tuple(one for one in standing.measures if one.kind is not MeasureKind.LAB_LIST or met)
        found.append(Standing(standing.scope, standing.score, standing.most_points, kept))
    return found


def _listed(entry: Sequence[Any]) -> Measure:
    _verdict, until, reason, instrument_id, owner_id = entry
    kind = MeasureKind.INSTRUMENT_LIST if instrument_id is not None else MeasureKind.LAB_LIST
    scope = Scope.LAB if owner_id is not None else Scope.PLATFORM
    return Measure(kind, scope, None if until is None else datetime.fromisoformat(until), "list", note=reason)


def _value(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def rules_of_owner(owner_id: int | None) -> QuerySet[CreditRules]:
    """The stored rules of a lab, or the platform's: one row or none."""
    rows = CreditRules.objects.all()
    return rows.filter(organisation=None) if owner_id is None else rows.filter(organisation_id=owner_id)


def rules_of(owner_id: int) -> tuple[CreditPolicy | None, CreditPolicy | None]:
    """The rules that count at a lab: its own and the platform's. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organisation_id, document FROM booking_creditrules WHERE organisation_id = %s OR organisation_id IS NULL",
            [owner_id],
        )
        found: dict[int | None, Any] = {pk: json.loads(document) for pk, document in cursor.fetchall()}
    lab, platform = found.get(owner_id), found.get(None)
    return (
        None if lab is None else policy_from(lab, Scope.LAB),
        None if platform is None else policy_from(platform, Scope.PLATFORM),
    )
