"""A programme that pays the user back and rewards the owner: two awards of one charge, each on the statement of its payee."""

from __future__ import annotations

from typing import Any

import pgtrigger
import pytest
from django.db import IntegrityError, transaction

from billing.bills.models import AwardReversal
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.ledger.models import Account
from billing.payments.services import crediting
from billing.payments.services.crediting import CreditRequest
from billing.settlement.models import Award, Charge, StatementLine
from billing.settlement.queries import period_board
from billing.settlement.services import statements
from billing.settlement.services.replaying import replay_charges
from billing.subsidy import services
from config.kernel import invariants
from config.kernel.errors import Refusal
from tests.billing.bills.conftest import NOVEMBER_30, wrong
from tests.billing.settlement.conftest import DECEMBER, NOVEMBER, run_session
from tests.conftest import Cast, programme_document, slot_of

BESIDE = {"mode": "paid_beside", "form": "yearly_reward", "payee": "provider", "clause": "10"}


def two_sided() -> dict[str, Any]:
    document = programme_document("DEMO-QH-A") | {"code": "DEMO-QH-TWO", "examples": [], "gates": [], "adjustments": []}
    own = {name: document.pop(name) for name in ("settlement", "rate", "payers")}
    document["caps"] = [{"id": "fund", "per": "pool", "limit": 1000, "when_short": "partial", "clause": "8"}]
    alone = {"rule": "largest_remainder", "shares": [{"payer": "city", "share": "1"}], "clause": "9"}
    document["sides"] = [
        {"id": "user", **own},
        {"id": "owner", "settlement": BESIDE, "rate": {"type": "flat", "rate": "0.1", "clause": "5"}, "payers": alone},
    ]
    return document


@pytest.fixture
def charge(cast: Cast) -> Charge:
    version = services.draft_version(cast.actor("chen"), two_sided(), cast.now)
    services.publish_version(cast.actor("sun"), version, cast.now)
    return Charge.objects.get(reservation_id=run_session(cast, slot_of(9, 12)))


def test_each_way_of_settlement_is_an_award_of_its_own_and_the_customers_numbers_know_only_the_refund(
    cast: Cast, charge: Charge
) -> None:
    refund, reward = charge.awards.order_by("mode").reverse()
    assert (refund.mode, refund.payee, refund.total_fen) == ("refunded_later", cast.firm, 600_00)
    assert (reward.mode, reward.payee, reward.total_fen) == ("paid_beside", cast.lab, 120_00)
    assert [line["payer"] for line in refund.payers] == ["province", "prefecture"]
    assert [line["payer"] for line in reward.payers] == ["city"]
    assert (charge.gross_fen, charge.refunded_fen, charge.final_cost_fen) == (1200_00, 600_00, 600_00)
    assert Account.objects.get(kind="pool").posted_fen == 720_00
    for name, invariant in invariants.registered().items():
        if name.startswith("settlement.") or name.startswith("ledger."):
            assert not invariant().violations, name


def test_each_payee_has_a_statement_of_its_own_money(cast: Cast, charge: Charge) -> None:
    [version_id] = charge.awards.values_list("programme_version_id", flat=True).distinct()
    found = {}
    for payee in (cast.firm, cast.lab):
        statement = statements.issue(cast.actor("qian"), version_id, payee.pk, NOVEMBER, DECEMBER)
        totals = statement.content["totals"]
        found[statement.content["programme"]["mode"]] = (totals["awarded_fen"], [each["payer"] for each in totals["payers"]])
    assert found == {"refunded_later": (600_00, ["province", "prefecture"]), "paid_beside": (120_00, ["city"])}


def test_credit_notes_give_the_budget_back_what_they_take_from_both_awards(cast: Cast, charge: Charge) -> None:
    li = cast.actor("li")
    bill = issuing.issue(li, BillRequest(cast.lab.pk, cast.firm.pk, NOVEMBER_30), DECEMBER)
    for amount_fen, left_fen in ((600_00, 360_00), (300_00, 180_00), (300_00, 0)):
        crediting.issue(li, CreditRequest(bill.pk, 1, amount_fen, "poor_result", "half of it failed"), DECEMBER)
        assert Account.objects.get(kind="pool").posted_fen == left_fen
    assert sum(AwardReversal.objects.values_list("amount_fen", flat=True)) == 720_00
    assert wrong() == {}


