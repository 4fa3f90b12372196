"""Whatever finance and customers do in whatever order, the books agree after every step (``money_machine``).

``make test`` takes every step once, and the same few others as long as the code stays the same; ``make proof`` many.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, settings

from billing.payments import accounts
from billing.payments.services import allocating
from config.kernel.errors import Refusal
from tests import seeds
from tests.billing.settlement.conftest import begins_with_month, month
from tests.scenarios.machine_claims import ClaimsMachine
from tests.scenarios.money_machine import MoneyMachine

__all__ = ["begins_with_month", "month"]
pytestmark = pytest.mark.django_db
SOME = settings(max_examples=2, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(SOME, max_examples=150, stateful_step_count=60, derandomize=False)
UNTIL_IT_FAILS = settings(SOME, max_examples=60, phases=(Phase.generate,))


@pytest.fixture
def machine(cast: Any, month: Any) -> type[MoneyMachine]:
    return type("Finance", (MoneyMachine,), {"cast": cast, "programmes": month, "done": Counter()})


def test_the_books_agree_after_every_step(machine: type[MoneyMachine]) -> None:
    machine.go_round()
    assert machine.never_done() == []
    seeds.run(machine, SOME)


@pytest.mark.proof
def test_the_books_agree_in_the_long_run(machine: type[MoneyMachine]) -> None:
    seeds.run(machine, MANY)
    assert machine.never_done() == []


@pytest.mark.proof
def test_a_step_that_is_always_refused_is_noticed(machine: type[MoneyMachine], monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""

    def refused(*args: object) -> None:
        raise Refusal.of("payment.undone_already")

    monkeypatch.setattr(allocating, "undo", refused)
    machine.go_round()
    assert machine.never_done() == ["undo"]


@pytest.mark.proof
def test_a_refund_that_is_not_posted_is_noticed(machine: type[MoneyMachine], monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(accounts, "post_refund", lambda *args: None)
    with pytest.raises(AssertionError):
        seeds.run(machine, UNTIL_IT_FAILS)


@pytest.fixture
def office(cast: Any, month: Any) -> type[ClaimsMachine]:
    for firm in (cast.firm, cast.other_firm):
        firm.bank_name, firm.bank_account_name, firm.bank_account_number = "Bank of Demo", firm.name, f"6222 {firm.pk}"
        firm.save()
    return type("Office", (ClaimsMachine,), {"cast": cast, "programmes": month, "done": Counter()})


def test_the_books_agree_whatever_becomes_of_claims_and_months(office: type[ClaimsMachine]) -> None:
    office.go_round()
    assert office.never_done() == []
    seeds.run(office, settings(SOME, max_examples=1, stateful_step_count=15))


@pytest.mark.proof
def test_the_books_agree_in_the_long_run_of_claims(office: type[ClaimsMachine]) -> None:
    seeds.run(office, settings(MANY, max_examples=60, stateful_step_count=30))
    assert office.never_done() == []


@pytest.mark.proof
def test_a_charge_that_comes_to_something_else_is_noticed_at_the_end(office: type[ClaimsMachine]) -> None:
    """The control of what is looked at once for each example."""
    machine = office()
    machine.a_month(prepaid=False)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE billing_charge SET result = jsonb_set(result, '{gross_fen}', '1')")
    machine.all_is_whole()
    with pytest.raises(AssertionError, match=r"books\.charges_come_to_the_same"):
        machine.teardown()
