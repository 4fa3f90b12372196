"""The admin is a window: staff look, nobody writes, and nobody else gets in."""

from __future__ import annotations

import pytest
from django.contrib import admin as django_admin
from django.urls import reverse

from config.kernel import access
from config.kernel.admin import ReadOnlyAdmin, site
from instruments.models import User
from tests.access import asking
from tests.access.world import ROLES
from tests.kernel.test_admin_pages import staff
from tests.turns import in_turns

__all__ = ["staff"]
pytestmark = pytest.mark.django_db
PAGES = sorted(name for name in asking.all_routes() if name.startswith("admin:"))
ABOUT_ONESELF = {"admin:login", "admin:logout", "admin:password_change", "admin:password_change_done", "admin:jsi18n"}


def test_no_admin_of_ours_lets_anybody_add_change_or_delete(rf):
    request = rf.get("/")
    request.user = User(is_staff=True, is_superuser=True, is_active=True)
    for model, page in site._registry.items():
        assert isinstance(page, ReadOnlyAdmin), model
        assert type(page) is ReadOnlyAdmin, f"{model}: an admin class of its own has to be looked at here first"
        assert not page.has_add_permission(request) and not page.has_delete_permission(request)
        assert not page.has_change_permission(request) and page.has_view_permission(request)
        assert page.get_actions(request) == {} and page.inlines == ()


def test_every_model_that_somebody_may_see_is_in_the_admin():
    missing = access.scoped_models() - set(site._registry)
    assert missing == set()


def test_the_admin_pages_of_libraries_are_not_served():
    served = {name.split(":")[1].split("_")[0] for name in PAGES if name.endswith("_changelist")}
    assert served == {"kernel", "instruments", "booking", "billing"}
    assert set(django_admin.site._registry).isdisjoint(site._registry)


@pytest.mark.parametrize("role", in_turns(sorted(ROLES), 3))
def test_no_role_opens_the_admin(world, role):
    assert asking.ask(world, role, "GET", reverse("admin:index"), {}).status == 302


@pytest.mark.parametrize(
    ("role", "every", "first"),
    [
        ("anonymous", 6, 0),
        ("operator", 6, 3),
        pytest.param("anonymous", 1, 0, marks=pytest.mark.proof),
        pytest.param("operator", 1, 0, marks=pytest.mark.proof),
    ],
)
def test_no_page_of_the_admin_opens_without_being_staff(world, role, every, first):
    """Each third page as one of the two; ``make proof`` asks for all as both."""
    for name in PAGES[first::every]:
        if name in ABOUT_ONESELF or "UNNAMED" in name:
            continue
        arguments = {"app_list": ["booking"], "view_on_site": [1, 1]}.get(name.split(":")[1])
        if arguments is None:
            arguments = [1] if name.endswith(("_change", "_delete", "_history")) else []
        for method in ("GET", "POST") if arguments else ("GET",):
            answer = asking.ask(world, role, method, reverse(name, args=arguments), {})
            assert answer.status == 302 and not answer.holds("kx5") and not answer.holds("qz7"), (name, method, answer.status)


def test_staff_need_a_second_factor_where_officials_do(staff, settings):
    settings.REQUIRE_MFA_FOR_OFFICIALS = True
    assert staff.get(reverse("admin:index")).status_code == 302


def test_the_admin_has_no_log_in_of_its_own(client, db):
    """Its form would know nothing of rate limits and second factors."""
    answer = client.get(reverse("admin:login"))
    assert answer.status_code == 302 and answer["Location"].startswith(reverse("account_login"))
