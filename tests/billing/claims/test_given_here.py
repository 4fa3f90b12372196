"""What programmes here give counts for those that look at other public money: quoted, promised, charged, replayed, and with the claim."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.claims import declared
from billing.claims.declared_models import ClaimDeclaration
from billing.claims.services import batch_rules
from billing.settlement.models import Award, Quote
from billing.settlement.services import assessing, grading
from billing.settlement.services.replaying import replay_charges
from billing.subsidy.rules.assess import Candidate
from billing.subsidy.rules.given_here import OTHERS
from booking.services import transitions
from tests.agreeing import check_out_agreed
from tests.billing.claims.test_declared import Desk, asking
from tests.billing.money_invariants import wrong
from tests.billing.vouchers.conftest import CODE, published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of, voucher_document

__all__ = ["published"]
pytestmark = pytest.mark.django_db
FIRST = "DEMO-QH-FIRST"
"""Comes before ``CODE`` in the order of the platform."""
CLAUSE = voucher_document(CODE)["clauses"][0]["id"]
HALF = {"type": "rate_limit", "rate": "0.5", "of": "amounts.fee", "counting": [OTHERS], "clause": CLAUSE}
GROSS = 800_00
FORTY = 320_00


def first(**changes: Any) -> dict[str, Any]:
    """40 % taken off the bill at once."""
    document = voucher_document(FIRST) | changes
    document["caps"] = [{"id": "pool", "per": "pool", "limit": "100000", "when_short": "partial", "clause": CLAUSE}]
    return document


def steps(row: Any) -> list[dict[str, Any]]:
    found = {each["programme"]: each for each in row.result["outcomes"]}
    return [each["params"] for each in found[CODE]["steps"] if each["key"] == "subsidy.step.given_here"]


def figures(row: Any) -> tuple[int, int]:
    return row.deducted_fen, row.refunded_fen


def test_both_together_give_no_more_than_one_of_them_allows_from_the_quote_to_the_charge(cast: Any, published: Any) -> None:
    published(first())
    published(asking(adjustments=[HALF]))
    desk = Desk(cast)
    booked = desk.life.ask(slot_of(9, 11))
    quote = desk.life.quote(booked)
    assert (quote.gross_fen, *figures(quote)) == (GROSS, FORTY, 80_00)
    assert steps(quote) == [{"programmes": [FIRST], "given_fen": FORTY}]
    assert [each.get("told") for each in quote.inputs["candidates"]] == [None, [OTHERS]]
    desk.life.approve(booked)
    held = Quote.objects.get(reservation=booked, held_at__isnull=False)
    assert figures(held) == (FORTY, 80_00)
    charge = desk.life.use(booked)
    assert figures(charge) == (FORTY, 80_00) and steps(charge) == steps(quote)
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}
    assert wrong() == {}


def test_a_shorter_session_counts_what_was_given_for_it(cast: Any, published: Any) -> None:
    published(first())
    published(asking(adjustments=[HALF]))
    desk = Desk(cast)
    booked = desk.life.approve(desk.life.ask(slot_of(9, 11)))
    transitions.check_in(cast.actor("wang"), booked.pk, booked.starts_at)
    check_out_agreed(cast.actor("wang"), booked.pk, slot_of(9, 10).ends_at)
    charge = booked.charge
    assert figures(charge) == (charge.gross_fen * 4 // 10, charge.gross_fen // 10)
    assert steps(charge) == [{"programmes": [FIRST], "given_fen": charge.deducted_fen}]
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_what_is_declared_with_the_claim_counts_beside_it_and_only_once(cast: Any, published: Any) -> None:
    published(first())
    version, desk = published(asking(adjustments=[HALF])), Desk(cast)
    desk.life.whole(slot_of(9, 11))
    claim = desk.claim(version)
    desk.declare(claim, file=None, other_subsidies=0)
    (asked,) = declared.lines_asked([claim])
    assert (asked.less_fen, asked.given_here_fen) == (0, FORTY)  # what was given here counted from the promise on
    desk.declare(claim, other_subsidies=30_00)
    (asked,) = declared.lines_asked([claim])
    assert asked.less_fen == 30_00
    assert asked.worked is not None
    said = [each["params"] for each in asked.worked.steps if each["key"] == "subsidy.step.given_here"]
    assert said == [{"programmes": [FIRST], "given_fen": FORTY}]
    assert desk.submit(claim).total_fen == 50_00
    assert declared.is_as_worked_out(ClaimDeclaration.objects.get(applied_at__isnull=False))
    assert wrong() == {}


def test_the_form_and_the_api_say_what_is_not_to_be_declared_again(cast: Any, published: Any) -> None:
    published(first())
    version, desk = published(asking(adjustments=[HALF])), Desk(cast)
    desk.life.whole(slot_of(9, 11))
    claim = desk.claim(version)
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.users["zhao"])
    page = client.get(reverse("claim_detail", args=[claim.pk])).content.decode()
    assert "Without the ¥320.00 that other programmes of the platform gave for this service" in page
    (line,) = client.get(f"/api/v1/claims/{claim.pk}/declarations/").json()["results"]
    assert (line["asks"], line["given_here_fen"]) == (["other_subsidies"], FORTY)


def test_a_batch_goes_by_the_same_facts(cast: Any, published: Any) -> None:
    published(first())
    version, desk = published(asking(adjustments=[HALF])), Desk(cast)
    desk.life.whole(slot_of(9, 11))
    (line,) = desk.claim(version).lines.select_related("award__charge")
    assert batch_rules._facts(line).amounts.claim.other_subsidies == FORTY


def test_a_grade_that_lowers_the_one_lowers_it_and_the_other_gives_no_more_than_before(cast: Any, published: Any) -> None:
    factor = {"type": "quality_factor", "factors": {"A": "1", "B": "0.5"}, "assume": "A", "clause": CLAUSE}
    published(first(adjustments=[factor]))
    published(asking(adjustments=[HALF]))
    booked = Desk(cast).life.approve(Desk(cast).life.ask(slot_of(9, 11)))
    inputs = assessing.thaw(Quote.objects.get(reservation=booked, held_at__isnull=False).inputs)
    whole = inputs.assess()
    assert [award.total_fen for award in whole.awards] == [FORTY, 80_00]
    _graded, lower = grading.under("B", inputs, whole)
    assert [award.total_fen for award in lower.awards] == [FORTY // 2, 80_00]


def test_what_was_promised_before_it_was_told_is_charged_as_promised(cast: Any, published: Any, monkeypatch: Any) -> None:
    published(first())
    version, desk = published(asking(adjustments=[HALF])), Desk(cast)
    with monkeypatch.context() as before:
        before.setattr(assessing, "Candidate", lambda *given: Candidate(*given[:3], given[3] - {OTHERS}))
        booked = desk.life.approve(desk.life.ask(slot_of(9, 11)))
    charge = desk.life.use(booked)
    assert figures(charge) == (FORTY, FORTY) and steps(charge) == []
    claim = desk.claim(version)
    desk.declare(claim, file=None, other_subsidies=0)
    assert [each.given_here_fen for each in declared.lines_asked([claim])] == [None]
    assert desk.submit(claim).total_fen == FORTY
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_a_commissioned_test_as_well(cast: Any, published: Any) -> None:
    published(first())
    published(asking(adjustments=[HALF]))
    work = Work(cast, make_item(cast))
    job = work.accept(work.ask())
    quote = Quote.objects.filter(sample_job=job).latest("revision")
    assert figures(quote) == (quote.gross_fen * 4 // 10, quote.gross_fen // 10)
    assert steps(quote) == [{"programmes": [FIRST], "given_fen": quote.deducted_fen}]


def test_the_awards_say_who_gave_what(cast: Any, published: Any) -> None:
    published(first())
    published(asking(adjustments=[HALF]))
    charge = Desk(cast).life.whole(slot_of(9, 11))
    rows = Award.objects.filter(charge=charge).order_by("programme_version__programme__code")
    assert [each.total_fen for each in rows] == [FORTY, 80_00]
