"""The API of resources: explicit typed parts in and out, exports, requests; unknown fields are refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from instruments.models import Resource

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/resources/"


def send(browser: Client, method: str, path: str, body: dict[str, Any]) -> Any:
    return browser.generic(method, path, json.dumps(body), content_type="application/json", headers={"Accept-Language": "en"})


def test_a_test_item_goes_in_comes_out_and_changes(as_: Any, cast: Any, client: Client) -> None:
    lab = as_("wang")
    part = {
        "method": "ICP-OES", "analytes": [{"name": "Li", "limit": "0.02", "unit": "mg/L"}], "turnaround_days": 5,
        "qualifications": [{"scheme": "CMA", "valid_to": "2030-12-31"}], "instrument_ids": [cast.xrd.pk],
    }  # fmt: skip
    body = {"organisation_id": cast.lab.pk, "kind": "test_item", "name": "Lithium", "published": True, "test_item": part}
    made = send(lab, "POST", ROOT, body)
    assert made.status_code == 201, made.json()
    pk = made.json()["id"]
    seen = client.get(f"{ROOT}{pk}/").json()
    assert seen["test_item"]["analytes"] == part["analytes"]
    assert seen["test_item"]["qualifications"][0] == {
        "scheme": "CMA",
        "certificate_number": "",
        "valid_from": None,
        "valid_to": "2030-12-31",
    }
    assert (seen["dataset"], seen["germplasm"], seen["literature"], seen["export_formats"]) == (None, None, None, ["price-list"])
    changed = send(lab, "PATCH", f"{ROOT}{pk}/", {"test_item": {"turnaround_days": 7}})
    assert (changed.json()["test_item"]["turnaround_days"], changed.json()["test_item"]["method"]) == (7, "ICP-OES")
    # What was read can be sent back: nothing is lost and nothing changes.
    again = send(lab, "PATCH", f"{ROOT}{pk}/", {"test_item": changed.json()["test_item"], "name": changed.json()["name"]})
    assert again.json() == changed.json()
    assert [
        row["id"] for row in client.get(ROOT, {"q": "Li", "kind": "test_item", "instrument": cast.xrd.pk}).json()["results"]
    ] == [pk]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"colour": "red"}, 400, "colour"),
        ({"test_item": {"colour": "red"}}, 400, "test_item.colour"),
        ({"dataset": {"version": "1"}}, 422, "dataset"),
        ({"test_item": {"turnaround_days": 0}}, 422, "turnaround_days"),
        ({"published": "maybe"}, 400, "published"),
    ],
)
def test_what_does_not_fit_is_named(as_: Any, cast: Any, body: dict[str, Any], status: int, field: str) -> None:
    lab = as_("wang")
    made = send(lab, "POST", ROOT, {"organisation_id": cast.lab.pk, "kind": "test_item", "name": "Lithium"}).json()
    answer = send(lab, "PATCH", f"{ROOT}{made['id']}/", body)
    assert answer.status_code == status, answer.json()
    assert field in [error["field"] for error in answer.json()["errors"]]


def test_prices_and_quotes_speak_fen(as_: Any, cast: Any, client: Client, programmes: Any) -> None:
    lab, firm = as_("wang"), as_("lin")
    body = {"organisation_id": cast.lab.pk, "kind": "test_item", "name": "Lithium", "published": True}
    pk = send(lab, "POST", ROOT, body).json()["id"]
    assert client.get(f"{ROOT}{pk}/price/").json()["amount_fen"] is None
    asked = {"organisation": cast.firm.pk, "samples": 12, "elements": 2}
    assert send(firm, "POST", f"{ROOT}{pk}/quote/", asked).json()["code"] == "price.on_request"
    assert send(lab, "POST", f"{ROOT}{pk}/price/", {"unit": "element", "amount_fen": 4000}).status_code == 201
    quote = send(firm, "POST", f"{ROOT}{pk}/quote/", asked).json()
    assert quote["gross_fen"] == 96_000
    assert quote["payable_now_fen"] == quote["gross_fen"] - quote["deducted_fen"]
    assert quote["final_cost_fen"] == quote["payable_now_fen"] - quote["refunded_fen"]


def test_a_request_is_made_answered_delivered_and_rated(as_: Any, cast: Any) -> None:
    lab, firm = as_("wang"), as_("lin")
    body = {"organisation_id": cast.lab.pk, "kind": "dataset", "name": "Brine", "access_terms": "Cite it.", "published": True}
    resource = send(lab, "POST", ROOT, body).json()
    application = {
        "resource_id": resource["id"], "organisation_id": cast.firm.pk, "purpose": "To see.", "terms_accepted": True,
        "terms_seen": resource["terms_fingerprint"],
    }  # fmt: skip
    asked = send(firm, "POST", "/api/v1/resource-requests/", application)
    assert asked.status_code == 201, asked.json()
    path = f"/api/v1/resource-requests/{asked.json()['id']}/"
    assert send(lab, "POST", f"{path}approve/", {}).json()["state"] == "approved"
    file = SimpleUploadedFile("brine.csv", b"a\n1\n")
    assert lab.post(f"{path}deliver/", {"mode": "file", "file": file}).json()["has_file"] is True
    assert firm.get(f"{path}file/").content == b"a\n1\n"
    assert send(firm, "POST", f"{path}feedback/", {"rating": 5}).json()["state"] == "closed"
    assert [row["id"] for row in lab.get("/api/v1/resource-requests/?side=owner&state=closed").json()["results"]] == [
        asked.json()["id"]
    ]
    assert firm.get("/api/v1/resource-requests/?side=owner").json()["results"] == []


def test_exports_of_one_and_of_all_are_files(as_: Any, cast: Any, client: Client) -> None:
    lab = as_("wang")
    descriptors = {"ACCENUMB": "QH-1", "GENUS": "Hordeum"}
    for number in ("1", "2"):
        part = {"standard": "mcpd", "descriptors": descriptors | {"ACCENUMB": number}}
        body = {"organisation_id": cast.lab.pk, "kind": "germplasm", "published": number == "1", "germplasm": part}
        assert send(lab, "POST", ROOT, body).status_code == 201
    first = Resource.objects.order_by("pk")[0]
    one = client.get(f"{ROOT}{first.pk}/export/mcpd/")
    assert one["Content-Type"] == "text/csv" and one.content.count(b"\r\n") == 2
    assert client.get(f"{ROOT}export/mcpd/?owner={cast.lab.pk}").content.count(b"\r\n") == 2  # the draft is not for everybody
    assert lab.get(f"{ROOT}export/mcpd/?owner={cast.lab.pk}").content.count(b"\r\n") == 3
    wrong = client.get(f"{ROOT}{first.pk}/export/dcat/", headers={"Accept-Language": "en"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "resource.export_not_for_kind")
