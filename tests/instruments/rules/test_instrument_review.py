"""The life of a proposed change: every pair of state and action, who is looked at, what applies at once."""

from __future__ import annotations

from itertools import product

import pytest

from config.kernel.errors import Refusal
from instruments.rules.instrument_review import Action, State, actions_from, apart, clashes, next_state, review_needed

ALLOWED = {
    (State.DRAFT, Action.SAVE): State.DRAFT,
    (State.DRAFT, Action.SUBMIT): State.SUBMITTED,
    (State.DRAFT, Action.WITHDRAW): State.WITHDRAWN,
    (State.SUBMITTED, Action.SAVE): State.DRAFT,
    (State.SUBMITTED, Action.WITHDRAW): State.WITHDRAWN,
    (State.SUBMITTED, Action.ACCEPT): State.ACCEPTED,
    (State.SUBMITTED, Action.REFUSE): State.REFUSED,
    (State.REFUSED, Action.REOPEN): State.DRAFT,
}


@pytest.mark.parametrize(("state", "action"), list(product(State, Action)))
def test_every_state_and_action(state, action):
    if (state, action) in ALLOWED:
        assert next_state(state, action) is ALLOWED[state, action]
        assert action in actions_from(state)
    else:
        assert action not in actions_from(state)
        with pytest.raises(Refusal, match=r"instrument_change\.not_now"):
            next_state(state, action)


@pytest.mark.parametrize(
    ("is_operator", "owner_says", "verified", "needed"),
    [
        (True, True, False, False),
        (False, None, True, False),
        (False, None, False, True),
        (False, True, True, True),
        (False, False, False, False),
    ],
)
def test_the_operator_is_never_looked_at_and_the_owners_setting_goes_before_the_rule(is_operator, owner_says, verified, needed):
    assert review_needed(is_operator=is_operator, owner_says=owner_says, owner_verified=verified) is needed


def test_todays_facts_and_hiding_apply_at_once_and_the_rest_is_looked_at():
    at_once, reviewed = apart({"status": "normal", "contact_phone": "1", "name": "X", "published": False, "site_id": 3})
    assert at_once == {"status": "normal", "contact_phone": "1", "published": False}
    assert reviewed == {"name": "X", "site_id": 3}
    assert apart({"published": True}) == ({}, {"published": True})


def test_a_clash_is_a_field_that_is_not_any_more_what_it_was():
    assert clashes({"a": 1, "b": 2}, {"a": 1, "b": 3}, ["a", "b"]) == ["b"]
