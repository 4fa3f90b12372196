"""The pages and the API of claims: who sees what, and that a whole way can be gone through them."""

from __future__ import annotations

import pytest
from django.core.cache import caches
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from billing.claims.models import Claim, Objection, PaymentList
from config.kernel.services import tokens
from tests.billing.claims.conftest import AFTER, DECEMBER, PUBLIC_OVER, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return {name: Client(headers={"Accept-Language": "en"}) for name in ("he", "chen", "sun", "qian", "wu", "lin")}


@pytest.fixture
def clock(monkeypatch, cast, people):
    """``clock(moment)``: it is then, for the pages, and everybody has just logged in."""

    def set_to(moment):
        monkeypatch.setattr(timezone, "now", lambda: moment)
        for name, client in people.items():
            client.force_login(cast.users[name])

    return set_to


def test_a_batch_goes_its_way_through_the_pages(cast, office, people, clock):
    clock(DECEMBER)
    programme = office.versions["DEMO-QH-A"].programme_id
    days = {"from_on": "2026-11-01", "until_on": "2026-11-30", "opens_on": "2026-12-01", "closes_on": "2026-12-07"}
    given = {"programme": programme, "mode": "refunded_later", "fund_year": "2026", "key": "k", **days}
    assert people["chen"].post("/claim-batches/", given | {"until_on": "never"}).status_code == 422
    batch_url = people["chen"].post("/claim-batches/", given).headers["Location"]
    assert people["chen"].post(f"{batch_url}act", {"act": "gather"}).status_code == 302
    claim = Claim.objects.get()
    url = f"/claims/{claim.pk}/"
    page = people["he"].get(url).content.decode()
    assert "Hand in over" in page and claim.number in people["he"].get("/claims/?open=1").content.decode()
    assert people["lin"].get(url).status_code == 404 and people["he"].get(batch_url).status_code == 404
    assert people["he"].post(f"{url}act", {"act": "invoice", "position": 1, "invoice_number": "1"}).status_code == 422
    file = SimpleUploadedFile("report.pdf", b"%PDF-1.4 report")
    assert people["he"].post(f"{url}act", {"act": "evidence", "kind": "report", "file": file}).status_code == 302
    assert people["he"].post(f"{url}act", {"act": "submit", "key": "s", "total_fen": 1}).status_code == 409
    assert people["he"].post(f"{url}act", {"act": "submit", "key": "s2", "total_fen": claim.total_fen}).status_code == 302
    clock(AFTER)
    assert people["chen"].post(f"{batch_url}act", {"act": "close"}).status_code == 302
    assert people["chen"].post(f"{url}decide", {"act": "line", "position": 1, "standing": "excluded"}).status_code == 422
    report = people["chen"].post(f"{batch_url}act", {"act": "pass_clean"}).content.decode()
    assert "1 claim was done." in report
    people["chen"].post(f"{batch_url}act", {"act": "publicise"})
    public = reverse("publicity_detail", args=[Claim.objects.get().publicity_id])
    anybody = Client(headers={"Accept-Language": "en"})
    shown = anybody.get(public).content.decode()
    assert "Lianhe Materials" in shown and "6222" not in shown and claim.number in anybody.get(public).content.decode()
    caches["memory"].clear()
    words = {"claim": claim.pk, "name": "Zhang", "contact": "139", "text": "no"}
    assert anybody.post(public, words | {"text": ""}).status_code == 422
    assert [anybody.post(public, words).status_code for _ in range(6)] == [302] * 4 + [
        422
    ] * 2  # five in an hour from one address
    caches["memory"].clear()
    assert "139" not in anybody.get(public).content.decode() and "139" in people["chen"].get(batch_url).content.decode()
    for each in Objection.objects.all():
        people["chen"].post(f"/claim-objections/{each.pk}/answer", {"upheld": "no", "answer": "It was measured"})
    clock(PUBLIC_OVER)
    from billing.claims.services import publishing

    publishing.end_due(PUBLIC_OVER)
    people["sun"].post(f"{batch_url}act", {"act": "approve_all"})
    assert "Make 2 payment lists, one for each payer, over" in people["qian"].get(batch_url).content.decode()
    assert people["qian"].post(f"{batch_url}list", {"total_fen": claim.total_fen}).headers["Location"] == batch_url
    made, other = PaymentList.objects.order_by("pk")
    list_url = f"/payout-lists/{made.pk}/"
    page = people["wu"].get(batch_url).content.decode()
    assert "By payer" in page and "On payment lists" in page and list_url in page
    for name in ("chen", "sun"):
        people[name].post(f"/payout-lists/{other.pk}/sign")
    assert people["qian"].post(f"{list_url}sign").status_code == 403
    assert people["chen"].post(f"{list_url}sign").status_code == people["sun"].post(f"{list_url}sign").status_code == 302
    line = made.lines.get()
    record = f"/payout-lists/lines/{line.pk}/record"
    half = {"amount": "0.01", "paid_on": "2026-12-16"}
    assert people["qian"].post(record, half).status_code == 422
    assert people["qian"].post(record, half | {"amount": "x"}).status_code == 422
    assert people["qian"].post(record, half | {"reason": "returned"}).status_code == 302
    assert "Paid in part" in people["wu"].get(list_url).content.decode()
    clock(at(20))
    again = people["qian"].post(f"{batch_url}list", {"total_fen": made.total_fen - 1}).headers["Location"]
    for name in ("chen", "sun"):
        people[name].post(f"{again}sign")
    for line in (PaymentList.objects.latest("pk").lines.get(), other.lines.get()):
        given = {"amount": str(line.amount_fen / 100), "paid_on": "2026-12-20"}
        people["qian"].post(f"/payout-lists/lines/{line.pk}/record", given)
    assert Claim.objects.get().state == "paid"
    decided = {"act": "recheck", "position": 1, "amount": "1", "reason": "less was used"}
    assert people["chen"].post(f"{url}decide", decided).status_code == 302
    page = people["he"].get(url).content.decode()
    assert "ZH-2026-000001" in page and "less was used" in page


