"""Telling people what is new of the searches they keep: one notice a person, written in the transaction that notes what was told."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse

from config.kernel.services.transactions import whole
from instruments.models import CatalogueEntry, SavedSearch
from instruments.queries.catalogue import new_since
from instruments.rules.search_state import search_of_query
from instruments.services.notices import News, person, tell
from instruments.services.saved_searches import OVERLAP

MOST_LISTED = 10


def alert_due(now: datetime, *, every: timedelta) -> tuple[int, int]:
    """Look at every search with alerts whose last look is so long ago; returns how many searches and how many mails.

    Each person is one transaction: a second run finds nothing more to tell.
    """
    due = SavedSearch.objects.filter(alert=True, last_checked_at__lte=now - every, user__is_active=True)
    people = list(due.order_by("user_id").values_list("user_id", flat=True).distinct())
    looked = mailed = 0
    for user_id in people:
        searches, told = _alert_person(user_id, now, every)
        looked += searches
        mailed += told
    return looked, mailed


@whole
def _alert_person(user_id: int, now: datetime, every: timedelta) -> tuple[int, bool]:
    rows = SavedSearch.objects.select_for_update(no_key=True).filter(
        user_id=user_id, alert=True, last_checked_at__lte=now - every
    )
    news: list[tuple[SavedSearch, list[CatalogueEntry], int]] = []
    searches = list(rows.order_by("pk"))
    for saved in searches:
        fresh, count = _new(saved, now)
        if count:
            news.append((saved, fresh, count))
        saved.last_checked_at = now
        saved.save(update_fields=["last_checked_at", "told"])
    if news:
        _tell(user_id, news, now)
    return len(searches), bool(news)


def _new(saved: SavedSearch, now: datetime) -> tuple[list[CatalogueEntry], int]:
    """Public entries that match and were not told: the first few, and how many; all of them are noted as told."""
    found = new_since(search_of_query(saved.query), saved.last_checked_at - OVERLAP, now)
    ids = [pk for pk in found if pk not in set(saved.told)]
    saved.told = found
    first = {entry.pk: entry for entry in CatalogueEntry.objects.filter(pk__in=ids[:MOST_LISTED]).defer("search", "facets")}
    return [first[pk] for pk in ids[:MOST_LISTED]], len(ids)


def _tell(person_id: int, news: list[tuple[SavedSearch, list[CatalogueEntry], int]], now: datetime) -> None:
    searches = [
        {
            "id": saved.pk,
            "name": saved.name,
            "query": saved.query,
            "count": count,
            "entries": [{"name": entry.name, "name_en": entry.name_en} for entry in entries],
        }
        for saved, entries, count in news
    ]
    tell(News("alerts.saved_search", {"searches": searches}, reverse("saved_search_list")), person(person_id), now)
