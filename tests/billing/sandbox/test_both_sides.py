"""A trial of a programme that pays both sides gives what the sessions got under it, whether or not it was in force when they took place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from billing.sandbox.services.reading import Reader
from billing.settlement.models import Award
from billing.subsidy.models import Programme
from tests.billing.claims.test_both_sides import people, purposed, put_in_force, version, with_first_use
from tests.billing.sandbox.test_parts import DAYS, commissioned, trial
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import published
from tests.conftest import Cast, slot_of

__all__ = ["people", "published", "version"]
pytestmark = pytest.mark.django_db


def given(of: Any) -> int:
    return sum(Award.objects.filter(programme_version=of).values_list("total_fen", flat=True))


def test_it_gives_both_what_the_services_got(cast: Cast, version: Any, published: Any) -> None:
    life = Life(cast)
    life.whole(slot_of(9, 12, 1))
    life.whole(slot_of(13, 15, 1))
    cast.other_firm.region_code = "310104"
    cast.other_firm.save()
    life.whole(slot_of(15, 16, 1), who="he", firm=cast.other_firm)
    commissioned(cast, 3)
    # 480.00 and 320.00 of the first firm, 113.21 and 36.79 of the owner, whose year is used up then; and 40 % of the test.
    test_fen = Award.objects.get(charge__sample_job__isnull=False).total_fen
    assert given(version) == 480_00 + 320_00 + 113_21 + 36_79 + test_fen
    assert trial(cast, version)["totals"]["tried"]["cost_fen"] == given(version)
    # As a programme of another name, which nobody was told anything for: the year is new, so the owner gets no more than it got.
    document = copy.deepcopy(version.document) | {"code": "SD-AGAIN"}
    assert trial(cast, published(document))["totals"]["tried"]["cost_fen"] == given(version)
    assert Programme.objects.count() == 2


def test_what_was_told_to_one_programme_of_both_sides_is_not_told_to_others(cast: Cast, version: Any) -> None:
    Life(cast).whole(slot_of(9, 12, 1))
    (piece,) = Reader(**DAYS, taxed=True).pieces(0)
    assert [facts.get("request", {}) for facts in piece.facts] == [{}]
    assert [(row.fee_fen, row.tax_fen) for row in piece.rows] == [(1200_00, 67_92)]
    (untaxed,) = Reader(**DAYS).pieces(0)
    assert [row.tax_fen for row in untaxed.rows] == [0]


def test_a_larger_year_of_the_owner_is_seen_in_the_trial(cast: Cast, people: None, published: Any) -> None:
    life, made = Life(cast), put_in_force(cast)
    life.whole(slot_of(9, 12, 1))
    life.whole(slot_of(13, 15, 1))
    document = copy.deepcopy(made.document) | {"code": "SD-MORE", "examples": []}
    document["sides"][1]["caps"][0]["limit"] = "2000000"
    # 113.21 + 75.47 instead of 150.00.
    assert trial(cast, published(document))["totals"]["tried"]["cost_fen"] == 800_00 + 113_21 + 75_47


def test_what_the_owner_alone_gets_in_a_trial_leaves_the_customer_its_first_use(cast: Cast, people: None) -> None:
    version = put_in_force(cast, purposed(with_first_use()))
    life = Life(cast)
    charges = [life.whole(slot_of(9, 12, 1), service_direction="research")]
    charges += [life.whole(slot_of(hour, hour + 1, 1), service_direction="development") for hour in (13, 15)]
    gave = [sum(award.total_fen for award in each.awards.all()) for each in charges]
    # 10 % of 1,132.08; 160.00 + 100.00 + 37.74; 160.00 + 37.74.
    assert gave == [113_21, 297_74, 197_74]
    assert trial(cast, version)["totals"]["tried"]["cost_fen"] == sum(gave)