def test_a_list_of_claims_takes_as_many_queries_for_one_as_for_many(cast, office, people, clock):
    clock(DECEMBER)
    first, _claims = office.filled()
    with CaptureQueriesContext(connection) as one:
        people["chen"].get(f"/claim-batches/{first.pk}/")
    from tests.billing.settlement.conftest import run_session
    from tests.conftest import slot_of

    cast.firm.staff_count = 400
    cast.firm.annual_revenue_fen = 90_000_000_00
    cast.firm.save()
    run_session(cast, slot_of(15, 17), "lin")
    office.gather(first)
    with CaptureQueriesContext(connection) as many:
        people["chen"].get(f"/claim-batches/{first.pk}/")
    assert len(many) <= len(one) + 1


def test_the_api_reads_and_goes_the_main_steps(cast, office, clock):
    clock(DECEMBER)

    def api(name, scopes=("read", "settle")):
        return {"Authorization": f"Bearer {tokens.issue(cast.actor(name), 'x', list(scopes), DECEMBER)}"}

    chen, he, reads = api("chen"), api("he"), api("he", ("read",))
    client = Client()

    def post(path, who, body=None, key="k"):
        headers = who | {"Idempotency-Key": key}
        return client.post(f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers)

    days = {"from_on": "2026-11-01", "until_on": "2026-11-30", "opens_on": "2026-12-01", "closes_on": "2026-12-07"}
    programme = office.versions["DEMO-QH-A"].programme_id
    asked = {"programme": programme, "mode": "refunded_later", "fund_year": 2026, **days}
    made = post("claim-batches/", chen, asked)
    assert made.status_code == 201 and post("claim-batches/", chen, asked).status_code == 200
    assert post("claim-batches/", chen, asked, "other").status_code == 409
    batch = made.json()["id"]
    assert post(f"claim-batches/{batch}/gather/", chen).json()["claims"] == 1
    (claim,) = client.get(f"/api/v1/claims/?state=draft&batch={batch}", headers=he).json()["results"]
    assert client.get(f"/api/v1/claims/?batch={batch + 1}", headers=he).json()["results"] == []
    detail = client.get(f"/api/v1/claims/{claim['id']}/", headers=he).json()
    assert detail["total_fen"] == sum(line["amount_fen"] for line in detail["lines"]) and all(
        each["ok"] for each in detail["checks"]
    )
    submit = f"claims/{claim['id']}/submit/"
    assert post(submit, reads, {"expected_fen": detail["total_fen"]}).status_code == 403
    assert post(submit, he, {"expected_fen": detail["total_fen"] + 1}, "a").status_code == 409
    assert post(submit, he, {"expected_fen": detail["total_fen"]}, "b").status_code == 201
    clock(AFTER)
    assert post(f"claim-batches/{batch}/close/", chen).json()["total_fen"] == detail["total_fen"]
    assert post(f"claim-batches/{batch}/pass-clean/", chen).json()["claims"][0]["done"] is True
    assert client.get(f"/api/v1/claim-batches/{batch}/", headers=chen).json()["totals"]["claims"] == 1
    assert client.get(f"/api/v1/claim-batches/{batch}/", headers=he).status_code == 404
    # Who stands in for whom: named once, read at the office and nowhere else, ended by one of the two.
    asked = {"office": cast.office.pk, "deputy": cast.users["qian"].pk, "from_on": "2026-12-08", "until_on": "2026-12-10"}
    named = post("office-deputies/", chen, asked | {"reason": "on leave"}, "d")
    assert named.status_code == 201 and post("office-deputies/", chen, asked | {"reason": "on leave"}, "d").json() == named.json()
    assert post("office-deputies/", chen, asked | {"until_on": "2026-12-01", "reason": "x"}, "e").status_code == 422
    assert post("office-deputies/", chen, asked | {"deputy": cast.users["li"].pk, "reason": "x"}, "f").status_code == 404
    assert post("office-deputies/", he, asked | {"reason": "x"}, "g").status_code == 403
    (read,) = client.get("/api/v1/office-deputies/", headers=chen).json()["results"]
    assert (read["id"], read["deputy"], read["ended_at"]) == (named.json()["id"], cast.users["qian"].pk, None)
    assert read["principal_name"] == cast.users["chen"].full_name
    assert client.get("/api/v1/office-deputies/", headers=he).json()["results"] == []
    end = f"office-deputies/{named.json()['id']}/end/"
    assert post(end, api("sun")).status_code == 404
    assert post(end, chen).json()["ended_at"] and post(end, chen).status_code == 409