def test_replay_finds_the_charge_as_it_was_and_sees_an_award_that_is_not_what_it_gives(charge: Charge) -> None:
    assert [each.differences for each in replay_charges()] == [()]
    reward = Award.objects.filter(charge=charge, mode="paid_beside")
    with pgtrigger.ignore("billing.Award:award_append_only"):
        reward.update(payers=[{"payer": "city", "amount_fen": 119_00}])
    [replayed] = replay_charges()
    version = two_sided()["version"]
    assert [(each.path, each.frozen, each.recomputed) for each in replayed.differences] == [
        (f"awards.DEMO-QH-TWO {version}.payers.city", 119_00, 120_00)
    ]


def test_a_second_award_of_the_same_way_is_kept_out_by_the_database(charge: Charge) -> None:
    again = charge.awards.order_by("mode").first()
    assert again is not None
    again.pk = None
    with pytest.raises(IntegrityError, match="award_once"), transaction.atomic():
        again.save(force_insert=True)
    assert Award.objects.count() == 2


def both_to_the_lab() -> dict[str, Any]:
    """Deducted for the user, and a reward for the owner: the lab receives both, and they are money of two kinds."""
    document = two_sided() | {"code": "DEMO-QH-LAB"}
    document["caps"] = [{"id": "fund", "per": "pool", "limit": 5000, "when_short": "partial", "clause": "8"}]
    user = document["sides"][0]
    user["settlement"] = {"mode": "deducted_now", "form": "deduct_and_redeem", "payee": "provider", "clause": "10"}
    return document


def test_two_kinds_of_money_for_one_payee_stand_on_two_statements(cast: Cast) -> None:
    version = services.draft_version(cast.actor("chen"), both_to_the_lab(), cast.now)
    services.publish_version(cast.actor("sun"), version, cast.now)
    charge = Charge.objects.get(reservation_id=run_session(cast, slot_of(9, 12)))
    assert set(charge.awards.values_list("payee", "mode", "total_fen")) == {
        (cast.lab.pk, "deducted_now", 600_00),
        (cast.lab.pk, "paid_beside", 120_00),
    }
    [version_id] = charge.awards.values_list("programme_version_id", flat=True).distinct()
    qian, which = cast.actor("qian"), (version_id, cast.lab.pk, NOVEMBER, DECEMBER)
    with pytest.raises(Refusal) as refused:
        statements.issue(qian, *which)
    [reason] = refused.value.reasons
    assert (reason.code, reason.field, reason.params["ways"]) == (
        "statement.several_ways",
        "mode",
        ["deducted_now", "paid_beside"],
    )

    deducted = statements.issue(qian, *which, mode="deducted_now")
    assert [(row.mode, row.open_fen, len(row.statements)) for row in period_board(qian, NOVEMBER, DECEMBER).rows] == [
        ("deducted_now", 0, 1),
        ("paid_beside", 120_00, 0),
    ]
    beside = statements.issue(qian, *which)  # one way is left: it need not be named
    said = [
        (each.content["programme"]["mode"], line["awarded_fen"], line["computed_fen"], line["rates"], line["payers"])
        for each in (deducted, beside)
        for line in each.content["lines"]
    ]
    assert said == [
        (
            "deducted_now",
            600_00,
            600_00,
            [{"rate": "0.5", "of_fen": 1200_00}],
            [{"payer": "province", "amount_fen": 420_00}, {"payer": "prefecture", "amount_fen": 180_00}],
        ),
        ("paid_beside", 120_00, 120_00, [{"rate": "0.1", "of_fen": 1200_00}], [{"payer": "city", "amount_fen": 120_00}]),
    ]
    assert all(line["eligible_fen"] == 1200_00 for each in (deducted, beside) for line in each.content["lines"])

    # The database keeps a line of the other kind off a statement, and lets one of its own kind on.
    other = Charge.objects.get(reservation_id=run_session(cast, slot_of(13, 14)))
    rewards = other.awards.get(mode="paid_beside")
    with pytest.raises(IntegrityError, match="one way of settlement"), transaction.atomic():
        StatementLine.objects.create(statement=deducted, award=rewards, position=2)
    StatementLine.objects.create(statement=beside, award=rewards, position=2)
