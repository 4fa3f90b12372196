"""An export of a month holds what went with its bills and statements: credit notes, receipts, payment lists and claw-back notices."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import date

import pytest

from billing.bills.models import Bill, CreditNote
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.claims.models import Clawback, PaymentList
from billing.claims.services import clawbacks, paying
from billing.month import queries
from billing.month.models import ExportItem, MonthExport
from billing.month.services import exported, exporting
from billing.payments.models import Payment
from billing.payments.services import allocating, bank_import, crediting
from billing.payments.services.crediting import CreditRequest
from billing.receipts.models import Receipt
from billing.receipts.services import issuing as receipts
from billing.settlement.closed import of_programme
from billing.settlement.rules.series import Series
from tests.billing.claims.conftest import DECEMBER, PUBLIC_OVER, at, days, office
from tests.billing.money_invariants import wrong

pytestmark = pytest.mark.django_db
__all__ = ["office"]
DECEMBERS = date(2026, 12, 1)


def archive_of(cast, who: str, export: MonthExport) -> tuple[list[str], dict]:
    exporting.work(export.pk, at(20))
    found = queries.archive_for(cast.actor(who), export.pk, at(20))
    with zipfile.ZipFile(io.BytesIO(found.content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        for each in manifest["files"]:
            body = archive.read(each["path"])
            assert (hashlib.sha256(body).hexdigest(), len(body)) == (each["sha256"], each["bytes"])
        assert manifest["bytes"] == sum(each["bytes"] for each in manifest["files"])
        return archive.namelist(), manifest


def test_a_labs_archive_has_the_credit_notes_and_receipts_of_the_month(cast, office):
    li, series = cast.actor("li"), Series(cast.lab.pk)
    bill = issuing.issue(li, BillRequest(cast.lab.pk, cast.firm.pk, days()["until_on"]), DECEMBER)
    content = f"date,credit,debit,purpose\n2026-12-01,100.00,,{bill.reference}\n".encode()
    bank_import.import_statement(li, cast.lab.pk, content, "b.csv", DECEMBER)
    payment = Payment.objects.get()
    allocating.give(li, payment.pk, bill.pk, 10_000, DECEMBER)
    receipt = receipts.receipt(li, payment.pk, cast.firm.pk, DECEMBER)
    crediting.issue(li, CreditRequest(bill.pk, 1, 1000, "other", "a bit less"), DECEMBER)
    note = CreditNote.objects.get()
    export = exporting.start(li, series, DECEMBERS, at(20))
    assert queries.progress_of(export, at(20)).total == export.total_count == 2  # the bill is November's
    names, manifest = archive_of(cast, "li", export)
    wanted = {
        f"{folder}/{paper.number}.{suffix}"
        for folder, paper in (("credit-notes", note), ("receipts", receipt))
        for suffix in ("pdf", "xlsx")
    }
    assert set(names) == wanted | {"manifest.json"}
    assert manifest["totals"] == {"documents": 0, "total_fen": 0}
    assert manifest["beside"]["credit-notes"]["totals"] == {"documents": 1, "total_fen": 1000}
    assert manifest["beside"]["receipts"]["totals"] == {"documents": 1, "total_fen": 10_000}
    november = exporting.start(li, series, date(2026, 11, 1), at(20))
    names, manifest = archive_of(cast, "li", november)
    assert set(names) == {f"bills/{bill.number}.{suffix}" for suffix in ("pdf", "xlsx")} | {"manifest.json"}
    assert "beside" not in manifest and manifest["totals"]["total_fen"] == Bill.objects.get().total_fen


def test_an_offices_archive_has_its_payment_lists_and_notices_and_what_fails_is_tried_alone(cast, office, monkeypatch):
    batch, claim = office.approved()
    made = office.listed(batch)
    office.pay_all(made)
    (notice,) = clawbacks.recheck(cast.actor("chen"), claim.pk, {1: 5000}, "half of the hours were not used", at(18))
    series = of_programme(office.versions["DEMO-QH-A"].programme)
    export = exporting.start(cast.actor("qian"), series, DECEMBERS, at(20))
    assert export.total_count == 3
    real = exported.claim_documents.render

    def fails(kind, pk, now):
        if kind == "clawback":
            raise RuntimeError("no font")
        real(kind, pk, now)

    monkeypatch.setattr(exported.claim_documents, "render", fails)
    exporting.work(export.pk, at(20))
    (failed,) = queries.failed_items(export)
    assert (failed.kind, failed.document, failed.error) == ("clawback", Clawback.objects.get(), "statement.render_failed")
    shown = queries.progress_of(export, at(20))
    assert (shown.done, shown.failed, shown.total) == (2, 1, 3)
    monkeypatch.setattr(exported.claim_documents, "render", real)
    exporting.resume(cast.actor("qian"), export.pk, at(20))
    names, manifest = archive_of(cast, "qian", export)
    assert {name.split("/")[0] for name in names} == {"manifest.json", "payment-lists", "claw-backs"}
    total = sum(PaymentList.objects.values_list("total_fen", flat=True))
    assert manifest["beside"]["payment-lists"]["totals"] == {"documents": 2, "total_fen": total}
    assert manifest["beside"]["claw-backs"]["totals"] == {"documents": 1, "total_fen": notice.total_fen}
    assert ExportItem.objects.filter(export=export, state="done").count() == 3 and Receipt.objects.count() == 0 and wrong() == {}


def test_a_cancelled_payment_list_is_not_exported(cast, office):
    batch, _claim = office.approved()
    first, second = paying.make(cast.actor("qian"), batch.pk, PUBLIC_OVER)
    paying.cancel(cast.actor("qian"), first.pk, "another account", PUBLIC_OVER)
    series = of_programme(office.versions["DEMO-QH-A"].programme)
    kinds = dict(exported.documents_of(series, DECEMBERS))
    assert list(kinds["payment_list"]) == [second] and not kinds["clawback"].exists()
