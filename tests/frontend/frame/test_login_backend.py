"""The person of a session: with grants, notices and what they assist in, as every other place reads them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from frontend.login_backend import PersonBackend
from instruments.models import Notice, Organisation, User
from instruments.queries import actor_for


@pytest.mark.parametrize("name", ["lin", "wang", "li", "zhou"])
def test_grants_are_those_that_programs_have(cast, name) -> None:
    person = PersonBackend().get_user(cast.users[name].pk)
    assert person == cast.users[name] and person.password == cast.users[name].password
    assert actor_for(person, read=person.grants_read) == actor_for(cast.users[name])
    assert actor_for(person).grants


def test_grants_of_a_suspended_organisation_count_for_nothing(cast) -> None:
    Organisation.objects.filter(pk=cast.firm.pk).update(status="suspended")
    person = PersonBackend().get_user(cast.users["lin"].pk)
    assert person.grants_read and actor_for(person, read=person.grants_read).grants == ()


def test_nobody_is_logged_in_who_is_not_there_or_not_active(cast) -> None:
    User.objects.filter(pk=cast.users["lin"].pk).update(is_active=False)
    assert PersonBackend().get_user(cast.users["lin"].pk) is None
    assert PersonBackend().get_user(10**9) is None


def test_the_bell_counts_one_persons_unread_notices_a_hundred_at_most(cast) -> None:
    def unread() -> int:
        with CaptureQueriesContext(connection) as captured:
            person = PersonBackend().get_user(cast.users["lin"].pk)
        assert len(captured) == 1
        return person.person_facts.unread

    def notices(name: str, number: int) -> list[Notice]:
        said = {
            "event": "organisation.verified",
            "group": "organisation",
            "needs_action": False,
            "params": {},
            "created_at": cast.now,
        }
        return [Notice(user=cast.users[name], **said) for _number in range(number)]

    Notice.objects.all().delete()
    Notice.objects.bulk_create([*notices("lin", 2), *notices("wang", 3)])
    assert unread() == 2
    Notice.objects.filter(user=cast.users["lin"]).update(read_at=cast.now)
    assert unread() == 0
    Notice.objects.bulk_create(notices("lin", 120))
    assert unread() == 100
