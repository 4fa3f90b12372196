"""Every field that a settlement statement has to have (design/domain.md, 4.2) stands in its content and on paper, also where there is
nothing to say yet; a statement of the format before keeps its bytes."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from openpyxl import load_workbook

from billing import wording
from billing.claims.services import batches
from billing.claims.services.batches import BatchInput
from billing.invoices.models import VatInvoice
from billing.ledger.rules.money import yuan
from billing.payments.services import allocating
from billing.receipts.services import issuing as receipts
from billing.settlement import pdf, sheets
from billing.settlement.exports import export
from billing.settlement.services import statements
from tests.billing.bills.conftest import DECEMBER, bill
from tests.billing.payments.conftest import take
from tests.billing.settlement.conftest import NOVEMBER

__all__ = ["bill", "take"]
pytestmark = pytest.mark.django_db
INVOICE = "26632000000000000017"
Content = Mapping[str, Any]
Line = Mapping[str, Any]

#: What the paper says of each field of the whole statement, from its content.
OF_THE_WHOLE: dict[str, Callable[[Content], list[str]]] = {
    "number": lambda c: [c["number"]],
    "batch": lambda c: [each["number"] for each in c["publicity"]["batches"]],
    "period": lambda c: [f"{c['period']['first_day']} – {c['period']['last_day']}"],
    "programme + version": lambda c: [c["programme"]["code"], c["programme"]["version"], c["programme"]["name"]["zh"]],
    "fund year": lambda c: [str(c["fund_year"])],
    "budget item": lambda c: [c["programme"]["budget_item"]["zh"]],
    "payer and split": lambda c: [yuan(each["amount_fen"]) for each in c["totals"]["payers"]],
    "payee name": lambda c: [c["payee"]["name"]],
    "USCC": lambda c: [c["payee"]["code"]],
    "bank": lambda c: [c["payee"]["bank_name"]],
    "account name": lambda c: [c["payee"]["bank_account_name"]],
    "account no.": lambda c: [c["payee"]["bank_account_number"]],
    "totals in figures": lambda c: [yuan(c["totals"]["awarded_fen"])],
    "and Chinese capitals": lambda c: [c["totals"]["capitals"]],
    "publicity dates and outcome": lambda c: [c["publicity"]["at"], f"公示 {c['publicity']['days']} 天"],
    "maker": lambda c: ["制单人", c["signatures"]["maker"]],
    "reviewer": lambda c: ["复核人", c["signatures"]["reviewer"]],
    "approver": lambda c: ["Approved by"],
    "finance": lambda c: ["Finance"],
    "head": lambda c: ["Head of office"],
    "unit seal": lambda c: ["Seal of the office"],
    "finance seal": lambda c: ["Finance seal"],
    "VAT invoice": lambda c: ["VAT invoice number", INVOICE],
    "version and replaced-by": lambda c: ["1；替代：无；被替代：无"],
}
#: The same of each line.
OF_A_LINE: dict[str, Callable[[Line], list[str]]] = {
    "session no.": lambda line: [line["reservation"]["reference"]],
    "instrument no. + name": lambda line: [line["instrument"]["inner_id"], line["instrument"]["name"]],
    "owner": lambda line: [line["owner"]["name"]],
    "service way": lambda line: [words_in_chinese(wording.service_way_word, line["service_way"])],
    "start/end": lambda line: [line["starts_at"][:10], line["starts_at"][11:16], line["ends_at"][11:16]],
    "quantity + unit": lambda line: [line["hours"], "Hours"],
    "list price": lambda line: [line["prices"][0]["yuan_per_hour"]],
    "fee": lambda line: [yuan(line["gross_fen"])],
    "invoice no. + date": lambda line: [f"{each['number']} {each['issued_on']}" for each in line["papers"]["invoices"]],
    "paid amount": lambda line: [yuan(line["papers"]["bill"]["paid_fen"])],
    "receipt no.": lambda line: [each["number"] for each in line["papers"]["receipts"]],
    "eligible amount": lambda line: [yuan(line["eligible_fen"])],
    "excluded amount + reason": lambda line: [
        f"{yuan(part['amount_fen'])} {words_in_chinese(wording.excluded_word, part['reason'])}" for part in line["excluded"]
    ],
    "quality factor": lambda line: ["× 0.9", f"等级 {line['grade']['grade']}"],
    "cap applied": lambda line: [words_in_chinese(wording.cap_word, cut["per"], cut["payer"]) for cut in line["cuts"]],
    "rate, uplift": lambda line: [f"{float(tier['rate']) * 100:g}%" for tier in line["rates"]],
    "computed": lambda line: [yuan(line["computed_fen"])],
    "approved": lambda line: [yuan(line["awarded_fen"])],
    "clauses": lambda line: [f"§ {line['clauses'][0]}"],
    "annex index with file hashes": lambda line: [
        line["papers"]["bill"]["sha256"][:12],
        *(each["sha256"][:12] for each in (*line["papers"]["invoices"], *line["papers"]["receipts"])),
    ],
}


@pytest.fixture
def content(cast: Any, bill: Any, month: Any, take: Any) -> Content:
    """Of the lab's statement once its firm has a bill, paid in part, with receipt and invoice, and a batch is open; released by another."""
    from config.kernel.services import files

    made, li = bill(), cast.actor("li")
    (payment,) = take("2026-12-01,500.00,,高原公司,6222,货款,1")
    allocating.give(li, payment.pk, made.pk, 500_00, DECEMBER)
    receipts.receipt(li, payment.pk, cast.firm.pk, DECEMBER)
    scan = files.store(b"%PDF invoice", file_name="i.pdf", media_type="application/pdf", user_id=None, now=DECEMBER)
    figures = {"net_fen": made.total_fen, "tax_fen": 0, "total_fen": made.total_fen, "buyer_code": "", "seller_code": ""}
    who = {"recorded_by": cast.users["li"], "recorded_at": DECEMBER, "owner": cast.lab, "bill": made, "file": scan}
    VatInvoice.objects.create(number=INVOICE, issued_on=date(2026, 12, 1), **figures, **who)
    days = (date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 7))
    version = month["DEMO-QH-V"]
    batches.open_batch(cast.actor("chen"), BatchInput(version.programme_id, "deducted_now", *days, 2026), DECEMBER)
    made_by = cast.users["sun"]
    issued = statements.issue(cast.actor("qian"), version.pk, cast.lab.pk, NOVEMBER, DECEMBER, made_by=made_by)
    return dict(issued.content)


