"""What owners earned from customers outside in the year before, for programmes that ask (``amounts.prior_year_external_income``).

The year is the calendar year before the day by which the programme goes. The figure is the one that an officer confirmed last; it is frozen
with the promise, so that a correction counts for what is promised after it and for nothing before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from billing.firms.rules.incomes import year_before
from billing.subsidy.rules.facts import Facts
from billing.subsidy.services import InForce
from config.kernel.statements import planned_once


class Asked(NamedTuple):
    """An owner (by its key in facts) whose figure of a year a programme asks for."""

    owner: str
    year: int


Known = Mapping[Asked, int]
"""Confirmed figures in fen."""
NOTHING: Known = {}

_CONFIRMED = """
SELECT DISTINCT ON (asked.owner, asked.year) asked.owner, asked.year, i.income_fen
  FROM unnest(%(owners)s::text[], %(years)s::int[]) AS asked (owner, year)
  JOIN billing_ownerincome i ON i.year = asked.year AND i.confirmed
   AND (%(until)s::timestamptz IS NULL OR i.decided_at <= %(until)s::timestamptz) AND i.organisation_id IN (
       SELECT organisation_id FROM instruments_organisationidentifier WHERE scheme = 'uscc' AND 'uscc:' || value = asked.owner
       UNION ALL
       SELECT organisation_id FROM instruments_formeridentifier WHERE scheme = 'uscc' AND 'uscc:' || value = asked.owner
       UNION ALL
       SELECT substr(asked.owner, 5)::bigint WHERE asked.owner LIKE 'org:%%')
 ORDER BY asked.owner, asked.year, i.position DESC
"""


def asked(versions: Iterable[InForce], facts: Facts) -> list[Asked]:
    """Whose figures the programmes ask for; nothing for most."""
    return [one for version in versions if (one := _asked(version, facts)) is not None]


def known(asks: Iterable[Asked], until: datetime | None = None) -> Known:
    """The figures that count (``until``: that counted at that moment); one query, none where nobody asks."""
    wanted = sorted(set(asks))
    if not wanted:
        return NOTHING
    with planned_once() as cursor:
        owners, years = [each.owner for each in wanted], [each.year for each in wanted]
        cursor.execute(_CONFIRMED, {"owners": owners, "years": years, "until": until})
        return {Asked(owner, year): fen for owner, year, fen in cursor.fetchall()}


def as_known(facts: Facts, version: InForce, incomes: Known) -> Facts:
    """The facts with the figure of the year before; as they are where the programme does not ask, or nobody confirmed one."""
    one = _asked(version, facts)
    if one is None or one not in incomes:
        return facts
    claim = replace(facts.amounts.claim, prior_year_external_income=incomes[one])
    return replace(facts, amounts=replace(facts.amounts, claim=claim))


def _asked(version: InForce, facts: Facts) -> Asked | None:
    if not version.programme.asks_prior_income:
        return None
    on, owner = version.programme.validity.basis_on(facts), facts.provider.profile.id
    return Asked(owner, year_before(on)) if on is not None and owner else None
