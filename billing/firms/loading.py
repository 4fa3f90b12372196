"""Everything about a few organisations and their groups in one round trip, for the rules to look at as of any day."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from billing.firms.rules.profile import Base, Entry, Known
from billing.subsidy.rules.facts import Listing
from config.kernel.statements import planned_once
from instruments.models import Organisation, OrganisationStatus

#: The kind of organisation in the words of the public facts schema.
APPLICANT_KIND = {"firm": "firm", "team": "team", "owner": "institution", "government": "institution"}

#: The key of an organisation ``o`` in declarations, lists and shared limits: the first unified social credit code that it was verified with
#: (what is declared, listed and counted under it goes on when the code changes), else its number here (a team, a firm from abroad).
_KEY = """coalesce((SELECT 'uscc:' || f.value FROM instruments_formeridentifier f
                   WHERE f.organisation_id = o.id AND f.scheme = 'uscc' ORDER BY f.id LIMIT 1),
                  (SELECT 'uscc:' || i.value FROM instruments_organisationidentifier i
                   WHERE i.organisation_id = o.id AND i.scheme = 'uscc'), 'org:' || o.id)"""
#: Every code that an organisation has or had.
_CODES = """(SELECT organisation_id, value FROM instruments_organisationidentifier WHERE scheme = 'uscc'
              UNION ALL SELECT organisation_id, value FROM instruments_formeridentifier WHERE scheme = 'uscc')"""
#: Nearly always a customer and an owner are asked for. A list may be of any length, so the database keeps no plan for it but makes one each
#: time, which takes it four times as long as to answer; two numbers are two.
_OF_TWO, _OF_MANY = "IN (%(first)s, %(last)s)", "= ANY(%(ids)s::bigint[])"
#: Most organisations have declared nothing and stand on no list: to find that is a tenth of the work of looking everything up. The key is
#: worked out once for each, not where it is compared.
_ALONE = f"""
WITH k AS MATERIALIZED (
    SELECT o.id, {_KEY} AS key, o.kind, o.region_code, to_json(o.policy_zones)::text AS zones, o.status, o.staff_count, o.annual_revenue_fen
      FROM instruments_organisation o WHERE o.id {{among}})
SELECT k.id, k.key, k.kind, k.region_code, k.zones, k.status, k.staff_count, k.annual_revenue_fen,
       EXISTS (SELECT FROM billing_firmdeclaration WHERE firm_key = k.key AND accepted)
       OR EXISTS (SELECT FROM billing_firmdeclaration WHERE party_key = k.key AND accepted)
       OR EXISTS (SELECT FROM instruments_formeridentifier WHERE organisation_id = k.id)
       OR k.key LIKE 'uscc:%%' AND (
          EXISTS (SELECT FROM billing_creditlisting WHERE uscc = substr(k.key, 6))
          OR EXISTS (SELECT FROM billing_partnerprovider WHERE uscc = substr(k.key, 6)))
  FROM k
"""  # noqa: S608  (constants only; values are bound)
_KNOWN = f"""
WITH RECURSIVE near (key) AS (
    SELECT {_KEY} FROM instruments_organisation o WHERE o.id {{among}}
    UNION
    SELECT tied.key FROM near CROSS JOIN LATERAL (
        SELECT party_key AS key FROM billing_firmdeclaration WHERE firm_key = near.key AND kind = 'controller' AND accepted
         UNION ALL
        SELECT firm_key FROM billing_firmdeclaration WHERE party_key = near.key AND kind = 'controller' AND accepted
         UNION ALL
        SELECT 'uscc:' || other.value FROM {_CODES} one JOIN {_CODES} other USING (organisation_id)
         WHERE one.value = substr(near.key, 6) AND near.key LIKE 'uscc:%%') tied),
who (id) AS (
    SELECT o.id FROM instruments_organisation o WHERE o.id {{among}}
    UNION
    SELECT i.organisation_id FROM near JOIN {_CODES} i ON i.value = substr(near.key, 6) WHERE near.key LIKE 'uscc:%%'),
bases AS (
    SELECT o.id, o.kind, o.region_code, o.policy_zones, o.status, o.staff_count, o.annual_revenue_fen, {_KEY} AS key
      FROM who JOIN instruments_organisation o ON o.id = who.id),
