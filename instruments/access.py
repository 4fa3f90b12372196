"""What an actor may see of people, organisations and instruments (registered with the kernel, used by every query).

``public`` in these rules means anybody, logged in or not. Models that are not here and not in another app's ``access.py``
cannot be read on behalf of an actor at all.
"""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from config.kernel.access import OFFICIALS, Actor, Role, register_scope, visible_to
from config.kernel.models import ApiToken, AuditEntry
from instruments.models import (
    CalendarEntry,
    CalendarSettings,
    CatalogueEntry,
    ChannelAddress,
    ClosureImport,
    Code,
    CodeLoad,
    CustomsRecord,
    DataSet,
    Delivery,
    FacilityRecord,
    FormerCalendar,
    FormerIdentifier,
    FundCard,
    Germplasm,
    GroupMember,
    ImportRun,
    ImportRunRow,
    Instrument,
    InstrumentCentre,
    InstrumentChange,
    InstrumentDocument,
    InstrumentFunding,
    InstrumentImage,
    InstrumentProblem,
    InstrumentSheet,
    Invitation,
    JoinRequest,
    Literature,
    Membership,
    Notice,
    NoticeSettings,
    Organisation,
    OrganisationIdentifier,
    OrganisationKind,
    OrganisationStatus,
    PolicyZone,
    Qualification,
    ResearchGroup,
    Resource,
    ResourceChange,
    ResourceRequest,
    SavedMapping,
    SavedSearch,
    Site,
    SpendingRules,
    TestItem,
    User,
    VerificationRequest,
    Webhook,
    WebhookDelivery,
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


def keeps_groups(actor: Actor, organisation: Organisation) -> bool:
    """Whether the actor makes the organisation's research groups and fund cards: administrators, and an owner's finance."""
    return keeps_profile(actor, organisation)


def group_filter(actor: Actor, prefix: str = "") -> Q:
    """A research group, or what hangs on one behind ``prefix``: for its leader and people, for those who administer or account for
    the organisation, and for the inspector."""
    if actor.has(Role.INSPECTOR):
        return ALL
    if actor.user_id is None:
        return NONE
    kept = administered(actor) | actor.organisations(Role.OWNER_FINANCE)
    member = GroupMember.objects.filter(user_id=actor.user_id, group__organisation_id__in=actor.organisations())
    inside = Q(**{f"{prefix}leader_id": actor.user_id, f"{prefix}organisation_id__in": actor.organisations()})
    inside |= Q(**{f"{prefix}pk__in": member.values("group_id")})
    return inside | Q(**{f"{prefix}organisation_id__in": kept})


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


def resource_filter(actor: Actor, prefix: str = "") -> Q:
    """As with instruments: what is published is public unless its owner is suspended; drafts are for their lab managers."""
    return instrument_filter(actor, prefix)


def request_filter(actor: Actor) -> Q:
    """A request is seen by the organisation that asks, by the lab managers of the one that is asked, and by inspectors."""
    if actor.has(Role.INSPECTOR):
        return ALL
    asking = Q(organisation_id__in=actor.organisations())
    return asking | Q(resource__organisation_id__in=actor.organisations(Role.LAB_MANAGER))


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


def _identifiers(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Codes that an organisation has or had are seen with it."""
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


def _resources(queryset: QuerySet[Resource], actor: Actor) -> QuerySet[Resource]:
    return queryset.filter(resource_filter(actor))


def _parts(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """The typed part of a resource is as public as the resource."""
    return queryset.filter(resource_filter(actor, "resource__"))


def _qualifications(queryset: QuerySet[Qualification], actor: Actor) -> QuerySet[Qualification]:
    return queryset.filter(resource_filter(actor, "test_item__resource__"))


def _resource_requests(queryset: QuerySet[ResourceRequest], actor: Actor) -> QuerySet[ResourceRequest]:
    return queryset.filter(request_filter(actor))


def _entries(queryset: QuerySet[CatalogueEntry], actor: Actor) -> QuerySet[CatalogueEntry]:
    """As ``instrument_filter``: public ones, drafts for their lab managers, everything for the operator."""
    if actor.has(Role.OPERATOR):
        return queryset
    drafts = actor.organisations(Role.LAB_MANAGER)
    return queryset.filter(Q(public=True) | Q(organisation_id__in=drafts) if drafts else Q(public=True))


def _saved_searches(queryset: QuerySet[SavedSearch], actor: Actor) -> QuerySet[SavedSearch]:
    return queryset.none() if actor.user_id is None else queryset.filter(user_id=actor.user_id)


def _sites(queryset: QuerySet[Site], actor: Actor) -> QuerySet[Site]:
    """A site is as public as its organisation or as an instrument that stands there."""
    standing = visible_to(Instrument.objects.filter(site_id=OuterRef("pk")), actor)
    return queryset.filter(organisation_filter(actor, "organisation__") | Exists(standing))


def _calendar_rows(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Opening hours, closures and how holidays are taken are as public as an instrument of their calendar."""
    shown = visible_to(Instrument.objects.filter(calendar_id=OuterRef("calendar_id")), actor)
    return queryset.filter(Exists(shown))


def _closure_imports(queryset: QuerySet[ClosureImport], actor: Actor) -> QuerySet[ClosureImport]:
    """A file of closures is for those who may close the owner's instruments."""
    if actor.has(Role.OPERATOR):
        return queryset
    return queryset.filter(organisation_id__in=actor.organisations(Role.LAB_MANAGER))


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


def _operators(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """How the platform's lists came in is the operator's."""
    return queryset if actor.has(Role.OPERATOR) else queryset.none()


def _tokens(queryset: QuerySet[ApiToken], actor: Actor) -> QuerySet[ApiToken]:
    return queryset.none() if actor.user_id is None else queryset.filter(user_id=actor.user_id)


def _audit(queryset: QuerySet[AuditEntry], actor: Actor) -> QuerySet[AuditEntry]:
    """Inspector and operator see all; lab managers what was done to their instruments and other resources."""
    if actor.has(Role.INSPECTOR, Role.OPERATOR):
        return queryset
    managed = actor.organisations(Role.LAB_MANAGER)
    if not managed:
        return queryset.none()
    found = Q()
    for model in (Instrument, Resource):
        rows = model._default_manager.annotate(key=Cast("pk", CharField()))
        found |= Q(
            Exists(rows.filter(key=OuterRef("object_id"), organisation_id__in=managed)), object_type=model._meta.label_lower
        )
    return queryset.filter(found)


def kept_filter(actor: Actor, prefix: str = "") -> Q:
    """What only those who keep an instrument deal with: its lab managers and the operator."""
    return ALL if actor.has(Role.OPERATOR) else Q(**{f"{prefix}organisation_id__in": actor.organisations(Role.LAB_MANAGER)})


def _details(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Customs, funding, former calendars and the record of a facility are as public as their instrument; the persons in that record are
    left out where it is shown."""
    return queryset.filter(instrument_filter(actor, "instrument__"))


def _attached(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Pictures and documents are as public as their instrument; those taken away are for who can put them back."""
    shown = queryset.filter(instrument_filter(actor, "instrument__"))
    return shown.filter(Q(removed_at=None) | kept_filter(actor, "instrument__"))


def _changes(queryset: QuerySet[InstrumentChange], actor: Actor) -> QuerySet[InstrumentChange]:
    """Proposed changes are for the lab that makes them and the operator; the inspector reads them."""
    return queryset if actor.has(Role.INSPECTOR) else queryset.filter(kept_filter(actor, "instrument__"))


def _resource_changes(queryset: QuerySet[ResourceChange], actor: Actor) -> QuerySet[ResourceChange]:
    """As ``_changes``, of the other resources."""
    return queryset if actor.has(Role.INSPECTOR) else queryset.filter(kept_filter(actor, "resource__"))


def _problems(queryset: QuerySet[InstrumentProblem], actor: Actor) -> QuerySet[InstrumentProblem]:
    """A problem is read by the person who reported it, the lab and the operator."""
    mine = Q(reported_by_id=actor.user_id) if actor.user_id is not None else NONE
    return queryset.filter(mine | kept_filter(actor, "instrument__"))


def _sheets(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """What is kept for an owner, for who manages its instruments."""
    return queryset.filter(kept_filter(actor))


def _mine(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """News and how one wants it are for the person alone."""
    return queryset.none() if actor.user_id is None else queryset.filter(user_id=actor.user_id)


def _groups(queryset: QuerySet[ResearchGroup], actor: Actor) -> QuerySet[ResearchGroup]:
    return queryset.filter(group_filter(actor))


def _of_groups(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Members and fund cards are seen with their group."""
    return queryset.filter(group_filter(actor, "group__"))


def _spending_rules(queryset: QuerySet[SpendingRules], actor: Actor) -> QuerySet[SpendingRules]:
    """What an owner asks of its own people is for them, and for those who supervise."""
    return queryset if actor.has(*OFFICIALS) else queryset.filter(organisation_id__in=actor.organisations())


def _deliveries(queryset: QuerySet[Delivery], actor: Actor) -> QuerySet[Delivery]:
    """The mail log: the operator sees that something went out, lab managers what is about their own lab."""
    if actor.has(Role.OPERATOR):
        return queryset
    return queryset.filter(notice__lab_id__in=actor.organisations(Role.LAB_MANAGER))


def webhook_filter(actor: Actor, prefix: str = "") -> Q:
    """An organisation's webhooks are for its administrators; those of government offices for the operator."""
    own = Q(**{f"{prefix}organisation_id__in": administered(actor)})
    offices = Q(**{f"{prefix}organisation__kind": OrganisationKind.GOVERNMENT})
    return own | offices if actor.has(Role.OPERATOR) else own


def _webhooks(queryset: QuerySet[Webhook], actor: Actor) -> QuerySet[Webhook]:
    return queryset.filter(webhook_filter(actor))


def _webhook_deliveries(queryset: QuerySet[WebhookDelivery], actor: Actor) -> QuerySet[WebhookDelivery]:
    return queryset.filter(webhook_filter(actor, "webhook__"))


_SCOPES: dict[Any, Any] = {
    ApiToken: _tokens,
    ChannelAddress: _mine,
    Delivery: _deliveries,
    Notice: _mine,
    NoticeSettings: _mine,
    Webhook: _webhooks,
    WebhookDelivery: _webhook_deliveries,
    AuditEntry: _audit,
    DataSet: _parts,
    FundCard: _of_groups,
    Germplasm: _parts,
    GroupMember: _of_groups,
    CalendarEntry: _calendar_rows,
    CalendarSettings: _calendar_rows,
    ClosureImport: _closure_imports,
    Code: _public,
    CodeLoad: _operators,
    CatalogueEntry: _entries,
    CustomsRecord: _details,
    FacilityRecord: _details,
    InstrumentCentre: _sheets,
    FormerCalendar: _details,
    ImportRun: _import_runs,
    ImportRunRow: _import_rows,
    Instrument: _instruments,
    InstrumentChange: _changes,
    InstrumentDocument: _attached,
    InstrumentFunding: _details,
    InstrumentImage: _attached,
    InstrumentProblem: _problems,
    InstrumentSheet: _sheets,
    Invitation: _invitations,
    JoinRequest: _join_requests,
    Literature: _parts,
    Membership: _memberships,
    Organisation: _organisations,
    FormerIdentifier: _identifiers,
    OrganisationIdentifier: _identifiers,
    Qualification: _qualifications,
    ResearchGroup: _groups,
    Resource: _resources,
    ResourceChange: _resource_changes,
    ResourceRequest: _resource_requests,
    PolicyZone: _public,
    SavedSearch: _saved_searches,
    SavedMapping: _mappings,
    Site: _sites,
    SpendingRules: _spending_rules,
    TestItem: _parts,
    User: _users,
    VerificationRequest: _verification_requests,
}
for _model, _scope in _SCOPES.items():
    register_scope(_model, _scope)
