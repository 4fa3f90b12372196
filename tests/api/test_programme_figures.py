"""The administrator's figure of a limit over the API: asked for by one person, set by another."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from billing.ledger.models import Account
from billing.subsidy import services as subsidy
from tests.billing.services.test_cap_figures import left_open

pytestmark = pytest.mark.django_db
PLACE = "/api/v1/programme-figures/"


@pytest.fixture
def version(cast: Any) -> Any:
    made = subsidy.draft_version(cast.actor("chen"), left_open("refuse"), cast.now)
    subsidy.publish_version(cast.actor("sun"), made, cast.now)
    return made


@pytest.fixture
def as_(cast: Any) -> Any:
    def make(who: str) -> Client:
        client = Client()
        client.force_login(cast.users[who])
        return client

    return make


def post(client: Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, body, content_type="application/json", headers={"accept-language": "en"})


def asked(version: Any, **more: Any) -> dict[str, Any]:
    return {"version": version.pk, "cap": "open", "year": 2026, "limit_fen": 50_00, "reason": "Notice 12"} | more


def test_one_asks_and_another_sets(as_: Any, version: Any) -> None:
    finance, officer = as_("qian"), as_("chen")
    (before,) = [each for each in finance.get(PLACE).json()["results"] if each["year"] == 2026]
    assert (before["programme"], before["cap"], before["per"], before["set_fen"]) == ("DEMO-QH-V", "open", "firm_year", None)
    made = post(finance, PLACE, asked(version))
    assert made.status_code == 201 and made.json()["state"] == "asked"
    place = f"{PLACE}{made.json()['id']}/"
    own = post(finance, f"{place}decide/", {"set": True})
    assert own.status_code == 422 or own.status_code == 403, "who asked sets nothing"
    assert finance.get(place).json()["state"] == "asked"
    done = post(officer, f"{place}decide/", {"set": True})
    assert (done.status_code, done.json()["state"]) == (200, "set")
    (after,) = [each for each in officer.get(PLACE).json()["results"] if each["year"] == 2026]
    assert after["set_fen"] == 50_00 and [each["state"] for each in after["history"]] == ["set"]
    assert post(officer, f"{place}decide/", {"set": True}).status_code == 422, "it is decided once"


def test_a_second_one_of_the_same_figure_is_a_conflict_that_names_the_first(as_: Any, version: Any) -> None:
    first = post(as_("qian"), PLACE, asked(version)).json()["id"]
    second = post(as_("chen"), PLACE, asked(version, limit_fen=60_00))
    assert second.status_code == 409
    (said,) = second.json()["errors"]
    assert (said["code"], said["field"], said["params"]["figure"]) == ("figure.waits_already", "cap", first)
    assert "asked for ¥50.00" in said["detail"]


def test_a_figure_may_be_refused_with_a_reason(as_: Any, version: Any) -> None:
    made = post(as_("qian"), PLACE, asked(version)).json()["id"]
    place = f"{PLACE}{made}/decide/"
    assert post(as_("chen"), place, {"set": False}).status_code == 422
    assert post(as_("chen"), place, {"set": False, "reason": "Too much"}).json()["answer"] == "Too much"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"year": 2031}, "year"),
        ({"year": "2026"}, "year"),
        ({"limit_fen": -1}, "limit_fen"),
        ({"limit_fen": 1.5}, "limit_fen"),
        ({"limit_fen": 2**70}, "limit_fen"),
        ({"reason": " "}, "reason"),
        ({"cap": 7}, "cap"),
        ({"cap": "nothing"}, "cap"),
        ({"more": 1}, "more"),
    ],
)
def test_bad_input_names_its_field(as_: Any, version: Any, change: dict[str, Any], field: str) -> None:
    answer = post(as_("qian"), PLACE, asked(version, **change))
    assert answer.status_code in (400, 422), answer.content
    assert field in answer.content.decode()
    assert not Account.objects.filter(kind="firm_year").exists()


def test_accounts_of_orders_are_listed_where_they_are_asked_for(cast: Any, as_: Any, version: Any) -> None:
    kinds = ("firm_year", "order", "contract")
    for kind in kinds:
        row = {"key": f"{kind}:x", "kind": kind, "programme_id": version.programme_id, "created_at": cast.now}
        Account.objects.create(limited=True, granted_fen=1, **row)
    place = "/api/v1/programme-accounts/"

    def shown(query: str = "") -> list[str]:
        return [each["kind"] for each in as_("qian").get(place + query).json()["results"]]

    assert "firm_year" in shown() and not {"order", "contract"} & set(shown())
    assert shown("?kind=order") == ["order"] and as_("qian").get(f"{place}?sort=1").status_code == 400
    listed = as_("qian").get("/programme-accounts/").content.decode()
    assert "firm_year:x" in listed and "order:x" not in listed
    assert "contract:x" in as_("qian").get("/programme-accounts/?kind=contract").content.decode()


def test_others_neither_see_nor_ask(as_: Any, version: Any) -> None:
    for who in ("lin", "wang"):
        assert as_(who).get(PLACE).status_code == 403
        assert post(as_(who), PLACE, asked(version)).status_code == 403
    assert post(as_("qian"), PLACE, asked(version) | {"version": 10**6}).status_code == 404


def test_a_limit_that_is_not_open_is_named_as_the_field_that_was_wrong(as_: Any, version: Any) -> None:
    refused = post(as_("qian"), PLACE, asked(version, cap="no"))
    assert refused.status_code == 422 and [each["field"] for each in refused.json()["errors"]] == ["cap"]
