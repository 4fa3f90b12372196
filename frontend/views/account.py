"""A person's own settings."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from config.kernel.errors import Refusal
from frontend.forms import SettingsForm, refusal_to_form
from frontend.http import actor_of
from instruments.models import User
from instruments.services.people import update_person

YEAR_SECONDS = 365 * 24 * 3600


@login_required
@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Name, language and shortcuts."""
    user = cast(User, request.user)
    initial = {
        "full_name": user.full_name,
        "language": user.language,
        "shortcuts": request.COOKIES.get("shortcuts") != "off",
    }
    form = SettingsForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            update_person(actor_of(request), form.cleaned_data["full_name"], form.cleaned_data["language"], timezone.now())
        except Refusal as refusal:
            refusal_to_form(form, refusal)
        else:
            return _saved(request, form.cleaned_data["language"], form.cleaned_data["shortcuts"])
    return render(request, "account/settings.html", {"form": form}, status=422 if form.errors else 200)


def _saved(request: HttpRequest, language: str, shortcuts: bool) -> HttpResponse:
    with translation.override(language):
        messages.success(request, _("Your settings are saved."))
    response = redirect("account_settings")
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR_SECONDS, samesite="Lax", secure=settings.SECURE_TLS)
    choice = "on" if shortcuts else "off"
    response.set_cookie("shortcuts", choice, max_age=YEAR_SECONDS, samesite="Lax", secure=settings.SECURE_TLS)
    return response
