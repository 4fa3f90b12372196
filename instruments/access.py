"""What an actor may see of people, organisations and instruments (registered with the kernel, used by every query).

``public`` in these rules means anybody, logged in or not. Models that are not here and not in another app's ``access.py``
cannot be read on behalf of an actor at all.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from config.kernel.access import OFFICIALS, Actor, Role, register_scope, visible_to
from config.kernel.models import ApiToken, AuditEntry
from instruments.models import (
    CalendarEntry,
    Code,
    ImportRun,
    ImportRunRow,
    Instrument,
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationIdentifier,
    OrganisationKind,
    OrganisationStatus,
    PolicyZone,
    SavedMapping,
    Site,
    User,
    VerificationRequest,
)
from instruments.rules.roles import ADMINISTRATORS

NONE = Q(pk__in=[])
ALL = ~NONE  # never an empty Q(): "Q() | rule" would be the rule alone

_ADMINISTRATORS = frozenset[Role]().union(*ADMINISTRATORS.values()) - OFFICIALS


def administered(actor: Actor) -> frozenset[int]:
    """The firms, teams and owners that the actor administers."""
    return actor.organisations(*_ADMINISTRATORS)


def administers(actor: Actor, organisation: Organisation) -> bool:
    """Whether the actor decides about the organisation's people; operators do for every government office."""
    if organisation.kind == OrganisationKind.GOVERNMENT:
        return actor.has(Role.OPERATOR)
    return organisation.pk in actor.organisations(*ADMINISTRATORS[organisation.kind])


def keeps_profile(actor: Actor, organisation: Organisation) -> bool:
    """Whether the actor may change the profile: administrators, and an owner's finance."""
    return administers(actor, organisation) or organisation.pk in actor.organisations(Role.OWNER_FINANCE)


def sees_private_profile(actor: Actor, organisation: Organisation) -> bool:
    """Whether staff, revenue, bank account and address of an organisation are shown: to its members and to officials."""
    return organisation.pk in actor.organisations() or actor.has(*OFFICIALS)


def organisation_filter(actor: Actor, prefix: str = "") -> Q:
    """Verified owners are public; members see their own organisation; officials see all."""
    if actor.has(*OFFICIALS):
        return ALL
    public = {f"{prefix}kind": OrganisationKind.OWNER, f"{prefix}status": OrganisationStatus.VERIFIED}
    return Q(**public) | Q(**{f"{prefix}pk__in": actor.organisations()})


def instrument_filter(actor: Actor, prefix: str = "") -> Q:
    """Published instruments are public unless their owner is suspended; drafts are for their lab managers and the operator."""
    if actor.has(Role.OPERATOR):
        return ALL
    public = Q(**{f"{prefix}published": True}) & ~Q(**{f"{prefix}organisation__status": OrganisationStatus.SUSPENDED})
    return public | Q(**{f"{prefix}organisation_id__in": actor.organisations(Role.LAB_MANAGER)})


def sees_instrument(actor: Actor, *, published: bool, owner_id: int, owner_status: str) -> bool:
    """``instrument_filter`` asked of one row that is in hand already; a test holds the two together."""
    public = published and owner_status != OrganisationStatus.SUSPENDED
    return public or actor.has(Role.OPERATOR) or owner_id in actor.organisations(Role.LAB_MANAGER)


def membership_filter(actor: Actor) -> Q:
    """Colleagues see each other's roles; operator and inspector see all."""
    if actor.has(Role.OPERATOR, Role.INSPECTOR):
        return ALL
    return Q(user_id=actor.user_id) | Q(organisation_id__in=actor.organisations())


def administration_filter(actor: Actor) -> Q:
    """What only the administrators of an organisation and the operator deal with."""
    return ALL if actor.has(Role.OPERATOR) else Q(organisation_id__in=administered(actor))


def verification_filter(actor: Actor) -> Q:
    return ALL if actor.has(Role.INSPECTOR) else administration_filter(actor)


def _organisations(queryset: QuerySet[Organisation], actor: Actor) -> QuerySet[Organisation]:
    return queryset.filter(organisation_filter(actor))


def _identifiers(queryset: QuerySet[OrganisationIdentifier], actor: Actor) -> QuerySet[OrganisationIdentifier]:
    return queryset.filter(organisation_filter(actor, "organisation__"))


