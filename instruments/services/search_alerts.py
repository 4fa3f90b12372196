"""Telling people what is new of the searches they keep: one mail a person, queued in the transaction that notes what was told."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext, ngettext, override

from config.kernel.services.transactions import whole
from config.kernel.tasks import send_mail
from instruments.models import CatalogueEntry, SavedSearch, User
from instruments.queries.catalogue import new_since
from instruments.rules.search_state import search_of_query
from instruments.services.saved_searches import OVERLAP, unsubscribe_token

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
        _mail(User.objects.get(pk=user_id), news)
    return len(searches), bool(news)


def _new(saved: SavedSearch, now: datetime) -> tuple[list[CatalogueEntry], int]:
    """Public entries that match and were not told: the first few, and how many; all of them are noted as told."""
    found = new_since(search_of_query(saved.query), saved.last_checked_at - OVERLAP, now)
    ids = [pk for pk in found if pk not in set(saved.told)]
    saved.told = found
    first = {entry.pk: entry for entry in CatalogueEntry.objects.filter(pk__in=ids[:MOST_LISTED]).defer("search", "facets")}
    return [first[pk] for pk in ids[:MOST_LISTED]], len(ids)


def _mail(person: User, news: list[tuple[SavedSearch, list[CatalogueEntry], int]]) -> None:
    with override(person.language):
        total = sum(count for _, _, count in news)
        subject = ngettext(
            "%(count)s new result of your saved searches", "%(count)s new results of your saved searches", total
        ) % {"count": total}
        parts = [_part(person, *one) for one in news]
        rest = gettext("All your saved searches: %(link)s") % {"link": settings.PUBLIC_URL + reverse("saved_search_list")}
        text = "\n\n".join([*parts, rest])
    send_mail.defer(subject=subject, text=text, to=[person.email])


def _part(person: User, saved: SavedSearch, entries: list[CatalogueEntry], count: int) -> str:
    english = person.language.startswith("en")
    names = [f"- {(entry.name_en if english and entry.name_en else entry.name)}" for entry in entries]
    if count > len(entries):
        names.append(gettext("- and %(count)s more") % {"count": count - len(entries)})
    query = f"{saved.query}&sort=newest" if saved.query else "sort=newest"
    return "\n".join(
        [
            saved.name,
            *names,
            gettext("See them: %(link)s") % {"link": f"{settings.PUBLIC_URL}{reverse('search')}?{query}"},
            gettext("No more mails about this search: %(link)s")
            % {"link": settings.PUBLIC_URL + reverse("saved_search_unsubscribe", args=[unsubscribe_token(saved)])},
        ]
    )
