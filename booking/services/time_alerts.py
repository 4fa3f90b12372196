"""Hearing of a time that becomes free: asked for once, answered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from booking.models import TimeAlert
from booking.queries import finding
from booking.queries.finding import FoundTime
from booking.rules.time_search import TimeSearch
from config.kernel.access import Actor, get_visible
from config.kernel.errors import Refusal
from config.kernel.services import audit, transactions
from config.kernel.services.parking import each_parked
from instruments.queries import actor_for
from instruments.services.notices import News, person, tell
from instruments.services.people import one_at_a_time

MOST_WAITING = 20
NAMED = 3


@transactions.whole
def ask(actor: Actor, search: TimeSearch, now: datetime) -> TimeAlert:
    """Remember the search; the same one that waits already is not remembered twice.

    Raises Forbidden for nobody, Refusal ``time_alert.too_many``.
    """
    waiting = TimeAlert.objects.filter(user_id=one_at_a_time(actor), notified_at=None, last_on__gte=_today(now))
    said = as_json(search)
    for alert in waiting:
        if alert.search == said:
            return alert
    if len(waiting) >= MOST_WAITING:
        raise Refusal.of("time_alert.too_many", most=MOST_WAITING)
    alert = TimeAlert.objects.create(user_id=actor.person_id, search=said, last_on=search.last_on, created_at=now)
    audit.record(actor, "time_alert.ask", alert, now, after=said)
    return alert


@transactions.whole
def forget(actor: Actor, alert_id: int, now: datetime) -> None:
    """No mail, please. Raises NotFound."""
    alert = get_visible(TimeAlert.objects.select_for_update(), actor, pk=alert_id)
    audit.record(actor, "time_alert.forget", alert, now, before=alert.search)
    alert.delete()


def answer_due(now: datetime) -> int:
    """Look for every alert that waits, and write to those for whom something is free; returns how many. Safe to repeat."""
    waiting = TimeAlert.objects.filter(notified_at=None, last_on__gte=_today(now)).order_by("pk")
    return each_parked(list(waiting.values_list("pk", flat=True)), lambda pk: _answer(pk, now), "time alert")


def as_json(search: TimeSearch) -> dict[str, Any]:
    """The search as it is kept."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(search).items()}


def from_json(kept: Mapping[str, Any]) -> TimeSearch:
    """The search that was kept. Raises Refusal as ``TimeSearch`` does."""
    days = {name: date.fromisoformat(kept[name]) for name in ("first_on", "last_on")}
    return TimeSearch(**{**kept, **days})


def _answer(alert_id: int, now: datetime) -> bool:
    alert = TimeAlert.objects.select_for_update(of=("self",)).select_related("user").get(pk=alert_id)
    if alert.notified_at is not None:
        return False
    search = from_json(alert.search)
    alert.checked_at = now
    found = finding.find_earliest(actor_for(alert.user), _from_now(search, now), now, NAMED).rows
    if found:
        alert.notified_at = now
        news = News("alerts.time_free", {"found": [_plain(row) for row in found]}, _results(search), alert)
        tell(news, person(alert.user_id), now)
    alert.save(update_fields=["checked_at", "notified_at"])
    return bool(found)


def _from_now(search: TimeSearch, now: datetime) -> TimeSearch:
    return replace(search, first_on=max(search.first_on, _today(now)))


def _plain(row: FoundTime) -> dict[str, str]:
    starts = row.during.starts_at.astimezone(row.context.zone).isoformat()
    return {"name": row.instrument.name, "name_en": row.instrument.name_en, "starts_at": starts}


def _results(search: TimeSearch) -> str:
    """The page that shows what is free now."""
    given = {name: value for name, value in as_json(search).items() if value not in ("", None, False)}
    return f"{reverse('find_a_time')}?{urlencode(query_of(given))}"


def query_of(kept: Mapping[str, Any]) -> dict[str, str]:
    """The address's parameters of a kept search, as the page reads them."""
    names = {"text": "q", "first_on": "from", "last_on": "to"}
    found = {names.get(name, name): "1" if value is True else str(value) for name, value in kept.items()}
    minutes = Decimal(found.pop("duration_minutes"))
    return found | {"hours": f"{minutes / 60:.4f}".rstrip("0").rstrip(".")}


def _today(now: datetime) -> date:
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
