"""A lab writes its rules on a page, sees what they would touch, and tries them as somebody."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.models import InstrumentPolicy, PolicyLayer
from booking.services import policies
from booking.services.policies import Scope
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
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


NIGHT = {"weekdays": [1, 2, 3, 4, 5], "from_minute": 1320, "until_minute": 360}
WEEKLY = {"subject": "person", "measure": "minutes", "period": "week", "most": 600, "peak_only": True}
settings_of_layers = st.fixed_dictionaries(
    {},
    optional={
        "max_minutes": st.integers(0, 50_000),
        "min_minutes": st.integers(0, 50_000) | st.just("x"),
        "granularity_minutes": st.integers(0, 1440),
        "notice_minutes": st.integers(0, 130_000),
        "licence_needed": st.booleans() | st.just("false"),
        "late_may_use": st.booleans(),
        "billable_basis": st.sampled_from(["booked", "actual_within_booked_rounded_up", "free", 1]),
        "horizons": st.dictionaries(st.sampled_from(["firm", "team", "academic", "a\0"]), st.integers(0, 60)) | st.just([]),
        "quotas": st.lists(st.sampled_from([WEEKLY, {**WEEKLY, "most": 1}, {**WEEKLY, "x": 1}, "x"]), max_size=12),
        "peak": st.lists(st.sampled_from([NIGHT, {**NIGHT, "from_minute": "1"}]), max_size=11),
        "a\0": st.just(1),
    },
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(settings_of_layers, st.sampled_from(["lab", "class", "one"]))
def test_a_document_is_refused_or_every_page_that_shows_it_renders(cast, as_, document, where):
    scopes = {"lab": {}, "class": {"class": "0103"}, "one": {"instrument": cast.xrd.pk}}
    scope = Scope(
        cast.lab.pk, *(("0103",) if where == "class" else ()), **({"instrument_id": cast.xrd.pk} if where == "one" else {})
    )
    try:
        policies.say(cast.actor("wang"), scope, document, cast.now)
    except Refusal as refusal:
        assert [reason_sentence(reason) for reason in refusal.reasons]
    wang = as_("wang")
    places = [reverse("policy_list", args=[cast.lab.pk]), edit(cast, **scopes[where])]
    places += [reverse(name, args=[cast.xrd.pk]) for name in ("instrument_policy", "instrument_detail")]
    assert [(place, answer.status_code) for place in places if (answer := wang.get(place)).status_code != 200] == []


def test_a_layer_is_worded_from_what_it_says_also_where_the_house_says_the_same_or_contradicts(cast, wang):
    say = policies.say
    say(cast.actor("wang"), Scope(cast.lab.pk), {"min_minutes": 10, "granularity_minutes": 10}, cast.now)
    say(cast.actor("wang"), Scope(cast.lab.pk, instrument_id=cast.xrd.pk), {"max_minutes": 30, "notice_minutes": 120}, cast.now)
    for page in (reverse("policy_list", args=[cast.lab.pk]), reverse("instrument_policy", args=[cast.xrd.pk])):
        shown = wang.get(page).content.decode()
        assert "A booking lasts at most 30 min." in shown and "Book at least 2 h ahead." in shown


def test_saving_the_form_keeps_all_that_the_api_stored(cast, wang):
    said = {
        "quotas": [{**WEEKLY, "most": 60 * number} for number in range(1, 6)],
        "peak": [{"weekdays": [day], "from_minute": 60, "until_minute": 120} for day in range(1, 5)],
        "cool_off_minutes": 20,
        "answer_minutes": 37,
    }
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), said, cast.now)
    form = wang.get(edit(cast)).context["form"]
    typed = {bound.html_name: value for bound in form if (value := bound.value()) not in (None, "", False)}
    assert wang.post(edit(cast), typed).status_code == 302
    assert PolicyLayer.objects.get().said == said


@pytest.mark.parametrize(
    ("typed", "minutes"), [("0:20", 20), ("0.33", 20), ("1.67", 100), ("1:40", 100), ("2,5", 150), ("0:07", 7)]
)
def test_hours_are_typed_as_in_the_search_for_a_time(cast, wang, typed, minutes):
    assert wang.post(edit(cast), {"cool_off_minutes": typed}).status_code == 302
    assert PolicyLayer.objects.get().said == {"cool_off_minutes": minutes}
    again = wang.get(edit(cast)).context["form"]["cool_off_minutes"].value()
    wang.post(edit(cast), {"cool_off_minutes": again})
    assert PolicyLayer.objects.get().said == {"cool_off_minutes": minutes}


@pytest.mark.parametrize("typed", ["1e999999999", "-1e999999999", "NaN", "sNaN", "Infinity", "1e999999"])
def test_numbers_beyond_all_sense_are_refused(cast, wang, typed):
    answer = wang.post(edit(cast), {"cool_off_minutes": typed, "horizon_days": typed, "quota_0_most": typed})
    assert answer.status_code == 422 and not PolicyLayer.objects.exists()


def test_the_form_of_an_instrument_shows_a_policy_that_no_layer_asked_for(cast, wang):
    InstrumentPolicy.objects.create(instrument=cast.xrd, notice_minutes=300)
    assert wang.get(edit(cast, instrument=cast.xrd.pk)).context["form"]["notice_minutes"].value() == "5"


def test_a_typing_error_is_no_contradiction(cast, wang):
    page = wang.post(edit(cast), {"granularity_minutes": "1", "step": "look"}).content.decode()
    assert "Give a whole number between 5 and 1440." in page and "contradict" not in page


@pytest.mark.parametrize("typed", ["24:00", "00:00", "２４：００", ""])
def test_a_day_ends_at_midnight_however_that_is_written(cast, wang, typed):
    assert wang.post(edit(cast), {"peak_0_days": "1", "peak_0_from": "18:00", "peak_0_until": typed}).status_code == 302
    assert PolicyLayer.objects.get().said == {"peak": [{"weekdays": [1], "from_minute": 1080, "until_minute": 1440}]}
    assert wang.post(edit(cast), {"peak_0_days": "1", "peak_0_from": "24:00"}).status_code == 422
