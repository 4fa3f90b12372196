"""Searches are kept by their person, told of what is new once, and ended by the link in the mail."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from config.kernel.access import NOBODY, Actor
from config.kernel.errors import Forbidden, NotFound, Refusal
from instruments.models import SavedSearch, User
from instruments.rules.search_state import CatalogueSearch
from instruments.services import registry, saved_searches
from instruments.services.registry import InstrumentFields
from instruments.services.search_alerts import alert_due
from tests.instruments.registry.conftest import OPERATOR
from tests.instruments.search.conftest import Stock
from tests.mailbox import mails

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
XRD = CatalogueSearch(text="XRD", kind="instrument")


@pytest.fixture
def person(db: None) -> Actor:
    user = User.objects.create(email="lin@example.org", full_name="Lin", password="!", language="en")
    return Actor(user_id=user.pk, name="Lin")


def add(stock: Stock, name: str, now: datetime, **fields: Any) -> int:
    return registry.create_instrument(OPERATOR, stock.xrd.site_id, InstrumentFields(name, **fields), now).pk


def test_a_search_is_kept_once_and_renamed(person: Actor, now: datetime) -> None:
    first = saved_searches.save_search(person, XRD, "Diffraction", True, now)
    again = saved_searches.save_search(person, XRD, "XRD for powders", False, now)
    assert (first.pk, again.name, again.alert, again.query) == (again.pk, "XRD for powders", False, "q=XRD&kind=instrument")
    with pytest.raises(Refusal, match="name"):
        saved_searches.change_search(person, first.pk, "", True, now)
    saved_searches.delete_search(person, first.pk, now)
    assert not SavedSearch.objects.exists()


def test_another_persons_search_is_not_there(person: Actor, now: datetime) -> None:
    saved = saved_searches.save_search(person, XRD, "Diffraction", True, now)
    stranger = Actor(user_id=User.objects.create(email="he@example.org", full_name="He", password="!").pk)
    for act in (
        lambda: saved_searches.change_search(stranger, saved.pk, "Mine", True, now),
        lambda: saved_searches.delete_search(stranger, saved.pk, now),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Forbidden):
        saved_searches.save_search(NOBODY, XRD, "Diffraction", True, now)


def test_nobody_keeps_without_end(person: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_searches, "MOST_SAVED", 1)
    saved_searches.save_search(person, XRD, "One", False, now)
    with pytest.raises(Refusal) as refused:
        saved_searches.save_search(person, CatalogueSearch(text="SEM"), "Two", False, now)
    assert refused.value.reasons[0].code == "saved_search.too_many"


def test_what_is_new_is_told_once_in_one_mail(person: Actor, stock: Stock, now: datetime) -> None:
    saved_searches.save_search(person, XRD, "Diffraction", True, now)
    saved_searches.save_search(person, CatalogueSearch(text="furnace"), "Ovens", True, now)
    saved_searches.save_search(person, CatalogueSearch(text="lathe"), "Lathes", False, now)
    later = now + timedelta(hours=2)
    assert alert_due(later + DAY, every=DAY) == (2, 0)  # what was there before is nothing new
    add(stock, "Second XRD", later + DAY)
    add(stock, "Tube furnace", later + DAY)
    add(stock, "Lathe", later + DAY)
    assert alert_due(later + 2 * DAY, every=DAY) == (2, 1)
    (mail,) = mails()
    assert mail["to"] == ["lin@example.org"]
    assert mail["subject"] == "2 new results of your saved searches"
    assert "- Second XRD" in mail["text"]
    assert "- Tube furnace" in mail["text"]
    assert "Lathe" not in mail["text"]
    assert "/search/?q=XRD&kind=instrument&sort=newest" in mail["text"]
    assert alert_due(later + 2 * DAY, every=DAY) == (0, 0)
    assert alert_due(later + 3 * DAY, every=DAY) == (2, 0)
    assert len(mails()) == 1


@pytest.mark.parametrize("search", [XRD, replace(XRD, next_free="7"), CatalogueSearch(text="XRD next week")])
def test_a_mail_says_that_free_times_were_not_looked_at_where_the_search_asks_for_them(
    person: Actor, stock: Stock, now: datetime, search: CatalogueSearch
) -> None:
    saved_searches.save_search(person, search, "Diffraction", True, now)
    add(stock, "Second XRD", now + DAY)
    assert alert_due(now + 2 * DAY, every=DAY) == (1, 1)
    (mail,) = mails()
    assert "- Second XRD" in mail["text"]
    assert ("free in the days of your search was not looked at" in mail["text"]) is (search is not XRD)


def test_what_was_written_while_the_last_look_ran_is_told_and_nothing_twice(person: Actor, stock: Stock, now: datetime) -> None:
    saved_searches.save_search(person, XRD, "Diffraction", True, now)
    looked = now + DAY
    add(stock, "XRD before the look", looked - timedelta(minutes=10))
    assert alert_due(looked, every=DAY) == (1, 1)
    add(stock, "XRD of a transaction that began before the look", looked - timedelta(minutes=5), technique="XRD")
    registry.update_instrument(OPERATOR, stock.xrd.pk, {"model": "D8"}, looked + timedelta(hours=1))
    assert alert_due(looked + DAY, every=DAY) == (1, 1)
    assert "XRD before the look" not in mails()[1]["text"]
    assert "X-ray diffractometer" not in mails()[1]["text"]


def test_what_is_published_later_is_new_then(person: Actor, stock: Stock, now: datetime) -> None:
    draft = add(stock, "XRD in preparation", now - DAY, published=False)
    saved_searches.save_search(person, XRD, "Diffraction", True, now)
    registry.set_published(OPERATOR, draft, True, now + timedelta(hours=5))
    assert alert_due(now + DAY, every=DAY) == (1, 1)
    assert "XRD in preparation" in mails()[0]["text"]


def test_the_link_ends_the_mails_for_whoever_has_it(person: Actor, stock: Stock, now: datetime) -> None:
    saved_searches.save_search(person, XRD, "Diffraction", True, now)
    add(stock, "Second XRD", now + timedelta(hours=2))
    alert_due(now + DAY, every=DAY)
    token = re.search(r"/searches/unsubscribe/([^/]+)/", mails()[0]["text"])[1]  # type: ignore[index]
    for _ in range(2):
        assert not saved_searches.unsubscribe(token, NOBODY, now + DAY).alert
    with pytest.raises(NotFound):
        saved_searches.unsubscribe(token + "x", NOBODY, now + DAY)
