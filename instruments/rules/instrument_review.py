"""The life of a proposed change, what needs one, and what it clashes with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from config.kernel.errors import Refusal

#: What an owner says about today: it applies at once, whoever looks at the rest.
OPERATIONAL = frozenset(
    {
        "status",
        "training_needed",
        "contact_name",
        "contact_phone",
        "contact_email",
        "contact_address",
        "contact_postal_code",
    }
)


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """``SAVE`` writes other values (a submitted change becomes a draft again); ``REOPEN`` takes a refused one up again."""

    SAVE = "save"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"
    ACCEPT = "accept"
    REFUSE = "refuse"


_NEXT: dict[State, dict[Action, State]] = {
    State.DRAFT: {Action.SAVE: State.DRAFT, Action.SUBMIT: State.SUBMITTED, Action.WITHDRAW: State.WITHDRAWN},
    State.SUBMITTED: {
        Action.SAVE: State.DRAFT,
        Action.WITHDRAW: State.WITHDRAWN,
        Action.ACCEPT: State.ACCEPTED,
        Action.REFUSE: State.REFUSED,
    },
    State.REFUSED: {Action.REOPEN: State.DRAFT},
    State.ACCEPTED: {},
    State.WITHDRAWN: {},
}


def next_state(state: State, action: Action) -> State:
    """What follows. Raises Refusal ``instrument_change.not_now``."""
    if action not in _NEXT[state]:
        raise Refusal.of("instrument_change.not_now", state=state.value)
    return _NEXT[state][action]


def actions_from(state: State) -> frozenset[Action]:
    return frozenset(_NEXT[state])


def review_needed(*, is_operator: bool, owner_says: bool | None, owner_verified: bool) -> bool:
    """Whether a change of a published instrument waits for the operator. ``owner_says`` is the owner's setting, None the rule."""
    if is_operator:
        return False
    return not owner_verified if owner_says is None else owner_says


def apart(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What applies at once (hiding an instrument too), and what is looked at first."""
    at_once = {name: value for name, value in values.items() if name in OPERATIONAL or (name == "published" and value is False)}
    return at_once, {name: value for name, value in values.items() if name not in at_once}


def clashes(base: Mapping[str, Any], current: Mapping[str, Any], proposed: Iterable[str]) -> list[str]:
    """The proposed fields whose value is not any more what it was when they were proposed, in alphabetical order."""
    return sorted(name for name in proposed if base.get(name) != current.get(name))
