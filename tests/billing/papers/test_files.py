"""A paper keeps the files that were made for it: none is swapped, taken away or made again, and where somebody did so behind the guards
the check of the papers names it."""

from __future__ import annotations

import importlib

import pgtrigger
import pytest
from django.db import DatabaseError, connection, transaction

from billing.bills import pdf
from billing.bills.services import documents
from billing.papers import verifying
from billing.papers.files import keep, kind_of
from billing.papers.kinds import kinds
from billing.papers.models import PaperFile
from billing.settlement.models import RenderState
from config.kernel import invariants
from config.kernel.models import StoredFile
from config.kernel.services import files
from tests.billing.bills.conftest import DECEMBER
from tests.billing.papers.test_books import said, tamper

pytestmark = pytest.mark.django_db
INVARIANT = "papers.have_the_files_that_were_made_for_them"


@pytest.fixture(autouse=True)
def cheap_paper(monkeypatch):
    """The PDFs of bills cost nothing: other tests make them."""
    monkeypatch.setattr(pdf, "render_pdf_apart", lambda content: f"%PDF-1.4 {content['number']}".encode())


@pytest.fixture
def two(cast, bill):
    """Bills of two customers with their files."""
    made = bill(), bill(cast.other_firm)
    for each in made:
        documents.render("bill", each.pk, DECEMBER)
        each.refresh_from_db()
    return made


def run(statement: str, *values: object) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def refused(statement: str, *values: object) -> str:
    with pytest.raises(DatabaseError) as caught:
        run(statement, *values)
    return str(caught.value)


SWAPS = {
    "another paper's files": "pdf_id = (SELECT pdf_id FROM billing_bill WHERE id = %(other)s)",
    "another paper's workbook": "xlsx_id = (SELECT xlsx_id FROM billing_bill WHERE id = %(other)s)",
    "both for each other": "pdf_id = xlsx_id, xlsx_id = pdf_id",
    "any other file": "pdf_id = (SELECT max(id) FROM kernel_storedfile)",
    "no files, to be made again": "pdf_id = NULL, xlsx_id = NULL, render_state = 'queued'",
    "no PDF": "pdf_id = NULL",
    "made again": "render_state = 'failed'",
}


@pytest.mark.parametrize("change", SWAPS.values(), ids=SWAPS.keys())
def test_the_files_of_a_paper_are_changed_by_nobody(two, change):
    mine, other = two
    files.store(b"x", file_name="x.pdf", media_type="application/pdf", user_id=None, now=DECEMBER)
    sql = f"UPDATE billing_bill SET {change} WHERE id = {mine.pk}".replace("%(other)s", str(other.pk))
    assert "frozen: " in refused(sql)
    assert verifying.verify().faults == () and invariants.registered()[INVARIANT]().violations == ()
    with transaction.atomic(), connection.cursor() as cursor:  # the control: without its trigger it would be done
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        assert cursor.rowcount == 1
        transaction.set_rollback(True)


@pytest.mark.parametrize("change", [SWAPS[name] for name in SWAPS if name != "made again"])
def test_what_was_done_behind_the_guards_is_found_and_named(two, change):
    mine, other = two
    files.store(b"x", file_name="x.pdf", media_type="application/pdf", user_id=None, now=DECEMBER)
    tamper("billing_bill", f"UPDATE billing_bill SET {change} WHERE id = {mine.pk}".replace("%(other)s", str(other.pk)))
    assert {fault.number for fault in verifying.verify().faults} == {mine.number}
    assert all(mine.number in each for each in invariants.registered()[INVARIANT]().violations)
    text, well = said("verify_documents")
    assert not well and mine.number in text and ("not the one that was made for it" in text or "was taken away" in text)


