"""An administrator of the cast's institution: somebody has to decide about what the only manager of its lab asks for."""

from __future__ import annotations

from config.kernel.access import Role
from instruments.models import Membership, User
from tests.conftest import Cast


def with_head(cast: Cast) -> User:
    """Yu, who administers the Kunlun institute."""
    user = User.objects.create(email="yu@example.org", full_name="Yu", password="!", language="en")
    Membership.objects.create(user=user, organisation=cast.lab, role=Role.FIRM_ADMIN, created_at=cast.now)
    cast.users["yu"] = user
    return user
