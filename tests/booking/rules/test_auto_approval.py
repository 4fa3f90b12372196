"""Which requests count at once: all that the lab says has to hold, and it always chooses between rivals itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from booking.rules.auto_approval import AutoApproval, Trusted, Wanted
from config.kernel.errors import Refusal
from instruments.rules.audience import Audience

USUAL = Wanted(minutes=120, payable_now_fen=500_00, week_minutes=300, licensed=True, proven=True, has_rival=False)
RULE = AutoApproval(Trusted.LICENSED, most_minutes=120, most_fen=500_00, week_minutes=300)


def test_at_every_limit_it_still_counts_and_beyond_any_of_them_the_lab_looks():
    assert RULE.lets(USUAL)
    beyond = [{"minutes": 121}, {"payable_now_fen": 500_01}, {"payable_now_fen": None}, {"week_minutes": 301}, {"has_rival": True},
              {"licensed": False}]  # fmt: skip
    assert [one for one in beyond if RULE.lets(replace(USUAL, **one))] == []


def test_everything_for_which_the_lab_looks_is_said():
    found = RULE.against(replace(USUAL, minutes=121, payable_now_fen=500_01, week_minutes=301, has_rival=True, licensed=False))
    said = ["at_once.not_licensed", "at_once.rival", "at_once.too_long", "at_once.week_full", "at_once.too_dear"]
    assert [one.code for one in found] == said
    unknown = RULE.against(replace(USUAL, payable_now_fen=None))
    assert [one.code for one in unknown] == ["at_once.no_price"] and RULE.against(USUAL) == []
    assert [one.code for one in AutoApproval(Trusted.PROVEN).against(replace(USUAL, proven=False))] == ["at_once.not_proven"]
    assert [one.code for one in AutoApproval(Trusted.NOBODY).against(USUAL)] == ["at_once.nobody"]


def test_only_requests_of_the_customers_that_the_lab_names_count_at_once():
    inside = AutoApproval(Trusted.ANYBODY, customers=(Audience.INSIDE, Audience.TEAM))
    found = {audience: inside.lets(replace(USUAL, audience=audience)) for audience in ("", *Audience)}
    assert found == {"": False, "inside": True, "academic": False, "team": True, "firm": False}
    (said,) = inside.against(replace(USUAL, audience="firm"))
    assert (said.code, said.params) == ("at_once.other_customers", {"open_for": ["inside", "team"]})
    assert AutoApproval(Trusted.ANYBODY).lets(replace(USUAL, audience="firm")), "none named: all"
    assert AutoApproval.read({"who": "anybody", "customers": ["team", "inside", "team"]}) == inside
    assert AutoApproval.read(inside.document()) == inside


def test_whose_requests_they_are():
    stranger = replace(USUAL, licensed=False, proven=False)
    found = {who.value: (AutoApproval(who).lets(USUAL), AutoApproval(who).lets(stranger)) for who in Trusted}
    assert found == {"nobody": (False, False), "anybody": (True, True), "licensed": (True, False), "proven": (True, False)}
    assert AutoApproval(Trusted.ANYBODY).lets(replace(stranger, payable_now_fen=None)), "no limit, no price needed"


def test_what_was_said_is_read_again_and_nonsense_is_refused():
    assert AutoApproval.read(RULE.document()) == RULE
    for wrong in (
        None,
        {},
        {"who": "me"},
        {"who": "anybody", "most_minutes": 0},
        {"who": "anybody", "week_minutes": True},
        {"who": "anybody", "customers": ["me"]},
        {"who": "anybody", "customers": "firm"},
    ):
        with pytest.raises(Refusal):
            AutoApproval.read(wrong)
