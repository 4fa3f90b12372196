"""Tokens, sessions, rates, languages, clocks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import get_resolver
from rest_framework.test import APIClient

from config.kernel.api.throttling import PerActorThrottle
from config.kernel.models import ApiToken
from config.kernel.services import tokens
from tests.api.conftest import Api, codes


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [(["read"], set()), (["book"], {"cancel"}), (["manage"], {"approve"}), (["settle"], set()), (["read", "book"], {"cancel"})],
)
def test_a_token_does_what_its_scopes_say_and_no_more(api, booked, scopes, allowed):
    reservation = booked()
    answers = {
        "cancel": api("zhao", *scopes).post(f"reservations/{reservation}/cancel/"),
        "approve": api("wang", *scopes).post(f"reservations/{reservation}/approve/"),
        "statement": api("qian", *scopes).post("statements/", {"programme_version": 1, "payee": 1, "month": "2026-10"}),
    }
    if "settle" in scopes:
        allowed = allowed | {"statement"}
    for action, answer in answers.items():
        scoped_out = answer.status_code == 403 and codes(answer) == {"tokens.scope_needed"}
        assert scoped_out == (action not in allowed), (action, answer.content)


def test_a_token_for_reading_cannot_book(api, asked):
    refused = api("lin", "read").post("reservations/", asked())
    assert refused.status_code == 403 and codes(refused) == {"tokens.scope_needed"}
    assert api("lin", "read").get("reservations/").status_code == 200
    assert api("lin", "book").get("reservations/").status_code == 403


def test_a_token_gives_no_role_that_its_person_lacks(api, booked):
    assert api("lin", "manage").post(f"reservations/{booked()}/approve/").status_code == 403


def _with(key: str) -> Api:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return Api(client)


def test_a_revoked_an_expired_and_an_unknown_token_open_nothing(api, cast, token_for):
    api()
    good, revoked = token_for("lin", "read"), token_for("lin", "read")
    expired = token_for("lin", "read", expires_at=cast.now - timedelta(seconds=1))
    tokens.revoke(cast.actor("lin"), ApiToken.objects.get(key_sha256=tokens.digest(revoked)), cast.now)
    assert _with(good).get("me/").status_code == 200
    for key in (revoked, expired, "jishi_unknown", "", "\u00e9"):
        answer = _with(key).get("me/")
        assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Bearer"


def test_a_token_of_somebody_who_was_locked_out_opens_nothing(api, cast, token_for):
    key = token_for("lin", "read")
    cast.users["lin"].is_active = False
    cast.users["lin"].save()
    assert _with(key).get("me/").status_code == 401


def test_a_bad_token_is_refused_on_public_addresses_too(cast):
    assert _with("jishi_unknown").get("programmes/").status_code == 401


def test_a_session_needs_its_csrf_token_and_a_key_needs_none(api, asked, cast, token_for):
    api()
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(cast.users["lin"])
    refused = Api(browser).post("reservations/", asked())
    assert refused.status_code == 403 and codes(refused) == {"http.permission_denied"}
    assert Api(browser).get("reservations/").status_code == 200
    robot = APIClient(enforce_csrf_checks=True)
    robot.credentials(HTTP_AUTHORIZATION=f"Bearer {token_for('lin', 'book')}")
    assert Api(robot).post("reservations/", asked()).status_code == 201


def test_nobody_is_asked_to_log_in_and_told_how(api, db):
    answer = api().get("reservations/")
    assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Bearer"


def test_too_many_requests_are_turned_away_with_the_time_to_wait(api, cast, monkeypatch):
    monkeypatch.setattr(PerActorThrottle, "THROTTLE_RATES", {"actor": "3/min"})
    PerActorThrottle.cache.clear()
    lin = api("lin")
    assert [lin.get("me/").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert int(lin.get("me/")["Retry-After"]) > 0
    assert api("zhao").get("me/").status_code == 200


def test_a_visitor_does_not_get_a_fresh_rate_by_inventing_addresses(api, cast, monkeypatch):
    monkeypatch.setattr(PerActorThrottle, "THROTTLE_RATES", {"actor": "2/min"})
    PerActorThrottle.cache.clear()
    client = api().client
    statuses = [client.get("/api/v1/programmes/", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}").status_code for n in range(3)]
    assert statuses == [200, 200, 429]


def test_sentences_follow_accept_language(api, db):
    def title(language: str) -> str:
        return api().client.get("/api/v1/nothing/", headers={"Accept-Language": language}).json()["title"]

    assert title("en").startswith("There is no such address")
    answer = api().client.get("/api/v1/reservations/", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert not answer.json()["title"].isascii()


def test_only_json_is_answered(api, db):
    assert api().client.get("/api/v1/programmes/", headers={"Accept": "text/html"}).status_code == 406


def test_methods_that_an_address_does_not_know_are_refused(api, booked):
    reservation = booked()
    for method in ("PUT", "PATCH", "DELETE"):
        assert api("lin").send(method, f"reservations/{reservation}/", b"{}").status_code == 405


def test_no_address_of_the_api_answers_with_a_cookie(api, cast):
    """An API that sets cookies would make its answers uncacheable and its clients traceable."""
    assert get_resolver("config.api_urls").url_patterns
    for path in ("programmes/", f"instruments/{cast.xrd.pk}/slots/", "schema/"):
        assert not api().client.get(f"/api/v1/{path}").cookies


def test_no_cache_keeps_what_was_made_for_one_person(api, booked):
    reservation = booked()
    for path in ("me/", "reservations/", f"reservations/{reservation}/", "reservations/999999/"):
        assert api("lin", "read").get(path)["Cache-Control"] == "private, no-store", path
