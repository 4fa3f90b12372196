"""A mail server, and people who want to be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.core.mail.utils import DNS_NAME

from instruments.models import Delivery, NoticeSettings
from instruments.services import notice_delivery, notices
from instruments.services.notices import News, person, tell
from tests.smtp import Sink, serving


@pytest.fixture
def sink(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """Mail really goes over SMTP to here."""
    monkeypatch.setattr(DNS_NAME, "_fqdn", "localhost", raising=False)  # asking for our own name may take seconds
    with serving() as (found, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield found


@pytest.fixture
def told(cast: Any) -> Callable[..., Delivery]:
    """Tell Lin something that needs nothing of her; her delivery by mail."""

    def tell_lin(now: datetime = cast.now, event: str = "organisation.join_accepted", **params: Any) -> Delivery:
        news = News(event, {"organisation": "Kunlun", **params}, "/organisations/")
        tell(news, person(cast.users["lin"].pk), now)
        return Delivery.objects.filter(user=cast.users["lin"], channel=notices.EMAIL).latest("pk")

    return tell_lin


@pytest.fixture
def wishes(cast: Any) -> Callable[..., NoticeSettings]:
    """Set Lin's settings as they are kept."""

    def set_lin(**fields: Any) -> NoticeSettings:
        values = {"time_zone": "Asia/Shanghai", **fields}
        return NoticeSettings.objects.update_or_create(user=cast.users["lin"], defaults=values)[0]

    return set_lin


def send_all(now: datetime) -> list[str]:
    """Attempt every open delivery as the worker would; the states they came to."""
    waiting = Delivery.objects.filter(state__in=["waiting", "sending"]).order_by("pk").values_list("pk", flat=True)
    return [notice_delivery.deliver(pk, now) for pk in list(waiting)]
