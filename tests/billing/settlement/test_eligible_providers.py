"""Looked at again when a service is charged: what concerns who serves it, and where, as far as a programme asks for it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from billing.firms.models import FirmDeclaration
from billing.firms.services import credit, declaring
from billing.firms.services.declaring import Declaration
from billing.ledger.models import Account
from billing.settlement import reservation_figures
from billing.settlement.models import Charge
from billing.settlement.services.replaying import replay_charges
from booking.services import transitions, usage_review
from instruments.models import OrganisationIdentifier
from tests.billing.firms.conftest import PDF, USCC
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of, voucher_document

__all__ = ["published"]
pytestmark = pytest.mark.django_db
SAYS = {"zh": "机构条件", "en": "Of the provider"}
LABEL = {"label": "certified_provider", "level": "provincial", "number": "P-1", "valid_from": date(2026, 1, 1)}
DAYS = {"days": ["service.service_on", "service.payment_on"]}
GATES = {
    "listed": {"type": "condition", "clause": "1", "when": {"fact": "provider.credit_listings", "free_on": DAYS}, "says": SAYS},
    "label": {
        "type": "condition",
        "clause": "1",
        "when": {"fact": "provider.labels", "has_label": {"any_of": ["certified_provider"]}},
        "says": SAYS,
    },
    "certified": {"type": "condition", "clause": "1", "when": {"fact": "provider.certified", "is": True}, "says": SAYS},
    "region": {"type": "region", "clause": "1", "subject": "instrument", "any_of": [{"code_prefix": "63"}]},
}


def asking(*names: str) -> dict[str, Any]:
    """40 % of the fee at once, for what meets these gates."""
    document = voucher_document(CODE) | {"caps": []}
    clause = document["clauses"][0]["id"]
    return document | {"gates": [GATES[name] | {"clause": clause} for name in names]}


def declared(cast: Any, **content: Any) -> FirmDeclaration:
    made = declaring.declare(cast.actor("wang"), cast.lab.pk, Declaration("label", LABEL | content, PDF), cast.now)
    return declaring.decide(cast.actor("zhou"), made.pk, True, "", cast.now)


def listed(cast: Any) -> None:
    text = f"uscc,name,from,to\n{USCC['lab']},Kunlun,2026-11-24,\n"
    credit.import_list(cast.actor("zhou"), "serious_default", "Notice 9", text.encode(), cast.now)


def ended(cast: Any) -> None:
    declared(cast, valid_to=date(2026, 11, 1))


def moved(cast: Any) -> None:
    cast.site.region_code = "620100"
    cast.site.save(update_fields=["region_code"])


LOSING = {"listed": listed, "label": ended, "certified": ended, "region": moved}


@pytest.fixture
def lab(cast: Any) -> Any:
    """The cast with a lab that has a code and is certified, in Qinghai."""
    OrganisationIdentifier.objects.create(organisation=cast.lab, scheme="uscc", value=USCC["lab"])
    declared(cast)
    return cast


@pytest.mark.parametrize("gate", GATES)
def test_what_the_provider_lost_since_the_promise_takes_the_subsidy_away_and_is_told(lab: Any, published: Any, gate: str) -> None:
    published(asking(gate))
    life = Life(lab)
    booked = life.approve(life.ask(slot_of(9, 11)))
    assert life.quote(booked).deducted_fen == 320_00
    LOSING[gate](lab)
    charge = life.use(_again(booked))
    assert (charge.deducted_fen, charge.payable_now_fen) == (0, 800_00)
    (lost,) = reservation_figures.money_of(lab.actor("lin"), booked).lost
    assert (lost.programme, lost.promised_fen, len(lost.reasons)) == (CODE, 320_00, 1)
    assert sum(Account.objects.values_list("held_fen", flat=True)) == 0
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


@pytest.mark.parametrize("gate", GATES)
def test_what_no_gate_asks_for_takes_nothing_and_leaves_the_facts_as_they_were(lab: Any, published: Any, gate: str) -> None:
    published(asking())
    life = Life(lab)
    booked = life.approve(life.ask(slot_of(9, 11)))
    promised = life.quote(booked).inputs["candidates"]
    LOSING[gate](lab)
    charge = life.use(_again(booked))
    assert charge.deducted_fen == 320_00
    assert charge.inputs["candidates"] == promised


DAYS_TO_COME = {
    "label": {"fact": "provider.labels", "has_label": {"any_of": ["certified_provider"], "valid_on": ["service.claim_on"]}},
    "invoice": {"fact": "provider.labels", "has_label": {"any_of": ["certified_provider"], "valid_on": ["service.invoice_on"]}},
    "window": {"fact": "service.claim_on", "within": [{"from": "11-01", "to": "11-25"}]},
    "credit": {"fact": "provider.credit_listings", "free_on": {"days": ["service.claim_on", "service.payment_on"]}},
}


def on_a_day_to_come(when: dict[str, Any]) -> dict[str, Any]:
    document = asking()
    gate = {"type": "condition", "clause": document["clauses"][0]["id"], "when": when, "says": SAYS}
    return document | {"gates": [gate]}


def valid_until_the_service(lab: Any, life: Life) -> Any:
    """A session of 25 November, a label that ends that day, and an entry on a list that was known before and begins the day after."""
    declared(lab, valid_to=date(2026, 11, 25))
    text = f"uscc,name,from,to\n{USCC['lab']},Kunlun,2026-11-26,\n"
    credit.import_list(lab.actor("zhou"), "serious_default", "Notice 9", text.encode(), lab.now)
    return life.approve(life.ask(slot_of(9, 11)))


def agreed_after(lab: Any, booked: Any, days: int) -> Charge:
    transitions.check_in(lab.actor("wang"), booked.pk, booked.starts_at)
    transitions.check_out(lab.actor("wang"), booked.pk, booked.ends_at)
    assert usage_review.agree(lab.actor("lin"), booked.pk, booked.ends_at + timedelta(days=days))
    return Charge.objects.get(reservation=booked)


@pytest.mark.parametrize("kind", DAYS_TO_COME)
def test_a_condition_on_a_day_to_come_is_judged_again_by_the_day_of_the_charge(lab: Any, published: Any, kind: str) -> None:
    """Eligible when it was booked, not when it was charged."""
    published(on_a_day_to_come(DAYS_TO_COME[kind]))
    life = Life(lab)
    booked = valid_until_the_service(lab, life)
    assert booked.starts_at.date() == date(2026, 11, 25) and life.quote(booked).deducted_fen == 320_00
    charge = agreed_after(lab, _again(booked), days=1)
    assert charge.deducted_fen == 0
    (lost,) = reservation_figures.money_of(lab.actor("lin"), booked).lost
    assert (lost.promised_fen, [each["code"] for each in lost.reasons]) == (320_00, ["subsidy.unmet.condition"])
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


@pytest.mark.parametrize("kind", DAYS_TO_COME)
def test_charged_on_the_day_that_was_expected_it_stays(lab: Any, published: Any, kind: str) -> None:
    published(on_a_day_to_come(DAYS_TO_COME[kind]))
    booked = valid_until_the_service(lab, Life(lab))
    charge = agreed_after(lab, _again(booked), days=0)
    assert charge.deducted_fen == 320_00 and replay_charges()


def test_what_the_provider_gained_adds_nothing(cast: Any, published: Any) -> None:
    OrganisationIdentifier.objects.create(organisation=cast.lab, scheme="uscc", value=USCC["lab"])
    published(asking("certified"))
    life = Life(cast)
    booked = life.approve(life.ask(slot_of(9, 11)))
    declared(cast)
    charge = life.use(_again(booked))
    assert charge.deducted_fen == 0
    assert charge.inputs["candidates"][0]["facts"]["provider"]["certified"] is False


def test_a_commissioned_test_is_looked_at_again_as_well(lab: Any, published: Any) -> None:
    published(asking("listed"))
    work = Work(lab, make_item(lab))
    job = work.accept(work.ask(3))
    assert job.quotes.latest("revision").deducted_fen > 0
    listed(lab)
    work.come(job)
    for step in ("receive", "test"):
        work.step(job, step)
    work.close(work.report(job))
    assert Charge.objects.get(sample_job=job).deducted_fen == 0


def _again(reservation: Any) -> Any:
    """As the database has it, with nothing loaded before."""
    return type(reservation).objects.get(pk=reservation.pk)
