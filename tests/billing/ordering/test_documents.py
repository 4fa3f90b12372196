"""The PDFs: what they say, made once by the worker from what was frozen, always the same bytes, hostile texts stay texts."""

from __future__ import annotations

import copy
import subprocess

import pytest

from billing.ordering import pdf, queries
from billing.ordering.models import CommissionSheet, Quotation
from billing.ordering.services import documents, sheets
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import StoredFile
from tests.billing.settlement.test_documents import HOSTILE


def text_of(content: bytes, tmp_path) -> str:
    path = tmp_path / "order.pdf"
    path.write_bytes(content)
    """The words of a PDF without the blanks between them: a spaced heading is one word too."""
    found = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout.decode()
    return "".join(found.split())


def test_a_quotation_says_who_offers_what_to_whom_and_until_when(sent, tmp_path):
    quotation = sent()
    text = text_of(pdf.render(quotation.content), tmp_path)
    capitals = "人民币壹仟壹佰伍拾元整"
    parties = ("KunlunInstitute", "GaoyuanLithium", "X-raydiffractometer")
    for word in ("BJ-2026-000001", "报价单", *parties, "2.5", "1,150.00", capitals, "2026-12-23", "Including6%VAT", "Tendays."):
        assert word in text, word


def test_the_worker_makes_the_pdf_once_and_both_sides_load_the_same_bytes(cast, sent):
    quotation = sent()
    with pytest.raises(Refusal) as refused:
        queries.document(queries.quotation_for(cast.actor("lin"), quotation.pk).pdf)
    assert refused.value.reasons[0].code == "order.not_ready"
    documents.render("quotation", quotation.pk, cast.now)
    documents.render("quotation", quotation.pk, cast.now)
    stored, content = queries.document(queries.quotation_for(cast.actor("lin"), quotation.pk).pdf)
    assert (stored.file_name, content) == ("BJ-2026-000001.pdf", pdf.render(Quotation.objects.get(pk=quotation.pk).content))
    assert StoredFile.objects.count() == 1


def test_a_sheet_is_made_as_issued_and_again_with_both_signatures(cast, issued, tmp_path):
    sheet = issued()
    documents.render("commission", sheet.pk, cast.now)
    sheets.sign(cast.actor("zhao"), sheet.pk, sheet.content_sha256, cast.now)
    sheets.hand_in_scan(cast.actor("wang"), sheet.pk, b"%PDF-1.4 sealed", cast.now)
    documents.render("commission", sheet.pk, cast.now)
    sheet = CommissionSheet.objects.select_related("pdf", "signed_pdf").get(pk=sheet.pk)
    issued_text = text_of(queries.document(sheet.pdf)[1], tmp_path)
    signed_text = text_of(queries.document(sheet.signed_pdf)[1], tmp_path)
    for word in ("委托单", "WT-2026-000001", "BJ-2026-000001", sheet.content_sha256):
        assert word in issued_text and word in signed_text, word
    assert "Zhao" not in issued_text and "Zhao" in signed_text and "2026-11-2309:00" in signed_text


def test_both_copies_are_made_when_both_signed_before_the_first_was(cast, in_force):
    sheet = in_force()
    documents.render("commission", sheet.pk, cast.now)
    sheet.refresh_from_db()
    assert (
        sheet.render_state == "done" and None not in (sheet.pdf_id, sheet.signed_pdf_id) and sheet.pdf_id != sheet.signed_pdf_id
    )


def test_what_failed_is_made_when_either_side_asks_again_and_by_nobody_else(cast, sent, in_force):
    quotation = sent()
    for who in ("lin", "wang"):
        with pytest.raises(Refusal) as refused:
            documents.retry(cast.actor(who), "quotation", quotation.pk, cast.now)
        assert [reason.code for reason in refused.value.reasons] == ["order.not_failed"]
        Quotation.objects.filter(pk=quotation.pk).update(render_state="failed", render_error="order.render_slow")
        documents.retry(cast.actor(who), "quotation", quotation.pk, cast.now)
        quotation.refresh_from_db()
        assert (quotation.render_state, quotation.render_error) == ("queued", "")
    sheet = in_force()
    CommissionSheet.objects.filter(pk=sheet.pk).update(render_state="failed")
    for who, error in (("he", NotFound), ("wu", Forbidden)):
        with pytest.raises(error):
            documents.retry(cast.actor(who), "commission", sheet.pk, cast.now)


def test_hostile_texts_stay_texts(issued, tmp_path):
    sheet = issued()
    content = copy.deepcopy(sheet.content)
    for party in ("lab", "customer"):
        content[party] = dict.fromkeys(content[party], HOSTILE)
    content["title"] = content["subject"] = content["terms"] = content["tax_note"] = content["sample_note"] = HOSTILE
    content["lines"][0]["subject"] = content["lines"][0]["description"] = HOSTILE
    text = text_of(pdf.render(content), tmp_path)
    assert "file:///etc/passwd" in text and "root:" not in text


def test_a_content_that_was_tampered_with_is_not_rendered(cast, sent):
    import pgtrigger

    quotation = sent()
    with pgtrigger.ignore("billing.Quotation:quotation_frozen"):
        Quotation.objects.filter(pk=quotation.pk).update(content_sha256="0" * 64)
    with pytest.raises(Refusal):
        documents.render("quotation", quotation.pk, cast.now)
    quotation.refresh_from_db()
    assert (quotation.render_state, quotation.render_error) == ("failed", "order.content_changed")
