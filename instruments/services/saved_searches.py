"""Keeping searches: each person their own, told by mail of what is new when they want that."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core import signing

from config.kernel.access import Actor, get_visible
from config.kernel.errors import NotFound, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import SavedSearch
from instruments.queries.catalogue import new_since
from instruments.rules.names import clean_name
from instruments.rules.search_state import CatalogueSearch, canonical_query, search_of_query
from instruments.services.people import one_at_a_time

NAME_LENGTH = 100
MOST_SAVED = 50
LONGEST_QUERY = 1000
OVERLAP = timedelta(hours=1)
"""What was written in a transaction that ended after the last look is found by looking a little further back."""
_SALT = "instruments.saved_search"
_UNSUBSCRIBE_FOR = timedelta(days=365)


@whole
def save_search(actor: Actor, search: CatalogueSearch, name: str, alert: bool, now: datetime) -> SavedSearch:
    """Keep a search under a name; the same search again changes name and alert of the one that is there.

    Raises Forbidden, Refusal ``name.*``, ``saved_search.too_many``, ``saved_search.too_long``.
    """
    user_id = one_at_a_time(actor)
    cleaned = clean_name(name, NAME_LENGTH, "name")
    query = canonical_query(search)
    if len(query) > LONGEST_QUERY:
        raise Refusal.of("saved_search.too_long", "query")
    mine = SavedSearch.objects.filter(user_id=user_id)
    found = mine.filter(query=query).first()
    if found is not None:
        return change_search(actor, found.pk, cleaned, alert, now)
    if mine.count() >= MOST_SAVED:
        raise Refusal.of("saved_search.too_many", maximum=MOST_SAVED)
    saved = SavedSearch.objects.create(
        user_id=user_id, name=cleaned, query=query, alert=alert, told=_there(query, now), last_checked_at=now, created_at=now
    )
    audit.record(actor, "saved_search.create", saved, now, after={"name": cleaned, "query": query, "alert": alert})
    return saved


@whole
def change_search(actor: Actor, search_id: int, name: str, alert: bool, now: datetime) -> SavedSearch:
    """Another name, alerts on or off; from switching on, only what is new from now on is told. Raises NotFound, Refusal ``name.*``."""
    saved = _mine(actor, search_id)
    cleaned = clean_name(name, NAME_LENGTH, "name")
    before = {"name": saved.name, "alert": saved.alert}
    after = {"name": cleaned, "alert": alert}
    if before == after:
        return saved
    if alert and not saved.alert:
        saved.last_checked_at, saved.told = now, _there(saved.query, now)
    saved.name, saved.alert = cleaned, alert
    saved.save(update_fields=["name", "alert", "last_checked_at", "told"])
    audit.record(actor, "saved_search.change", saved, now, before=before, after=after)
    return saved


@whole
def delete_search(actor: Actor, search_id: int, now: datetime) -> None:
    """Keep it no longer. Raises NotFound."""
    saved = _mine(actor, search_id)
    audit.record(actor, "saved_search.delete", saved, now, before={"name": saved.name, "query": saved.query})
    saved.delete()


def unsubscribe_token(search_id: int) -> str:
    """What the link in a mail carries: whoever has the mail may end the alerts, without logging in."""
    return signing.dumps(search_id, salt=_SALT)


def search_of_token(token: str) -> SavedSearch:
    """The saved search of a link. Raises NotFound for a wrong or old one."""
    try:
        search_id = signing.loads(token, salt=_SALT, max_age=_UNSUBSCRIBE_FOR)
    except signing.BadSignature:
        raise NotFound.of("access.not_found", model="saved_search") from None
    saved = SavedSearch.objects.filter(pk=search_id).first()
    if saved is None:
        raise NotFound.of("access.not_found", model="saved_search")
    return saved


@whole
def unsubscribe(token: str, actor: Actor, now: datetime) -> SavedSearch:
    """End the alerts of the search of a link; again does nothing. Raises NotFound."""
    saved = SavedSearch.objects.select_for_update(no_key=True).get(pk=search_of_token(token).pk)
    if saved.alert:
        saved.alert = False
        saved.save(update_fields=["alert"])
        audit.record(actor, "saved_search.unsubscribe", saved, now, before={"alert": True}, after={"alert": False})
    return saved


def _there(query: str, now: datetime) -> list[int]:
    """What is there already and would be found by looking a little further back."""
    return new_since(search_of_query(query), now - OVERLAP, now)


def _mine(actor: Actor, search_id: int) -> SavedSearch:
    return get_visible(SavedSearch.objects.select_for_update(no_key=True), actor, pk=search_id)
