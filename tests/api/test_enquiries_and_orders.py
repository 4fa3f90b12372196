"""From a question to a signed commission sheet over the API, and that the other firm finds none of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from booking.services import reservations
from booking.services.reservations import ReservationRequest
from tests.api.conftest import API, codes


def multipart(client, path, key="k", **body):
    return client.client.post(API + path, body, format="multipart", headers={"Idempotency-Key": key})


@pytest.fixture
def asked(api, cast):
    question = {"organisation": cast.firm.pk, "subject": "Wet salts", "text": "Can it?", "instrument": cast.xrd.pk}
    made = api("lin", "read", "book").post("enquiries/", question, key="ask")
    assert made.status_code == 201
    return made.json()["id"]


@pytest.fixture
def offer():
    lines = [
        {"kind": "other", "description": "All of it", "quantity": "2.5", "unit": "hour", "unit_price_fen": 333},
    ]
    return {"title": "An offer", "valid_until": (datetime.now(UTC).date() + timedelta(days=20)).isoformat(), "lines": lines}


def test_a_question_is_asked_once_read_by_two_sides_and_answered_with_a_file(api, cast, asked):
    question = {"organisation": cast.firm.pk, "subject": "Wet salts", "text": "Can it?", "instrument": cast.xrd.pk}
    again = api("lin", "read", "book").post("enquiries/", question, key="ask")
    assert (again.status_code, again.json()["id"], again["Idempotent-Replayed"]) == (200, asked, "true")
    manager = api("wang", "read", "book", "manage")
    [row] = manager.get("enquiries/", side="lab", state="open").json()["results"]
    assert (row["id"], row["unread"], row["waiting"]["overdue"]) == (asked, True, False)
    file = SimpleUploadedFile("spectrum.pdf", b"%PDF-1.4 spectrum")
    answered = multipart(manager, f"enquiries/{asked}/messages/", text="Yes.", attachments=[file])
    assert answered.status_code == 201
    thread = api("zhao", "read").get(f"enquiries/{asked}/").json()
    assert (thread["state"], thread["waiting"], [each["side"] for each in thread["messages"]]) == (
        "answered",
        None,
        ["customer", "lab"],
    )
    [attached] = thread["messages"][1]["attachments"]
    loaded = api("lin", "read").get(f"enquiry-files/{attached['id']}/")
    assert loaded.content == b"%PDF-1.4 spectrum" and "attachment" in loaded["Content-Disposition"]
    for path in (f"enquiries/{asked}/", f"enquiry-files/{attached['id']}/"):
        assert api("he", "read").get(path).status_code == 404


def test_a_file_of_an_unknown_kind_is_named(api, asked):
    refused = multipart(
        api("lin", "book"), f"enquiries/{asked}/messages/", text="x", attachments=[SimpleUploadedFile("a.exe", b"MZ")]
    )
    assert refused.status_code == 422 and codes(refused) == {"enquiry.file_type"}


def test_from_a_quotation_to_a_sheet_in_force(api, cast, asked, offer):
    manager, customer = api("wang", "read", "book", "manage"), api("lin", "read", "book")
    administrator = api("zhao", "read", "book")
    draft = manager.post(f"enquiries/{asked}/quotations/", offer)
    assert (draft.status_code, draft.json()["total_fen"], draft.json()["lines"][0]["quantity"]) == (201, 833, "2.5")
    pk = draft.json()["id"]
    assert customer.get(f"quotations/{pk}/").status_code == 404
    assert manager.post(f"quotations/{pk}/send/", {"note": "Here it is."}).json()["number"].startswith("BJ-")
    assert manager.post(f"quotations/{pk}/accept/", {}).status_code == 403
    assert codes(customer.post(f"quotations/{pk}/accept/", {"total_fen": 1})) == {"quotation.figures_differ"}
    accepted = customer.post(f"quotations/{pk}/accept/", {"total_fen": 833}, key="yes")
    again = customer.post(f"quotations/{pk}/accept/", {"total_fen": 833}, key="yes")
    assert (accepted.status_code, again.status_code, again.json()) == (201, 200, accepted.json())
    sheet = f"commission-sheets/{accepted.json()['id']}/"
    agreed = {"confidentiality": "results", "report_form": "paper", "sample_handling": "dispose", "due_on": offer["valid_until"]}
    assert customer.client.put(API + sheet, agreed, format="json").status_code == 200
    issued = manager.post(sheet + "issue/").json()
    assert issued["number"].startswith("WT-") and issued["sample_handling"] == "dispose"
    assert codes(customer.post(sheet + "sign/", {"sha256": issued["sha256"]})) == {"commission.not_signatory"}
    assert administrator.post(sheet + "sign/", {"sha256": issued["sha256"]}).status_code == 200
    sealed = SimpleUploadedFile("sealed.pdf", b"%PDF-1.4 sealed")
    signed = multipart(manager, sheet + "scan/", file=sealed).json()
    assert signed["state"] == "in_force"
    assert {(each["side"], each["method"]) for each in signed["signatures"]} == {("customer", "system"), ("lab", "scan")}
    assert api("wu", "read").get(sheet).json()["state"] == "in_force"
    assert api("wu", "read").get(sheet + "scan/lab/").content == b"%PDF-1.4 sealed"
    for path in (sheet, sheet + "scan/lab/", sheet + "pdf/signed/", f"quotations/{pk}/"):
        assert api("he", "read").get(path).status_code == 404
    assert codes(manager.get(sheet + "pdf/signed/")) == {"order.not_ready"}


def test_a_need_goes_to_several_labs_and_is_seen_together(api, cast):
    need = {"organisation": cast.firm.pk, "subject": "Isotopes", "text": "Who?", "labs": [cast.lab.pk]}
    made = api("lin", "read", "book").post("needs/", need)
    assert made.status_code == 201
    found = api("lin", "read").get(f"needs/{made.json()['id']}/").json()
    assert (found["asked"], found["waiting"], len(found["enquiries"])) == (1, 1, 1)
    [row] = api("wang", "read").get("enquiries/", side="lab").json()["results"]
    assert row["need"] is None
    for who in ("wang", "he"):
        assert api(who, "read").get(f"needs/{made.json()['id']}/").status_code == 404


def test_a_lab_says_how_soon_it_answers(api, cast):
    path = f"organisations/{cast.lab.pk}/answer-time/"
    assert api("wang", "manage").post(path, {"workdays": 3}).json() == {"id": cast.lab.pk, "workdays": 3}
    assert codes(api("wang", "manage").post(path, {"workdays": 99})) == {"enquiry.workdays_out_of_range"}
    assert api("wang", "read").post(path, {"workdays": 3}).status_code == 403


def test_a_lab_asks_its_customer_about_a_booking_and_another_firm_finds_nothing(api, cast, programmes, slot):
    asked = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 11), "self_operated")
    pk = reservations.reserve(cast.actor("lin"), asked, cast.now, idempotency_key="booked").reservation_id
    question = {"organisation": cast.firm.pk, "subject": "Powder?", "text": "Is it dry?", "reservation": pk}
    assert api("he", "book").post("enquiries/", question).status_code == 404
    assert api("he", "book").post("enquiries/", {**question, "organisation": cast.other_firm.pk}).status_code == 404
    made = api("wang", "read", "book").post("enquiries/", question).json()["id"]
    [row] = api("lin", "read").get("enquiries/", reservation=pk).json()["results"]
    assert (row["id"], row["reservation"], row["sample_job"], row["state"]) == (made, pk, None, "answered")
    assert api("he", "read").get("enquiries/", reservation=pk).json()["results"] == []
    two = api("lin", "book").post("enquiries/", {**question, "instrument": cast.xrd.pk})
    assert codes(two) == {"enquiry.about_one_thing"}
