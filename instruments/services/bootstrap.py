"""The first operator of an empty province."""

from __future__ import annotations

from datetime import datetime

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection

from config.kernel.access import NOBODY, Actor, Grant, Role
from config.kernel.errors import Conflict, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Membership, Organisation, OrganisationKind, OrganisationStatus, User
from instruments.services.organisation_facts import OrganisationFacts, checked, write
from instruments.services.people import checked_full_name
from instruments.services.policy_zones import seed_zones

_LOCK = 0x4A49_5348  # one bootstrap at a time


@whole
def found_province(email: str, full_name: str, office_name: str, password: str | None, now: datetime) -> User:
    """Create the first operator and their government office, once in the life of a database.

    Without ``password`` nobody can log in until one is set through a reset link. Raises Conflict
    ``bootstrap.done_already``, Refusal ``invitation.email_invalid``, ``name.*``.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    if Membership.objects.filter(role=Role.OPERATOR).exists():
        raise Conflict.of("bootstrap.done_already")
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Refusal.of("invitation.email_invalid", field="email") from None
    if User.objects.filter(email=address).exists():
        raise Conflict.of("bootstrap.address_taken", field="email")
    name = checked_full_name(full_name)
    facts = checked(OrganisationKind.GOVERNMENT, OrganisationFacts(name=office_name))
    office = Organisation(kind=OrganisationKind.GOVERNMENT, status=OrganisationStatus.VERIFIED, created_at=now, verified_at=now)
    write(office, facts)
    office.save()
    operator = User.objects.create_user(address, password, full_name=name)
    EmailAddress.objects.create(user=operator, email=address, verified=True, primary=True)
    Membership.objects.create(user=operator, organisation=office, role=Role.OPERATOR, created_at=now)
    audit.record(NOBODY, "bootstrap", office, now, after={"office": facts.name, "operator": address})
    seed_zones(Actor(operator.pk, operator.full_name, (Grant(office.pk, Role.OPERATOR),)), now)
    return operator
