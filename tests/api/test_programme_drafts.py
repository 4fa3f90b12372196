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
