"""What a customer spent before, for programmes that ask for a least spending over months (``before.spend``).

Spent is what sessions and commissioned tests of other owners were charged at, before any subsidy, on the local day of the service. What is
only promised is not spent, and what a bill was credited later stays spent. It is frozen with the promise, as far back as the programme
looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from billing.subsidy.rules.facts import Facts, Spent
from billing.subsidy.rules.parts.days import add_months
from billing.subsidy.services import InForce
from config.kernel.statements import planned_once

Known = Mapping[int, tuple[Spent, ...]]
"""What each customer (its id) spent, a sum for each day."""
NOTHING: Known = {}

_SPENT = """
SELECT customer, on_day, sum(fen)::bigint FROM (
    SELECT r.organisation_id AS customer, (r.starts_at AT TIME ZONE s.time_zone)::date AS on_day, c.gross_fen AS fen
      FROM booking_reservation r JOIN billing_charge c ON c.reservation_id = r.id
      JOIN instruments_instrument i ON i.id = r.instrument_id JOIN instruments_site s ON s.id = i.site_id
     WHERE r.organisation_id = ANY(%(ids)s::bigint[]) AND r.starts_at > %(since)s::date AND i.organisation_id <> r.organisation_id
     UNION ALL
    SELECT j.organisation_id, j.arrive_on, c.gross_fen
      FROM booking_samplejob j JOIN billing_charge c ON c.sample_job_id = j.id
     WHERE j.organisation_id = ANY(%(ids)s::bigint[]) AND j.arrive_on > %(since)s AND j.lab_id <> j.organisation_id) spent
 GROUP BY customer, on_day ORDER BY customer, on_day
"""


class Asked(NamedTuple):
    """A customer of whom a programme asks what it spent after a day."""

    customer_id: int
    since: date


def asked(versions: Iterable[InForce], facts: Facts, customer_id: int | None) -> list[Asked]:
    """How far back the programmes look; nothing for most, and of a customer that is not stored."""
    if not customer_id:
        return []
    return [Asked(customer_id, since) for version in versions if (since := _since(version, facts)) is not None]


def known(asks: Iterable[Asked]) -> Known:
    """What these customers spent; one query, none where nobody asks."""
    wanted = list(asks)
    if not wanted:
        return NOTHING
    since = min(each.since for each in wanted) - timedelta(days=1)  # days of other zones begin earlier
    with planned_once() as cursor:
        cursor.execute(_SPENT, {"ids": sorted({each.customer_id for each in wanted}), "since": since})
        rows = cursor.fetchall()
    found: dict[int, list[Spent]] = {}
    for customer_id, on, fen in rows:
        found.setdefault(customer_id, []).append(Spent(on, fen))
    return {customer_id: tuple(each) for customer_id, each in found.items()}


def as_known(facts: Facts, version: InForce, customer_id: int | None, spent: Known) -> Facts:
    """The facts with what was spent in the months that the programme looks at; as they are where it does not ask."""
    since = _since(version, facts) if customer_id else None
    if since is None:
        return facts
    own = tuple(each for each in spent.get(customer_id or 0, ()) if each.on > since)
    return replace(facts, more=replace(facts.more, before=replace(facts.more.before, spend=own)))


def _since(version: InForce, facts: Facts) -> date | None:
    """The day after which spending counts; None where the programme does not ask, or its day is not known."""
    months, on = version.programme.looks_back_months, version.programme.validity.basis_on(facts)
    return add_months(on, -months) if months and on is not None else None
