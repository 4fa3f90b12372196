"""What every API view of ours has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import get_language
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from config.kernel.access import NOBODY, Actor
from config.kernel.api import schema  # noqa: F401  (tells the OpenAPI description how tokens are sent)
from config.kernel.api.routes import NUMBER
from config.kernel.api.serializers import NoParameters, PageParameters, StrictSerializer, given_once
from config.kernel.errors import Forbidden, Refusal
from config.kernel.models import ApiToken
from config.kernel.services import idempotency, transactions

ActorFactory = Callable[[Any, ApiToken | None], Actor]
REPLAYED = "Idempotent-Replayed"


@cache
def actor_factory() -> ActorFactory:
    """The function named by ``settings.ACTOR_FACTORY``: (user, token or None) -> Actor."""
    factory: ActorFactory = import_string(settings.ACTOR_FACTORY)
    return factory


@cache
def _empty(shape: type[BaseSerializer[Any]], language: str | None) -> BaseSerializer[Any]:
    """A serializer without a body, with its fields: to make them takes longer than to look at most bodies. By language, as a field goes on
    saying what is wrong in that in which it did so first."""
    made = shape(data={})
    made.fields  # type: ignore[attr-defined]  # noqa: B018  (made when first asked for)
    return made


def checked(shape: type[BaseSerializer[Any]], body: Any) -> dict[str, Any]:
    """What a serializer, which asks for no context, reads of a body. Raises ValidationError (400)."""
    filled = copy(_empty(shape, get_language()))  # type: ignore[arg-type]  # a class can be a key
    filled.initial_data = body
    filled.is_valid(raise_exception=True)
    return dict(filled.validated_data)


class ApiView(GenericViewSet):
    """Parse, call one service or query, render.

    ``self.actor`` is who asks and ``self.now`` when (UTC). ``token_scopes`` maps HTTP methods to the scope that a token needs;
    a method that is not in it cannot be called with a token at all, only in a browser session. ``parameters_shapes`` maps actions
    to what their query string may hold; without an entry only pages may be asked for, and only when reading.
    """

    token_scopes: ClassVar[Mapping[str, str]] = {}
    parameters_shapes: ClassVar[Mapping[str, type[StrictSerializer]]] = {}
    lookup_value_regex = NUMBER
    actor: Actor = NOBODY
    now: datetime

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.now = timezone.now()
        self.read_actor(request)
        if self.actor.token_scopes is not None:
            self._require_scope(request.method or "")
        if request.query_params and self.action is not None:
            self.parameters(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """As the framework does it; no cache keeps what was made for one person."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer

    def read_actor(self, request: Request) -> None:
        """Set ``self.actor`` from what the person may do now (again, after an action that changed it)."""
        token = request.auth if isinstance(request.auth, ApiToken) else None
        self.actor = actor_factory()(request.user, token)

    def _require_scope(self, method: str) -> None:
        needed = self.token_scopes.get("GET" if method in {"HEAD", "OPTIONS"} else method)
        if needed is None:
            raise Forbidden.of("tokens.session_only")
        if needed not in (self.actor.token_scopes or ()):
            raise Forbidden.of("tokens.scope_needed", scope=needed)

    def parameters(self, request: Request) -> dict[str, Any]:
        """The query string, checked; an unknown or repeated parameter is an error. Raises ValidationError (400)."""
        usual = PageParameters if request.method in {"GET", "HEAD"} else NoParameters
        return checked(self.parameters_shapes.get(self.action or "", usual), given_once(request.query_params))

    def idempotency_key(self, request: Request) -> str:
        """The request's Idempotency-Key. Raises Refusal ``idempotency.key_missing`` / ``idempotency.key_unreadable``."""
        key: str = request.headers.get("Idempotency-Key", "")
        if not key:
            raise Refusal.of("idempotency.key_missing", field="Idempotency-Key")
        if not (key.isascii() and key.isprintable()):
            raise Refusal.of("idempotency.key_unreadable", field="Idempotency-Key")
        return key

    def valid(self, request: Request) -> dict[str, Any]:
        """The request's body, checked by the action's serializer. Raises ValidationError (400)."""
        return checked(self.get_serializer_class(), request.data)

    def paged(self, rows: Any, render: Callable[[Any], Any]) -> Response:
        """One page of ``rows`` (a queryset or a list), each rendered."""
        return self.paged_together(rows, lambda page: [render(row) for row in page])

    def paged_together(self, rows: Any, render: Callable[[list[Any]], list[Any]]) -> Response:
        """One page of ``rows``, rendered at once: for what is looked up once for all of them."""
        return self.get_paginated_response(render(list(self.paginate_queryset(rows) or [])))

    def once(self, request: Request, route: str, effect: Callable[[], dict[str, Any]], status: int = 201) -> Response:
        """Run ``effect`` at most once for the request's Idempotency-Key; a repeated call gets the first answer again.

        The answer to a repeated call carries ``Idempotent-Replayed: true``. Raises Refusal ``idempotency.*``.
        """
        key = self.idempotency_key(request)
        payload = {"path": self.kwargs, "body": request.data}
        result, replayed = transactions.run(lambda: idempotency.once(self.actor, route, key, payload, self.now, effect))
        return Response(result, status=status, headers={REPLAYED: "true"} if replayed else None)
