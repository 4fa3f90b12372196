"""What roles, kinds and states are called (source words; translated where they are shown)."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.kernel.access import Role
from instruments.models import OrganisationKind, OwnerClass

ROLE_NAMES: dict[str, Promise | str] = {
    Role.RESEARCHER: _("researcher"),
    Role.FIRM_ADMIN: _("administrator"),
    Role.LAB_MANAGER: _("lab manager"),
    Role.OWNER_FINANCE: _("finance of the institution"),
    Role.PROGRAMME_OFFICER: _("programme officer"),
    Role.FINANCE: _("finance"),
    Role.INSPECTOR: _("inspector"),
    Role.OPERATOR: _("platform operator"),
}
KIND_NAMES: dict[str, Promise | str] = {
    OrganisationKind.FIRM: _("Firm"),
    OrganisationKind.TEAM: _("Start-up team"),
    OrganisationKind.OWNER: _("Owner institution"),
    OrganisationKind.GOVERNMENT: _("Government office"),
}
OWNER_CLASS_NAMES: dict[str, Promise | str] = {
    OwnerClass.PUBLIC_WELFARE_1: _("Public welfare institution, class 1"),
    OwnerClass.PUBLIC_WELFARE_2: _("Public welfare institution, class 2"),
    OwnerClass.UNIVERSITY: _("University"),
    OwnerClass.ENTERPRISE: _("Enterprise"),
}
SCHEME_NAMES: dict[str, Promise | str] = {
    "uscc": _("Unified social credit code"),
    "ror": _("ROR identifier"),
    "uk-ukprn": _("UK provider number (UKPRN)"),
    "foreign-registration": _("Foreign registration number"),
}
SCOPE_NAMES: dict[str, Promise | str] = {
    "read": _("Read what I may see"),
    "book": _("Book and cancel"),
    "manage": _("Approve, run sessions, keep organisations and instruments"),
    "settle": _("Issue statements and fund programmes"),
}


def role_name(role: str) -> str:
    """The role's name in the reader's language."""
    return str(ROLE_NAMES.get(role, role))
