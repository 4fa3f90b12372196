"""What stands in the cookie of a log-in is believed only when it can be one of our keys."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("cookie", [r'"\000aaaaaaaaaaaa"', r'"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\000"', "a" * 33, "'; DROP TABLE"])
def test_a_cookie_that_is_no_key_is_nobody_and_no_error(cast: Any, cookie: str) -> None:
    header = f"{settings.SESSION_COOKIE_NAME}={cookie}"
    assert Client(HTTP_COOKIE=header).get("/help/").status_code == 200
    assert Client(HTTP_COOKIE=header).get("/bookings/").status_code == 302
    assert Client(HTTP_COOKIE=header).get("/api/v1/me/").status_code == 401


def test_a_cookie_of_ours_is_the_person(cast: Any) -> None:
    client = Client()
    client.force_login(cast.users["lin"])
    assert client.get("/api/v1/me/").json()["email"] == "lin@example.org"
