"""Less work may be worth more under a rate of brackets: the charge gives what was held for it and no more."""

from __future__ import annotations

import pytest

from billing.ledger.models import Account
from billing.settlement.models import Charge
from billing.settlement.services.replaying import replay_charges
from billing.subsidy import services
from booking.services import policies
from tests.billing.settlement.conftest import run_session
from tests.conftest import Cast, programme_document, slot_of


@pytest.mark.parametrize("when_short", ["partial", "refuse"])
def test_a_shorter_session_in_a_better_bracket_is_charged_with_what_was_held(cast: Cast, when_short: str) -> None:
    """A cap of all or nothing is not exceeded: what is beyond the promise is cut off, the rest is given."""
    document = programme_document("DEMO-QH-V") | {"code": "DEMO-QH-BR", "examples": [], "open_points": [], "adjustments": []}
    brackets = [{"up_to": "1000", "rate": "0.5"}, {"rate": "0.3"}]
    document["rate"] = {"type": "brackets", "clause": document["rate"]["clause"], "brackets": brackets}
    document["caps"] = [{**cap, "when_short": when_short} for cap in document["caps"]]
    version = services.draft_version(cast.actor("chen"), document, cast.now)
    services.publish_version(cast.actor("sun"), version, cast.now)
    policies.say(cast.actor("wang"), policies.Scope(cast.lab.pk), {"billable_basis": "actual_within_booked_rounded_up"}, cast.now)
    charge = Charge.objects.get(reservation_id=run_session(cast, slot_of(9, 12), hours=2))
    assert (charge.gross_fen, charge.deducted_fen) == (800_00, 360_00)
    [step] = [each for each in charge.result["outcomes"][0]["steps"] if each["key"] == "subsidy.step.promise_cut"]
    assert (step["params"]["promised_fen"], step["params"]["wanted_fen"]) == (360_00, 400_00)
    assert charge.inputs["candidates"][0]["balances"][step["params"]["cap"]]["promised_fen"] == 360_00
    account = Account.objects.get(kind="firm_year")
    assert (account.held_fen, account.posted_fen) == (0, 360_00)
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")]
