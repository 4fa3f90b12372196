"""Reads of what owners earned from customers outside, as pages and API share them, and what the platform knows of it itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from billing.firms.income_models import OwnerIncome
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import NotFound
from instruments.models import Organisation, OrganisationKind
from instruments.rules.regions import division_prefix

READERS = (Role.OWNER_FINANCE, Role.FIRM_ADMIN, Role.LAB_MANAGER)
OFFICE = (Role.PROGRAMME_OFFICER, Role.FINANCE, Role.INSPECTOR)

#: What was charged in each year (by the local day on which it was agreed) to customers other than the owner itself, before any subsidy.
_KNOWN = """
SELECT extract(year FROM charged.at AT TIME ZONE %(zone)s)::int AS year, sum(charged.fen)::bigint FROM (
    SELECT c.created_at AS at, c.gross_fen AS fen
      FROM booking_reservation r JOIN billing_charge c ON c.reservation_id = r.id
      JOIN instruments_instrument i ON i.id = r.instrument_id
     WHERE i.organisation_id = %(owner)s AND r.organisation_id <> i.organisation_id
     UNION ALL
    SELECT c.created_at, c.gross_fen
      FROM booking_samplejob j JOIN billing_charge c ON c.sample_job_id = j.id
     WHERE j.lab_id = %(owner)s AND j.organisation_id <> j.lab_id) charged
 GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class YearOfIncome:
    """A year of an owner: what was declared of it (the latest first), and what the platform charged customers outside in it."""

    year: int
    versions: tuple[OwnerIncome, ...]
    known_fen: int

    @property
    def counts(self) -> OwnerIncome | None:
        """The figure that counts: the confirmed one that was declared last."""
        return next((each for each in self.versions if each.confirmed), None)

    @property
    def waits(self) -> bool:
        return any(each.decided_at is None for each in self.versions)


def known_income(organisation_id: int, years: Iterable[int]) -> dict[int, int]:
    """What the platform itself charged customers outside of an owner in each of these years, in fen; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, {"owner": organisation_id, "zone": settings.TIME_ZONE})
        found = dict(cursor.fetchall())
    return {year: found.get(year, 0) for year in years}


def owner_for(actor: Actor, organisation_id: int) -> Organisation:
    """An owner whose figures the actor may read. Raises NotFound."""
    organisation = get_visible(Organisation.objects.filter(kind=OrganisationKind.OWNER), actor, pk=organisation_id)
    if not may_read(actor, organisation):
        raise NotFound.of("access.not_found", model="organisation")
    return organisation


def may_read(actor: Actor, organisation: Organisation) -> bool:
    """Whether somebody reads what an owner earned; of others there is nothing to read."""
    return organisation.kind == OrganisationKind.OWNER and (
        organisation.pk in actor.organisations(*READERS) or actor.has(*OFFICE)
    )


def years_of(actor: Actor, organisation_id: int, today: date) -> list[YearOfIncome]:
    """The years of an owner, the latest first, the last full one among them although nothing was declared. Raises NotFound."""
    organisation = owner_for(actor, organisation_id)
    versions: dict[int, list[OwnerIncome]] = {today.year - 1: []}
    for row in incomes(actor).filter(organisation=organisation):
        versions.setdefault(row.year, []).append(row)
    known = known_income(organisation.pk, versions)
    return [YearOfIncome(year, tuple(versions[year]), known[year]) for year in sorted(versions, reverse=True)]


def incomes(actor: Actor) -> QuerySet[OwnerIncome]:
    """Everything that the actor may read, the latest year and version first."""
    rows = visible_to(OwnerIncome.objects.all(), actor)
    return rows.select_related("organisation", "evidence", "declared_by", "decided_by").order_by("-year", "-position", "-pk")


def income_for(actor: Actor, pk: int) -> OwnerIncome:
    """One figure. Raises NotFound."""
    rows = OwnerIncome.objects.select_related("organisation", "evidence", "declared_by", "decided_by")
    return get_visible(rows, actor, pk=pk)


def before(row: OwnerIncome) -> OwnerIncome | None:
    """The confirmed figure of the same year that this one would take the place of."""
    rows = OwnerIncome.objects.filter(
        organisation_id=row.organisation_id, year=row.year, confirmed=True, position__lt=row.position
    )
    return rows.order_by("-position").first()


def queue(actor: Actor) -> QuerySet[OwnerIncome]:
    """What waits for an officer in the region of the actor's office, the oldest first. Raises Forbidden."""
    actor.require(*OFFICE)
    offices = Organisation.objects.filter(pk__in=actor.organisations(*OFFICE)).exclude(region_code="")
    near = Q(pk__in=[])
    for code in offices.values_list("region_code", flat=True):
        near |= Q(organisation__region_code__startswith=division_prefix(code))
    rows = visible_to(OwnerIncome.objects.filter(near, decided_at__isnull=True), actor)
    return rows.select_related("organisation", "declared_by").order_by("declared_at", "pk")