codes AS (SELECT c.organisation_id, c.value, b.key FROM bases b JOIN {_CODES} c ON c.organisation_id = b.id)
SELECT (SELECT json_agg(json_build_array(id, key, kind, region_code, policy_zones, status, staff_count, annual_revenue_fen))
          FROM bases),
       (SELECT json_agg(json_build_array(firm_key, kind, valid_from, valid_to, content, party_key, id) ORDER BY id)
          FROM billing_firmdeclaration WHERE accepted AND firm_key IN (SELECT key FROM near)),
       (SELECT json_agg(json_build_array('uscc:' || uscc, list_code, from_on, to_on)) FROM (
            SELECT DISTINCT ON (list_code, uscc, from_on) list_code, uscc, from_on, to_on FROM billing_creditlisting
             WHERE uscc IN (SELECT value FROM codes WHERE organisation_id {{among}})
             ORDER BY list_code, uscc, from_on, id DESC) latest),
       (SELECT json_agg(json_build_array('uscc:' || p.uscc, r.region_code, greatest(p.from_on, r.valid_from), least(p.to_on, r.valid_to)))
          FROM billing_partnerprovider p JOIN billing_partnerlist l ON l.id = p.batch_id JOIN billing_partnerregion r ON r.id = l.region_id
         WHERE p.uscc IN (SELECT value FROM codes WHERE organisation_id {{among}})
           AND NOT EXISTS (SELECT FROM billing_partnerlist newer WHERE newer.region_id = l.region_id AND newer.id > l.id)),
       (SELECT json_agg(json_build_array('uscc:' || value, key)) FROM codes WHERE 'uscc:' || value <> key)
"""  # noqa: S608  (constants only; values are bound)


def known(organisation_ids: Iterable[int]) -> tuple[Known, dict[int | None, str]]:
    """What is known of these organisations and their groups, and the key of each by id; one query, and a second one where more than their
    own columns is known of any of them."""
    ids = sorted(set(organisation_ids))
    if not ids:
        return Known({}, (), {}, {}), {}
    values: dict[str, Any] = {"ids": ids, "first": ids[0], "last": ids[-1]}
    among = _OF_MANY if len(ids) > 2 else _OF_TWO
    with planned_once() as cursor:
        cursor.execute(_ALONE.format(among=among), values)
        alone = cursor.fetchall()
    if not any(row[-1] for row in alone):
        own = [[*row[:4], _json(row[4]), *row[5:8]] for row in alone]
        return Known({row[1]: _base(row) for row in own}, (), {}, {}), {row[0]: row[1] for row in own}
    with planned_once() as cursor:
        cursor.execute(_KNOWN.format(among=among), values)
        bases, entries, listings, partners, other = (_json(column) for column in cursor.fetchone())
    now: dict[str, str] = dict(other)  # codes that are another one's later or earlier name
    found = Known(
        {row[1]: _base(row) for row in bases},
        tuple(
            Entry(now.get(row[0], row[0]), row[1], _day(row[2]), _last(row[3]), row[4], now.get(row[5], row[5]), row[6])
            for row in entries
            if now.get(row[0], row[0]) != now.get(row[5], row[5])  # who took the code of whom it named is not tied to itself
        ),
        _listings([[now.get(row[0], row[0]), *row[1:]] for row in listings]),
        _listings([[now.get(row[0], row[0]), *row[1:]] for row in partners]),
    )
    return found, {row[0]: row[1] for row in bases}


def key_of(organisation_id: int) -> str:
    """The key of a stored organisation, as ``known`` gives it; one query."""
    with planned_once() as cursor:
        cursor.execute(f"SELECT {_KEY} FROM instruments_organisation o WHERE o.id = %s", [organisation_id])  # noqa: S608  (as above)
        return str(cursor.fetchone()[0])


def base_of(organisation: Organisation) -> Base:
    """The columns of an organisation that is in hand; its key is nobody's while it is not stored."""
    return Base(
        key=f"org:{organisation.pk or 0}",
        kind=APPLICANT_KIND[organisation.kind],
        region_code=organisation.region_code,
        policy_zones=frozenset(organisation.policy_zones),
        verified=organisation.status == OrganisationStatus.VERIFIED,
        staff=organisation.staff_count,
        revenue_fen=organisation.annual_revenue_fen,
    )


def _base(row: list[Any]) -> Base:
    _id, key, kind, region, zones, status, staff, revenue = row
    return Base(key, APPLICANT_KIND[kind], region, frozenset(zones), status == "verified", staff, revenue)


def _listings(rows: list[list[Any]]) -> dict[str, tuple[Listing, ...]]:
    found: dict[str, list[Listing]] = {}
    for key, code, since, until in rows:
        found.setdefault(key, []).append(Listing(code, _day(since), _last(until)))
    return {key: tuple(sorted(each, key=lambda one: (one.list, one.since))) for key, each in found.items()}


def _json(column: Any) -> list[Any]:
    return (json.loads(column) if isinstance(column, str) else column) or []


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _last(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