def test_a_stored_file_that_became_another_one_is_found_too(two):
    mine, other = two
    theirs = other.pdf
    with pgtrigger.ignore(files.KEPT):
        StoredFile.objects.filter(pk=mine.pdf_id).update(sha256=theirs.sha256, path=theirs.path, size_bytes=theirs.size_bytes)
    assert [(fault.code, fault.number) for fault in verifying.verify().faults] == [("papers.file_of_another", mine.number)]


def test_a_paper_without_files_is_given_only_the_one_that_was_made_of_its_content(cast, bill, two):
    mine, other = two
    stored = files.store(b"%PDF other", file_name="x.pdf", media_type="application/pdf", user_id=None, now=DECEMBER)
    tamper(
        "billing_bill", "UPDATE billing_bill SET pdf_id = NULL, xlsx_id = NULL, render_state = 'queued' WHERE id = %s", mine.pk
    )
    tamper("billing_paperfile", "DELETE FROM billing_paperfile WHERE kind = 'bill' AND document_id = %s", mine.pk)
    take = "UPDATE billing_bill SET pdf_id = %s WHERE id = %s"
    assert "made of its content" in refused(take, other.pdf_id, mine.pk)
    assert "made of its content" in refused(take, stored.pk, mine.pk)
    with pytest.raises(DatabaseError, match="billing_paperfile_file_id"), transaction.atomic():
        keep(mine, "pdf", other.pdf, DECEMBER)  # a stored file is of one paper
    keep(mine, "pdf", stored, DECEMBER)
    assert run(take, stored.pk, mine.pk) == 1
    with pytest.raises(DatabaseError, match="paper_file_once"), transaction.atomic():
        keep(mine, "pdf", files.store(b"y", file_name="y", media_type="x/y", user_id=None, now=DECEMBER), DECEMBER)
    with pytest.raises(DatabaseError, match="under its own hash"), transaction.atomic():
        row = PaperFile.objects.latest("pk")
        row.pk, row.part, row.sha256, row._state.adding = None, "xlsx", "0" * 64, True
        row.file = files.store(b"z", file_name="z", media_type="x/y", user_id=None, now=DECEMBER)
        row.save()


def test_files_are_made_again_after_a_failure_while_nothing_is_kept(bill, monkeypatch):
    made = bill()

    def broken(content):
        raise RuntimeError("no")

    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(pdf, "render_pdf_apart", broken)
        documents.render("bill", made.pk, DECEMBER)
    made.refresh_from_db()
    assert (made.render_state, made.pdf_id, PaperFile.objects.count()) == (RenderState.FAILED, None, 0)
    documents.render("bill", made.pk, DECEMBER)
    made.refresh_from_db()
    assert made.render_state == RenderState.DONE and PaperFile.objects.count() == 2
    documents.render("bill", made.pk, DECEMBER)  # nothing more happens
    assert PaperFile.objects.count() == 2 and verifying.verify().faults == ()
    assert set(PaperFile.objects.values_list("kind", "document_id", "part", "content_sha256")) == {
        ("bill", made.pk, part, made.content_sha256) for part in ("pdf", "xlsx")
    }


def test_what_papers_from_before_have_is_written_down_once(two):
    kept = importlib.import_module("billing.migrations.0280_files_of_papers").KEPT
    names = ("kind", "document_id", "part", "file_id", "sha256", "content_sha256")
    before = sorted(PaperFile.objects.values_list(*names))
    tamper("billing_paperfile", "DELETE FROM billing_paperfile WHERE true")
    assert len(verifying.verify().faults) == len(before) == 4
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(kept)
        assert sorted(PaperFile.objects.values_list(*names)) == before and verifying.verify().faults == ()


def test_every_kind_of_paper_keeps_its_files():
    for kind in kinds().values():
        (trigger,) = [each for each in kind.model._meta.triggers if each.name.endswith("_files_once")]
        assert f"f.kind = '{kind.name}'" in trigger.func and kind_of(kind.model) == kind.name
        assert all(f"OLD.{column}_id IS NOT NULL" in trigger.func for column in kind.files), kind.name
