"""One changed byte of a paper and one changed row of the ledger are found by the commands, by the invariants and by the page; the ledger
is read in double entry."""

from __future__ import annotations

import csv
import io
import json
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import translation

from billing.bills.models import Bill
from billing.bills.services import documents
from billing.ledger import books, seals
from billing.ledger.books import Period
from billing.ledger.models import Account, LedgerSeal, Transfer
from billing.ledger.rules.accounting import UnknownColumns, chosen_columns, lines
from billing.papers import checks, verifying
from billing.papers.check_models import BookCheck
from config.kernel import invariants
from config.kernel.errors import Conflict, Forbidden, NotFound
from tests.billing.bills.conftest import DECEMBER

INVARIANT = "papers.contents_and_codes_are_what_was_issued"


def tamper(table: str, statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def said(command: str) -> tuple[str, bool]:
    """What a command prints, and whether it ends well."""
    out = StringIO()
    try:
        with translation.override("en"):
            call_command(command, stdout=out)
    except CommandError:
        return out.getvalue(), False
    return out.getvalue(), True


def test_one_changed_byte_of_a_file_or_a_row_is_found_and_named(bill):
    made = bill()
    documents.render("bill", made.pk, DECEMBER)
    made.refresh_from_db()
    text, well = said("verify_documents")
    assert well and "1 papers with 2 files" in text
    path, content = made.pdf.path, default_storage.open(made.pdf.path).read()
    default_storage.delete(path)
    assert "is gone" in said("verify_documents")[0]
    default_storage.save(path, ContentFile(content[:-1] + bytes([content[-1] ^ 1])))
    text, well = said("verify_documents")
    assert not well and made.number in text and "(pdf) is not what was made" in text
    default_storage.delete(path)
    default_storage.save(path, ContentFile(content))
    assert said("verify_documents")[1] and invariants.registered()[INVARIANT]().violations == ()
    for change, value, code in (
        ("content = jsonb_set(content, '{totals,total_fen}', '1')", (), "papers.content_changed"),
        ("total_fen = total_fen + 1", (), "papers.row_differs"),
        ("number = %s", ("ZD-1",), "papers.row_differs"),
    ):
        with transaction.atomic():
            tamper("billing_bill", f"UPDATE billing_bill SET {change} WHERE id = %s", *value, made.pk)
            assert code in [fault.code for fault in verifying.verify().faults], change
            assert invariants.registered()[INVARIANT]().violations
            transaction.set_rollback(True)
    with transaction.atomic():
        tamper("billing_papercode", "UPDATE billing_papercode SET code = %s", "0" * 16)
        assert [fault.code for fault in verifying.verify().faults] == ["papers.code_differs"]
        transaction.set_rollback(True)
    assert verifying.verify().faults == ()


def test_who_looks_after_the_books_has_everything_read_and_a_changed_row_is_named(bill, cast):
    bill()
    seals.seal_due(DECEMBER)
    with pytest.raises(Forbidden):
        checks.ask(cast.actor("li"), DECEMBER)
    first = checks.ask(cast.actor("qian"), DECEMBER)
    with pytest.raises(Conflict):
        checks.ask(cast.actor("qian"), DECEMBER)
    checks.work(first.pk, DECEMBER)
    first.refresh_from_db()
    assert first.is_clean and first.outcome["papers"] == 1 and first.outcome["seals"] == 1
    checks.work(first.pk, DECEMBER)  # nothing more happens
    with pytest.raises(IntegrityError), transaction.atomic():
        BookCheck.objects.filter(pk=first.pk).update(outcome={"faults": []})
    with pytest.raises(ProgrammingError), transaction.atomic():
        first.delete()
    changed = Transfer.objects.latest("pk")
    tamper("billing_transfer", "UPDATE billing_transfer SET amount_fen = amount_fen + 1 WHERE id = %s", changed.pk)
    second = BookCheck.objects.create(asked_by=cast.users["qian"], asked_at=DECEMBER)
    checks.work(second.pk, DECEMBER)
    second.refresh_from_db()
    assert not second.is_clean and str(changed.pk) in json.dumps(second.outcome["faults"])
    assert not said("verify_ledger")[1]


def test_accounts_and_postings_are_read_in_double_entry_and_each_reads_its_own(bill, cast, client):
    made = bill()
    li, qian, wei = cast.actor("li"), cast.actor("qian"), cast.actor("lin")
    rows = list(books.accounts(li))
    assert {row.kind for row in rows} == {"receivable", "revenue"}
    found = books.sums(rows, Period())
    receivable, revenue = (next(row for row in rows if row.kind == kind) for kind in ("receivable", "revenue"))
    assert (found[receivable.pk].debit_fen, found[revenue.pk].credit_fen) == (made.total_fen, made.total_fen)
    later = books.sums(rows, Period(first_on=DECEMBER.date().replace(month=12, day=2)))[receivable.pk]
    assert (later.opening_fen, later.debit_fen, later.closing_fen) == (made.total_fen, 0, made.total_fen)
    with pytest.raises(Forbidden):
        books.accounts(wei)
    other = bill(cast.other_firm)
    with pytest.raises(NotFound):
        books.account_for(li, Account.objects.filter(kind="pool").earliest("pk").pk)
    both = list(lines(books.entries(li, Period())))
    assert sum(line.debit_fen for line in both) == sum(line.credit_fen for line in both) == made.total_fen + other.total_fen
    everything = list(lines(books.entries(qian, Period())))
    assert sum(line.debit_fen for line in everything) == sum(line.credit_fen for line in everything) > made.total_fen
    client.force_login(cast.users["li"])
    with translation.override("en"):
        page = client.get(f"/ledger/{receivable.pk}/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert f"/bills/{made.pk}/" in page and f"/ledger/{revenue.pk}/" in page


def test_the_lines_leave_as_csv_and_json_with_the_columns_that_were_asked_for(bill, cast, client):
    made = bill()
    cast.firm.name = "=HYPERLINK(1)"
    cast.firm.save()
    client.force_login(cast.users["li"])
    answer = client.get("/ledger/export", {"columns": "voucher,account,organisation,debit,credit"})
    text = b"".join(answer.streaming_content).decode()
    assert answer.streaming and text.startswith("\ufeffvoucher,account,organisation,debit,credit")
    rows = list(csv.DictReader(io.StringIO(text[1:])))
    assert len(rows) == 2 and not any(cell.startswith("=") for row in rows for cell in row.values())
    assert rows[0]["debit"] == rows[1]["credit"] and rows[0]["voucher"] == rows[1]["voucher"]
    found = json.loads(b"".join(client.get("/ledger/export", {"format": "json"}).streaming_content))
    assert found["count"] == 2 and found["debit_fen"] == found["credit_fen"] == made.total_fen
    assert client.get("/ledger/export", {"columns": "voucher,nonsense"}).status_code == 422
    for wrong in ("nonsense", "voucher,date"):
        with pytest.raises(UnknownColumns):
            chosen_columns(wrong)
    assert Bill.objects.count() == 1


def test_an_end_that_was_cut_off_the_chain_is_missed_by_every_later_look(cast, bill):
    bill()
    seals.seal_due(DECEMBER, batch=1)
    last = LedgerSeal.objects.order_by("-number").first()
    first = BookCheck.objects.create(asked_by=cast.users["qian"], asked_at=DECEMBER)
    checks.work(first.pk, DECEMBER)
    first.refresh_from_db()
    assert first.is_clean and first.outcome["head"] == last.sha256
    tamper("billing_ledgerseal", "DELETE FROM billing_ledgerseal WHERE id = %s", last.pk)
    tamper("billing_transfer", "DELETE FROM billing_transfer WHERE id >= %s", last.first_id)
    assert seals.verify().faults == ()  # what is left of the chain holds in itself
    second = BookCheck.objects.create(asked_by=cast.users["qian"], asked_at=DECEMBER)
    checks.work(second.pk, DECEMBER)
    second.refresh_from_db()
    assert ["ledger.seal_head_unknown", last.sha256] in [[code, told["detail"]] for code, told in second.outcome["faults"]]
    assert invariants.registered()["books.the_chain_holds"]().violations
    text, well = said("verify_ledger")
    assert last.sha256 in text and not well
