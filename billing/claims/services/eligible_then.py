"""Conditions on the days of an invoice, a claim and its payment (a label that holds then, no entry on a list then) judged by the days that
really came: what was met when the service was charged and is not met any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date

from billing.claims.models import ClaimLine
from billing.claims.rules.totals import LineKind, Standing
from billing.claims.services.credit_now import parties_of
from billing.claims.services.real_days import facts_of, programme_of
from billing.settlement.services.gathering import gather_all
from billing.settlement.services.still_eligible import loses, on_days
from billing.subsidy.rules.facts import Facts

Days = Callable[[ClaimLine], Mapping[str, date]]
"""The days of a line that are known, by ``CLAIM``, ``INVOICE`` and ``PAYMENT``."""


def lost(lines: Iterable[ClaimLine], days: Days) -> frozenset[int]:
    """The ids of lines (with award, charge and version) that their programme would not give on these days: neither by what was frozen
    with the charge nor by what is known now of customer and provider, who may have renewed a label. No query where nothing was lost."""
    suspect = [line for line in _judged(lines) if _is_lost(line, facts_of(line.award), days)]
    if not suspect:
        return frozenset()
    parties = parties_of(suspect)
    gathered = gather_all({one for pair in parties.values() for one in pair})
    found = set()
    for line in suspect:
        owner_id, customer_id = parties[line.award.charge_id]
        facts = facts_of(line.award)
        on = line.award.service_on
        customer = replace(facts.applicant.profile, **gathered.standing(customer_id, owner_id, on)._asdict())
        provider = replace(facts.provider.profile, **gathered.provider_standing(owner_id, on)._asdict())
        now = replace(
            facts,
            applicant=replace(facts.applicant, profile=customer),
            provider=replace(facts.provider, profile=provider),
        )
        if _is_lost(line, now, days):
            found.add(line.pk)
    return frozenset(found)


def _judged(lines: Iterable[ClaimLine]) -> Iterable[ClaimLine]:
    counting = (line for line in lines if line.kind == LineKind.AWARD and line.standing == Standing.INCLUDED)
    return (line for line in counting if programme_of(line.award).judges_days)


def _is_lost(line: ClaimLine, facts: Facts, days: Days) -> bool:
    return loses(programme_of(line.award), facts_of(line.award), on_days(facts, days(line)), line.award.mode)
