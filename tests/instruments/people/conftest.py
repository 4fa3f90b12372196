"""A small named cast of two firms, one owner and one office, with known rights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from config.kernel.access import NOBODY, Actor, Role
from instruments.models import Membership, Organisation, OrganisationIdentifier, User
from instruments.queries import actor_for
from instruments.rules.names import name_key
from tests import mailbox

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@dataclass
class Cast:
    """The organisations; ``who(name)`` is the actor of a person as their memberships make them now."""

    salt_firm: Organisation
    wool_firm: Organisation
    lake_institute: Organisation
    office: Organisation
    users: dict[str, User]

    def who(self, name: str) -> Actor:
        return NOBODY if name == "nobody" else actor_for(User.objects.get(pk=self.users[name].pk))

    def user(self, name: str) -> User:
        return self.users[name]

    @property
    def names(self) -> list[str]:
        return [*self.users, "nobody"]


PEOPLE: dict[str, tuple[str, tuple[Role, ...]]] = {
    "salt_admin": ("salt_firm", (Role.FIRM_ADMIN,)),
    "salt_researcher": ("salt_firm", (Role.RESEARCHER,)),
    "wool_admin": ("wool_firm", (Role.FIRM_ADMIN,)),
    "lab_manager": ("lake_institute", (Role.LAB_MANAGER,)),
    "owner_finance": ("lake_institute", (Role.OWNER_FINANCE,)),
    "programme_officer": ("office", (Role.PROGRAMME_OFFICER,)),
    "finance": ("office", (Role.FINANCE,)),
    "inspector": ("office", (Role.INSPECTOR,)),
    "operator": ("office", (Role.OPERATOR,)),
    "outsider": ("", ()),
}
USCC = {
    "salt_firm": "91632801MA00000312",
    "wool_firm": "91630104MA0000023M",
    "lake_institute": "12630000000000123E",
}


def _organisation(name: str, kind: str, status: str) -> Organisation:
    organisation = Organisation.objects.create(
        kind=kind,
        status=status,
        name=name,
        name_key=name_key(name),
        name_pinyin=name.casefold(),
        region_code="630100",
        created_at=NOW,
        verified_at=NOW if status == "verified" else None,
        annual_revenue_fen=100_000_00,
        staff_count=12,
        bank_account_number="6222 0000 1111",
    )
    return organisation


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def cast(db: None) -> Cast:
    organisations = {
        "salt_firm": _organisation("Salt Lake Chemicals", "firm", "verified"),
        "wool_firm": _organisation("Plateau Wool", "firm", "claimed"),
        "lake_institute": _organisation("Lake Institute", "owner", "verified"),
        "office": _organisation("Provincial Office", "government", "verified"),
    }
    for key, code in USCC.items():
        OrganisationIdentifier.objects.create(organisation=organisations[key], scheme="uscc", value=code)
    users = {}
    for name, (key, roles) in PEOPLE.items():
        users[name] = User.objects.create_user(f"{name}@example.org", full_name=name.replace("_", " ").title())
        for role in roles:
            Membership.objects.create(user=users[name], organisation=organisations[key], role=role, created_at=NOW)
    return Cast(users=users, **organisations)


@pytest.fixture
def mails(db: None):
    """The mails that wait in the queue, as (subject, text, addresses)."""
    return mailbox.mails
