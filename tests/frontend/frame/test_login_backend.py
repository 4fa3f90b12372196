"""The person of a session: with grants, notices and what they assist in, as every other place reads them."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from frontend.login_backend import PersonBackend
from instruments.models import Membership, Notice, Organisation, User
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


def test_the_person_of_a_session_is_the_row_in_every_column(cast) -> None:
    person = PersonBackend().get_user(cast.users["lin"].pk)
    row = User.objects.get(pk=cast.users["lin"].pk)
    assert {each.attname: getattr(person, each.attname) for each in User._meta.concrete_fields} == {
        each.attname: getattr(row, each.attname) for each in User._meta.concrete_fields
    }


def test_a_role_that_is_taken_away_counts_for_nothing_from_the_next_page_on(cast) -> None:
    client = Client()
    client.force_login(cast.users["wang"])
    assert client.get("/approvals/samples/").status_code == 200
    Membership.objects.filter(user=cast.users["wang"]).delete()
    assert client.get("/approvals/samples/").status_code == 403
    User.objects.filter(pk=cast.users["wang"].pk).update(is_active=False)
    assert client.get("/approvals/samples/").status_code == 302


def test_who_logs_in_with_a_password_reaches_pages_and_staff_the_administration(cast) -> None:
    person = cast.users["wang"]
    person.set_password("a long password 42")
    person.is_staff = True
    person.save()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    client = Client()
    answer = client.post("/admin/login/?next=/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
    answer = client.post("/accounts/login/?next=/admin/", {"login": person.email, "password": "a long password 42"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/admin/")
    assert client.session["_auth_user_backend"] == "frontend.login_backend.PersonBackend"
    assert client.get("/admin/").status_code == 200 and client.get("/approvals/").status_code == 200
