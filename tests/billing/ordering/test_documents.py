"""The PDFs: what they say, made once by the worker from what was frozen, always the same bytes, hostile texts stay texts."""

from __future__ import annotations

import copy
import subprocess
from datetime import timedelta

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.ordering import pdf, queries
from billing.ordering.models import CommissionSheet, Quotation
from billing.ordering.services import documents, sheets
from billing.settlement.apart import Crashed, TooSlow
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


def job_of(quotation) -> ProcrastinateJob:
    return ProcrastinateJob.objects.filter(queueing_lock=f"quotation:{quotation.pk}").latest("pk")


def jobs(sql: str, *values) -> None:
    """The queue's rows, which its own models let nobody write."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE procrastinate_jobs SET {sql}", values)


def test_who_asks_again_need_not_wait_for_the_next_turn_of_what_failed(cast, sent, now):
    quotation = sent()
    Quotation.objects.filter(pk=quotation.pk).update(render_state="failed", render_error="order.render_failed")
    jobs("attempts = 3, scheduled_at = %s", now + timedelta(hours=1))
    documents.retry(cast.actor("lin"), "quotation", quotation.pk, now)
    assert (job_of(quotation).scheduled_at, job_of(quotation).status) == (None, "todo")
    assert ProcrastinateJob.objects.filter(queueing_lock=f"quotation:{quotation.pk}").count() == 1


@pytest.mark.parametrize("state", ["rendering", "queued"])
def test_a_document_whose_job_was_given_up_is_asked_for_again(cast, sent, now, state):
    quotation = sent()
    Quotation.objects.filter(pk=quotation.pk).update(render_state=state)
    quotation.refresh_from_db()
    for status in ("todo", "doing"):
        jobs("status = %s", status)
        assert not documents.is_given_up(quotation)
        with pytest.raises(Refusal, match=r"order\.not_failed"):
            documents.retry(cast.actor("lin"), "quotation", quotation.pk, now)
    given_up = job_of(quotation).pk
    jobs("status = 'failed'")
    assert documents.is_given_up(quotation)
    documents.retry(cast.actor("lin"), "quotation", quotation.pk, now)
    assert job_of(quotation).pk != given_up
    documents.render("quotation", quotation.pk, now)
    quotation.refresh_from_db()
    assert quotation.render_state == "done" and not documents.is_given_up(quotation)
    jobs("status = 'failed'")
    with pytest.raises(Refusal, match=r"order\.not_failed"):
        documents.retry(cast.actor("lin"), "quotation", quotation.pk, now)


def test_a_document_that_was_made_between_two_looks_was_not_given_up(cast, sent, now):
    quotation = sent()
    documents.render("quotation", quotation.pk, now)
    jobs("status = 'succeeded'")
    assert quotation.render_state == "queued", "as it was read before the worker made it"
    assert not documents.is_given_up(quotation)


def test_a_draft_has_no_document_to_be_asked_for(cast, drafted, now):
    draft = drafted()
    assert not documents.is_given_up(draft)
    with pytest.raises(Refusal, match=r"order\.not_failed"):
        documents.retry(cast.actor("wang"), "quotation", draft.pk, now)


def test_it_has_failed_only_while_something_is_missing(cast, in_force, now, monkeypatch):
    """One worker gives up while another makes both copies: there is nothing to ask for again."""
    sheet = in_force()
    made = pdf.render_apart

    def too_slow(*given):
        with monkeypatch.context() as inner:
            inner.setattr(pdf, "render_apart", made)
            documents.render("commission", sheet.pk, now)
        raise TooSlow

    monkeypatch.setattr(pdf, "render_apart", too_slow)
    with pytest.raises(TooSlow):
        documents.render("commission", sheet.pk, now)
    sheet.refresh_from_db()
    assert (sheet.render_state, sheet.render_error) == ("done", "")


def test_what_failed_half_way_says_so_and_is_done_at_the_end(cast, in_force, now, monkeypatch):
    sheet = in_force()
    made, turns = pdf.render_apart, iter([False, True, False])

    def second_stops(*given):
        if next(turns):
            raise Crashed
        return made(*given)

    monkeypatch.setattr(pdf, "render_apart", second_stops)
    with pytest.raises(Crashed):
        documents.render("commission", sheet.pk, now)
    sheet.refresh_from_db()
    assert (sheet.render_state, sheet.render_error, sheet.pdf_id is None) == ("failed", "order.render_stopped", False)
    documents.retry(cast.actor("zhao"), "commission", sheet.pk, now)
    documents.render("commission", sheet.pk, now)
    sheet.refresh_from_db()
    assert (sheet.render_state, sheet.render_error, sheet.signed_pdf_id is None) == ("done", "", False)


def test_asked_for_again_when_all_is_there_it_is_done(cast, sent, now):
    """A worker that hung after it had stored the PDF: the next one finds nothing to make, and says so."""
    quotation = sent()
    documents.render("quotation", quotation.pk, now)
    Quotation.objects.filter(pk=quotation.pk).update(render_state="queued", render_error="")
    documents.render("quotation", quotation.pk, now)
    quotation.refresh_from_db()
    assert quotation.render_state == "done"


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
