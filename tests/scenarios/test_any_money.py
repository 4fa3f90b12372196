"""Whatever finance and customers do in whatever order, the books agree after every step (``money_machine``).

``make test`` goes through the same few steps as long as the code stays the same; ``make proof`` through many others.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from billing.payments import accounts
from tests.billing.settlement.conftest import begins_with_month, month
from tests.scenarios.machine_claims import ClaimsMachine
from tests.scenarios.money_machine import MoneyMachine

__all__ = ["begins_with_month", "month"]
pytestmark = pytest.mark.django_db
SOME = settings(max_examples=4, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(SOME, max_examples=150, stateful_step_count=60, derandomize=False)
UNTIL_IT_FAILS = settings(SOME, max_examples=60, phases=(Phase.generate,))


@pytest.fixture
def machine(cast: Any, month: Any) -> type[MoneyMachine]:
    return type("Finance", (MoneyMachine,), {"cast": cast, "programmes": month, "done": Counter()})


def test_the_books_agree_after_every_step(machine: type[MoneyMachine]) -> None:
    run_state_machine_as_test(machine, settings=SOME)
    assert {"bill", "take", "keep", "use"} <= set(machine.done)


@pytest.mark.proof
def test_the_books_agree_in_the_long_run(machine: type[MoneyMachine]) -> None:
    run_state_machine_as_test(machine, settings=MANY)
    everything = {
        "bill",
        "void",
        "take",
        "give",
        "undo",
        "refund",
        "keep",
        "withdraw",
        "credit",
        "dispute",
        "answer",
        "claim",
        "use",
    }
    assert sorted(everything - set(machine.done)) == []


@pytest.mark.proof
def test_a_refund_that_is_not_posted_is_noticed(machine: type[MoneyMachine], monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(accounts, "post_refund", lambda *args: None)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=UNTIL_IT_FAILS)


@pytest.mark.proof
def test_the_books_agree_whatever_becomes_of_claims_and_months(cast: Any, month: Any) -> None:
    for firm in (cast.firm, cast.other_firm):
        firm.bank_name, firm.bank_account_name, firm.bank_account_number = "Bank of Demo", firm.name, f"6222 {firm.pk}"
        firm.save()
    machine = type("Office", (ClaimsMachine,), {"cast": cast, "programmes": month, "done": Counter()})
    run_state_machine_as_test(machine, settings=settings(MANY, max_examples=80))
    assert {"open batch", "bill"} <= set(machine.done)
