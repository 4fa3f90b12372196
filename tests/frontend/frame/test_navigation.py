"""The navigation: every place exists, roles see theirs, letters do not collide."""

from __future__ import annotations

import pytest
from django.urls import resolve, reverse

from config.kernel.access import NOBODY, Actor, Grant, Role
from frontend.navigation import PLACES, Navigation, navigation


def urls_for(*roles: Role, current: str = "") -> list[str]:
    actor = Actor(user_id=1, grants=tuple(Grant(1, role) for role in roles))
    return [item.url for item in navigation(actor, current)]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.url_name)
def test_every_place_has_an_address_that_leads_to_it(place: object) -> None:
    assert resolve(reverse(place.url_name)).url_name == place.url_name


def test_no_two_places_have_the_same_letter() -> None:
    letters = [place.go for place in PLACES if place.go]
    assert len(letters) == len(set(letters))
    assert {"i", "b", "a", "f"} <= set(letters)


def test_a_visitor_sees_only_what_is_public() -> None:
    assert [item.url for item in navigation(NOBODY, "")] == [
        reverse("instrument_list"),
        reverse("find_a_time"),
        reverse("programme_list"),
        reverse("announcement_list"),
    ]


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.RESEARCHER, "reservation_list"),
        (Role.FIRM_ADMIN, "organisation_list"),
        (Role.LAB_MANAGER, "approval_inbox"),
        (Role.LAB_MANAGER, "sessions_today"),
        (Role.OWNER_FINANCE, "statement_list"),
        (Role.OWNER_FINANCE, "enquiry_inbox"),
        (Role.FINANCE, "finance_period"),
        (Role.PROGRAMME_OFFICER, "programme_list"),
        (Role.INSPECTOR, "statement_list"),
        (Role.OPERATOR, "verification_queue"),
    ],
)
def test_a_role_finds_its_work(role: Role, place: str) -> None:
    assert reverse(place) in urls_for(role)


def test_a_researcher_sees_neither_approvals_nor_finance() -> None:
    found = urls_for(Role.RESEARCHER)
    assert reverse("approval_inbox") not in found
    assert reverse("verification_queue") not in found


def test_who_assists_finds_their_sessions_whatever_their_role() -> None:
    for role in (Role.RESEARCHER, Role.LAB_MANAGER):
        actor = Actor(user_id=1, grants=(Grant(1, role),))
        found = navigation(actor, "assisting", assists=True)
        assert [item.url for item in found if item.current] == [reverse("assisting")]
        assert len(found.bar) + bool(found.more) <= 5
        assert reverse("assisting") not in urls_for(role)


def test_who_books_beside_other_work_finds_their_bookings_behind_that_work() -> None:
    manager = Actor(user_id=1, grants=(Grant(1, Role.LAB_MANAGER),))
    found = navigation(manager, "reservation_detail", books=True)
    assert [item.url for item in found if item.current] == [reverse("reservation_list")]
    assert list(found.bar) == list(navigation(manager, "").bar) and len(found.bar) + bool(found.more) <= 5
    assert reverse("reservation_list") not in urls_for(Role.LAB_MANAGER)
    researcher = Actor(user_id=1, grants=(Grant(1, Role.RESEARCHER), Grant(1, Role.LAB_MANAGER)))
    assert list(navigation(researcher, "", books=True)) == list(navigation(researcher, ""))


def test_who_decides_where_no_other_manager_is_left_finds_the_inbox_while_something_waits() -> None:
    head = Actor(user_id=1, grants=(Grant(1, Role.FIRM_ADMIN),))
    found = navigation(head, "approval_inbox", decides=True)
    assert [item.url for item in found.bar if item.current] == [reverse("approval_inbox")]
    assert reverse("approval_inbox") not in urls_for(Role.FIRM_ADMIN)
    manager = Actor(user_id=1, grants=(Grant(1, Role.LAB_MANAGER),))
    assert list(navigation(manager, "", decides=True)) == list(navigation(manager, ""))


def test_the_place_of_the_page_is_marked_and_only_that() -> None:
    actor = Actor(user_id=1, grants=(Grant(1, Role.RESEARCHER),))
    assert [item.current for item in navigation(actor, "reservation_detail")].count(True) == 1
    assert not any(item.current for item in navigation(actor, "home"))
    assert not any(item.current for item in navigation(actor, ""))


@pytest.mark.parametrize("role", Role)
def test_no_role_has_more_in_the_bar_than_a_phone_has_room_for_and_no_place_is_lost(role: Role) -> None:
    found = navigation(Actor(user_id=1, grants=(Grant(1, role),)), "")
    assert len(found.bar) + bool(found.more) <= 5
    assert [item.url for item in (*found.bar, *found.more)] == [
        reverse(place.url_name) for place in PLACES if not place.roles or role in place.roles
    ]


def test_the_menu_of_further_places_is_marked_when_the_page_is_behind_it() -> None:
    manager = Actor(user_id=1, grants=(Grant(1, Role.LAB_MANAGER),))
    assert navigation(manager, "organisation_list").more_is_current
    assert not navigation(manager, "approval_inbox").more_is_current


def test_every_place_of_a_lab_manager_is_on_the_page_once_also_what_is_behind_more(as_) -> None:
    page = as_("wang").get(reverse("instrument_list")).content.decode()
    places = [place for place in PLACES if not place.roles or Role.LAB_MANAGER in place.roles]
    assert len(places) > 5
    assert [page.count(f'data-go="{place.go}"') for place in places] == [1] * len(places)


def test_many_places_stand_in_areas_and_none_is_lost() -> None:
    found = navigation(Actor(user_id=1, grants=(Grant(1, Role.OWNER_FINANCE),)), "")
    areas = [str(area) for area, _items in found.groups]
    assert len(areas) == len(set(areas)) > 1 and all(areas)
    assert sorted(item.url for _area, items in found.groups for item in items) == sorted(item.url for item in found.more)


def test_one_area_alone_has_no_heading() -> None:
    found = navigation(Actor(user_id=1, grants=(Grant(1, Role.RESEARCHER),)), "")
    only = Navigation((), tuple(item for item in found.more if item.area == found.more[0].area))
    assert [area for area, _items in only.groups] == [""]