def _users(queryset: QuerySet[User], actor: Actor) -> QuerySet[User]:
    """A person sees themselves and the colleagues of their organisations; operator and inspector see all."""
    if actor.has(Role.OPERATOR, Role.INSPECTOR):
        return queryset
    colleague = Membership.objects.filter(user_id=OuterRef("pk"), organisation_id__in=actor.organisations())
    return queryset.filter(Q(pk=actor.user_id) | Exists(colleague))


def _memberships(queryset: QuerySet[Membership], actor: Actor) -> QuerySet[Membership]:
    return queryset.filter(membership_filter(actor))


def _invitations(queryset: QuerySet[Invitation], actor: Actor) -> QuerySet[Invitation]:
    return queryset.filter(administration_filter(actor))


def _join_requests(queryset: QuerySet[JoinRequest], actor: Actor) -> QuerySet[JoinRequest]:
    mine = Q(user_id=actor.user_id) if actor.user_id is not None else NONE
    return queryset.filter(mine | administration_filter(actor))


def _verification_requests(queryset: QuerySet[VerificationRequest], actor: Actor) -> QuerySet[VerificationRequest]:
    return queryset.filter(verification_filter(actor))


def _instruments(queryset: QuerySet[Instrument], actor: Actor) -> QuerySet[Instrument]:
    return queryset.filter(instrument_filter(actor))


def _sites(queryset: QuerySet[Site], actor: Actor) -> QuerySet[Site]:
    """A site is as public as its organisation or as an instrument that stands there."""
    standing = visible_to(Instrument.objects.filter(site_id=OuterRef("pk")), actor)
    return queryset.filter(organisation_filter(actor, "organisation__") | Exists(standing))


def _calendar_entries(queryset: QuerySet[CalendarEntry], actor: Actor) -> QuerySet[CalendarEntry]:
    """Opening hours and closures are as public as an instrument of their calendar."""
    shown = visible_to(Instrument.objects.filter(calendar_id=OuterRef("calendar_id")), actor)
    return queryset.filter(Exists(shown))


def import_run_filter(actor: Actor, prefix: str = "") -> Q:
    """An owner's imports are for its lab managers; the operator sees all, also those that name the owner in each row."""
    if actor.has(Role.OPERATOR):
        return ALL
    return Q(**{f"{prefix}organisation_id__in": actor.organisations(Role.LAB_MANAGER)})


def _import_runs(queryset: QuerySet[ImportRun], actor: Actor) -> QuerySet[ImportRun]:
    return queryset.filter(import_run_filter(actor))


def _import_rows(queryset: QuerySet[ImportRunRow], actor: Actor) -> QuerySet[ImportRunRow]:
    return queryset.filter(import_run_filter(actor, "run__"))


def _mappings(queryset: QuerySet[SavedMapping], actor: Actor) -> QuerySet[SavedMapping]:
    """An owner's mappings are for its lab managers, those without an owner for every lab manager."""
    if actor.has(Role.OPERATOR):
        return queryset
    managed = actor.organisations(Role.LAB_MANAGER)
    shared = Q(organisation=None) if managed else NONE
    return queryset.filter(shared | Q(organisation_id__in=managed))


def _public(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Code lists and policy zones are for everybody to read."""
    return queryset


def _tokens(queryset: QuerySet[ApiToken], actor: Actor) -> QuerySet[ApiToken]:
    return queryset.none() if actor.user_id is None else queryset.filter(user_id=actor.user_id)


def _audit(queryset: QuerySet[AuditEntry], actor: Actor) -> QuerySet[AuditEntry]:
    return queryset if actor.has(Role.INSPECTOR, Role.OPERATOR) else queryset.none()


_SCOPES: dict[Any, Any] = {
    ApiToken: _tokens,
    AuditEntry: _audit,
    CalendarEntry: _calendar_entries,
    Code: _public,
    ImportRun: _import_runs,
    ImportRunRow: _import_rows,
    Instrument: _instruments,
    Invitation: _invitations,
    JoinRequest: _join_requests,
    Membership: _memberships,
    Organisation: _organisations,
    OrganisationIdentifier: _identifiers,
    PolicyZone: _public,
    SavedMapping: _mappings,
    Site: _sites,
    User: _users,
    VerificationRequest: _verification_requests,
}
for _model, _scope in _SCOPES.items():
    register_scope(_model, _scope)
