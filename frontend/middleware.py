"""The actor of a request, and refusals turned into pages."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from config.kernel.access import OFFICIALS, Actor
from config.kernel.api import problems
from config.kernel.errors import Forbidden, Reason, Refusal
from config.kernel.messages import reason_sentence
from frontend import display
from frontend.http import actor_of, is_fragment, to_login
from frontend.refusals import refusal_response
from instruments.queries import actor_for

Handler = Callable[[HttpRequest], HttpResponse]
_WITHOUT_MFA = ("mfa_", "account_", "set_language", "healthz", "help", "home")


class ActorMiddleware:
    """Sets ``request.actor`` (read when first used) and the language: the one that the address names (``?lang=en``, for links
    from other languages and for search engines), else a person's own where the browser has none remembered. Holds officials to a
    second factor where the settings say so.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: _actor_of(request.user))  # type: ignore[attr-defined]
        language = request.GET.get("lang", "")
        if language not in dict(settings.LANGUAGES):
            language = ""
            if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and request.user.is_authenticated:
                language = request.user.language
        if language:
            translation.activate(language)
            request.LANGUAGE_CODE = language
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """Redirect an official without a second factor to setting it up, from every page but those needed for it."""
        match = request.resolver_match
        if not settings.REQUIRE_MFA_FOR_OFFICIALS or match is None or (match.url_name or "").startswith(_WITHOUT_MFA):
            return None
        if not request.user.is_authenticated or not actor_of(request).has(*OFFICIALS) or is_mfa_enabled(request.user):
            return None
        if request.path.startswith("/api/"):
            reason = Reason("access.second_factor_needed")
            problem = problems.body(403, reason.code, reason_sentence(reason), [reason])
            return JsonResponse(problem, status=403, content_type=problems.MEDIA_TYPE)
        messages.warning(request, _("Officials log in with a second factor. Set it up now; it takes two minutes."))
        return redirect("mfa_activate_totp")


def _actor_of(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """By the grants that were read with the person of the session (``frontend.login_backend``)."""
    return actor_for(user, read=getattr(user, "grants_read", None))


class ReaderZoneMiddleware:
    """Pages are made for the clock of the browser, which its script remembers (``frontend/assets/js/reader-zone.js``)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with display.read_in(request.COOKIES.get("zone", "")):
            return self.get_response(request)


class RefusalMiddleware:
    """A refusal that reaches us becomes a page (or a fragment) with the right status; a lost log-in leads to logging in."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        if is_fragment(request) and _leads_to_login(response):
            return to_login(request)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refusal):
            return None
        if isinstance(exception, Forbidden) and actor_of(request).is_anonymous:
            return to_login(request)
        return refusal_response(request, exception)


def _leads_to_login(response: HttpResponse) -> bool:
    return response.status_code == 302 and response.headers.get("Location", "").startswith(reverse("account_login"))
