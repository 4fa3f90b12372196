"""Groups, cards, a leader's answer and internal slips over the API."""

from __future__ import annotations

import pytest

from instruments.models import ResearchGroup
from tests.api.conftest import codes
from tests.spending import build_spenders


@pytest.fixture
def spenders(cast):
    return build_spenders(cast)


def test_a_group_and_its_cards_are_kept_over_the_api(api, spenders, cast):
    li = api("li", "read", "manage")
    made = li.post(f"organisations/{cast.lab.pk}/research-groups/", {"name": "Dust", "leader": cast.users["tan"].pk})
    assert made.status_code == 201, made.content
    group = made.json()["id"]
    card = {"number": "D-1", "title": "Dust", "valid_from": "2026-01-01", "valid_until": "2026-12-31", "budget_fen": 5000}
    opened = li.post(f"research-groups/{group}/fund-cards/", card)
    assert (opened.status_code, opened.json()["left_fen"]) == (201, 5000)
    twice = li.post(f"research-groups/{group}/fund-cards/", card)
    assert (twice.status_code, codes(twice)) == (422, {"card.number_taken"})
    unknown = li.post(f"research-groups/{group}/fund-cards/", {**card, "balance": 1})
    assert unknown.status_code == 400
    assert [one["number"] for one in api("tan").get("fund-cards/").json()["results"]] == ["D-1"]
    assert api("tan").post(f"fund-cards/{opened.json()['id']}/close/").status_code == 403
    assert li.post(f"fund-cards/{opened.json()['id']}/close/").json()["closed"] is True
    assert api("gao").get(f"research-groups/{group}/").status_code == 404
    assert ResearchGroup.objects.count() == 3


def test_a_booking_from_a_card_waits_for_the_leader_and_then_for_the_lab(api, asked, spenders, cast):
    body = asked(9, 13, organisation=cast.lab.pk, fund_card=spenders.card.pk)
    ma = api("ma", "read", "book")
    made = ma.post("reservations/", body, key="one")
    assert (made.status_code, made.json()["state"]) == (201, "requested")
    assert ma.post("reservations/", body, key="one").headers["Idempotent-Replayed"] == "true"
    pk = made.json()["id"]
    assert ma.get(f"reservations/{pk}/").json()["awaits_leader"] is True
    (waits,) = api("gao").get("leader-approvals/", mine="true").json()["results"]
    assert (waits["asked_fen"], waits["state"]) == (80000, "waiting")
    assert codes(api("wang").post(f"reservations/{pk}/approve/")) == {"card.leader_waits"}
    assert api("tan").post(f"leader-approvals/{waits['id']}/agree/").status_code == 403
    assert api("gao").post(f"leader-approvals/{waits['id']}/agree/").json()["state"] == "approved"
    assert api("wang").post(f"reservations/{pk}/approve/").json()["state"] == "approved"
    assert api("gao").get(f"fund-cards/{spenders.card.pk}/").json()["held_fen"] == 80000
    assert ma.get(f"reservations/{pk}/").json()["awaits_leader"] is False


def test_what_a_card_cannot_pay_is_a_conflict_and_another_card_is_not_there(api, asked, spenders, cast):
    ma = api("ma", "book")
    dear = ma.post("reservations/", asked(9, 15, organisation=cast.lab.pk, fund_card=spenders.card.pk))
    assert (dear.status_code, codes(dear)) == (409, {"card.not_enough_left"})
    foreign = ma.post("reservations/", asked(9, 10, organisation=cast.lab.pk, fund_card=987654321))
    assert foreign.status_code == 404
    lin = api("lin", "book").post("reservations/", asked(9, 10, fund_card=spenders.card.pk))
    assert lin.status_code == 404
    assert api("li").get("internal-slips/").json()["results"] == []
