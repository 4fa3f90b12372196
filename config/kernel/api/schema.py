"""How our authentication, errors and idempotency are described in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.permissions import AllowAny

PROBLEM = "application/problem+json"
IDEMPOTENT = OpenApiParameter(
    name="Idempotency-Key",
    type=str,
    location=OpenApiParameter.HEADER,
    required=True,
    description=(
        "A new random key for each action, 255 printable ASCII characters at most. The same key with the same request gives the "
        "first answer again, with the header Idempotent-Replayed: true."
    ),
)
_READING = frozenset({"GET", "HEAD"})


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "config.kernel.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A scoped token, made on the page of your tokens."}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "config.kernel.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class ProblemReason(serializers.Serializer):
    code = serializers.CharField(help_text="Stable, dotted.")
    field = serializers.CharField(help_text="The input that can be mended; empty when there is none.")
    detail = serializers.CharField(help_text="A sentence in the language of Accept-Language.")
    params = serializers.DictField()
    about = serializers.CharField(required=False, help_text="Of several things the one that is meant: its reference.")


class Problem(serializers.Serializer):
    """RFC 9457: what went wrong, with every reason. A conflict may carry more (``alternatives``)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    errors = ProblemReason(many=True)  # type: ignore[assignment]  # a field of ours, not the errors of a form


class ApiSchema(AutoSchema):
    """Describes the problems that every operation may answer with beside what it says itself."""

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction=direction)
        for status in self._problems():
            bodies.setdefault(status, self._problem(status, direction))
        return bodies

    def _problems(self) -> list[str]:
        writing = self.method not in _READING
        public = any(isinstance(each, AllowAny) for each in self.view.get_permissions())
        return [
            "400",
            *([] if public else ["401"]),
            "403",
            *(["404"] if "{" in self.path or writing else []),
            *(["409", "413", "422"] if writing else []),
            "429",
            *(["503"] if writing else []),
        ]

    def _problem(self, status: str, direction: Literal["request", "response"]) -> dict[str, Any]:
        found: dict[str, Any] = self._get_response_for_code(Problem, status, media_types=[PROBLEM], direction=direction)
        return found
