from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from config.kernel.access import NOBODY, Grant, Role
from config.kernel.models import ApiToken
from instruments.models import Membership, Organisation
from instruments.queries import actor_for


def test_an_actor_has_the_grants_of_the_memberships(cast, django_assert_num_queries):
    with django_assert_num_queries(1):
        actor = actor_for(cast.user("salt_researcher"))
    assert actor.grants == (Grant(cast.salt_firm.pk, Role.RESEARCHER),)
    assert actor.name == "Salt Researcher"
    assert actor.token_scopes is None


def test_nobody_logged_in_is_nobody(db):
    assert actor_for(AnonymousUser()) == NOBODY
    assert actor_for(None) == NOBODY


def test_an_inactive_person_is_nobody(cast):
    user = cast.user("operator")
    user.is_active = False
    assert actor_for(user) == NOBODY
    user.is_active = True
    assert actor_for(user).has(Role.OPERATOR)


def test_a_suspended_organisation_gives_no_rights(cast):
    assert cast.who("salt_admin").has(Role.FIRM_ADMIN)
    Organisation.objects.filter(pk=cast.salt_firm.pk).update(status="suspended")
    assert cast.who("salt_admin").grants == ()


def test_an_official_role_counts_in_a_verified_office_only(cast):
    Organisation.objects.filter(pk=cast.office.pk).update(status="claimed")
    assert cast.who("operator").grants == ()


def test_an_official_role_smuggled_into_a_firm_has_no_effect(cast, now):
    Membership.objects.create(user=cast.user("salt_admin"), organisation=cast.salt_firm, role=Role.OPERATOR, created_at=now)
    assert not cast.who("salt_admin").has(Role.OPERATOR)


@pytest.mark.parametrize("scopes", [["read"], ["book", "read"]])
def test_a_token_narrows_the_actor_to_its_scopes(cast, scopes):
    actor = actor_for(cast.user("salt_admin"), ApiToken(scopes=scopes))
    assert actor.token_scopes == frozenset(scopes)