def words(content: Content) -> str:
    return unescape(pdf.render_html(content).split("</style>")[1])


@pytest.mark.parametrize("field", OF_THE_WHOLE)
def test_a_field_of_the_whole_stands_on_paper(content: Content, field: str) -> None:
    wanted = OF_THE_WHOLE[field](content)
    assert wanted and all(wanted)
    assert [each for each in wanted if each not in words(content)] == []


def words_in_chinese(word: Callable[..., str], *code: str) -> str:
    with translation.override("zh-hans"):
        return word(*code)


@pytest.mark.parametrize("field", OF_A_LINE)
def test_a_field_of_a_line_stands_on_paper(content: Content, field: str) -> None:
    """With a part that was excluded, a factor of the grade and a limit on each line."""
    left_out = [{"reason": "minimum_charge", "amount_fen": 1_23, "clause": "3"}]
    cuts = [{"cap": "year", "per": "firm_year", "payer": "province", "left_fen": 1, "wanted_fen": 2}]
    more = {
        "excluded": left_out,
        "cuts": cuts,
        "grade": {"grade": "B", "assumed": False},
        "adjustments": [{"kind": "quality", "factor": "0.9"}],
    }
    content = {**content, "lines": [{**line, **more} for line in content["lines"]]}
    text = words(content)
    for line in content["lines"]:
        assert OF_A_LINE[field](line) and [each for each in OF_A_LINE[field](line) if each not in text] == [], line["position"]


def test_what_is_not_known_at_issue_has_its_field_all_the_same(cast: Any, month: Any) -> None:
    issued = statements.issue(cast.actor("qian"), month["DEMO-QH-V"].pk, cast.lab.pk, NOVEMBER, DECEMBER)
    bare = {**issued.content, "programme": {**issued.content["programme"], "budget_item": None}}
    text = words(bare)
    about = load_workbook(io.BytesIO(sheets.render_xlsx(bare))).worksheets[-1]
    rows = {str(row[0]): str(row[1]) for row in about.iter_rows(values_only=True)}
    for caption, said in (
        ("发票号码 VAT invoice number", "待开具，或开具本单时未登记"),
        ("批次 Batch", "开具时尚无受理批次"),
        ("预算科目 Budget item", "政策未列明"),
        ("本单版本 Version of this paper", "1；替代：无；被替代：无"),
    ):
        zh, _, en = caption.partition(" ")
        assert f'{zh}<small lang="en">{en}</small></th><td>{said}</td>' in text
        assert rows[caption] == said
    assert "开具时尚未公示" in text and "/publicity/" in rows["公示及结果 Publicity and outcome"]


def test_what_was_public_at_issue_is_said_with_its_outcome(content: Content) -> None:
    public = {"from_on": "2026-12-08", "until_on": "2026-12-15", "over": True, "objections": 0, "upheld": 0}
    lines = [{**line, "papers": {**line["papers"], "publicity": public}} for line in content["lines"]]
    (said,) = [part for part in words({**content, "lines": lines}).split("<td") if "公示 2026-12-08" in part][:1]
    assert "2026-12-15" in said and 'colspan="3"' in said


#: Of ``format_1.json`` and of the same without budget year and what was taken back, as the release before rendered them: HTML without its
#: style sheet, workbook (SHA-256).
BEFORE = (
    (
        "b9d805b356344624ec135e16d6a8773cfa33918aebc524bb50f21d954a6a74fa",
        "55ac9d35a069acd380959583914d5c433b2b052e6f9be93ccf7d35290c15cf9f",
    ),
    (
        "37a79e896408226ca41c971f1c1c56f62cc3bfdeec7ef3f7962c314d70cc10bc",
        "0962c23c4f7b70503790a4e1898b3e7e037535f9f3ca2d3317568eaa402aa901",
    ),
)


def test_a_statement_of_the_format_before_keeps_its_bytes() -> None:
    old = json.loads((Path(__file__).parent / "format_1.json").read_text(encoding="utf-8"))
    older = {name: value for name, value in old.items() if name not in ("fund_year", "taken_back")}
    made = [(pdf.render_html(each).split("</style>")[1].encode(), sheets.render_xlsx(each)) for each in (old, older)]
    assert tuple(tuple(hashlib.sha256(part).hexdigest() for part in each) for each in made) == BEFORE


def test_json_and_table_have_the_same_fields(content: Content) -> None:
    _stored, data = export("JS-1", dict(content), sheets.lines_sheet, pdf.render_html, "json")
    assert json.loads(data)["edition"] == {"number": 1, "replaces": "", "replaced_by": ""}
