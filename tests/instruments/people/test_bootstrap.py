from __future__ import annotations

import re

import pytest
from django.core.management import CommandError, call_command

from config.kernel.access import Role
from instruments.management.commands.bootstrap import PASSWORD_VARIABLE
from instruments.models import Organisation, User
from instruments.queries import actor_for

ARGUMENTS = {"email": "Chief@Example.org", "name": "Zhang San", "office": "Science Department"}


@pytest.fixture(autouse=True)
def _no_password(monkeypatch):
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)


def test_an_empty_province_gets_its_first_operator(db, client, capsys):
    call_command("bootstrap", **ARGUMENTS)
    operator = User.objects.get()
    assert (operator.email, operator.full_name, operator.has_usable_password()) == ("chief@example.org", "Zhang San", False)
    assert actor_for(operator).has(Role.OPERATOR)
    office = Organisation.objects.get()
    assert (office.name, office.kind, office.status) == ("Science Department", "government", "verified")
    link = re.search(r"https?://[^/]+(\S+)", capsys.readouterr().out).group(1)
    page = client.get(link, follow=True)
    assert page.status_code == 200
    assert page.redirect_chain[-1][0].endswith("-set-password/")


def test_it_refuses_to_run_twice_even_when_the_operator_is_inactive(db):
    call_command("bootstrap", **ARGUMENTS)
    User.objects.update(is_active=False)
    with pytest.raises(CommandError):
        call_command("bootstrap", **{**ARGUMENTS, "email": "second@example.org"})
    assert User.objects.count() == 1


def test_a_password_from_the_environment_is_used_and_must_be_good(db, monkeypatch, capsys):
    monkeypatch.setenv(PASSWORD_VARIABLE, "short")
    with pytest.raises(CommandError):
        call_command("bootstrap", **ARGUMENTS)
    monkeypatch.setenv(PASSWORD_VARIABLE, "yak-butter-tea-47")
    call_command("bootstrap", **ARGUMENTS)
    assert User.objects.get().check_password("yak-butter-tea-47")
    assert "http" not in capsys.readouterr().out


@pytest.mark.parametrize("bad", [{"email": "chief"}, {"name": "a\u202eb"}, {"office": ""}])
def test_bad_input_creates_nothing(db, bad):
    with pytest.raises(CommandError):
        call_command("bootstrap", **{**ARGUMENTS, **bad})
    assert not User.objects.exists()
    assert not Organisation.objects.exists()
