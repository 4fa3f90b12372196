"""/api/v1/catalogue/."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from instruments.queries import codes
from instruments.services import registry, vocabulary
from instruments.services.code_lists import load_codes
from tests.instruments.registry.conftest import OPERATOR

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/catalogue/"


@pytest.fixture
def api(cast: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(cast.users["lin"])
    return client


def test_a_search_says_what_it_understood_and_counts(api: APIClient, cast: Any) -> None:
    answer = api.get(ADDRESS, {"q": "XRD, 3 hours, near Xining", "kind": "instrument"})
    assert answer.status_code == 200
    assert answer.data["understood"]["duration_minutes"] == 180
    assert answer.data["understood"]["region_code"] == "630100"
    assert (answer.data["count"], answer.data["more"], answer.data["any_word"]) == (1, False, False)
    row = answer.data["results"][0]
    assert (row["instrument"], row["owner"]["name"], row["price_from_fen"]) == (cast.xrd.pk, "Kunlun Institute", 300_00)
    assert not {"search", "facets", "public_at"} & set(row)
    assert {one["value"]: one["count"] for one in answer.data["facets"]["technique"]}["PaNET01216"] == 1


@pytest.mark.parametrize(
    "query",
    [{"colour": "red"}, {"kind": "car"}, {"region_code": "63"}, {"region_code": "990101"}, {"q": "x" * 201}, {"price": "cheap"}],
)
def test_a_query_that_means_nothing_is_refused(api: APIClient, query: dict[str, str]) -> None:
    answer = api.get(ADDRESS, query)
    assert answer.status_code == 400
    assert answer.data["errors"][0]["field"] == next(iter(query))


def test_a_class_of_any_level_narrows_and_shows_the_finer_ones(api: APIClient, cast: Any) -> None:
    listed = "code,parent,name_zh\n010000,,Analytical\n010300,010000,X-ray\n010301,010300,Diffractometers\n"
    load_codes(OPERATOR, "nrii", listed.encode(), cast.now.date(), cast.now)
    codes.forget()
    registry.update_instrument(OPERATOR, cast.xrd.pk, {"class_code": "010301"}, cast.now)
    for address in (ADDRESS, "/api/v1/instruments/"):
        for said, shown in (("01", {"01", "0103"}), ("010300", {"01", "0103", "010301"}), ("010301", {"01", "0103", "010301"})):
            answer = api.get(address, {"class_code": said}).data
            values = {one["value"]: one["count"] for one in answer["facets"]["class_code"]}
            assert set(values) == shown, (address, said)
            assert [row["name"] for row in answer["results"] if row["name"] == cast.xrd.name], (address, said)
            assert set(values.values()) <= {answer["count"], values["01"]}
    labels = {one["value"]: one["label"] for one in api.get(ADDRESS, {"class_code": "01"}).data["facets"]["class_code"]}
    assert labels["0103"] == "X-ray"
    assert api.get(ADDRESS, {"class_code": "013"}).status_code == 400


def test_suggestions_come_with_what_was_meant(api: APIClient) -> None:
    vocabulary.rebuild_vocabulary()
    answer = api.get(f"{ADDRESS}suggest/", {"q": "difractometer"})
    assert answer.data["did_you_mean"] == "diffractometer"
    assert answer.data["suggestions"][0]["term"] == "X-ray diffractometer"
    assert APIClient().get(ADDRESS).status_code == 401
