"""Which roles exist in which kind of organisation, and which of them administer it."""

from __future__ import annotations

from collections.abc import Mapping

from config.kernel.access import OFFICIALS, Role

_CUSTOMER = (Role.RESEARCHER, Role.FIRM_ADMIN)

ROLES: Mapping[str, tuple[Role, ...]] = {
    "firm": _CUSTOMER,
    "team": _CUSTOMER,
    "owner": (*_CUSTOMER, Role.LAB_MANAGER, Role.OWNER_FINANCE),
    "government": (Role.PROGRAMME_OFFICER, Role.FINANCE, Role.INSPECTOR, Role.OPERATOR),
}
"""The roles a person may have, by kind of organisation."""

ADMINISTRATORS: Mapping[str, frozenset[Role]] = {
    "firm": frozenset({Role.FIRM_ADMIN}),
    "team": frozenset({Role.FIRM_ADMIN}),
    "owner": frozenset({Role.FIRM_ADMIN, Role.LAB_MANAGER}),
    "government": frozenset({Role.OPERATOR}),
}
"""The roles that invite colleagues, decide who joins and keep the profile, by kind of organisation."""

FOUNDERS: Mapping[str, tuple[Role, ...]] = {
    "firm": (Role.FIRM_ADMIN,),
    "team": (Role.FIRM_ADMIN,),
    "owner": (Role.LAB_MANAGER, Role.OWNER_FINANCE),
    "government": (),
}
"""What the person who creates an organisation becomes in it; an operator who opens an office gets no role there."""


def counts(role: str, kind: str, status: str) -> bool:
    """Whether a membership gives its role any effect: known, right for the kind, the organisation not suspended.

    The roles of officials reach beyond their own office, so they count in a verified government office only.
    """
    if status == "suspended" or role not in ROLES.get(kind, ()):
        return False
    return role not in OFFICIALS or status == "verified"
