"""The results page, suggestions, comparing and saved searches as people get them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from gzip import compress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.test import Client
from django.urls import reverse

from instruments.models import CatalogueEntry, Instrument, Resource, SavedSearch, TestItem
from instruments.queries import codes
from instruments.services import catalogue, registry, vocabulary
from instruments.services.code_lists import load_codes
from instruments.services.registry import InstrumentFields
from instruments.services.saved_searches import unsubscribe_token
from tests.instruments.registry.conftest import OPERATOR

pytestmark = pytest.mark.django_db
MOST_SCRIPT_BYTES = 150_000


@pytest.fixture(autouse=True)
def _english(client: Client, settings: Any) -> None:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"


@pytest.fixture
def brine(cast: Any) -> Resource:
    """A test item at the cast's lab, measured with its diffractometer, for 120 yuan a sample."""
    item = Resource.objects.create(
        kind="test_item",
        organisation=cast.lab,
        name="Li and Mg in brine",
        published=True,
        created_at=cast.now,
        updated_at=cast.now,
    )
    analytes = [{"name": "Li", "limit": "0.01", "unit": "mg/L"}, {"name": "Mg", "limit": "0.1", "unit": "mg/L"}]
    TestItem.objects.create(resource=item, matrix="brine", method="ICP-OES", analytes=analytes).instruments.set([cast.xrd])
    catalogue.refresh_resources([item.pk], cast.now)
    CatalogueEntry.objects.filter(resource=item).update(price_from_fen=120_00, price_unit="sample")
    return item


def text(response: Any) -> str:
    return response.content.decode()


def entries(*things: Any) -> str:
    found = [one.entry.pk for one in things]
    return ",".join(map(str, found))


def test_what_was_understood_is_shown_and_can_be_taken_away(client: Client, brine: Resource) -> None:
    page = text(client.get(reverse("search"), {"q": "brine, Li and Mg, 12 samples"}))
    assert "2 results for “brine Li Mg”" in page
    assert "Li and Mg in brine" in page
    assert "X-ray diffractometer" in page
    assert "12 samples from ¥1,440.00" in page
    assert 'href="?q=brine%2C+Li+and+Mg"' in page
    assert 'value="brine, Li and Mg, 12 samples"' in page


def test_a_class_leads_to_the_finer_ones_and_back_up(client: Client, cast: Any) -> None:
    listed = "code,parent,name_zh\n010000,,Analytical\n010300,010000,X-ray\n010301,010300,Diffractometers\n010302,010300,Others\n"
    load_codes(OPERATOR, "nrii", listed.encode(), cast.now.date(), cast.now)
    codes.forget()
    registry.update_instrument(OPERATOR, cast.xrd.pk, {"class_code": "010301"}, cast.now)
    shown = client.get(reverse("search"), {"class_code": "0103", "q": "diffractometer"})
    facet = next(one for one in shown.context["view"].facets if one.name == "class_code")
    assert [(link.label, link.up, link.current, link.href) for link in facet.links] == [
        ("All classes", True, False, "?q=diffractometer"),
        ("Analytical instruments", True, False, "?q=diffractometer&class_code=01"),
        ("X-ray", False, True, "?q=diffractometer"),
        ("Diffractometers", False, False, "?q=diffractometer&class_code=010301"),
    ]
    assert '<span class="visually-hidden">Back to: </span>Analytical instruments' in text(shown)
    assert "class_code=0103" in shown.context["find_a_time"]
    times = text(client.get(reverse("find_a_time"), {"class_code": "010300"}))
    assert '<option value="0103" selected>\u2003X-ray</option>' in times


def test_a_place_that_nobody_knows_is_said(client: Client, cast: Any) -> None:
    page = text(client.get(reverse("search"), {"q": "diffractometer near Atlantis"}))
    assert "No place called “Atlantis” is known here" in page
    assert "X-ray diffractometer" in page


def test_a_mistyped_word_gets_a_suggestion_and_nothing_is_shouted(client: Client, cast: Any) -> None:
    vocabulary.rebuild_vocabulary()
    page = text(client.get(reverse("search"), {"q": "difractometer"}))
    assert 'href="?q=diffractometer"' in page
    assert "Did you mean" in page


def test_suggestions_are_a_list_box_with_addresses(client: Client, cast: Any) -> None:
    vocabulary.rebuild_vocabulary()
    answer = client.get(reverse("search_suggest"), {"q": "diffr"})
    assert 'role="listbox"' in text(answer)
    assert 'data-href="/search/?q=X-ray+diffractometer&amp;kind=instrument"' in text(answer)
    assert "max-age=60" in answer["Cache-Control"]
    assert client.get(reverse("search_suggest"), {"q": "zzzz"}).status_code == 204


@pytest.mark.parametrize(
    "query",
    [
        "q=" + "a" * 100_000,
        "q=%25_%25",
        "q=%EF%BC%8C%E3%80%82",
        "region_code=999999",
        "technique=%27%3B--",
        "pick=1,2,x,%00",
        "q=%00",
    ],
)
def test_hostile_queries_get_a_page(client: Client, cast: Any, query: str) -> None:
    for name in ("search", "search_suggest", "compare"):
        assert client.get(f"{reverse(name)}?{query}").status_code in {200, 204}


