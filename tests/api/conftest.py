"""Clients of the API, and the requests they send."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.response import Response
from rest_framework.test import APIClient

from config.kernel.api.throttling import PerActorThrottle
from config.kernel.services import tokens

API = "/api/v1/"


class Api:
    """Somebody's client; every answer is checked to be no server error, and to be a problem document when it is an error."""

    def __init__(self, client: APIClient) -> None:
        self.client = client

    def get(self, path: str, **parameters: Any) -> Response:
        return self._checked(self.client.get(API + path, parameters))

    def post(self, path: str, body: Any = None, key: str | None = "", **headers: str) -> Response:
        """``key``: None sends no Idempotency-Key, an empty one a new key."""
        if key is not None:
            headers["Idempotency-Key"] = key or secrets.token_hex(8)
        return self._checked(self.client.post(API + path, {} if body is None else body, format="json", headers=headers))

    def send(self, method: str, path: str, raw: bytes, content_type: str = "application/json", **headers: str) -> Response:
        headers.setdefault("Idempotency-Key", secrets.token_hex(8))
        return self._checked(self.client.generic(method, API + path, raw, content_type=content_type, headers=headers))

    @staticmethod
    def _checked(response: Response) -> Response:
        assert response.status_code < 500 or response.status_code == 503, response.content[:2000]
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json"
            problem = response.json()
            assert problem["status"] == response.status_code
            assert problem["type"] == f"urn:jishi:problem:{problem['code']}"
            for error in problem["errors"]:
                assert error["detail"] and error["detail"] != error["code"], error
        return response


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PerActorThrottle, "THROTTLE_RATES", {"actor": "100000/min"})
    PerActorThrottle.cache.clear()


@pytest.fixture
def token_for(cast: Any) -> Callable[..., str]:
    def make(name: str, *scopes: str, **more: Any) -> str:
        return tokens.issue(cast.actor(name), "test", list(scopes), cast.now, **more)

    return make


@pytest.fixture
def api(cast: Any, token_for: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Api]:
    """``api("lin")`` is her session, ``api("lin", "book")`` a token of hers, ``api()`` nobody. The clock stands at ``cast.now``."""
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: cast.now)

    def make(name: str | None = None, *scopes: str) -> Api:
        client = APIClient()
        if name and scopes:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_for(name, *scopes)}")
        elif name:
            client.force_login(cast.users[name])
        return Api(client)

    return make


@pytest.fixture
def asked(cast: Any, slot: Any) -> Callable[..., dict[str, Any]]:
    """The body of a reservation; ``asked(9, 11)`` is 09:00 to 11:00 the day after tomorrow."""

    def make(first_hour: float = 9, last_hour: float = 11, **changes: Any) -> dict[str, Any]:
        during = slot(first_hour, last_hour)
        return {
            "instrument": cast.xrd.pk,
            "organisation": cast.firm.pk,
            "starts_at": during.starts_at.isoformat(),
            "ends_at": during.ends_at.isoformat(),
            "service_mode": "self_operated",
            "purpose": "lithium salts",
            **changes,
        }

    return make


@pytest.fixture
def booked(api: Callable[..., Api], asked: Callable[..., dict[str, Any]]) -> Callable[..., int]:
    """Book as Lin Xia and return the id."""

    def make(first_hour: float = 9, last_hour: float = 11) -> int:
        response = api("lin").post("reservations/", asked(first_hour, last_hour))
        assert response.status_code == 201, response.content
        return int(response.json()["id"])

    return make


def codes(response: Response) -> set[str]:
    return {error["code"] for error in response.json()["errors"]} or {response.json()["code"]}
