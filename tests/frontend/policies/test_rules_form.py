"""The form and the words of a lab's rules, without a page: nothing that may be said is lost or has no sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.rules.policy_layers import HOUSE, NUMBERS, SWITCHES, TIMES, read_settings, settings_document
from booking.rules.quota import MOST_OF_QUOTA, Counted
from booking.rules.usage import BillableBasis
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from frontend.policy_forms import IN_HOURS, LayerForm
from frontend.presenters.policy import BILLED, layer_words, policy_words
from frontend.presenters.usage import RULES
from tests.frontend.policies.settings_of_layers import WRONG, everything, typed_of, valid


@pytest.fixture(autouse=True)
def english():
    with override("en"):
        yield


def read(typed: dict[str, Any]) -> LayerForm:
    form = LayerForm({}, typed)
    form.is_valid()
    return form


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(valid)
def test_what_may_be_said_is_accepted_worded_and_kept_by_the_form(document):
    said = read_settings(document, Counted())
    stored = settings_document(said)
    form = LayerForm(stored, typed_of(LayerForm(stored)))
    assert form.is_valid(), form.errors
    assert settings_document(read_settings(form.said, Counted())) == stored
    assert all(layer_words({name: value}) for name, value in said.items())
    assert all(policy_words(replace(HOUSE, **said)))


def test_every_rule_has_a_field_a_sentence_and_a_value_that_tests_try():
    names = {*NUMBERS, *SWITCHES, *TIMES, "billable_basis", "horizons", "quotas", "auto_approval"}
    document = everything(BillableBasis.OVERAGE)
    assert set(document) == names
    assert all(layer_words({name: value}) for name, value in read_settings(document, Counted()).items())
    assert {*NUMBERS, *SWITCHES, "billable_basis"} <= set(LayerForm({}).fields)


def test_what_may_be_charged_has_a_sentence_and_a_choice():
    assert set(BILLED) == set(BillableBasis) <= set(RULES)
    choices = [value for value, _label in LayerForm({}).fields["billable_basis"].choices if value]
    assert sorted(choices) == sorted(BillableBasis)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(valid, st.sampled_from(WRONG))
def test_what_may_not_be_said_is_refused_at_its_name_in_words(document, wrong):
    name, value = wrong
    with pytest.raises(Refusal) as caught:
        read_settings({**document, name: value}, Counted())
    assert {reason.field for reason in caught.value.reasons} == {name}
    assert all(reason_sentence(reason) != reason.code for reason in caught.value.reasons)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"early_start_minutes": 0}, "A session starts at its booked time, not earlier."),
        ({"cool_off_minutes": 0}, "One person's bookings may follow each other at once."),
        ({"buffer_before_minutes": 0}, "The lab keeps no time free before a session."),
        ({"buffer_after_minutes": 0}, "The lab keeps no time free after a session."),
        ({"horizon_days": 0}, "Booking is open for today only."),
        ({"horizons": (("firm", 0),)}, "Only for today: firms."),
        ({"notice_minutes": 0}, "Book as late as you like."),
        ({"cancel_notice_minutes": 0}, "Cancel until the start."),
        ({"no_show_grace_minutes": 0}, "The lab does not wait after the start."),
    ],
)
def test_none_is_said_in_a_sentence_of_its_own(said, sentence):
    assert layer_words(said) == [sentence]


def test_no_number_that_may_be_none_is_worded_as_zero():
    may_be_none = [name for name, (least, _most) in NUMBERS.items() if not least]
    assert [words for name in may_be_none for words in layer_words({name: 0}) if "0" in words] == []
    lost = policy_words(replace(HOUSE, late_may_use=False, no_show_grace_minutes=0, horizon_days=0))
    assert "Who has not come at the start has lost the time." in lost and "Booking is open for today only." in lost


def test_a_policy_is_worded_as_the_layer_that_says_it():
    document = {name: value for name, value in everything(BillableBasis.OVERAGE).items() if name not in _IN_ONE_SENTENCE}
    said = read_settings(document, Counted())
    assert set(layer_words(said)) <= set(policy_words(replace(HOUSE, **said)))


#: What holds is said of these together, or only where it is not as usual.
_IN_ONE_SENTENCE = {
    "granularity_minutes", "min_minutes", "max_minutes", "buffer_before_minutes", "buffer_after_minutes", "hold_minutes",
    "no_show_grace_minutes", "late_may_use", "early_start_minutes", "billable_round_up_minutes", "agree_after_days", "horizons",
}  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "minutes"), [("0:20", 20), ("0.33", 20), ("1.67", 100), ("1:40", 100), ("2,5", 150), ("0:07", 7)]
)
def test_hours_are_typed_as_in_the_search_for_a_time(typed, minutes):
    said = read({"cool_off_minutes": typed}).said
    assert said == {"cool_off_minutes": minutes}
    assert read({"cool_off_minutes": LayerForm(said)["cool_off_minutes"].value()}).said == said


@pytest.mark.parametrize("typed", ["1e999999999", "-1e999999999", "NaN", "sNaN", "Infinity", "1e999999"])
def test_numbers_beyond_all_sense_are_refused(typed):
    names = {"cool_off_minutes", "horizon_days", "quota_0_most"}
    assert set(read(dict.fromkeys(names, typed)).errors) == names


@pytest.mark.parametrize("typed", ["24:00", "00:00", "２４：００", ""])
def test_a_day_ends_at_midnight_however_that_is_written(typed):
    said = read({"peak_0_days": ["1"], "peak_0_from": "18:00", "peak_0_until": typed}).said
    assert said == {"peak": [{"weekdays": [1], "from_minute": 1080, "until_minute": 1440}]}
    assert read({"peak_0_days": ["1"], "peak_0_from": "24:00"}).errors


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_a_limit_is_said_in_the_unit_in_which_its_field_is_typed(name):
    form = read({name: "-1"})
    with pytest.raises(Refusal) as caught:
        read_settings(form.said, Counted())
    form.refuse(caught.value)
    said = str(form.errors[name])
    assert ("hours" in said) is (name in IN_HOURS)
    most = NUMBERS[name][1]
    assert f"{most // 60 if name in IN_HOURS else most}." in said


@pytest.mark.parametrize(("measure", "most"), [("minutes", "16666.67."), ("count", f"{MOST_OF_QUOTA}.")])
def test_a_quota_beyond_its_limit_is_refused_at_its_field_in_its_unit(measure, most):
    for typed in ("0", "1000001"):
        said = str(read({"quota_0_most": typed, "quota_0_measure": measure}).errors["quota_0_most"])
        assert most in said and ("hours" in said) is (measure == "minutes")
