"""A series over the API: the report, asking, and giving back."""

from __future__ import annotations

import pytest

from billing.settlement.extra_models import SessionExtra
from booking.models import Reservation
from booking.services import policies
from booking.services.policies import Scope
from tests.billing.settlement.test_chosen_addons import publish_with_addons
from tests.heads import with_head

PLACE = "reservation-series"


@pytest.fixture
def lin(api):
    return api("lin")


@pytest.fixture
def he(api):
    return api("he")


@pytest.fixture
def series(cast):
    """What Lin asks for: three Wednesdays, nine to twelve."""
    return {
        "instrument": cast.xrd.pk,
        "organisation": cast.firm.pk,
        "starts": "2026-11-25T09:00",
        "ends": "2026-11-25T12:00",
        "weekdays": [3],
        "count": 3,
        "service_mode": "self_operated",
    }


def picks(report) -> list[dict]:
    """What the report says can be had, with the figures that it shows."""
    return [
        {"ordinal": row["ordinal"], **row["time"],
         "expected": {name: row["figures"][name] for name in ("payable_now_fen", "final_cost_fen")}}
        for row in report["rows"] if row["wanted"]
    ]  # fmt: skip


def test_a_series_is_looked_at_asked_for_and_partly_given_back(lin, he, series, programmes):
    report = lin.post(f"{PLACE}/report/", series, key=None).json()
    assert report["possible"] and [row["time"]["starts_at"][:16] for row in report["rows"]] == [
        "2026-11-25T09:00", "2026-12-02T09:00", "2026-12-09T09:00"
    ]  # fmt: skip
    assert report["together"]["gross_fen"] == 3 * 1200_00
    body = {**series, "picks": picks(report)}
    made = lin.post(f"{PLACE}/", body, key="k")
    assert made.status_code == 201 and made["Location"] == made.json()["url"]
    again = lin.post(f"{PLACE}/", body, key="k")
    assert again.status_code == 200 and again["Idempotent-Replayed"] == "true" and again.json() == made.json()
    pk = made.json()["id"]
    assert lin.get(f"{PLACE}/{pk}/").json() == made.json()
    assert he.get(f"{PLACE}/{pk}/").status_code == 404
    change = {"step": "cancel", "scope": "following", "anchor": 2}
    rows = lin.post(f"{PLACE}/{pk}/change-report/", change, key=None).json()["rows"]
    assert [(row["ordinal"], row["outcome"]) for row in rows] == [(2, "cancelled"), (3, "cancelled")]
    seen = [{"ordinal": row["ordinal"], "outcome": row["outcome"]} for row in rows]
    for wrong, status in ((seen + seen[:1], 422), (seen * 31, 400)):
        assert lin.post(f"{PLACE}/{pk}/change/", {**change, "picks": wrong}, key=f"w{len(wrong)}").status_code == status
    done = lin.post(f"{PLACE}/{pk}/change/", {**change, "picks": seen}, key="c")
    assert done.json() == {"counts": {"cancelled": 2}}
    assert [one.state for one in Reservation.objects.order_by("ordinal")] == ["requested", "cancelled", "cancelled"]
    assert lin.post(f"{PLACE}/{pk}/change/", {**change, "picks": seen}, key="d").status_code == 422


def test_a_time_that_was_taken_meanwhile_is_a_conflict_that_names_it(lin, he, cast, series, programmes):
    report = lin.post(f"{PLACE}/report/", series, key=None).json()
    rival = {"instrument": cast.xrd.pk, "organisation": cast.other_firm.pk, "service_mode": "self_operated"}
    assert he.post("reservations/", {**rival, **report["rows"][1]["time"]}).status_code == 201
    refused = lin.post(f"{PLACE}/", {**series, "picks": picks(report)})
    assert refused.status_code == 409
    assert [error["code"] for error in refused.json()["errors"]] == ["series.not_all", "booking.taken"]
    assert refused.json()["ordinal"] == 2
    fresh = lin.post(f"{PLACE}/report/", series, key=None).json()
    row = fresh["rows"][1]
    assert (row["taken"], row["wanted"]) == (True, False) and row["instead"]["starts_at"].startswith("2026-12-02T12:00")


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"count": None}, 422),
        ({"count": 61}, 400),
        ({"starts": "2026-11-25T09:00+08:00"}, 400),
        ({"starts": "x"}, 400),
        ({"starts": 9}, 400),
        ({"weekdays": [0]}, 400),
        ({"weekdays": [1, 1, 1]}, 200),
        ({"frequency": "monthly"}, 400),
        ({"ends": "2026-11-25T08:00"}, 422),
        ({"until": "2026-12-30"}, 422),
        ({"picks": []}, 200),
        ({"picks": [{"ordinal": 1, "starts_at": "2026-11-25T01:00:00Z", "ends_at": "2026-11-25T02:00:00Z"}] * 61}, 400),
        ({"extra": 1}, 400),
        ({"organisation": 2**40}, 403),
        ({"instrument": 2**40}, 404),
    ],
)
def test_bad_input_is_told_as_such(lin, series, wrong, status):
    assert lin.post(f"{PLACE}/report/", series | wrong, key=None).status_code == status


def test_a_manager_asks_for_a_series_in_spite_of_the_labs_rules(api, cast, lin, series, programmes):
    with_head(cast)
    policies.say(cast.actor("wang"), Scope(cast.lab.pk), {"max_minutes": 120}, cast.now)
    asked = series | {"organisation": cast.lab.pk, "override_reason": "Beam time was lost"}
    report = api("wang").post(f"{PLACE}/report/", asked, key=None).json()
    assert (
        report["possible"]
        and [[one["code"] for one in row["passed_over"]] for row in report["rows"]] == [["booking.too_long"]] * 3
    )
    assert api("wang").post(f"{PLACE}/", asked | {"picks": picks(report)}, key="k").status_code == 201
    assert lin.post(f"{PLACE}/report/", series | {"override_reason": "Please"}, key=None).status_code == 403


def test_every_time_says_that_nobody_could_decide_about_it(api, cast, series):
    report = api("wang").post(f"{PLACE}/report/", series | {"organisation": cast.lab.pk}, key=None).json()
    assert not report["possible"]
    assert [[one["code"] for one in row["reasons"]] for row in report["rows"]] == [["booking.nobody_decides"]] * 3


def test_add_ons_are_chosen_for_every_time_and_their_sum_is_told(lin, cast, series, programmes):
    publish_with_addons(cast)
    asked = series | {"addons": [{"addon": "cell", "quantity": 2}]}
    report = lin.post(f"{PLACE}/report/", asked, key=None).json()
    assert report["addons"] == [
        {"addon": "cell", "name": "样品池", "name_en": "Sample cell", "rate_fen": 1500, "quantity": 2, "amount_fen": 3000}
    ]
    assert [row["addons_fen"] for row in report["rows"]] == [3000] * 3 and report["addons_fen"] == 9000
    seen = [{**one, "expected_addons_fen": 3000} for one in picks(report)]
    other = [{**one, "expected_addons_fen": 1} for one in picks(report)]
    assert lin.post(f"{PLACE}/", {**asked, "picks": other}, key="o").status_code == 409
    assert lin.post(f"{PLACE}/", {**asked, "picks": seen}, key="k").status_code == 201
    assert SessionExtra.objects.filter(addon="cell", quantity=2, state="agreed").count() == 3
    wrong = lin.post(f"{PLACE}/report/", series | {"addons": [{"addon": "tube", "quantity": 1}]}, key=None)
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["field"] == "addons"
