"""Session and scoped-token authentication for the API."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from config.kernel.models import ApiToken
from config.kernel.services.tokens import digest
from config.kernel.statements import planned_once


class SessionAuthentication(authentication.SessionAuthentication):
    """Django's session with CSRF protection; says 401 rather than 403 when nobody is logged in."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class TokenAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer jishi_...``; ``request.auth`` is the token."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        kind, _space, key = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        token = _token(digest(key.strip()))
        now = timezone.now()
        expired = token is not None and token.expires_at is not None and token.expires_at <= now
        if token is None or token.revoked_at is not None or expired or not token.user.is_active:
            raise exceptions.AuthenticationFailed(_("The token is unknown, revoked or expired. Make a new one."))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


@cache
def _statement() -> tuple[str, list[str], list[str]]:
    """The query below with the names of the token's and the person's fields; made once, as every request asks it."""
    token, person = ApiToken._meta, get_user_model()._meta
    columns = [f't."{each.column}"' for each in token.concrete_fields] + [f'u."{each.column}"' for each in person.concrete_fields]
    text = (
        f'SELECT {", ".join(columns)} FROM "{token.db_table}" t JOIN "{person.db_table}" u ON u.id = t.user_id'  # noqa: S608
        " WHERE t.key_sha256 = %s"
    )
    return text, [each.attname for each in token.concrete_fields], [each.attname for each in person.concrete_fields]


def _token(key_sha256: str) -> ApiToken | None:
    """The token with its person, in one query whose SQL is not composed anew for every request."""
    text, token_names, person_names = _statement()
    with planned_once() as cursor:
        cursor.execute(text, [key_sha256])
        row = cursor.fetchone()
    if row is None:
        return None
    token = ApiToken.from_db(connection.alias, token_names, row[: len(token_names)])
    token.scopes = json.loads(token.scopes)
    token.user = get_user_model().from_db(connection.alias, person_names, row[len(token_names) :])
    return token
