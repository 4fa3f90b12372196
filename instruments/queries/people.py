"""What pages and API read about people and organisations."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from config.kernel.access import NOBODY, Actor, Grant, Role
from config.kernel.models import ApiToken
from instruments.models import Membership
from instruments.rules.roles import counts


def actor_for(user: AbstractBaseUser | AnonymousUser | None, token: ApiToken | None = None) -> Actor:
    """The actor that ``user`` is, in one query: grants of organisations that are not suspended.

    ``token`` narrows what the actor may do to its scopes (read, book, manage, settle). Nobody logged in and a person
    who is not active are both NOBODY.
    """
    if user is None or not user.is_authenticated or not user.is_active or user.pk is None:
        return NOBODY
    rows = (
        Membership.objects.filter(user_id=user.pk)
        .order_by("organisation_id", "role")
        .values_list("organisation_id", "role", "organisation__kind", "organisation__status")
    )
    grants = tuple(Grant(found, Role(role)) for found, role, kind, status in rows if counts(role, kind, status))
    scopes = None if token is None else frozenset(token.scopes)
    return Actor(user_id=user.pk, name=str(user), grants=grants, token_scopes=scopes)
