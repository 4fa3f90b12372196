"""The sessions of a period as the simulation takes them, piece by piece, in the order in which they were charged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection

from billing.sandbox.rules.simulation import Row
from billing.settlement.services.assessing import SERVICE_KIND
from billing.settlement.services.gathering import gather_all
from billing.subsidy.rules.facts import Party, facts_document
from instruments.models import Organisation

Json = dict[str, Any]
PIECE = 20_000
#: What a piece of frozen facts says about one session alone.
_GROUPS_OF_ONE = ("service", "amounts", "quantities")

#: Of a reservation's own site and period; ``r``, ``i`` and ``s`` are there.
_WITHIN = """
       r.starts_at >= %(from)s AND r.starts_at < %(until)s
   AND (r.starts_at AT TIME ZONE s.time_zone)::date BETWEEN %(first)s AND %(last)s
   AND r.organisation_id <> i.organisation_id
"""
_EXTENT = f"""
SELECT count(*), coalesce(min(c.id), 1), coalesce(max(c.id), 0)
  FROM billing_charge c
  JOIN booking_reservation r ON r.id = c.reservation_id
  JOIN instruments_instrument i ON i.id = r.instrument_id
  JOIN instruments_site s ON s.id = i.site_id
 WHERE {_WITHIN}
"""  # noqa: S608  (constants only; values are bound)
#: Where a piece ends: a walk along the primary key.
_END = "SELECT max(id) FROM (SELECT id FROM billing_charge WHERE id > %s ORDER BY id LIMIT %s) piece"
#: Row by row behind its charge (OFFSET 0), so that a piece costs the same whatever the period is; joined freely, all reservations of
#: the period would be read for every piece. What is used beyond the booked end, or used besides, is charged and never subsidised.
_ROWS = f"""
SELECT c.id, r.organisation_id, i.organisation_id, i.id, r.requested_by_id,
       c.gross_fen - CASE WHEN c.inputs ? 'subsidised_until' THEN coalesce((jsonb_path_query_first(
           c.result, '$.steps[*] ? (@.key == "session.step.beyond_booked").params.beyond_fen') #>> '{{}}')::bigint, 0) ELSE 0 END
           - coalesce((SELECT sum((e ->> 'amount_fen')::bigint) FROM jsonb_array_elements(c.inputs -> 'extras') e), 0)::bigint,
       coalesce((c.result #>> '{{priced,minimum_top_up_fen}}')::bigint, 0),
       coalesce(r.billable_minutes, 0), (r.starts_at AT TIME ZONE s.time_zone)::date, s.region_code,
       ((c.inputs #> '{{candidates,0,facts}}') - ARRAY['service', 'amounts', 'quantities'] #- '{{applicant,first_use}}'
           #- '{{request,voucher}}' #- '{{request,voucher_issued_on}}')::text,
       ((c.inputs #> '{{candidates,0,facts,service}}') - 'person')::text
  FROM billing_charge c
 CROSS JOIN LATERAL (
       SELECT r.*, (SELECT u.billable_minutes FROM booking_usagesession u WHERE u.reservation_id = r.id)
         FROM booking_reservation r WHERE r.id = c.reservation_id OFFSET 0) r
  JOIN instruments_instrument i ON i.id = r.instrument_id
  JOIN instruments_site s ON s.id = i.site_id
 WHERE c.id > %(after)s AND c.id <= %(end)s AND {_WITHIN}
 ORDER BY c.id
"""  # noqa: S608  (constants only; values are bound)


@dataclass(slots=True)
class Piece:
    """Sessions with the facts and services that came up for the first time; ``last`` is the id to go on behind."""

    rows: list[Row]
    facts: list[Json]
    services: list[Json]
    last: int


@dataclass(slots=True)
class Reader:
    """Reads a period (local days of the instruments' sites, both included). A lab's use of its own instruments is left out, because no
    programme is tried for it."""

    first_on: date
    last_on: date
    _facts: dict[str, int] = field(default_factory=dict)
    _services: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, str] = field(default_factory=dict)

    def count(self) -> int:
        """How many sessions there are."""
        return self._extent()[0]

    def pieces(self, after: int) -> Iterator[Piece]:
        """From behind the charge ``after`` on; each piece is one read of its own, so that nothing is held open meanwhile."""
        _count, first, last = self._extent()
        after = max(after, first - 1)
        while after < last:
            with connection.cursor() as cursor:
                cursor.execute(_END, [after, PIECE])
                end = min(int(cursor.fetchone()[0]), last)
                cursor.execute(_ROWS, {**self._bounds(), "after": after, "end": end})
                read = cursor.fetchall()
            after = end
            if read:
                yield self._piece(read, after)

    def _extent(self) -> tuple[int, int, int]:
        """How many sessions, the first and the last charge."""
        with connection.cursor() as cursor:
            cursor.execute(_EXTENT, self._bounds())
            count, first, last = cursor.fetchone()
        return count, first, last

    def _bounds(self) -> dict[str, Any]:
        """A day around the period in UTC, whatever the zones of the sites are."""
        return {
            "first": self.first_on,
            "last": self.last_on,
            "from": self.first_on - timedelta(days=1),
            "until": self.last_on + timedelta(days=2),
        }

    def _piece(self, read: Sequence[tuple[Any, ...]], last: int) -> Piece:
        piece = Piece([], [], [], last)
        made = self._made(read)
        for _id, customer, owner, instrument, person, fee, top_up, minutes, on, region, facts, service in read:
            if facts is None:
                facts, service = made[customer, owner, region], json.dumps({"kind": SERVICE_KIND, **_days(on)}, sort_keys=True)
            known = self._facts.get(facts)
            if known is None:
                document = json.loads(facts)
                known = self._facts[facts] = len(self._facts)
                piece.facts.append(document)
            found = self._services.get(service)
            if found is None:
                found = self._services[service] = len(self._services)
                piece.services.append(json.loads(service) or {})
            piece.rows.append(Row(known, found, fee, top_up, minutes, customer, owner, instrument, person, f"{on:%Y-%m}"))
        return piece

    def _made(self, read: Sequence[tuple[Any, ...]]) -> dict[tuple[int, int, str], str]:
        """Facts of sessions for which no programme was tried when they were booked, from what is known of both sides today."""
        wanted = {(row[1], row[2], row[9]): row[8] for row in read if row[10] is None}
        if not wanted:
            return {}
        ids = {pk for customer, owner, _region in wanted for pk in (customer, owner)}
        found, gathered = Organisation.objects.in_bulk(ids), gather_all(ids)
        return {
            (customer, owner, region): json.dumps(
                _without_one(
                    facts_document(
                        gathered.facts(found[owner], Party(region_code=region or None), found[customer], SERVICE_KIND, on, on)
                    )
                ),
                sort_keys=True,
                ensure_ascii=False,
            )
            for (customer, owner, region), on in wanted.items()
        }


def _days(on: date) -> dict[str, str]:
    return dict.fromkeys(("service_on", "invoice_on", "claim_on", "approval_on"), on.isoformat())


def _without_one(document: Mapping[str, Any]) -> Json:
    return {name: group for name, group in document.items() if name not in _GROUPS_OF_ONE}
