"""Who is asking, and the one place that says what they may see.

Every model that belongs to somebody registers a scope here (from its app's ``access.py``). Pages, API, exports and jobs ask
``visible_to``; a model without a scope raises, so that a forgotten one fails closed. A foreign object is the same as none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from config.kernel.errors import Forbidden, NotFound

M = TypeVar("M", bound=Model)


class Role(StrEnum):
    """What a person does for one organisation."""

    RESEARCHER = "researcher"
    FIRM_ADMIN = "firm_admin"
    LAB_MANAGER = "lab_manager"
    OWNER_FINANCE = "owner_finance"
    PROGRAMME_OFFICER = "programme_officer"
    FINANCE = "finance"
    INSPECTOR = "inspector"
    OPERATOR = "operator"


OFFICIALS: frozenset[Role] = frozenset({Role.PROGRAMME_OFFICER, Role.FINANCE, Role.INSPECTOR, Role.OPERATOR})


@dataclass(frozen=True, slots=True)
class Grant:
    organisation_id: int
    role: Role


@dataclass(frozen=True, slots=True)
class Actor:
    """The person (or nobody) on whose behalf something is read or done."""

    user_id: int | None = None
    name: str = ""
    grants: tuple[Grant, ...] = ()
    token_scopes: frozenset[str] | None = field(default=None)

    @property
    def is_anonymous(self) -> bool:
        return self.user_id is None

    @property
    def person_id(self) -> int:
        """The id of the person acting. Raises Forbidden ``access.login_needed`` for nobody."""
        if self.user_id is None:
            raise Forbidden.of("access.login_needed")
        return self.user_id

    def organisations(self, *roles: Role) -> frozenset[int]:
        """The organisations in which the actor has one of ``roles`` (any role when none is named)."""
        return frozenset(g.organisation_id for g in self.grants if not roles or g.role in roles)

    def has(self, *roles: Role) -> bool:
        return any(grant.role in roles for grant in self.grants)

    def require(self, *roles: Role) -> None:
        """Raise Forbidden unless the actor has one of ``roles`` somewhere."""
        if not self.has(*roles):
            raise Forbidden.of("access.role_needed", roles=[str(role) for role in roles])

    def require_in(self, organisation_id: int, *roles: Role) -> None:
        """Raise Forbidden unless the actor has one of ``roles`` in that organisation."""
        if organisation_id not in self.organisations(*roles):
            raise Forbidden.of("access.role_needed", roles=[str(role) for role in roles])


NOBODY = Actor()

Scope = Callable[[Any, Actor], Any]
_scopes: dict[type[Model], Scope] = {}


def register_scope(model: type[Model], scope: Scope) -> None:
    """Say what an actor may see of ``model``; once per model, at start-up."""
    if model in _scopes:
        raise RuntimeError(f"{model.__name__} has a scope already")
    _scopes[model] = scope


def scoped_models() -> frozenset[type[Model]]:
    return frozenset(_scopes)


def visible_to(queryset: QuerySet[M], actor: Actor) -> QuerySet[M]:
    """``queryset`` cut down to what ``actor`` may see. Raises LookupError for a model without a scope."""
    return _scopes[queryset.model](queryset, actor)


def get_visible(queryset: QuerySet[M], actor: Actor, **lookup: Any) -> M:
    """The one object, or NotFound whether it is foreign or does not exist. ``lookup`` must name fields explicitly."""
    rows = visible_to(queryset, actor).filter(**lookup)
    # One row has no order, and to word one takes the ORM longer than the rest of the lookup.
    found = next(iter(rows.order_by()[:1]), None) if "pk" in lookup else rows.first()
    if found is None:
        raise NotFound.of("access.not_found", model=queryset.model._meta.model_name or "")
    return found
