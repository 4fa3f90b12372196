"""A refusal that leaves a view becomes a page, a fragment, or the way to log in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.cache import SessionStore
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.test import RequestFactory
from django.utils import translation

from config.kernel.access import NOBODY, Actor
from config.kernel.errors import Busy, Conflict, Forbidden, NotFound, Reason, Refusal
from config.kernel.messages import reason_sentence
from frontend.forms import refusal_to_form
from frontend.middleware import RefusalMiddleware

SOMEBODY = Actor(user_id=1, name="Lin Xia")


class Htmx(SimpleNamespace):
    def __bool__(self) -> bool:
        return bool(self.asked)


def request_of(actor: Actor, fragment: bool = False, method: str = "get", path: str = "/somewhere/") -> HttpRequest:
    request = getattr(RequestFactory(), method)(path, HTTP_REFERER="http://testserver/form/?a=1")
    request.actor, request.user, request.session = actor, AnonymousUser(), SessionStore()
    request._messages = FallbackStorage(request)
    request.htmx = Htmx(
        asked=fragment,
        boosted=False,
        history_restore_request=False,
        current_url="http://testserver/form/?a=1" if fragment else "",
    )
    return request


def answer(request: HttpRequest, refusal: Exception) -> HttpResponse | None:
    with translation.override("en"):
        return RefusalMiddleware(lambda _request: HttpResponse()).process_exception(request, refusal)


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (NotFound.of("access.not_found"), 404),
        (Forbidden.of("access.role_needed"), 403),
        (Conflict(Reason("access.not_found")), 409),
        (Busy(Reason("kernel.busy", {"retry_after_seconds": 3})), 503),
        (Refusal.of("files.missing"), 422),
    ],
)
@pytest.mark.parametrize("fragment", [False, True])
def test_each_kind_of_refusal_has_its_status_and_its_sentence(refusal: Refusal, status: int, fragment: bool) -> None:
    response = answer(request_of(SOMEBODY, fragment), refusal)
    assert response is not None
    assert response.status_code == status
    with translation.override("en"):
        assert reason_sentence(refusal.reasons[0])[:30] in response.content.decode()
    assert (b"<html" in response.content) is not fragment


def test_a_busy_answer_says_when_to_come_back() -> None:
    response = answer(request_of(SOMEBODY), Busy(Reason("kernel.busy", {"retry_after_seconds": 3})))
    assert response is not None and response["Retry-After"] == "3"


def test_a_forbidden_visitor_is_led_to_log_in_and_back() -> None:
    response = answer(request_of(NOBODY), Forbidden.of("access.role_needed"))
    assert response is not None and response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=%2Fsomewhere%2F"


def test_after_a_post_one_comes_back_to_the_page_of_the_form() -> None:
    response = answer(request_of(NOBODY, method="post"), Forbidden.of("access.role_needed"))
    assert response is not None and response["Location"] == "/accounts/login/?next=%2Fform%2F%3Fa%3D1"


def test_a_fragment_without_log_in_moves_the_whole_page() -> None:
    response = answer(request_of(NOBODY, fragment=True), Forbidden.of("access.role_needed"))
    assert response is not None and response.status_code == 204
    assert response["HX-Redirect"] == "/accounts/login/?next=%2Fform%2F%3Fa%3D1"


def test_a_redirect_to_log_in_is_not_swapped_into_a_fragment() -> None:
    middleware = RefusalMiddleware(lambda _request: redirect("account_login"))
    assert middleware(request_of(NOBODY, fragment=True))["HX-Redirect"].startswith("/accounts/login/?next=")
    assert middleware(request_of(NOBODY))["Location"] == "/accounts/login/"


def test_other_exceptions_are_left_alone() -> None:
    assert answer(request_of(SOMEBODY), ValueError("x")) is None


def test_reasons_go_to_their_fields_and_the_rest_to_the_summary() -> None:
    class Form(forms.Form):
        name = forms.CharField()

    form = Form({"name": "x"})
    assert form.is_valid()
    refusal_to_form(form, Refusal(Reason("access.not_found", {}, "name"), Reason("files.missing", {}, "elsewhere")))
    found: dict[str, Any] = dict(form.errors)
    assert set(found) == {"name", "__all__"}
