"""Prices that the first lab is writing: a family of two of its instruments, and a draft for one more with a sheet of its costs."""

from __future__ import annotations

from datetime import datetime

from billing.pricing import drafts, families, overview
from billing.pricing.models import PriceDraft, PriceFamily
from billing.pricing.rules.typed import NotTyped, typed_of
from billing.pricing.subjects import Kind, subject_for
from config.demo.organisations import People
from config.demo.source import words
from config.kernel.access import Role
from instruments.models import Instrument

#: What an hour costs the lab: the worked example of a university's sheet, 800,000 yuan over 5 years of 800 hours.
_COSTS = {
    "cost-value": "800000",
    "cost-years": "5",
    "cost-units_a_year": "800",
    "cost-consumables": "300",
    "cost-labour": "214",
}
_CHANGES = {"class-1-rate": "1200", "step_minutes": "30", "tax_percent": "6", "tax_included": "included"}


def write(people: People, stocked: list[Instrument], now: datetime) -> dict[str, int]:
    """Write them as the lab's manager; counts of both."""
    owner = people.owners[0]
    manager = people.actor(owner, Role.LAB_MANAGER)
    own = [one for one in stocked if one.organisation_id == owner.pk]
    family = families.create_family(manager, owner.pk, words("prices")["family"], now)
    for instrument in own[1:3]:
        families.add_member(manager, subject_for(manager, Kind.FAMILY, family.pk), Kind.INSTRUMENT, instrument.pk, now)
    for instrument in own[:1]:
        subject = subject_for(manager, Kind.INSTRUMENT, instrument.pk)
        version = overview.in_force_of(overview.versions_of(subject), subject.today(now))
        if version is None or version.document is None:
            continue
        try:
            typed = typed_of(version.document)
        except NotTyped:
            continue
        drafts.save_draft(manager, subject, typed | _COSTS | _CHANGES, 0, now)
    return {"families of prices": PriceFamily.objects.count(), "drafts of prices": PriceDraft.objects.count()}
