"""Families: several instruments, or several test items, of one lab whose price is written and published together."""

from __future__ import annotations

from datetime import datetime

from billing.pricing.models import PriceFamily, PriceFamilyMember
from billing.pricing.subjects import PRICERS, Kind, Subject, subject_for
from config.kernel.access import Actor
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole

MOST_NAME = 200
MOST_MEMBERS = 500


@whole
def create_family(actor: Actor, organisation_id: int, name: str, now: datetime) -> PriceFamily:
    """An empty family. Raises Forbidden, Refusal ``price.family_name_needed``, Conflict ``price.family_name_taken``."""
    actor.require_in(organisation_id, *PRICERS)
    named = " ".join(name.split())
    if not 1 <= len(named) <= MOST_NAME:
        raise Refusal.of("price.family_name_needed", "name", most=MOST_NAME)
    family, created = PriceFamily.objects.get_or_create(organisation_id=organisation_id, name=named, defaults={"created_at": now})
    if not created:
        raise Conflict.of("price.family_name_taken", "name")
    audit.record(actor, "price_family.create", family, now, after={"name": named})
    return family


@whole
def add_member(actor: Actor, family: Subject, kind: str, pk: int, now: datetime) -> None:
    """Put a thing of the same lab into the family; it takes the family's price when that is published next.

    Raises NotFound, Forbidden, Refusal ``price.family_other_lab``, ``price.family_mixed``, ``price.family_full``, ``price.in_a_family``.
    """
    thing = subject_for(actor, kind, pk)
    rows = PriceFamily.objects.select_for_update().filter(pk=family.pk)
    locked = rows.get()
    members = list(PriceFamilyMember.objects.filter(family=locked))
    if thing.kind is Kind.FAMILY or thing.organisation_id != locked.organisation_id:
        raise Refusal.of("price.family_other_lab", "member")
    column = f"{thing.kind}_id"
    if any(getattr(each, column) is None for each in members):
        raise Refusal.of("price.family_mixed", "member")
    if len(members) >= MOST_MEMBERS:
        raise Refusal.of("price.family_full", "member", most=MOST_MEMBERS)
    member, created = PriceFamilyMember.objects.get_or_create(**{column: pk}, defaults={"family": locked})
    if not created and member.family_id != locked.pk:
        raise Refusal.of("price.in_a_family", "member")
    audit.record(actor, "price_family.add", locked, now, after={column: pk})


@whole
def remove_member(actor: Actor, family: Subject, kind: str, pk: int, now: datetime) -> None:
    """Take a thing out; what was published for it stays. One that is not in it is no mistake. Raises NotFound, Forbidden."""
    thing = subject_for(actor, kind, pk)
    gone, _ = PriceFamilyMember.objects.filter(family_id=family.pk, **{f"{thing.kind}_id": pk}).delete()
    if gone:
        audit.record(actor, "price_family.remove", PriceFamily.objects.get(pk=family.pk), now, before={f"{thing.kind}_id": pk})
