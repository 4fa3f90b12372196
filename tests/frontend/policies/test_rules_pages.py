"""A lab writes its rules on a page, sees what they would touch, and tries them as somebody."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.urls import reverse

from booking.models import PolicyLayer
from booking.services import policies
from booking.services.policies import Scope
from tests.booking.services.test_reservation_flow import ask


@pytest.fixture
def wang(as_):
    return as_("wang")


def edit(cast, **query) -> str:
    return f"{reverse('policy_edit', args=[cast.lab.pk])}?{urlencode(query)}"


def test_what_is_typed_is_kept_as_the_layer_and_shown_again(cast, wang):
    typed = {
        "max_minutes": "2.5",
        "notice_minutes": "4",
        "horizon_firm": "14",
        "approval_required": "no",
        "quota_0_most": "10",
        "quota_0_measure": "minutes",
        "quota_0_period": "week",
        "quota_0_subject": "organisation",
        "quota_0_peak": "on",
        "peak_0_days": ["1", "2"],
        "peak_0_from": "09:00",
        "peak_0_until": "17:00",
        "licensed_times_0_days": ["6", "7"],
        "reason": "Term begins",
    }
    answer = wang.post(edit(cast), typed)
    assert answer.status_code == 302
    said = PolicyLayer.objects.get().said
    assert said == {
        "max_minutes": 150,
        "notice_minutes": 240,
        "horizons": {"firm": 14},
        "approval_required": False,
        "quotas": [{"subject": "organisation", "measure": "minutes", "period": "week", "most": 600, "peak_only": True}],
        "peak": [{"weekdays": [1, 2], "from_minute": 540, "until_minute": 1020}],
        "licensed_times": [{"weekdays": [6, 7], "from_minute": 0, "until_minute": 1440}],
    }
    page = wang.get(edit(cast)).content.decode()
    assert 'value="2.5"' in page and 'value="09:00"' in page
    wang.post(edit(cast), {name: value for name, value in typed.items() if name != "reason"})
    assert PolicyLayer.objects.get().said == said
    listed = wang.get(reverse("policy_list", args=[cast.lab.pk])).content.decode()
    assert "In the peak hours of a week: at most 10 h for one organisation." in listed
    shown = wang.get(reverse("instrument_detail", args=[cast.xrd.pk])).content.decode()
    assert "Peak hours: Monday, Tuesday 09:00–17:00." in shown


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"max_minutes": "long"}, "Give a number, for example 4 or 1.5."),
        ({"granularity_minutes": "1"}, "Give a whole number between 5 and 1440."),
        ({"peak_0_from": "09:00"}, "Choose the days as well."),
        ({"min_minutes": "600"}, "its other rules contradict them"),
        ({"quota_0_most": "0"}, "Give a number between 1 and 1,000,000."),
        ({"notice_minutes": "1e99"}, "Give a number, for example 4 or 1.5."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(cast, wang, typed, words):
    answer = wang.post(edit(cast), {"horizon_days": "33", **typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page and 'value="33"' in page
    assert not PolicyLayer.objects.exists()


def test_bookings_that_a_change_would_touch_are_shown_before_it_is_kept(cast, wang, slot):
    reserved = ask(cast, slot(9, 15))
    page = wang.post(edit(cast), {"max_minutes": "2"}).content.decode()
    assert "1 booking ahead would not be allowed any more" in page
    assert reverse("reservation_detail", args=[reserved.reservation_id]) in page
    assert not PolicyLayer.objects.exists()
    assert wang.post(edit(cast), {"max_minutes": "2", "step": "keep"}).status_code == 302
    assert PolicyLayer.objects.get().said == {"max_minutes": 120}


def test_looking_keeps_nothing(cast, wang):
    page = wang.post(edit(cast), {"max_minutes": "2", "step": "look"}).content.decode()
    assert "No booking ahead would be touched." in page
    assert not PolicyLayer.objects.exists()


def test_the_rules_are_tried_as_somebody_who_has_used_up_a_quota(cast, wang, slot):
    quota = {"subject": "person", "measure": "count", "period": "week", "most": 1, "peak_only": False}
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"quotas": [quota]}, cast.now)
    ask(cast, slot(9, 11))
    address = reverse("instrument_policy", args=[cast.xrd.pk])
    time = {"on": "2026-11-26", "from": "09:00", "to": "11:00", "service_mode": "self_operated"}
    lin = f"{cast.users['lin'].pk}-{cast.firm.pk}"
    page = wang.get(address, {**time, "who": lin}).content.decode()
    assert "one person may book at most 1 times here" in page
    stranger = wang.get(address, {**time, "who": "firm"}).content.decode()
    assert "one person may book" not in stranger


def test_rules_of_other_labs_are_not_for_me(cast, as_):
    for name in ("lin", "li", "zhou"):
        client = as_(name)
        assert client.get(edit(cast)).status_code == 403
        assert client.get(reverse("policy_list", args=[cast.lab.pk])).status_code == 403
        assert client.get(reverse("instrument_policy", args=[cast.xrd.pk])).status_code == 403


def test_an_instrument_of_others_or_an_unknown_class_is_not_found(cast, wang):
    assert wang.get(edit(cast, instrument=99_999_999)).status_code == 404
    assert wang.get(edit(cast, **{"class": "zz"})).status_code == 404
