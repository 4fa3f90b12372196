"""The credit standing of customers looked at once more before public money is paid out (clause 16 of the provincial opinions: blocked at
request and at payment)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db.models import F
from django.db.models.functions import Coalesce

from billing.claims.models import ClaimLine
from billing.claims.rules.totals import LineKind, Standing
from billing.settlement.models import Charge
from billing.settlement.services import assessing, sample_money
from billing.settlement.services.gathering import Gathered, gather_all
from billing.settlement.services.still_eligible import would_lose
from instruments.models import Organisation, OrganisationStatus

_OWNER = Coalesce(F("reservation__instrument__organisation_id"), F("sample_job__lab_id"))
_CUSTOMER = Coalesce(F("reservation__organisation_id"), F("sample_job__organisation_id"))


def listed(lines: Sequence[ClaimLine], today: date) -> frozenset[int]:
    """The ids of lines (with award and charge) that their programme would not pay with the credit lists of ``today``, a local day, or
    because the customer is suspended. Three queries, and nothing to work out for customers of whom no list speaks."""
    awards = [line for line in lines if line.kind == LineKind.AWARD and line.standing == Standing.INCLUDED]
    parties = parties_of(awards)
    if not parties:
        return frozenset()
    gathered = gather_all({one for pair in parties.values() for one in pair})
    customers = Organisation.objects.in_bulk({customer for _, customer in parties.values()})
    noted = {pk for pk, one in customers.items() if _is_noted(one, gathered)}
    return frozenset(
        line.pk
        for line in awards
        if (parties[line.award.charge_id][1]) in noted
        and _loses(line, customers[parties[line.award.charge_id][1]], gathered, today)
    )


def parties_of(lines: Sequence[ClaimLine]) -> dict[int, tuple[int, int]]:
    """By charge id the ids of who served and of the customer; one query."""
    rows = Charge.objects.filter(pk__in={line.award.charge_id for line in lines}).annotate(owner=_OWNER, customer=_CUSTOMER)
    return {pk: (owner, customer) for pk, owner, customer in rows.values_list("pk", "owner", "customer")}


def _is_noted(customer: Organisation, gathered: Gathered) -> bool:
    return customer.status == OrganisationStatus.SUSPENDED or bool(gathered.known.listings.get(gathered.keys[customer.pk]))


def _loses(line: ClaimLine, customer: Organisation, gathered: Gathered, today: date) -> bool:
    charge, version_id = line.award.charge, line.award.programme_version_id
    thaw = assessing.thaw if charge.sample_job_id is None else sample_money.thaw
    versions = [each["programme"]["programme_version"] for each in charge.inputs["candidates"]]
    candidate = thaw(charge.inputs).candidates[versions.index(version_id)]
    listings = gathered.known.listings.get(gathered.keys[customer.pk], ())
    suspended = customer.status == OrganisationStatus.SUSPENDED
    return would_lose(candidate, listings, today, suspended=suspended, mode=line.award.mode)
