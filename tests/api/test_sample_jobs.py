"""Sample jobs over the API: from the quote to the charge, each side with a token of its scope."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.models import SampleJob
from tests.api.conftest import codes
from tests.booking.samples.conftest import commissioned, make_item


@pytest.fixture
def item(cast, programmes):
    return make_item(cast)


def wish(cast, item, **more):
    return {"resource": item.pk, "organisation": cast.firm.pk, "samples": 3, "arrive_on": "2026-11-25", **more}


def test_a_job_goes_from_the_quote_to_the_charge(api, cast, item, client):
    lin, wang = api("lin", "book", "read"), api("wang", "manage", "read")
    given = {"organisation": cast.firm.pk, "samples": 3, "arrive_on": "2026-11-25"}
    quote = lin.post(f"resources/{item.pk}/quote/", given).json()
    assert quote["promised_on"] == "2026-11-30"
    seen = {name: quote[name] for name in ("payable_now_fen", "final_cost_fen")}
    asked = lin.post("sample-jobs/", wish(cast, item, expected=seen, names=["A"]), key="one")
    again = lin.post("sample-jobs/", wish(cast, item, expected=seen, names=["A"]), key="one")
    assert (asked.status_code, again.status_code, again["Idempotent-Replayed"]) == (201, 200, "true")
    job = asked.json()["id"]
    accepted = wang.post(f"sample-jobs/{job}/accept/", {}).json()
    assert (accepted["state"], accepted["promised_on"]) == ("accepted", "2026-11-30")
    assert lin.post(f"sample-jobs/{job}/parcels/", {"direction": "to_lab", "carrier": "SF", "number": "1"}).status_code == 200
    ids = [each["id"] for each in accepted["samples"]]
    found = wang.get(f"samples/{accepted['samples'][0]['code']}/").json()
    assert (found["job"], found["name"]) == (job, "A")
    early = wang.post(f"sample-jobs/{job}/steps/", {"samples": ids, "step": "test"})
    assert early.status_code == 422 and codes(early) == {"samples.too_early_to_test"}
    cast.now += timedelta(days=2)
    for step in ("receive", "prepare", "test"):
        worked = wang.post(f"sample-jobs/{job}/steps/", {"samples": ids, "step": step}).json()
    assert worked["state"] == "tested" and worked["close_out"] is None
    given = {"grade": "B", "note": "Neat"}
    graded = wang.client.put(f"/api/v1/sample-jobs/{job}/close-out/", given, format="json").json()["close_out"]
    assert (graded["grade"], graded["graded_by"], graded["confirmed_by"], graded["on_time"]) == ("B", "Wang", "", None)
    assert codes(wang.post(f"sample-jobs/{job}/close-out/confirm/", {})) == {"close_out.second_person"}
    assert api("li", "manage").post(f"sample-jobs/{job}/close-out/confirm/", {}).json()["close_out"]["confirmed_by"] == "Li"
    extra = wang.post(f"sample-jobs/{job}/extras/", {"kind": "retest", "words": "Again", "amount_fen": 5_000}).json()
    assert lin.post(f"sample-extras/{extra['id']}/agree/", {"amount_fen": 5_000}).json()["state"] == "agreed"
    shown = lin.get(f"sample-jobs/{job}/").json()
    assert shown["figures"]["final_cost_fen"] == seen["final_cost_fen"] + 5_000 and not shown["figures"]["charged"]
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("report.pdf", b"%PDF-1.4 report")
    answer = wang.client.post(f"/api/v1/sample-jobs/{job}/report/", {"report": file, "note": "All of it"}, format="multipart")
    assert answer.status_code == 201 and answer.json()["file_name"] == "report.pdf"
    assert lin.get(f"sample-reports/{answer.json()['id']}/").content == b"%PDF-1.4 report"
    closed = lin.post(f"sample-jobs/{job}/close/", {}).json()
    assert closed["state"] == "closed" and closed["figures"] == {**shown["figures"], "charged": True}
    assert (closed["close_out"]["on_time"], closed["close_out"]["retests"]) == (True, 1)
    remains = wang.post(f"sample-jobs/{job}/remains/", {"samples": ids, "remains": "returned"}).json()
    assert {each["remains"] for each in remains["samples"]} == {"returned"}
    rows = wang.get("sample-jobs/", side="lab", state="closed").json()
    assert [row["id"] for row in rows["results"]] == [job]


def test_a_token_does_only_what_its_scope_allows(api, cast, item):
    assert api("lin", "read").post("sample-jobs/", wish(cast, item)).status_code == 403
    job = api("lin", "book").post("sample-jobs/", wish(cast, item)).json()["id"]
    assert api("wang", "book").post(f"sample-jobs/{job}/accept/", {}).status_code == 403
    assert SampleJob.objects.get().state == "asked"


def test_what_is_wrong_is_said_with_a_code(api, cast, item):
    lin = api("lin", "book")
    assert codes(lin.post("sample-jobs/", wish(cast, item, samples=501))) == {"samples.count_out_of_range"}
    assert lin.post("sample-jobs/", wish(cast, item, colour="red")).status_code == 400
    differs = lin.post("sample-jobs/", wish(cast, item, expected={"payable_now_fen": 1, "final_cost_fen": 1}))
    assert differs.status_code == 409 and codes(differs) == {"billing.figures_differ"}
    assert codes(lin.post("sample-jobs/", wish(cast, item), key=None)) == {"idempotency.key_missing"}
    assert api("lin", "read").get("samples/22222222/").status_code == 404


def test_what_waits_for_a_yes_is_shown_and_accepted_as_it_was_seen(api, cast, item):
    lin, wang = api("lin", "book", "read"), api("wang", "manage", "read")
    job = f"sample-jobs/{lin.post('sample-jobs/', wish(cast, item)).json()['id']}/"
    assert lin.get(job).json()["waiting"] is None
    cast.firm.status = "claimed"
    cast.firm.save()
    assert codes(wang.post(f"{job}accept/", {})) == {"booking.figures_changed"}
    shown = lin.get(job).json()
    assert shown["figures"]["waits_for_customer"] and shown["waiting"]["final_cost_fen"] > shown["figures"]["final_cost_fen"]
    seen, old = ({name: shown[part][name] for name in ("payable_now_fen", "final_cost_fen")} for part in ("waiting", "figures"))
    assert codes(lin.post(f"{job}accept-quote/", {"expected": old})) == {"billing.figures_differ"}
    accepted = lin.post(f"{job}accept-quote/", {"expected": seen}).json()
    assert accepted["waiting"] is None and accepted["figures"]["final_cost_fen"] == seen["final_cost_fen"]


def test_a_dearer_commission_is_answered_with_its_figures_until_they_are_sent(api, cast, item):
    lin = api("lin", "book", "read")
    job = lin.post("sample-jobs/", wish(cast, item)).json()["id"]
    sheet = commissioned(cast, item, 9_000)
    refused = lin.post(f"sample-jobs/{job}/commission/", {"sheet": sheet})
    assert refused.status_code == 409 and codes(refused) == {"billing.figures_differ"}
    seen = {name: refused.json()[name] for name in ("payable_now_fen", "final_cost_fen")}
    linked = lin.post(f"sample-jobs/{job}/commission/", {"sheet": sheet, "expected": seen})
    assert linked.status_code == 200 and linked.json()["figures"]["final_cost_fen"] == seen["final_cost_fen"]


def test_a_quote_for_a_day_says_that_so_many_cannot_be_promised(api, cast, item):
    given = {"organisation": cast.firm.pk, "samples": 4_000}
    assert api("lin", "read").post(f"resources/{item.pk}/quote/", given).json()["promised_on"] is None
    refused = api("lin", "read").post(f"resources/{item.pk}/quote/", {**given, "arrive_on": "2026-11-25"})
    assert refused.status_code == 422 and codes(refused) == {"samples.no_capacity"}


def test_an_answer_that_is_given_with_undo_is_told_after_ten_seconds_and_taken_back_until_then(api, cast, item):
    lin, wang = api("lin", "book", "read"), api("wang", "manage", "read")
    job = lin.post("sample-jobs/", wish(cast, item), key="one").json()["id"]
    for act, given, state in (("accept", {}, "accepted"), ("refuse", {"reason": "Full"}, "refused")):
        assert wang.post(f"sample-jobs/{job}/{act}/", {**given, "undo": True}).json()["state"] == state
        assert wang.post(f"sample-jobs/{job}/take-back/", {}).json()["state"] == "asked"
    assert codes(wang.post(f"sample-jobs/{job}/take-back/", {})) == {"decision.told"}
    assert wang.post(f"sample-jobs/{job}/accept/", {}).json()["state"] == "accepted"
    assert codes(wang.post(f"sample-jobs/{job}/take-back/", {})) == {"decision.told"}
