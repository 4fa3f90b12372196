"""/api/v1/instruments/."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from instruments.models import Instrument

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/instruments/"


@pytest.fixture
def api(cast: Any) -> Any:
    def as_person(name: str) -> APIClient:
        client = APIClient()
        client.force_authenticate(cast.users[name])
        return client

    return as_person


def test_a_search_has_counts_facets_and_explicit_fields(api: Any, cast: Any) -> None:
    answer = api("lin").get(ADDRESS, {"q": "diffract", "page_size": 1})
    assert answer.status_code == 200
    assert (answer.data["count"], answer.data["next"], answer.data["previous"]) == (1, None, None)
    assert [one["value"] for one in answer.data["facets"]["class_code"]] == ["01"]
    row = answer.data["results"][0]
    assert (row["id"], row["owner"]["name"], row["site"]["time_zone"]) == (cast.xrd.pk, "Kunlun Institute", "Asia/Shanghai")
    assert "calendar" not in row
    assert "search" not in row


@pytest.mark.parametrize(
    "query", [{"colour": "red"}, {"status": "melted"}, {"page": "0"}, {"class_code": "1"}, {"page_size": 10_000}]
)
def test_a_query_that_means_nothing_is_refused(api: Any, query: dict[str, str]) -> None:
    answer = api("lin").get(ADDRESS, query)
    assert answer.status_code == 400
    assert answer.data["errors"][0]["field"] == next(iter(query))


def test_one_instrument_is_shown_and_a_foreign_draft_is_not_found(api: Any, cast: Any) -> None:
    assert api("lin").get(f"{ADDRESS}{cast.xrd.pk}/").data["technique"] == ""
    Instrument.objects.update(published=False)
    for method in ("get", "patch"):
        assert getattr(api("lin"), method)(f"{ADDRESS}{cast.xrd.pk}/", {}, format="json").status_code == 404
    assert APIClient().get(ADDRESS).status_code == 401


def test_the_lab_changes_it_and_every_reason_is_told(api: Any, cast: Any) -> None:
    address = f"{ADDRESS}{cast.xrd.pk}/"
    assert api("wang").patch(address, {"model": "D8"}, format="json").data["model"] == "D8"
    assert api("lin").patch(address, {"model": "D9"}, format="json").status_code == 403
    assert api("wang").patch(address, {"colour": "red"}, format="json").status_code == 400
    wrong = api("wang").patch(address, {"original_value_fen": -1, "status": "melted"}, format="json")
    assert wrong.status_code == 422
    assert {one["code"] for one in wrong.data["errors"]} == {"instrument.value_negative", "instrument.status_unknown"}


def test_the_lab_adds_one_at_its_own_place(api: Any, cast: Any) -> None:
    answer = api("wang").post(ADDRESS, {"site_id": cast.site.pk, "name": "Lathe", "service_modes": ["assisted"]}, format="json")
    assert (answer.status_code, answer.data["service_modes"]) == (201, ["assisted"])
    assert api("he").post(ADDRESS, {"site_id": cast.site.pk, "name": "Lathe"}, format="json").status_code == 403


def test_opening_is_told_in_instants_and_bounded(api: Any, cast: Any) -> None:
    address = f"{ADDRESS}{cast.xrd.pk}/opening/"
    day = {"starts_at": "2026-11-23T00:00:00+08:00", "ends_at": "2026-11-24T00:00:00+08:00"}
    answer = api("lin").get(address, day)
    assert answer.data["time_zone"] == "Asia/Shanghai"
    assert [dict(one) for one in answer.data["open"]] == [
        {"starts_at": "2026-11-23T00:00:00Z", "ends_at": "2026-11-23T12:00:00Z"}
    ]
    assert api("lin").get(address, day | {"ends_at": "2028-01-01T00:00:00Z"}).status_code == 422
    assert api("lin").get(address, day | {"ends_at": "2026-11-01T00:00:00Z"}).status_code == 422


def test_the_end_of_the_calendar_is_no_error_of_ours(api: Any, cast: Any) -> None:
    address = f"{ADDRESS}{cast.xrd.pk}/opening/"
    for first, last in (("9999-12-30", "9999-12-31"), ("0001-01-01", "0001-01-02"), ("2026-11-23", "9999-12-31")):
        window = {"starts_at": f"{first}T00:00:00Z", "ends_at": f"{last}T00:00:00Z"}
        assert api("lin").get(address, window).status_code == 400, window


def test_the_whole_record_goes_in_and_comes_out(api: Any, cast: Any) -> None:
    address = f"{ADDRESS}{cast.xrd.pk}/"
    sent = {"functions": "Phases", "keywords": ["salt"], "nation_code": "de", "imported": True, "purchased_on": "2019-05-07"}
    answer = api("wang").patch(address, sent, format="json")
    assert {name: answer.data[name] for name in sent} == sent | {"nation_code": "DE"}
    made = api("wang").post(ADDRESS, sent | {"site_id": cast.site.pk, "name": "Lathe"}, format="json")
    assert (made.status_code, made.data["keywords"], made.data["published"]) == (201, ["salt"], True)
    wrong = api("wang").patch(address, {"share_mode": "secretly"}, format="json")
    assert wrong.data["errors"][0]["code"] == "instrument.choice_unknown"


def test_where_the_operator_looks_first_the_api_leads_past_nothing(api: Any, cast: Any) -> None:
    cast.lab.reviews_needed = True
    cast.lab.save()
    address = f"{ADDRESS}{cast.xrd.pk}/"
    refused = api("wang").patch(address, {"functions": "Mine"}, format="json")
    assert (refused.status_code, refused.data["errors"][0]["code"]) == (422, "instrument.review_needed")
    assert api("wang").patch(address, {"status": "under_repair"}, format="json").status_code == 200
    made = api("wang").post(ADDRESS, {"site_id": cast.site.pk, "name": "Lathe"}, format="json")
    assert made.data["published"] is False
    assert api("zhou").patch(address, {"functions": "The operator's"}, format="json").status_code == 200
