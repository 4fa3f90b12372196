"""A lab writes its rules on a page, sees what they would touch, and tries them as somebody."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from booking.models import InstrumentPolicy, PolicyLayer
from booking.rules.usage import BillableBasis
from booking.services import policies
from booking.services.policies import Scope
from config.kernel.access import Role
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from instruments.models import Membership
from tests.booking.services.test_reservation_flow import ask
from tests.frontend.acting import words
from tests.frontend.policies.settings_of_layers import WEEKLY, WRONG, everything, typed_of, valid


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
        ({"peak_0_from": "09:00"}, "Choose the days as well."),
        ({"min_minutes": "600"}, "its other rules contradict them"),
        ({"notice_minutes": "9999"}, "Give a number of hours between 0 and 2160."),
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
    assert (
        "1 booking ahead would not be allowed any more" in page
        and "Within a quota, what was asked for first comes first." in page
    )
    assert reverse("reservation_detail", args=[reserved.reservation_id]) in page
    assert not PolicyLayer.objects.exists()
    assert wang.post(edit(cast), {"max_minutes": "2", "step": "keep"}).status_code == 302
    assert PolicyLayer.objects.get().said == {"max_minutes": 120}


def test_looking_keeps_nothing(cast, wang):
    page = wang.post(edit(cast), {"max_minutes": "2", "step": "look"}).content.decode()
    assert "No booking ahead would be touched." in page and "Within a quota" not in page
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


def test_the_rules_are_tried_for_a_night_with_its_last_day(cast, wang):
    address = reverse("instrument_policy", args=[cast.xrd.pk])
    night = {"on": "2026-11-26", "from": "22:00", "to": "02:00", "service_mode": "self_operated", "who": "firm"}
    assert "after the start" in words(wang.get(address, night))
    tried = wang.get(address, night | {"to_on": "2026-11-27"})
    assert "after the start" not in words(tried) and 'name="to_on" type="date" value="2026-11-27"' in tried.content.decode()


def test_trying_the_rules_says_whether_it_would_count_at_once_and_else_why_the_lab_looks(cast, wang, programmes, slot):
    address, lin = reverse("instrument_policy", args=[cast.xrd.pk]), f"{cast.users['lin'].pk}-{cast.firm.pk}"
    time = {"on": "2026-11-26", "from": "09:00", "to": "11:00", "service_mode": "self_operated", "who": lin}

    def tried(**changes) -> str:
        response = wang.get(address, {**time, **changes})
        assert f'value="{changes.get("who", lin)}" selected' in response.content.decode(), "who was chosen stays so"
        return words(response)

    ask(cast, slot(9, 10))
    rules = {"approval_required": True, "auto_approval": {"who": "proven", "most_minutes": 60, "most_fen": 100}}
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), rules, cast.now)
    text = tried()
    assert "The lab would be asked to approve it:" in text
    reasons = ("not used anything of the lab's", "longer than the 1 h", "more to pay now than the ¥1.00")
    assert [one for one in reasons if one not in text] == []
    assert "What it costs them is not known here" in tried(who="firm")
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), rules | {"auto_approval": {"who": "anybody"}}, cast.now)
    assert "it would count at once: the rules say so" in tried() and "would be asked" not in tried()
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"approval_required": True}, cast.now)
    assert "The lab looks at every request." in tried()
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"approval_required": False}, cast.now)
    assert "it could be booked, and would count at once" in tried()


def test_the_rules_are_tried_as_whoever_has_exactly_an_e_mail_address_for_one_of_their_organisations(cast, wang, slot):
    Membership.objects.create(
        user=cast.users["lin"], organisation=cast.other_firm, role=Role.RESEARCHER.value, created_at=cast.now
    )
    quota = {"subject": "organisation", "measure": "count", "period": "week", "most": 1, "peak_only": False}
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"quotas": [quota]}, cast.now)
    ask(cast, slot(9, 11))
    address = reverse("instrument_policy", args=[cast.xrd.pk])
    time = {"on": "2026-11-26", "from": "09:00", "to": "11:00", "service_mode": "self_operated"}
    email = f" {cast.users['lin'].email.upper()} "
    used_up = wang.post(address, {**time, "email": email, "organisation": cast.firm.pk})
    html = used_up.content.decode()
    assert f'value="{cast.firm.pk}" selected' in html and f'value="{cast.other_firm.pk}"' in html
    assert "one organisation may book at most 1 times here" in words(used_up)
    other = wang.post(address, {**time, "email": email, "organisation": cast.other_firm.pk})
    assert f'value="{cast.other_firm.pk}" selected' in other.content.decode()
    assert "one organisation may book" not in words(other)
    assert "For" in words(wang.post(address, {**time, "email": email, "organisation": "x"}))


def test_an_address_that_nobody_has_is_an_error_and_stays_typed_and_no_part_of_one_finds_anybody(cast, wang):
    address = reverse("instrument_policy", args=[cast.xrd.pk])
    time = {"on": "2026-11-26", "from": "09:00", "to": "11:00", "service_mode": "self_operated"}
    lin, gone = cast.users["lin"], cast.users["he"]
    gone.is_active = False
    gone.save()
    for typed in ("nobody@x.example", lin.email[1:], lin.email.partition("@")[0], gone.email, "a" * 300):
        response = wang.post(address, {**time, "email": typed})
        assert response.status_code == 422 and "Nobody has an account with this e-mail address" in words(response)
        assert f'value="{typed}"' in response.content.decode() and "Nothing stands against it" not in words(response)
    lin.memberships.all().delete()
    alone = wang.post(address, {**time, "email": lin.email})
    assert alone.status_code == 422 and "belongs to no organisation" in words(alone)
    assert lin.full_name not in words(alone)


def test_rules_of_other_labs_are_not_for_me(cast, as_):
    for name in ("lin", "li", "zhou"):
        client = as_(name)
        assert client.get(edit(cast)).status_code == 403
        assert client.get(reverse("policy_list", args=[cast.lab.pk])).status_code == 403
        assert client.get(reverse("instrument_policy", args=[cast.xrd.pk])).status_code == 403


def test_an_instrument_of_others_or_an_unknown_class_is_not_found(cast, wang):
    assert wang.get(edit(cast, instrument=99_999_999)).status_code == 404
    assert wang.get(edit(cast, **{"class": "zz"})).status_code == 404


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(valid, st.sampled_from(["lab", "class", "one"]))
@example(everything(BillableBasis.OVERAGE), "one")
@example({"billable_basis": "actual_within_booked_rounded_up"}, "lab")
def test_what_may_be_said_is_stored_and_every_page_that_shows_it_renders_and_keeps_it(cast, as_, document, where):
    query = {"lab": {}, "class": {"class": "0103"}, "one": {"instrument": cast.xrd.pk}}[where]
    scope = Scope(cast.lab.pk, query.get("class", ""), query.get("instrument"))
    stored = policies.say(cast.actor("wang"), scope, document, cast.now).said
    wang = as_("wang")
    places = [reverse("policy_list", args=[cast.lab.pk])]
    places += [reverse(name, args=[cast.xrd.pk]) for name in ("instrument_policy", "instrument_detail")]
    assert [(place, answer.status_code) for place in places if (answer := wang.get(place)).status_code != 200] == []
    form = wang.get(edit(cast, **query)).context["form"]
    assert wang.post(edit(cast, **query), {**typed_of(form), "step": "keep"}).status_code == 302
    assert policies.spoken(scope) == stored


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(valid, st.sampled_from(WRONG))
def test_what_may_not_be_said_is_refused_in_words_and_nothing_is_stored(cast, document, wrong):
    with pytest.raises(Refusal) as caught:
        policies.say(cast.actor("wang"), Scope(cast.lab.pk), document | dict([wrong]), cast.now)
    assert all(reason_sentence(reason) != reason.code for reason in caught.value.reasons)
    assert not PolicyLayer.objects.exists()


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
    assert wang.post(edit(cast), typed_of(form)).status_code == 302
    assert PolicyLayer.objects.get().said == said


def test_the_form_of_an_instrument_shows_a_policy_that_no_layer_asked_for(cast, wang):
    InstrumentPolicy.objects.create(instrument=cast.xrd, notice_minutes=300)
    assert wang.get(edit(cast, instrument=cast.xrd.pk)).context["form"]["notice_minutes"].value() == "5"


def test_a_typing_error_is_no_contradiction(cast, wang):
    page = wang.post(edit(cast), {"granularity_minutes": "1", "step": "look"}).content.decode()
    assert "Give a whole number between 5 and 1440." in page and "contradict" not in page
