"""The codes of an institution's own chart of accounts stand in its accounting export."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from billing.ledger import codes
from billing.ledger.code_models import AccountCodes
from billing.ledger.rules.accounting import UnreadableCodes, code_of, read_codes, written_codes
from billing.payments.models import Payment
from billing.payments.services import bank_import
from config.kernel.errors import Forbidden, Refusal
from config.kernel.services import tokens

TYPED = "receivable = 1122\nreceivable:7:9 ＝ 1122.09\n\ncash = 1002"


def test_the_longest_beginning_counts_and_only_whole_parts() -> None:
    said = read_codes(TYPED)
    assert said == {"receivable": "1122", "receivable:7:9": "1122.09", "cash": "1002"} and read_codes(written_codes(said)) == said
    found = {key: code_of(said, key) for key in ("receivable:7:9", "receivable:7:91", "receivable:7", "cash:7:bank", "cashier:1")}
    assert list(found.values()) == ["1122.09", "1122", "1122", "1002", ""]
    for wrong in ("receivable", "= 1", "cash =", "cash = 1\ncash = 2", f"cash = {'1' * 41}", "cash = \x07"):
        with pytest.raises(UnreadableCodes):
            read_codes(wrong)
    with pytest.raises(UnreadableCodes):
        read_codes("\n".join(f"a{place} = 1" for place in range(501)))


def test_a_line_that_cannot_be_read_is_told_by_its_first_hundred_characters() -> None:
    with pytest.raises(UnreadableCodes) as refused:
        read_codes(f"cash = 1\n {'x' * 60}{'y' * 60}")
    assert refused.value.line == str(refused.value) == "x" * 60 + "y" * 40


@pytest.mark.django_db
def test_a_labs_finance_keeps_them_and_its_export_says_them(cast) -> None:
    li, lab = cast.actor("li"), cast.lab.pk
    bank_import.import_statement(li, lab, b"date,credit,debit\n2026-11-20,100.00,\n", "b.csv", cast.now)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(cast.users["li"])
    columns = "voucher,account,account_code,against_code,debit,credit"

    def exported() -> list[dict[str, str]]:
        answer = client.get("/ledger/export", {"columns": columns})
        return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()[1:])))

    assert {row["account_code"] for row in exported()} == {""}
    for who in ("zhao", "wang", "qian"):
        with pytest.raises(Forbidden):
            codes.set_codes(cast.actor(who), lab, TYPED, cast.now)
    page = client.post("/ledger/codes", {"organisation": lab, "codes": "cash 1002"})
    assert page.status_code == 422 and "cash 1002" in page.content.decode()
    assert client.post("/ledger/codes", {"organisation": lab, "codes": f"{TYPED}\nunassigned = =2203"}).status_code == 302
    assert "receivable = 1122" in client.get("/ledger/").content.decode()
    debit, credit = exported()
    assert (
        (debit["account_code"], debit["against_code"]) == ("1002", "'=2203") == (credit["against_code"], credit["account_code"])
    )
    found = json.loads(b"".join(client.get("/ledger/export", {"format": "json", "organisation": lab}).streaming_content))
    assert found["lines"][0]["account_code"] == "1002"
    codes.set_codes(li, lab, "", cast.now)
    assert {row["account_code"] for row in exported()} == {""} and AccountCodes.objects.count() == 2
    with pytest.raises(DatabaseError), transaction.atomic():
        AccountCodes.objects.update(codes={})
    assert Payment.objects.count() == 1


@pytest.mark.django_db
def test_the_api_reads_and_writes_them(cast) -> None:
    token = tokens.issue(cast.actor("li"), "x", ["read", "settle"], cast.now)
    api, path = Client(headers={"Authorization": f"Bearer {token}"}), f"/api/v1/organisations/{cast.lab.pk}/account-codes/"
    assert api.put(path, {"codes": TYPED}, content_type="application/json").status_code == 200
    assert api.get(path).json()["codes"]["cash"] == "1002"
    wrong = api.put(path, {"codes": "cash"}, content_type="application/json")
    assert wrong.status_code == 422 and "codes" in wrong.content.decode()
    with pytest.raises(Refusal):
        codes.set_codes(cast.actor("li"), cast.lab.pk, "x", cast.now)
