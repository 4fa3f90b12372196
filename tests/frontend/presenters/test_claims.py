"""What of a batch of claims waits for others, in words."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from billing.claims.models import PaymentList
from billing.claims.rules.states import ClaimState
from frontend.presenters.claims import waits_for

SIGNED = {"reviewed_by_id": 2, "approved_by_id": 3}


@pytest.mark.parametrize(
    ("states", "lists", "said"),
    [
        ({ClaimState.LISTED: 2}, [{}], ["Payment lists wait for others to check and approve them."]),
        ({ClaimState.LISTED: 2}, [{"reviewed_by_id": 2}, SIGNED], ["Payment lists wait for others to check and approve them."]),
        ({ClaimState.LISTED: 2}, [SIGNED], ["The treasury pays. Finance records on each list what was paid."]),
        ({ClaimState.SENT_BACK: 1, ClaimState.PAID: 3}, [SIGNED], ["1 claim is completed by its payee."]),
        (
            {ClaimState.PAID: 3, ClaimState.WITHDRAWN: 1},
            [SIGNED],
            ["Nothing is left to do: every claim is paid, rejected or withdrawn."],
        ),
        ({ClaimState.IN_REVIEW: 1, ClaimState.PAID: 3}, [SIGNED], []),
        ({}, [], []),
    ],
)
def test_a_batch_says_for_whom_it_waits(states: dict[ClaimState, int], lists: list[dict[str, int]], said: list[str]) -> None:
    with override("en"):
        assert waits_for(states, [PaymentList(**each) for each in lists]) == said
