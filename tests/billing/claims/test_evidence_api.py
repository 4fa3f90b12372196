"""Evidence of a claim over the API: what the page does, by the same service, and nobody else's."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from billing.claims.models import ClaimEvidence
from config.kernel.services import tokens
from tests.billing.claims.conftest import DECEMBER

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4 a report"


@pytest.fixture
def api(cast, monkeypatch):
    """``api(who, method, path, key, scopes, **sent)`` on the first day of the window."""
    monkeypatch.setattr(timezone, "now", lambda: DECEMBER)

    def ask(who, method, path, key="", scopes=("read", "settle"), **sent):
        bearer = tokens.issue(cast.actor(who), "x", list(scopes), cast.now)
        headers = {"Authorization": f"Bearer {bearer}", "Accept-Language": "en"} | ({"Idempotency-Key": key} if key else {})
        as_json = {"content_type": "application/json"} if path.endswith("/invoices/") else {}
        return getattr(Client(), method)(f"/api/v1/{path}", sent, headers=headers, **as_json)

    return ask


def a_file(content=PDF, name="../r.pdf"):
    return SimpleUploadedFile(name, content)


def codes(answer):
    return {each["code"] for each in answer.json()["errors"]}


def test_a_payee_hands_in_lists_and_reads_files_over_the_api_as_on_the_page(cast, office, api):
    _batch, (claim,) = office.filled()
    place = f"claims/{claim.pk}/evidence/"
    made = api("he", "post", place, "k1", kind="report", note="of May", file=a_file())
    assert made.status_code == 201
    said = made.json()
    assert (said["claim"], said["kind"], said["note"], said["media_type"], said["size_bytes"]) == (
        claim.pk, "report", "of May", "application/pdf", len(PDF),
    )  # fmt: skip
    assert said["file_name"] == f"{claim.number}-report-1.pdf" and set(said) == {
        "id", "claim", "kind", "note", "file_name", "media_type", "size_bytes", "sha256", "added_at",
    }  # fmt: skip
    assert made["Location"] == f"/api/v1/claim-evidence/{said['id']}/file/"
    again = api("he", "post", place, "k1", kind="report", note="of May", file=a_file())
    assert (again.status_code, again["Idempotent-Replayed"], again.json()) == (200, "true", said)
    assert codes(api("he", "post", place, "k1", kind="report", note="of May", file=a_file(PDF + b"."))) == {
        "idempotency.other_payload"
    }
    assert api("he", "post", place, kind="report", file=a_file()).status_code == 422  # without a key
    page = Client()
    page.force_login(cast.users["he"])
    page.post(f"/claims/{claim.pk}/act", {"act": "evidence", "kind": "contract", "file": a_file(name="c.pdf")})
    listed = api("wu", "get", place).json()["results"]
    assert [each["kind"] for each in listed] == ["report", "contract"] and listed[0] == said
    read = api("wu", "get", f"claim-evidence/{said['id']}/file/")
    assert read.content == PDF and "attachment" in read["Content-Disposition"]
    first = claim.lines.filter(kind="award").earliest("position")
    numbered = api("he", "post", f"claims/{claim.pk}/invoices/", position=first.position, invoice_number="26632000000000000001")
    assert numbered.status_code == 200 and numbered.json()["lines"][0]["invoice_number"] == "26632000000000000001"
    # Once it is handed in nothing is added.
    office.submit(claim, "he")
    assert codes(api("he", "post", place, "k2", kind="report", file=a_file())) == {"claims.not_now"}
    assert ClaimEvidence.objects.count() == 2


def test_what_is_no_evidence_or_not_ones_own_is_refused(cast, office, api, settings):
    _batch, (claim,) = office.filled()
    place = f"claims/{claim.pk}/evidence/"
    kept = api("he", "post", place, "k", kind="report", file=a_file()).json()["id"]
    for who in ("lin", "li"):  # of another firm, of the lab that did the work
        assert api(who, "get", place).status_code == api(who, "post", place, "k", kind="report", file=a_file()).status_code == 404
        assert api(who, "get", f"claim-evidence/{kept}/file/").status_code == 404
        assert api(who, "post", f"claims/{claim.pk}/invoices/", position=1, invoice_number="").status_code == 404
    assert api("chen", "post", place, "k", kind="report", file=a_file()).status_code == 403  # reads it
    assert api("he", "post", place, "k9", ("read",), kind="report", file=a_file()).status_code == 403
    for content, code in ((b"", "upload.empty"), (b"MZ a program", "upload.unknown_type"), (b"<html>", "upload.unknown_type")):
        answer = api("he", "post", place, f"k{code}", kind="report", file=a_file(content))
        assert answer.status_code == 422 and codes(answer) == {code} and answer.json()["errors"][0]["field"] == "file"
    settings.MAX_UPLOAD_BYTES = len(PDF)
    assert codes(api("he", "post", place, "big", kind="report", file=a_file(PDF + b"."))) == {"upload.too_big"}
    for sent in ({"kind": "thesis", "file": a_file()}, {"kind": "report"}, {"kind": "report", "file": a_file(), "claim": 1}):
        assert 400 <= api("he", "post", place, "bad", **sent).status_code < 500
    assert ClaimEvidence.objects.count() == 1
