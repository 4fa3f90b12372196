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

_PERIOD = """
  FROM billing_charge c
  JOIN booking_reservation r ON r.id = c.reservation_id
  JOIN instruments_instrument i ON i.id = r.instrument_id
  JOIN instruments_site s ON s.id = i.site_id
 WHERE r.starts_at >= %(from)s AND r.starts_at < %(until)s
   AND (r.starts_at AT TIME ZONE s.time_zone)::date BETWEEN %(first)s AND %(last)s
   AND r.organisation_id <> i.organisation_id
"""
_COUNT = f"SELECT count(*) {_PERIOD}"
#: A session's own use beyond its booked end, and what was used besides, is charged and never subsidised.
_ROWS = f"""
SELECT c.id, r.organisation_id, i.organisation_id, i.id, r.requested_by_id,
       c.gross_fen - CASE WHEN c.inputs ? 'subsidised_until' THEN coalesce((jsonb_path_query_first(
           c.result, '$.steps[*] ? (@.key == "session.step.beyond_booked").params.beyond_fen') #>> '{{}}')::bigint, 0) ELSE 0 END
           - coalesce((SELECT sum((e ->> 'amount_fen')::bigint) FROM jsonb_array_elements(c.inputs -> 'extras') e), 0)::bigint,
       coalesce((c.result #>> '{{priced,minimum_top_up_fen}}')::bigint, 0),
       coalesce(u.billable_minutes, 0), (r.starts_at AT TIME ZONE s.time_zone)::date, s.region_code,
       ((c.inputs #> '{{candidates,0,facts}}') - ARRAY['service', 'amounts', 'quantities'] #- '{{applicant,first_use}}'
           #- '{{request,voucher}}' #- '{{request,voucher_issued_on}}')::text,
       (c.inputs #> '{{candidates,0,facts,service}}')::text
{_PERIOD.replace(" WHERE", "  LEFT JOIN booking_usagesession u ON u.reservation_id = r.id WHERE")}
   AND c.id > %(after)s ORDER BY c.id LIMIT %(piece)s
"""  # noqa: S608  (constants of ours; values are bound)


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
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, self._bounds())
            return int(cursor.fetchone()[0])

    def pieces(self, after: int) -> Iterator[Piece]:
        """From behind the charge ``after`` on; each piece is one read of its own, so that nothing is held open meanwhile."""
        while True:
            with connection.cursor() as cursor:
                cursor.execute(_ROWS, {**self._bounds(), "after": after, "piece": PIECE})
                read = cursor.fetchall()
            if not read:
                return
            after = read[-1][0]
            yield self._piece(read, after)

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
