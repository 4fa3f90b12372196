"""What pages and API read about people and organisations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from config.kernel.access import NOBODY, Actor, Grant, Role, get_visible, visible_to
from config.kernel.errors import NotFound
from config.kernel.models import ApiToken
from config.kernel.services.tokens import digest
from config.kernel.statements import planned_once
from instruments.access import administers
from instruments.models import (
    Invitation,
    JoinRequest,
    Membership,
    Organisation,
    OrganisationKind,
    OrganisationStatus,
    User,
    VerificationRequest,
)
from instruments.rules.roles import counts

#: (organisation, role, kind and status of the organisation) of each.
GrantRows = Sequence[tuple[int, str, str, str]]
_GRANTS = """
SELECT m.organisation_id, m.role, o.kind, o.status
  FROM instruments_membership m JOIN instruments_organisation o ON o.id = m.organisation_id
 WHERE m.user_id = %s ORDER BY m.organisation_id, m.role
"""


def actor_for(
    user: AbstractBaseUser | AnonymousUser | None, token: ApiToken | None = None, read: GrantRows | None = None
) -> Actor:
    """The actor that ``user`` is, in one query: grants of organisations that are not suspended.

    ``token`` narrows what the actor may do to its scopes (read, book, manage, settle). ``read``: the grants that were read with the
    person just now. Nobody logged in and a person who is not active are both NOBODY.
    """
    if user is None or not user.is_authenticated or not user.is_active or user.pk is None:
        return NOBODY
    rows = _grants_of(user.pk) if read is None else read
    grants = tuple(Grant(found, Role(role)) for found, role, kind, status in rows if counts(role, kind, status))
    scopes = None if token is None else frozenset(token.scopes)
    return Actor(user_id=user.pk, name=str(user), grants=grants, token_scopes=scopes)


def _grants_of(user_id: int) -> GrantRows:
    with planned_once() as cursor:  # every request of a program asks this
        cursor.execute(_GRANTS, [user_id])
        return cursor.fetchall()


@dataclass(frozen=True, slots=True)
class Mine:
    """One of the actor's organisations. ``next_step`` is a code for what is worth doing next, or empty."""

    organisation: Organisation
    roles: tuple[str, ...]
    next_step: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person in an organisation; the address is empty unless the reader administers it."""

    user_id: int
    name: str
    email: str
    roles: tuple[str, ...]


def person(actor: Actor) -> User:
    """The person the actor is. Raises NotFound for nobody."""
    return get_visible(User.objects.all(), actor, pk=actor.user_id)


def organisations_visible(actor: Actor) -> QuerySet[Organisation]:
    """Every organisation that the actor may see, with identifiers, by name."""
    visible = visible_to(Organisation.objects.all(), actor)
    return visible.prefetch_related("identifiers").order_by("name_pinyin", "pk")


def organisation_for(actor: Actor, organisation_id: int) -> Organisation:
    """One visible organisation with its identifiers. Raises NotFound."""
    return get_visible(Organisation.objects.prefetch_related("identifiers"), actor, pk=organisation_id)


def my_organisations(actor: Actor) -> list[Mine]:
    """The organisations in which the person has any role (suspended ones too), by name, in three queries."""
    if actor.user_id is None:
        return []
    memberships = Membership.objects.filter(user_id=actor.user_id).select_related("organisation")
    waiting = set(
        VerificationRequest.objects.filter(organisation__memberships__user_id=actor.user_id, decided_at__isnull=True).values_list(
            "organisation_id", flat=True
        )
    )
    roles: dict[int, set[str]] = {}
    found: dict[int, Organisation] = {}
    for membership in memberships:
        roles.setdefault(membership.organisation_id, set()).add(membership.role)
        found[membership.organisation_id] = membership.organisation
    ordered = sorted(found.values(), key=lambda organisation: (organisation.name_pinyin, organisation.pk))
    return [
        Mine(organisation, tuple(sorted(roles[organisation.pk])), next_step(organisation, organisation.pk in waiting))
        for organisation in ordered
    ]


def next_step(organisation: Organisation, licence_waits: bool) -> str:
    """``suspended``, ``wait`` (a licence is being checked), ``complete_profile``, ``hand_in_licence`` or nothing."""
    if organisation.status == OrganisationStatus.SUSPENDED:
        return "suspended"
    if organisation.status == OrganisationStatus.VERIFIED:
        return ""
    if licence_waits:
        return "wait"
    is_customer = organisation.kind in (OrganisationKind.FIRM, OrganisationKind.TEAM)
    if not organisation.region_code or (is_customer and organisation.staff_count is None):
        return "complete_profile"
    return "hand_in_licence"


def members_of(actor: Actor, organisation: Organisation) -> list[Member]:
    """The people of an organisation that the actor may see, by name."""
    rows = visible_to(Membership.objects.filter(organisation=organisation), actor).select_related("user")
    shows_addresses = administers(actor, organisation)
    people: dict[int, User] = {}
    roles: dict[int, set[str]] = {}
    for row in rows:
        people[row.user_id] = row.user
        roles.setdefault(row.user_id, set()).add(row.role)
    listed = [
        Member(
            user_id=pk,
            name=user.full_name or (user.email if shows_addresses else user.email.partition("@")[0]),
            email=user.email if shows_addresses else "",
            roles=tuple(sorted(roles[pk])),
        )
        for pk, user in people.items()
    ]
    return sorted(listed, key=lambda member: (member.name, member.user_id))


def member_of(actor: Actor, organisation: Organisation, user_id: int) -> Member:
    """One of the visible members. Raises NotFound."""
    found = next((member for member in members_of(actor, organisation) if member.user_id == user_id), None)
    if found is None:
        raise NotFound.of("access.not_found", model="membership")
    return found


def open_invitations(actor: Actor, organisation: Organisation, now: datetime) -> QuerySet[Invitation]:
    """Invitations that can still be accepted, the latest first."""
    found = Invitation.objects.filter(organisation=organisation, accepted_at=None, withdrawn_at=None, expires_at__gt=now)
    return visible_to(found, actor).order_by("-created_at", "-pk")


def open_join_requests(actor: Actor, organisation: Organisation) -> QuerySet[JoinRequest]:
    """People who wait for an answer, the oldest first."""
    found = JoinRequest.objects.filter(organisation=organisation, decided_at=None).select_related("user")
    return visible_to(found, actor).order_by("created_at", "pk")


def my_join_requests(actor: Actor) -> QuerySet[JoinRequest]:
    """What the person asked for and nobody decided yet."""
    mine = JoinRequest.objects.none() if actor.user_id is None else JoinRequest.objects.filter(user_id=actor.user_id)
    found = mine.filter(decided_at=None).select_related("organisation")
    return visible_to(found, actor).order_by("created_at", "pk")


def verification_requests(actor: Actor, organisation: Organisation) -> QuerySet[VerificationRequest]:
    """The licences handed in for an organisation, the latest first."""
    found = VerificationRequest.objects.filter(organisation=organisation).select_related("licence", "submitted_by")
    return visible_to(found, actor).order_by("-submitted_at", "-pk")


def verification_queue(actor: Actor) -> QuerySet[VerificationRequest]:
    """Licences that wait for an operator, the oldest first. Raises Forbidden for others."""
    actor.require(Role.OPERATOR)
    found = VerificationRequest.objects.filter(decided_at=None).select_related("organisation", "licence", "submitted_by")
    return visible_to(found, actor).prefetch_related("organisation__identifiers").order_by("submitted_at", "pk")


def verification_request_for(actor: Actor, request_id: int) -> VerificationRequest:
    """One visible request. Raises NotFound."""
    found = VerificationRequest.objects.select_related("organisation", "licence", "submitted_by")
    return get_visible(found.prefetch_related("organisation__identifiers"), actor, pk=request_id)


def invitation_by_token(token: str) -> Invitation:
    """The invitation behind a link: who holds the link may read it. Raises NotFound."""
    found = Invitation.objects.select_related("organisation", "invited_by").filter(token_sha256=digest(token)).first()
    if found is None:
        raise NotFound.of("access.not_found", model="invitation")
    return found


def tokens_of(actor: Actor) -> QuerySet[ApiToken]:
    """The actor's own API tokens, the latest first."""
    return visible_to(ApiToken.objects.all(), actor).order_by("-created_at", "-pk")
