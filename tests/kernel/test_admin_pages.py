"""The admin's pages as staff see them: everything opens, nothing is written, no secret is shown. Apart from the tests of access, whose
world is open in a transaction while other tests of theirs run: these begin with people of their own, in another database."""

from __future__ import annotations

import pytest
from django.urls import reverse

from config.kernel.admin import SECRET_FIELDS, site
from instruments.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client, db):
    """Somebody with every permission that Django knows."""
    user = User.objects.create(email="staff@example.org", is_staff=True, is_superuser=True, password="!")
    client.force_login(user)
    return client


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.proof)])
def test_every_page_of_the_admin_opens_for_staff_and_takes_nothing(staff, programmes, cast, every):
    """All are made by one class, so each third is looked at; ``make proof`` looks at all."""
    for model in list(site._registry)[::every]:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert staff.get(reverse(f"{name}_changelist")).status_code == 200, name
        assert staff.get(reverse(f"{name}_add")).status_code == 403, name
        assert staff.post(reverse(f"{name}_add"), {}).status_code == 403, name
        row = model._default_manager.first()
        if row is None:
            continue
        shown = staff.get(reverse(f"{name}_change", args=[row.pk]))
        assert shown.status_code == 200 and b'name="_save"' not in shown.content, name
        before = list(model._default_manager.order_by("pk").values())
        assert staff.post(reverse(f"{name}_change", args=[row.pk]), {"name": "x"}).status_code == 403, name
        assert staff.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403, name
        staff.post(reverse(f"{name}_changelist"), {"action": "delete_selected", "_selected_action": row.pk})
        assert list(model._default_manager.order_by("pk").values()) == before, name


def test_hashes_of_passwords_and_keys_are_not_shown(staff, cast):
    for model, page in site._registry.items():
        for name in (*page.get_fields(None), *page.get_list_display(None)):
            assert SECRET_FIELDS.isdisjoint({name, f"{model._meta.label}.{name}"}), model
    labels = {str(field) for model in site._registry for field in model._meta.fields}
    assert {name for name in SECRET_FIELDS if "." in name} <= labels, "a name here is nobody's: the guard does nothing"
    cast.users["lin"].set_password("a long secret phrase")
    cast.users["lin"].save()
    shown = staff.get(reverse("admin:instruments_user_change", args=[cast.users["lin"].pk])).content.decode()
    assert cast.users["lin"].password not in shown and "argon2" not in shown
