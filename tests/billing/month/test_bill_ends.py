"""The board of a month of bills: what was paid, given up, credited and is still to come are four things, and every fen is in one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from billing.bills.services import writing_off
from billing.month import board
from billing.payments.services import allocating, crediting
from billing.payments.services.crediting import CreditRequest
from billing.settlement.rules.series import Series
from tests.billing.bills.conftest import DECEMBER, begins_with_month, bill, month
from tests.billing.month.conftest import NOVEMBER, second_person
from tests.billing.payments.conftest import take

__all__ = ["begins_with_month", "bill", "month", "take"]
pytestmark = pytest.mark.django_db
FEBRUARY = DECEMBER + timedelta(days=70)
ISSUED = ("issued", "exported", "open", "paid", "uncollectible", "credited")


def found(cast):
    return board.board(cast.actor("li"), Series(cast.lab.pk), NOVEMBER, DECEMBER)


def ends(cast):
    """(bills, fen) of each stage from issue on that is not empty, after the equation that has to hold."""
    seen = found(cast)
    assert [each.code for each in seen.identities] == ["bills_ended"] and all(each.holds for each in seen.identities)
    rows = {stage.code: (stage.count, stage.fen) for stage in seen.stages if stage.code in ISSUED}
    assert sum(count for code, (count, _fen) in rows.items() if code not in ("issued", "exported")) == rows["issued"][0]
    return {code: figures for code, figures in rows.items() if figures != (0, 0)}


def blocks(cast):
    return {block.code: block.count for stage in found(cast).stages if stage.code in ISSUED for block in stage.blocks}


def credit(cast, made, fen=None):
    for line in made.content["lines"]:
        if line["amount_fen"]:
            asked = CreditRequest(made.pk, line["position"], fen or line["amount_fen"], "other", "agreed otherwise")
            crediting.issue(cast.actor("li"), asked, DECEMBER)
            if fen:
                return


def page(cast):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["li"])
    return client.get(f"/month/?series=bills:{cast.lab.pk}&month=2026-11").content.decode()


def test_a_bill_that_was_credited_whole_is_not_paid(cast, bill):
    mine, other = bill(), bill(cast.other_firm)
    both = mine.total_fen + other.total_fen
    assert ends(cast) == {"issued": (2, both), "open": (2, both)}
    credit(cast, other)
    assert ends(cast) == {
        "issued": (2, mine.total_fen),
        "open": (1, mine.total_fen),
        "credited": (1, other.total_fen),
    }
    html = page(cast)
    assert "Issued, less credit notes = paid + written off + not paid yet" in html and "does not hold" not in html


def test_a_bill_that_was_given_up_is_not_paid(cast, bill):
    second_person(cast)
    mine = bill()
    writing_off.propose(cast.actor("li"), mine.pk, "The firm is dissolved.", FEBRUARY)
    writing_off.write_off(cast.actor("mei"), mine.pk, FEBRUARY)
    assert ends(cast) == {"issued": (1, mine.total_fen), "uncollectible": (1, mine.total_fen)}
    assert blocks(cast) == {"finance_exports": 1}
    assert "Written off" in page(cast)


def test_only_what_came_in_is_paid_and_amounts_are_without_what_was_credited(cast, bill, take):
    mine = bill()
    credit(cast, mine, 80_00)
    left = mine.total_fen - 80_00
    assert ends(cast) == {"issued": (1, left), "open": (1, left), "credited": (0, 80_00)}
    (payment,) = take(f"2026-12-01,{left / 100:.2f},,Gaoyuan,1,{mine.reference},1")
    allocating.give(cast.actor("li"), payment.pk, mine.pk, 100_00, DECEMBER)
    assert ends(cast) == {"issued": (1, left), "open": (1, left - 100_00), "paid": (0, 100_00), "credited": (0, 80_00)}
    assert blocks(cast) == {"finance_exports": 1, "customer_pays": 1, "paid_in_part": 1, "credited_in_part": 1}
    allocating.give(cast.actor("li"), payment.pk, mine.pk, left - 100_00, DECEMBER)
    assert ends(cast) == {"issued": (1, left), "paid": (1, left), "credited": (0, 80_00)}
