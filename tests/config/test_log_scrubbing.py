"""Keys in addresses reach no log: not the server's, not Django's."""

from __future__ import annotations

import logging
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from gunicorn.config import Config

from config.access_log import AccessLogger
from config.log_scrubbing import WithoutKeys, scrub

KEY = "Zm9vYmFyYmF6-_quxZm9vYmFyYmF6quxZm9vYmFyYmF"


@pytest.mark.parametrize(("text", "expected"), [
    (f"/feeds/{KEY}.ics", "/feeds/[key].ics"),
    (f"Not Found: /feeds/{KEY}.ics twice /feeds/{KEY}.ics", "Not Found: /feeds/[key].ics twice /feeds/[key].ics"),
    (f"/invitations/{KEY}/", "/invitations/[key]/"),
    ("/searches/unsubscribe/MTI:1wXyZ0:Zm9vYmFyYmF6quxZm9vYmFyYmF/", "/searches/unsubscribe/[key]/"),
    ("/notices/unsubscribe/WzEsWyJsYWIiXV0:1wXyZ0:Zm9vYmFyYmF6quxZm9vYmFyYmF/", "/notices/unsubscribe/[key]/"),
    ("/feeds/12/revoke/", "/feeds/12/revoke/"), ("/invitations/7/withdraw/", "/invitations/7/withdraw/"), ("/feeds/new/", "/feeds/new/"),
])  # fmt: skip
def test_only_keys_are_replaced(text, expected):
    assert scrub(text) == expected


def test_the_access_log_of_the_server_has_no_key():
    config = Config()
    config.set("access_log_format", '%(h)s "%(m)s %(U)s" "%(r)s" "%(f)s" %(s)s')
    logger = AccessLogger(config)
    environ = {"RAW_URI": f"/feeds/{KEY}.ics", "PATH_INFO": f"/feeds/{KEY}.ics", "REQUEST_METHOD": "GET", "HTTP_REFERER": f"https://x/feeds/{KEY}.ics",
               "SERVER_PROTOCOL": "HTTP/1.1"}  # fmt: skip
    response = SimpleNamespace(status="200 OK", headers=[], sent=1)
    request = SimpleNamespace(headers=[])
    line = config.access_log_format % logger.atoms_wrapper_class(logger.atoms(response, request, environ, timedelta(0)))
    assert KEY not in line and line.count("/feeds/[key].ics") == 3


@pytest.mark.django_db
def test_django_names_no_key_of_what_it_could_not_serve(caplog: pytest.LogCaptureFixture):
    caplog.handler.addFilter(WithoutKeys())
    with caplog.at_level(logging.WARNING, "django.request"):
        Client().get(f"/feeds/{KEY}.ics")
        Client().get(f"/feeds/{KEY}/elsewhere")
    assert caplog.records and KEY not in caplog.text and "/feeds/[key]" in caplog.text


def test_the_handlers_of_the_settings_have_the_filter():
    handlers: dict[str, Any] = settings.LOGGING["handlers"]
    assert all("without_keys" in handler["filters"] for handler in handlers.values())
    assert settings.LOGGING["filters"]["without_keys"]["()"] == "config.log_scrubbing.WithoutKeys"
