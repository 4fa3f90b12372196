"""Writing and trying programmes over the API: the same services, every fault with its path."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from billing.models import ProgrammeVersion, SandboxRun
from billing.sandbox.services import running
from tests.conftest import programme_document
from tests.frontend.acting import as_, clock

__all__ = ["as_", "clock"]
pytestmark = pytest.mark.django_db
DRAFTS, TRIALS = "/api/v1/programme-drafts/", "/api/v1/programme-trials/"
ENDS = "/api/v1/programme-ends/"


def send(client, method, address, body):
    return client.generic(
        method, address, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": str(uuid4())}
    )


def test_a_draft_is_begun_changed_handed_in_and_put_in_force_by_another(as_):
    chen, sun = as_("chen"), as_("sun")
    made = send(chen, "POST", DRAFTS, {"document": programme_document("DEMO-QH-V")}).json()
    assert (made["state"], made["revision"], made["flaws"]) == ("draft", 1, [])
    address = f"{DRAFTS}{made['id']}/"
    wrong = programme_document("DEMO-QH-V") | {"rate": {"type": "flat", "clause": "5", "rate": "1.5"}}
    kept = send(chen, "PUT", address, {"revision": 1, "document": wrong}).json()
    assert kept["document"] == wrong and [each["path"] for each in kept["flaws"]] == ["$.rate.rate"]
    refused = send(chen, "POST", address + "submit/", {"revision": 2})
    assert refused.status_code == 422 and "$.rate.rate" in refused.content.decode()
    assert send(chen, "PUT", address, {"revision": 1, "document": {}}).status_code == 409
    send(chen, "PUT", address, {"revision": 2, "document": programme_document("DEMO-QH-V")})
    assert send(chen, "POST", address + "submit/", {"revision": 3}).json()["state"] == "submitted"
    assert send(chen, "POST", address + "approve/", {"revision": 3}).status_code == 403
    assert send(sun, "POST", address + "approve/", {"revision": 3}).json()["state"] == "published"
    assert ProgrammeVersion.objects.get().published_at


def test_a_draft_is_moved_to_other_years(as_):
    chen = as_("chen")
    made = send(chen, "POST", DRAFTS, {"document": programme_document("DEMO-QH-V")}).json()
    address = f"{DRAFTS}{made['id']}/move-years/"
    moved = send(chen, "POST", address, {"revision": 1, "years": 3}).json()
    assert moved["document"]["validity"]["first_day"] == "2028-01-01" and (moved["revision"], moved["flaws"]) == (2, [])
    for body, status in (({"revision": 1, "years": 1}, 409), ({"revision": 2, "years": 0}, 422), ({"revision": 2}, 400)):
        assert send(chen, "POST", address, body).status_code == status, body


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"template": "NONE"},
        {"template": 5},
        {"document": []},
        {"document": {"a": "\u0000"}},
        {"template": "HE-LF", "version": 1},
        {"zzz": 1},
    ],
)
def test_beginnings_that_are_none_are_refused_and_never_break(as_, body):
    assert send(as_("chen"), "POST", DRAFTS, body).status_code in (400, 404, 422)


def test_a_trial_is_asked_for_and_read(as_, cast, programmes):
    chen = as_("chen")
    made = send(chen, "POST", TRIALS, {"version": programmes["DEMO-QH-V"].pk, "first_on": "2026-11-01", "last_on": "2026-11-30"})
    assert made.status_code == 201 and made.json()["state"] == "queued"
    running.work(SandboxRun.objects.get().pk, cast.now)
    found = chen.get(f"{TRIALS}{made.json()['id']}/").json()
    assert found["state"] == "done" and found["result"]["totals"]["tried"]["sessions"] == 0
    assert send(chen, "POST", f"{TRIALS}{found['id']}/cancel/", {}).status_code == 409


def in_force_longer(cast, as_):
    """DEMO-QH-V 2025.1, in force to the end of 2027, and a draft of the rule after it."""
    chen, sun = as_("chen"), as_("sun")
    first = send(chen, "POST", DRAFTS, {"document": programme_document("DEMO-QH-V")}).json()
    send(chen, "POST", f"{DRAFTS}{first['id']}/submit/", {"revision": 1})
    version = send(sun, "POST", f"{DRAFTS}{first['id']}/approve/", {"revision": 1}).json()["version"]
    document = json.loads(json.dumps(programme_document("DEMO-QH-V")).replace("2025-06-10", "2026-12-10"))
    document |= {"version": "2026.2", "validity": document["validity"] | {"first_day": "2026-12-01"}}
    for cap in document["caps"]:
        cap |= {"new_money": True} if cap["per"] == "pool" else {}
    return chen, sun, version, document


def test_the_api_says_which_version_ends_and_wants_it_confirmed(as_, cast):
    chen, sun, version, document = in_force_longer(cast, as_)
    made = send(chen, "POST", DRAFTS, {"document": document}).json()
    address = f"{DRAFTS}{made['id']}/"
    assert made["flaws"] == []
    assert made["ends"] == {
        "version": version,
        "version_label": programme_document("DEMO-QH-V")["version"],
        "last_before": "2027-12-31",
        "last_on": "2026-11-30",
    }
    assert send(chen, "POST", address + "submit/", {"revision": 1}).json()["ends"] == made["ends"]
    refused = send(sun, "POST", address + "approve/", {"revision": 1})
    (error,) = refused.json()["errors"]
    assert refused.status_code == 422 and (error["field"], error["code"]) == ("ends", "programme.ending_unconfirmed")
    assert "2025.1" in error["detail"] and "30 Nov" in error["detail"]
    assert send(sun, "POST", address + "approve/", {"revision": 1, "ends": version}).json()["state"] == "published"
    shown = chen.get("/api/v1/programmes/DEMO-QH-V/?version=" + programme_document("DEMO-QH-V")["version"]).json()
    assert (shown["last_day"], shown["document"]["validity"]["last_day"]) == ("2026-11-30", "2027-12-31")
    assert shown["ended"] == {"last_before": "2027-12-31", "successor": "2026.2", "reason": ""}


def test_a_draft_whose_days_are_over_says_so_before_it_is_handed_in(as_, cast):
    chen, _sun, _version, document = in_force_longer(cast, as_)
    late = document | {"validity": document["validity"] | {"first_day": "2026-11-01"}}
    made = send(chen, "POST", DRAFTS, {"document": late}).json()
    assert made["ends"] is None and [each["code"] for each in made["days_taken"]] == ["programme.ends_in_the_past"]


def test_a_version_is_stopped_over_the_api(as_, cast, programmes):
    chen, sun, version = as_("chen"), as_("sun"), programmes["DEMO-QH-V"].pk
    body = {"version": version, "last_on": "2026-11-30", "reason": "The fund is used up"}
    assert send(as_("qian"), "POST", ENDS, body).status_code == 403
    made = send(chen, "POST", ENDS, body)
    assert made.status_code == 201 and made.json()["state"] == "asked"
    address = f"{ENDS}{made.json()['id']}/"
    assert send(chen, "POST", ENDS, body).status_code == 409
    assert send(chen, "POST", address + "decide/", {"confirm": True}).status_code == 422
    assert as_("qian").get(address).json()["last_before"] == "2027-12-31" and as_("lin").get(address).status_code == 403
    assert as_("lin").get("/api/v1/programmes/DEMO-QH-V/").json()["ended"] is None
    assert send(sun, "POST", address + "decide/", {"confirm": True}).json()["state"] == "set"
    shown = as_("lin").get("/api/v1/programmes/DEMO-QH-V/").json()
    assert (shown["last_day"], shown["ended"]["reason"]) == ("2026-11-30", "The fund is used up")
    for wrong, status in (
        ({"last_on": "2026-11-01"}, 422),
        ({"last_on": "x"}, 400),
        ({"version": 10**9}, 404),
        ({"reason": ""}, 400),
    ):
        other = {"version": programmes["DEMO-QH-A"].pk, "last_on": "2026-12-01", "reason": "x"} | wrong
        assert send(chen, "POST", ENDS, other).status_code == status, wrong
