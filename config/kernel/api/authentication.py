"""Session and scoped-token authentication for the API."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from config.kernel.models import ApiToken
from config.kernel.services.tokens import digest


class SessionAuthentication(authentication.SessionAuthentication):
    """Django's session with CSRF protection; says 401 rather than 403 when nobody is logged in."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class TokenAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer jishi_...``; ``request.auth`` is the token."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        kind, _, key = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        token = ApiToken.objects.select_related("user").filter(key_sha256=digest(key.strip())).first()
        now = timezone.now()
        expired = token is not None and token.expires_at is not None and token.expires_at <= now
        if token is None or token.revoked_at is not None or expired or not token.user.is_active:
            raise exceptions.AuthenticationFailed("The token is unknown, revoked or expired.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
