"""The workbook of a bill or a credit note, from its frozen content."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import translation

from billing.bills import wording
from billing.bills.captions import bill_captions
from billing.bills.pdf import lines_of
from billing.ledger.rules.documents import sha256_of
from billing.settlement.captions import CHINESE, Caption
from billing.settlement.xlsx import Sheet, Value, workbook

Content = Mapping[str, Any]
_HEAD = (
    "position",
    "reference",
    "subject",
    "starts",
    "ends",
    "zone",
    "quantity",
    "unit",
    "gross",
    "deducted",
    "relieved",
    "amount",
)
_WIDTHS = [6, 16, 34, 17, 17, 15, 10, 8, 14, 14, 14, 14]


def render_xlsx(content: Content) -> bytes:
    """The workbook of a content: lines with typed values, and what the file is. The same content gives the same bytes."""
    words = bill_captions()
    with translation.override(CHINESE):
        sheets = [_lines_sheet(content, words), _about_sheet(content, words)]
        title = f"{words[content['kind']].zh} {content['number']}"
    made_at = datetime.combine(date.fromisoformat(content["made_on"]), datetime.min.time())
    return workbook(sheets, title=title, creator=content["owner"]["name"], made_at=made_at)


def _amount(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _lines_sheet(content: Content, words: Mapping[str, Caption]) -> Sheet:
    total: list[Value] = [words["total"].line, *[None] * 10, _amount(content["totals"]["total_fen"])]
    rows = [_values(line) for line in lines_of(content)]
    return Sheet(words["sheet_lines"].zh, [words[name].line for name in _HEAD], rows, _WIDTHS, total, _above(content, words))


def _above(content: Content, words: Mapping[str, Caption]) -> list[list[Value]]:
    return [
        [words[content["kind"]].line],
        [words["number"].line, content["number"]],
        [words["owner"].line, content["owner"]["name"], content["owner"]["code"]],
        [words["customer"].line, content["customer"]["name"], content["customer"]["code"]],
        [words["payment_reference"].line, content["payment_reference"]],
        [words["capitals"].line, content["totals"]["capitals"]],
        [],
    ]


def _values(line: Mapping[str, Any]) -> list[Value]:
    starts, ends = (datetime.fromisoformat(line[name]).replace(tzinfo=None) for name in ("starts_at", "ends_at"))
    return [
        line["position"],
        line["reference"],
        " ".join(
            filter(
                None, (line["subject"]["name"], line["subject"]["inner_id"], wording.what_word(line), wording.order_word(line))
            )
        ),
        starts,
        ends,
        line["zone"],
        Decimal(line["quantity"]),
        wording.unit_word(line["unit"]),
        _amount(line["gross_fen"]),
        _amount(sum(each["amount_fen"] for each in line["deductions"])),
        _amount(line["relieved_fen"]),
        _amount(line["amount_fen"]),
    ]


def lines_sheet(content: Content) -> Sheet:
    """The lines of a bill or a credit note as a table, in Chinese."""
    with translation.override(CHINESE):
        return _lines_sheet(content, bill_captions())


def _about_sheet(content: Content, words: Mapping[str, Caption]) -> Sheet:
    owner = content["owner"]
    own: list[list[Value]]
    if content["kind"] == "bill":
        own = [[words["due_on"].line, date.fromisoformat(content["due_on"])]]
    else:
        own = [[words["of_bill"].line, content["bill"]], [words["reason"].line, content["reason"]]]
    taxes: list[list[Value]] = [[words["tax"].line, sentence] for sentence in wording.tax_sentences(content)]
    rows: list[list[Value]] = [
        [words["number"].line, content["number"]],
        [words["made_on"].line, date.fromisoformat(content["made_on"])],
        *own,
        [words["bank"].line, owner["bank_name"]],
        [words["account_name"].line, owner["bank_account_name"]],
        [words["account_number"].line, owner["bank_account_number"]],
        [words["total"].line, _amount(content["totals"]["total_fen"])],
        *taxes,
        [words["maker"].line, content["maker"]],
        *([[words["reviewer"].line, content["reviewer"]]] if "reviewer" in content else []),
        [words["content_hash"].line, sha256_of(dict(content))],
    ]
    return Sheet(words["sheet_about"].zh, [words["field"].line, words["value"].line], rows, [28, 80])
