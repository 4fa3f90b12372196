"""The chosen time is kept while the form is filled in, with and without JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta

from booking.models import Occupancy
from booking.services import assistants, holds, policies, transitions
from booking.services import context as booking_context
from booking.services.policies import Scope
from frontend.booking_form import BookingForm
from tests.frontend.acting import words
from tests.heads import with_head

TIME = {"on": "2026-11-25", "from": "09:00", "to": "11:00"}


def test_keeping_renewing_and_letting_go(as_, cast):
    client, address = as_("lin"), f"/instruments/{cast.xrd.pk}/hold"
    assert "Keep this time while I fill in the form" in words(
        client.get(
            "/quotes/preview", {**TIME, "instrument": cast.xrd.pk, "organisation": cast.firm.pk}, headers={"HX-Request": "true"}
        )
    )
    kept = words(client.post(address, TIME, headers={"HX-Request": "true"}))
    assert "Kept for you until 09:08" in kept and "Keep it longer" in kept
    assert "Let it go" not in words(client.post(address, {**TIME, "let_go": "yes"}, headers={"HX-Request": "true"}))
    assert not Occupancy.objects.exists()


def test_without_javascript_one_comes_back_to_the_form(as_, cast):
    answer = as_("lin").post(f"/instruments/{cast.xrd.pk}/hold", TIME)
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"/instruments/{cast.xrd.pk}/?on=2026-11-25")
    assert Occupancy.objects.filter(source="hold").count() == 1


def test_a_time_that_others_hold_is_said_to_be_taken_and_ones_own_is_not(as_, cast):
    as_("he").post(f"/instruments/{cast.xrd.pk}/hold", TIME)
    asked = {**TIME, "instrument": cast.xrd.pk}
    others = as_("lin").get("/quotes/preview", {**asked, "organisation": cast.firm.pk}, headers={"HX-Request": "true"})
    own = as_("he").get("/quotes/preview", {**asked, "organisation": cast.other_firm.pk}, headers={"HX-Request": "true"})
    assert "This time is taken" in words(others) and "This time is taken" not in words(own)


def test_in_the_list_of_times_ones_own_is_free_and_that_of_others_taken(as_, cast):
    as_("he").post(f"/instruments/{cast.xrd.pk}/hold", TIME)
    taken = "09:00\u201311:00 Taken"
    assert taken in words(as_("lin").get(f"/instruments/{cast.xrd.pk}/", TIME))
    assert taken not in words(as_("he").get(f"/instruments/{cast.xrd.pk}/", TIME))


def test_what_cannot_be_kept_is_said(as_, cast):
    client, address = as_("lin"), f"/instruments/{cast.xrd.pk}/hold"
    night = client.post(address, {**TIME, "from": "21:00", "to": "22:00"}, headers={"HX-Request": "true"})
    assert "outside the instrument's opening hours" in words(night)
    unreadable = client.post(address, {**TIME, "to": "soon"}, headers={"HX-Request": "true"})
    assert "hours and minutes" in words(unreadable)


def test_a_time_is_kept_for_the_organisation_of_the_form(as_, cast):
    address = f"/instruments/{cast.xrd.pk}/hold"
    foreign = as_("lin").post(address, {**TIME, "organisation": cast.other_firm.pk}, headers={"HX-Request": "true"})
    assert "Kept for you" not in words(foreign) and not Occupancy.objects.exists()
    own = as_("lin").post(address, {**TIME, "organisation": cast.firm.pk}, headers={"HX-Request": "true"})
    assert "Kept for you until 09:08" in words(own)


OPENS = 'hx-trigger="load"'


def _page(as_, cast, name, **more):
    return as_(name).get(f"/instruments/{cast.xrd.pk}/", TIME | more).content.decode()


def test_the_form_that_opens_with_a_time_keeps_it_once_and_not_longer_for_being_opened_twice(as_, cast, clock):
    page = _page(as_, cast, "lin")
    assert OPENS in page and not Occupancy.objects.exists(), "looking changes nothing"
    address, opened = f"/instruments/{cast.xrd.pk}/hold", TIME | {"opened": "yes"}
    first = words(as_("lin").post(address, opened, headers={"HX-Request": "true"}))
    clock.now = cast.now + timedelta(minutes=5)
    second = words(as_("lin").post(address, opened, headers={"HX-Request": "true"}))
    assert "Kept for you until 09:08" in first and "Kept for you until 09:08" in second
    assert Occupancy.objects.filter(source="hold").count() == 1
    again = _page(as_, cast, "lin")
    assert OPENS not in again and "09:08" in again and 'hx-trigger="load delay:120s,' in again
    assert "Kept for you until 09:13" in words(as_("lin").post(address, TIME, headers={"HX-Request": "true"}))


def test_who_only_looks_keeps_nothing(as_, cast):
    with_head(cast)
    looking = [_page(as_, cast, name) for name in ("wang", "")]
    assert [OPENS in page for page in looking] == [False, False]
    assert "Keep this time while I fill in the form" in looking[0], "a manager may press"
    assert OPENS not in _page(as_, cast, "lin", **{"from": "21:00", "to": "22:00"}), "what cannot be had is not asked for"
    assert OPENS not in as_("lin").get(f"/instruments/{cast.xrd.pk}/").content.decode(), "no time is chosen"


def test_who_opens_a_form_does_not_keep_the_lab_from_saying_yes_to_who_asked_before(as_, cast, ask):
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"pending_blocks": False}, cast.now)
    asked = ask(10, 12)
    page = as_("he").get(f"/instruments/{cast.xrd.pk}/", TIME).content.decode()
    assert OPENS not in page and "hold-keep" in page
    assert OPENS in as_("he").get(f"/instruments/{cast.xrd.pk}/", TIME | {"to": "10:00"}).content.decode()
    transitions.approve(cast.actor("wang"), asked, cast.now)


def test_what_was_let_go_or_is_over_is_not_kept_again_without_a_press(as_, cast, clock):
    client, address = as_("lin"), f"/instruments/{cast.xrd.pk}/hold"
    client.post(address, TIME, headers={"HX-Request": "true"})
    gone = client.post(address, TIME | {"let_go": "yes"}, headers={"HX-Request": "true"}).content.decode()
    assert '<input type="hidden" name="unheld" value="let_go">' in gone and OPENS not in gone
    assert OPENS not in _page(as_, cast, "lin", unheld="let_go")
    client.post(address, TIME, headers={"HX-Request": "true"})
    clock.now = cast.now + timedelta(minutes=7, seconds=30)
    assert "Kept for you only until 09:08" in words(client.get(f"/instruments/{cast.xrd.pk}/", TIME))
    clock.now = cast.now + timedelta(minutes=8, seconds=1)
    over = client.get(f"/instruments/{cast.xrd.pk}/", TIME | {"unheld": "over"})
    assert "not kept for you any more" in words(over) and OPENS not in over.content.decode()


def test_a_form_in_which_the_mode_changes_to_assisted_keeps_the_time_of_who_assists_too(as_, cast):
    holder = cast.actor("lin").person_id
    context = booking_context.load(cast.actor("lin"), cast.xrd.pk, lock=False)
    during = BookingForm.read(TIME).during(context.zone)
    as_("lin").post(f"/instruments/{cast.xrd.pk}/hold", TIME | {"service_mode": "self_operated"}, headers={"HX-Request": "true"})
    assert holds.held(context, holder, during, "assisted", cast.now) is not None, "nobody is named"
    assistants.name(cast.actor("wang"), cast.xrd.pk, cast.actor("wang").person_id, cast.now)
    assert holds.held(context, holder, during, "assisted", cast.now) is None
    assert holds.held(context, holder, during, "self_operated", cast.now) is not None
    holds.hold(cast.actor("lin"), cast.xrd.pk, during, cast.now, None, "assisted", renew=False)
    assert holds.held(context, holder, during, "assisted", cast.now) is not None
    assert holds.held(context, holder, during, "self_operated", cast.now) is None


def test_a_tab_whose_time_another_tab_gave_up_says_so_when_one_comes_back_to_it(as_, cast, form, programmes):
    client, address = as_("lin"), f"/instruments/{cast.xrd.pk}/hold"
    first = client.post(address, TIME, headers={"HX-Request": "true"}).content.decode()
    look = re.search(r"<span hidden hx-get=.*?</span>", first)
    assert look and "visibilitychange from:document" in look[0] and '{"unheld": "over"}' in look[0]
    asked = {**TIME, "instrument": cast.xrd.pk, "organisation": cast.firm.pk, "unheld": "over"}
    assert "Kept for you until" in words(client.get("/quotes/preview", asked, headers={"HX-Request": "true"}))
    client.post(address, TIME | {"from": "13:00", "to": "15:00"}, headers={"HX-Request": "true"})
    assert "not kept for you any more" in words(client.get("/quotes/preview", asked, headers={"HX-Request": "true"}))
    sent = form(9, 11)
    as_("he").post(address, TIME)
    refused = client.post(f"/instruments/{cast.xrd.pk}/book", sent)
    assert refused.status_code == 409 and "just taken" in words(refused)
