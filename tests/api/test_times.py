"""/api/v1/find-a-time: the page's search for machines."""

from __future__ import annotations

import pytest

from billing.pricing import sample_prices
from booking.models import AccessListEntry
from booking.services import availability
from instruments.services import resources
from tests.booking.finding.labs import labs

__all__ = ["labs"]
pytestmark = pytest.mark.django_db


def test_anybody_finds_times_at_list_prices(api, labs, programmes):
    found = api().get("find-a-time/", minutes=180, **{"from": "2026-11-25", "to": "2026-11-27"}).json()
    (row,) = found["results"]
    assert (row["starts_at"], row["ends_at"]) == ("2026-11-25T08:00:00+08:00", "2026-11-25T11:00:00+08:00")
    assert (row["gross_fen"], row["final_cost_fen"], row["estimate"]) == (150_000, 150_000, True)
    assert (found["more"], found["exact"], found["compared"]) == (False, True, None)
    assert [(day["date"], day["count"]) for day in found["days"]] == [
        ("2026-11-25", 1), ("2026-11-26", 1), ("2026-11-27", 1),
    ]  # fmt: skip


def test_a_member_sees_the_organisations_own_figures(api, labs, cast, programmes):
    row = api("lin").get("find-a-time/", minutes=180, organisation=cast.firm.pk, sort="cost").json()["results"][0]
    assert row["gross_fen"] == 120_000
    assert row["final_cost_fen"] < 120_000
    assert row["nearness"] == "county"
    refused = api("lin").get("find-a-time/", minutes=180, organisation=cast.other_firm.pk)
    assert (refused.status_code, refused.json()["code"]) == (403, "booking.not_for_this_organisation")


@pytest.mark.parametrize(
    "wrong",
    [{}, {"minutes": 0}, {"minutes": "x"}, {"minutes": 60, "profile": "king"}, {"minutes": 60, "region_code": "Golmud"},
     {"minutes": 60, "class_code": "%"}, {"minutes": 60, "unknown": 1}, {"minutes": 60, "count": 10**6}, {"minutes": 60, "from": "x"},
     {"minutes": 60, "owner": 10**30}],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem_document(api, labs, wrong):
    assert api().get("find-a-time/", **wrong).status_code == 400


@pytest.mark.parametrize("name", ["region_code", "place"])
def test_a_division_that_does_not_exist_is_told_and_not_looked_for(api, labs, name):
    answer = api().get("find-a-time/", minutes=60, **{name: "990101"})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == name and "990101" in error["detail"]
    assert api().get("find-a-time/", minutes=60, **{name: ""}).status_code == 200


def test_a_technique_that_nobody_knows_is_told_and_not_looked_for(api, labs):
    answer = api().get("find-a-time/", minutes=60, technique="PaNET09999")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == "technique" and "PaNET09999" in error["detail"]
    assert api().get("find-a-time/", minutes=60, technique="").status_code == 200


def test_a_licence_is_training_that_is_needed_where_one_may_work_alone(api, labs):
    labs.add("SEM", policy={"rules": {"licence_needed": True}}, service_modes=["self_operated", "assisted"])

    def needed(**asked):
        rows = api().get("find-a-time/", minutes=60, **asked).json()["results"]
        return {row["name"]: row["training_needed"] for row in rows}

    assert needed()["SEM"]
    assert not needed(service_mode="assisted")["SEM"]


def test_a_row_says_what_would_become_of_a_request_and_why_not(api, labs, cast):
    labs.add("At once", policy={"approval_required": False})

    def said(who=""):
        rows = api(who).get("find-a-time/", minutes=60, q="At once").json()["results"]
        return [(row["eligibility"], [reason["code"] for reason in row["reasons"]]) for row in rows]

    assert said() == [("log_in", [])]
    assert said("lin") == [("at_once", [])]
    AccessListEntry.objects.create(
        organisation=cast.lab, person=cast.users["lin"], verdict="deny", reason="x", created_by=cast.users["wang"],
        created_at=cast.now,
    )  # fmt: skip
    assert said("lin") == [("refused", ["measure.listed"])]


def test_the_order_is_the_one_that_was_possible_and_calendars_in_the_making_are_counted(api, labs, cast):
    labs.add("Elsewhere", region="632801")
    availability.mark_calculating([cast.xrd.calendar_id], cast.now)
    found = api().get("find-a-time/", minutes=60, sort="nearest").json()
    assert (found["sorted_by"], found["calculating"]) == ("earliest", 1), "nobody knows nearest to where"
    assert api().get("find-a-time/", minutes=60, sort="nearest", place="630104").json()["sorted_by"] == "nearest"
    assert api().get("find-a-time/", minutes=60, region_code="632800").json()["calculating"] == 0


def test_what_makes_no_sense_together_is_refused(api, labs):
    answer = api().get("find-a-time/", minutes=60, **{"from": "2026-12-24", "to": "2026-12-01"})
    assert (answer.status_code, answer.json()["code"]) == (422, "time_search.last_before_first")


def test_test_items_stand_beside_with_their_day_and_figures(api, labs, cast, programmes):
    part = {"turnaround_days": 5, "daily_capacity": 4}
    core = {"name": "Brine by ICP", "published": True, "region_code": "630104"}
    item = resources.create_resource(cast.actor("wang"), cast.lab.pk, "test_item", core, part, cast.now)
    today = cast.now.date()
    sample_prices.publish_test_price(cast.actor("li"), item, "sample", 12_000, {}, today, cast.now, today)
    asked = {"minutes": 60, "q": "brine", "samples": 12}
    (row,) = api("lin").get("find-a-time/", organisation=cast.firm.pk, **asked).json()["test_items"]
    assert (row["resource"], row["promised_on"], row["nearness"]) == (item.pk, "2026-12-02", "county")
    assert (row["gross_fen"], row["estimate"]) == (144_000, False)
    assert row["final_cost_fen"] < row["gross_fen"]
    assert api().get("find-a-time/", minutes=60).json()["test_items"] == []
    assert api().get("find-a-time/", minutes=60, samples=0).status_code == 400
