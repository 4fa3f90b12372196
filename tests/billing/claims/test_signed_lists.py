"""A payment list that nobody has approved says so across its paper; the paper that is handed out afterwards has all three names and days,
is made once, and is of the same content."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from billing.claims import pdf, queries
from billing.claims.models import PaymentList
from billing.claims.services import documents, paying
from billing.ledger.rules.documents import sha256_of
from billing.month.models import MonthExport
from billing.month.services import exporting
from billing.papers.models import PaperFile
from billing.settlement.models import RenderState
from config.kernel.errors import Refusal
from config.kernel.models import StoredFile
from config.kernel.services import files
from tests.billing.claims.conftest import PUBLIC_OVER, at, code_of, wrong
from tests.billing.settlement.test_documents import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(cast, office):
    """A list that Qian made."""
    batch, _claim = office.approved()
    return paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)[0]


def handed(cast, made, suffix="pdf", who="qian"):
    return queries.paper_file(cast.actor(who), "list", made.pk, suffix).content


def render(made, day=17):
    documents.render("list", made.pk, at(day))
    made.refresh_from_db()


def sign(cast, made):
    paying.sign(cast.actor("chen"), made.pk, at(18))
    paying.sign(cast.actor("sun"), made.pk, at(19))
    made.refresh_from_db()


def words(content, tmp_path):
    return "".join(text_of(content, tmp_path, "-raw").split())


def test_before_approval_pdf_and_twin_say_that_it_is_not_approved_and_after_it_name_all_three(cast, made, tmp_path):
    render(made)
    draft = handed(cast, made)
    assert "未审批" in words(draft, tmp_path) and "未审批" in handed(cast, made, "html").decode()
    paying.sign(cast.actor("chen"), made.pk, at(18))
    assert handed(cast, made) == draft and "未审批" in handed(cast, made, "html").decode()  # checked is not approved
    paying.sign(cast.actor("sun"), made.pk, at(19))
    with pytest.raises(Refusal) as making:
        handed(cast, made)
    assert code_of(making) == "statement.not_ready"
    render(made)
    signed = handed(cast, made)
    said, twin = words(signed, tmp_path), handed(cast, made, "html").decode()
    for name, day in (("Qian", "2026-12-16"), ("Chen", "2026-12-18"), ("Sun", "2026-12-19")):
        assert name in said and day in said and name in twin and day in twin
    assert "未审批" not in said and "未审批" not in twin
    # Hash and code are those of the content that was frozen when the list was made.
    assert (
        made.content_sha256 == sha256_of(made.content)
        and made.content_sha256 in said
        and made.content_sha256 in words(draft, tmp_path)
    )
    kept = {each.part: each for each in PaperFile.objects.filter(kind="payment_list", document_id=made.pk)}
    assert set(kept) == {"pdf", "xlsx", "signed_pdf"} and {each.content_sha256 for each in kept.values()} == {made.content_sha256}
    assert files.read(kept["pdf"].file) == draft and files.read(kept["signed_pdf"].file) == signed
    assert wrong() == {}


def test_the_signed_paper_is_made_once_and_never_another(cast, made, monkeypatch):
    sign(cast, made)
    render(made)
    first = handed(cast, made)
    assert first == pdf.render_pdf_apart(made.content, signed=documents.signed_of(made))
    cast.users["sun"].full_name = "Sun after a wedding"
    cast.users["sun"].save()
    monkeypatch.setattr(pdf, "render_pdf_apart", lambda *given, **more: pytest.fail("made twice"))
    render(made, 20)
    assert handed(cast, made) == first and made.render_state == RenderState.DONE
    other = StoredFile.objects.exclude(pk=made.signed_pdf_id).earliest("pk")
    with pytest.raises(DatabaseError, match="frozen"), transaction.atomic():
        PaymentList.objects.filter(pk=made.pk).update(signed_pdf=other)


def test_no_list_that_is_not_approved_is_given_the_paper_of_an_approved_one(cast, made):
    render(made)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentList.objects.filter(pk=made.pk).update(signed_pdf=made.pdf_id)
    assert not made.lacks_signed_pdf and documents.signed_of(made) is None


def test_a_list_approved_while_its_draft_is_being_made_gets_its_paper_with_the_next_job(cast, made, monkeypatch):
    right = pdf.render_pdf_apart

    def slow(content, **how):
        if how.get("draft"):
            sign(cast, PaymentList.objects.get(pk=made.pk))
        return right(content, **how)

    monkeypatch.setattr(pdf, "render_pdf_apart", slow)
    render(made)
    assert (made.render_state, made.pdf_id is not None, made.signed_pdf_id) == (RenderState.QUEUED, True, None)
    render(made)
    assert made.render_state == RenderState.DONE and made.signed_pdf_id is not None and wrong() == {}


def test_whoever_stands_in_is_named_with_whom(made):
    hands = pdf.Signed(pdf.Hand("Chen", "Sun", "2026-12-18"), pdf.Hand("Bo", "", "2026-12-19"))
    said = pdf.render_html(made.content, signed=hands)
    assert "Chen（代Sun）" in said and ">Bo<" in said
    one, other = (pdf._identifier(made.content, draft, signed) for draft, signed in ((True, None), (False, hands)))
    assert len({one, other, pdf._identifier(made.content, False, None)}) == 3


def test_a_list_approved_before_there_were_signed_papers_keeps_the_one_it_has(cast, made):
    render(made)
    draft = handed(cast, made)
    sign(cast, made)
    PaymentList.objects.filter(pk=made.pk).update(render_state=RenderState.DONE)
    assert handed(cast, made) == draft


def test_an_archive_of_a_month_has_the_paper_as_it_stood_when_it_was_asked_for(cast, made):
    render(made)
    sign(cast, made)  # approved on the 19th
    render(made)
    assert exporting._pdf_of(made, MonthExport(asked_at=at(18))) == made.pdf
    assert exporting._pdf_of(made, MonthExport(asked_at=at(20))) == made.signed_pdf