def test_a_long_address_makes_no_long_page(client: Client, cast: Any) -> None:
    usual = len(client.get(reverse("search")).content)
    for more in ("a=1&" * 900, "q=&" * 900, "pick=0&" * 500):
        answer = client.get(f"{reverse('search')}?{more}")
        assert answer.status_code == 200 and len(answer.content) < usual + 6 * len(more)
    kept = client.get(reverse("search"), {"kind": "instrument", "lang": "en", "unheard": "of"}).content.decode()
    links = re.findall(r'href="([?][^"]*)"', kept)
    assert any("kind=instrument" in link and "lang=en" in link for link in links)
    assert not any("unheard" in link for link in links)


def test_four_are_picked_in_the_address_and_no_fifth(client: Client, cast: Any) -> None:
    made = [
        registry.create_instrument(cast.actor("wang"), cast.site.pk, InstrumentFields(f"Lathe {n}"), cast.now) for n in range(5)
    ]
    one = text(client.get(reverse("search"), {"q": "lathe", "pick": entries(made[0])}))
    assert f"pick={made[0].entry.pk}%2C{made[1].entry.pk}" in one
    assert "1 of 4 chosen" in one
    four = text(client.get(reverse("search"), {"q": "lathe", "pick": entries(*made[:4])}))
    assert f'href="/compare/?ids={entries(*made[:4])}&amp;q=lathe"' in four
    assert f'id="pick-{made[4].entry.pk}"' not in four


def test_facts_stand_side_by_side_and_differences_are_marked(client: Client, cast: Any, brine: Resource) -> None:
    other = registry.create_instrument(cast.actor("wang"), cast.site.pk, InstrumentFields("Lathe", model="L-1"), cast.now)
    page = text(client.get(reverse("compare"), {"ids": entries(cast.xrd, other), "q": "x"}))
    for shown in ("X-ray diffractometer", "Lathe", "Li and Mg in brine", "from ¥300.00 for an hour", 'class="differs"', "L-1"):
        assert shown in page
    assert f'href="/search/?q=x&amp;pick={cast.xrd.entry.pk},{other.entry.pk}"' in page
    Instrument.objects.filter(pk=other.pk).update(published=False)
    catalogue.refresh_instruments([other.pk], cast.now)
    assert "Lathe" not in text(client.get(reverse("compare"), {"ids": entries(cast.xrd, other)}))
    assert "Nothing to compare yet" in text(client.get(reverse("compare")))


@pytest.mark.parametrize(("query", "said"), [("next_free=7", True), ("q=XRD+next+week", True), ("q=XRD", False)])
def test_a_kept_search_says_that_its_mails_do_not_look_at_free_times(client: Client, cast: Any, query: str, said: bool) -> None:
    client.force_login(cast.users["lin"], backend="frontend.login_backend.PersonBackend")
    client.post(reverse("saved_search_create"), {"query": query, "alert": "on"})
    assert ("whether it is free in these days is not looked at" in text(client.get(reverse("saved_search_list")))) is said


def test_a_search_is_saved_renamed_and_deleted(client: Client, cast: Any) -> None:
    assert "Log in to save this search" in text(client.get(reverse("search"), {"q": "XRD"}))
    client.force_login(cast.users["lin"])
    assert 'value="q=diffractometer&amp;subsidy=yes"' in text(
        client.get(reverse("search"), {"q": "diffractometer", "subsidy": "yes"})
    )
    client.post(reverse("saved_search_create"), {"query": "q=diffractometer&class_code=01", "alert": "on"})
    saved = SavedSearch.objects.get()
    assert (saved.name, saved.query, saved.alert) == (
        "diffractometer · Analytical instruments",
        "q=diffractometer&class_code=01",
        True,
    )
    assert 'href="/search/?q=diffractometer&amp;class_code=01"' in text(client.get(reverse("saved_search_list")))
    client.post(reverse("saved_search_change", args=[saved.pk]), {"name": "Powders"})
    saved.refresh_from_db()
    assert (saved.name, saved.alert) == ("Powders", False)
    assert "Type a name." in text(client.post(reverse("saved_search_change", args=[saved.pk]), {"name": " "}, follow=True))
    client.post(reverse("saved_search_delete", args=[saved.pk]))
    assert "No saved searches yet" in text(client.get(reverse("saved_search_list")))


def test_the_link_in_a_mail_asks_before_it_ends_the_mails(client: Client, cast: Any) -> None:
    saved = SavedSearch.objects.create(
        user=cast.users["lin"], name="Powders", alert=True, last_checked_at=cast.now - timedelta(days=1), created_at=cast.now
    )
    address = reverse("saved_search_unsubscribe", args=[unsubscribe_token(saved.pk)])
    assert "Do you want no more mails about “Powders”?" in text(client.get(address))
    saved.refresh_from_db()
    assert saved.alert
    assert "You get no more mails about “Powders”." in text(client.post(address))
    saved.refresh_from_db()
    assert not saved.alert
    assert client.get(reverse("saved_search_unsubscribe", args=["forged"])).status_code == 404


def test_the_page_costs_the_same_statements_however_much_there_is(
    client: Client, cast: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        registry.create_instrument(cast.actor("wang"), cast.site.pk, InstrumentFields(f"Lathe {number}"), cast.now)
    with django_assert_max_num_queries(8):
        client.get(reverse("search"), {"q": "lathe", "region_code": "630100"})


def test_the_scripts_of_a_page_are_light() -> None:
    """Every script of a page together, gzipped, as the build made them."""
    folder = Path(project.BASE_DIR) / "frontend" / "dist"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    scripts = {one["file"] for one in manifest.values() if one["file"].endswith(".js")}
    assert scripts
    assert sum(len(compress((folder / name).read_bytes())) for name in scripts) <= MOST_SCRIPT_BYTES
