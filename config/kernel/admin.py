"""Django's admin as a window: our rows may be looked at and never written, because services are the only writers.

The site knows every model that has a scope (``show_scoped``) and what is registered besides; the admin pages of libraries are not served.
"""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin
from django.db.models import Field, Model
from django.http import HttpRequest

from config.kernel import access
from config.kernel.models import Heartbeat, IdempotencyRecord, StoredFile

#: Never shown: hashes of passwords and keys, the free text that answers to whoever holds one, links that are keys themselves, what
#: news says to its reader, where a person is reached.
SECRET_FIELDS = frozenset(
    {
        "password", "key_sha256", "token_sha256", "code_sha256", "nonce", "search", "booking.CalendarSubscription.address",
        "instruments.Delivery.content", "instruments.Webhook.address", "instruments.Notice.params",
        "instruments.WebhookDelivery.payload", "instruments.ChannelAddress.address",
    }
)  # fmt: skip


class ReadOnlySite(admin.AdminSite):
    """For active staff; with a second factor where officials need one."""

    site_header = site_title = "Jishi"
    enable_nav_sidebar = False
    final_catch_all_view = False

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not (user.is_active and getattr(user, "is_staff", False)):
            return False
        return not settings.REQUIRE_MFA_FOR_OFFICIALS or is_mfa_enabled(user)


site = ReadOnlySite(name="admin")
site.login = secure_admin_login(site.login)  # type: ignore[method-assign]


class ReadOnlyAdmin(admin.ModelAdmin):
    """Looking only: no adding, changing, deleting, no actions, whatever permissions the person has."""

    actions: ClassVar[None] = None  # type: ignore[misc]
    list_per_page = 50
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return [each.name for each in _shown(self.model)]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return self.get_fields(request, obj)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        plain = [each.name for each in _shown(self.model) if not each.is_relation and each.get_internal_type() not in _LONG]
        return plain[:8]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


_LONG = frozenset({"JSONField", "TextField"})


def _shown(model: type[Model]) -> list[Field[Any, Any]]:
    return [each for each in model._meta.fields if SECRET_FIELDS.isdisjoint({each.name, str(each)})]


def show(*models: type[Model]) -> None:
    """Let staff look at ``models``."""
    for model in models:
        site.register(model, ReadOnlyAdmin)


def show_scoped() -> None:
    """Let staff look at every model of which it is said who may see it, once all apps have said so."""
    show(*sorted(access.scoped_models() - set(site._registry), key=lambda model: model._meta.label))


show(Heartbeat, IdempotencyRecord, StoredFile)
