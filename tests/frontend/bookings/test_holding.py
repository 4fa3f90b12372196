"""The chosen time is kept while the form is filled in, with and without JavaScript."""

from __future__ import annotations

from booking.models import Occupancy
from tests.frontend.acting import words

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
