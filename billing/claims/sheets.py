"""The workbook of a redemption form, a payment list or a claw-back notice, from its frozen content."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import translation

from billing.claims import wording
from billing.claims.captions import claim_captions
from billing.claims.pdf import facts, invoice_words, publicity_words
from billing.ledger.rules.documents import sha256_of
from billing.settlement.captions import CHINESE, Caption
from billing.settlement.xlsx import Sheet, Value, workbook
from billing.wording import payer_word

Content = Mapping[str, Any]
_FORM: tuple[str, ...] = ("position", "reference", "service_on", "subject", "other", "invoice_number", "gross", "amount")
_FORM_WIDTHS = [6, 16, 12, 34, 30, 24, 14, 14]
_LIST: tuple[str, ...] = (
    "position",
    "claim",
    "payee",
    "code",
    "bank",
    "account_name",
    "account_number",
    "publicity",
    "of_claim_fen",
    "to_pay",
)
_LIST_WIDTHS = [6, 18, 34, 22, 24, 30, 26, 40, 14, 14]


def lines_sheet(content: Content) -> Sheet:
    """The lines of a content as the workbook has them."""
    words = claim_captions()
    with translation.override(CHINESE):
        return _lines_sheet(content, words)


def render_xlsx(content: Content) -> bytes:
    """The workbook of a content: lines with typed values, and what the file is. The same content gives the same bytes."""
    words = claim_captions()
    with translation.override(CHINESE):
        sheets = [_lines_sheet(content, words), _about_sheet(content, words)]
        title = f"{words[content['kind']].zh} {content['number']}"
    made_at = datetime.combine(date.fromisoformat(content["made_on"]), datetime.min.time())
    return workbook(sheets, title=title, creator=content["batch"]["office"], made_at=made_at)


def _facts(content: Content, words: Mapping[str, Caption]) -> list[list[Value]]:
    return [[fact.caption.line, fact.text] for fact in facts(content, words)]


def _amount(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _lines_sheet(content: Content, words: Mapping[str, Caption]) -> Sheet:
    of_list = content["kind"] == "payment_list"
    head, widths = (_LIST, _LIST_WIDTHS) if of_list else (_FORM, _FORM_WIDTHS)
    invoiced = any("invoices" in line for line in content["lines"])
    if of_list and invoiced:
        place = head.index("publicity")
        head, widths = (*head[:place], "invoice_number", *head[place:]), [*widths[:place], 34, *widths[place:]]
    payers = [each["payer"] for each in content["totals"]["payers"]]
    rows = [
        [*(_list_values(line, invoiced) if of_list else _form_values(line)), *_by_payer(line, payers)]
        for line in content["lines"]
    ]
    by_payer: list[Value] = [_amount(each["amount_fen"]) for each in content["totals"]["payers"]]
    total: list[Value] = [words["total"].line, *[None] * (len(head) - 2), _amount(content["totals"]["total_fen"]), *by_payer]
    above: list[list[Value]] = [
        [words[content["kind"]].line],
        *_facts(content, words),
        [words["capitals"].line, content["totals"]["capitals"]],
        [],
    ]
    columns = [*(words[name].line for name in head), *(str(payer_word(payer)) for payer in payers)]
    return Sheet(words["sheet_lines"].zh, columns, rows, [*widths, *[14] * len(payers)], total, above)


def _by_payer(line: Mapping[str, Any], payers: list[str]) -> list[Value]:
    amounts = {each["payer"]: each["amount_fen"] for each in line["payers"]}
    return [_amount(amounts.get(payer, 0)) for payer in payers]


def _form_values(line: Mapping[str, Any]) -> list[Value]:
    kind = "" if line["kind"] == "award" else f" ({wording.LINES[line['kind']]} {line['clawback']})"
    return [
        line["position"],
        line["reference"],
        date.fromisoformat(line["service_on"]),
        line["subject"] + kind,
        line["other"],
        line["invoice_number"],
        _amount(line["gross_fen"]),
        _amount(line["amount_fen"]),
    ]


def _list_values(line: Mapping[str, Any], invoiced: bool) -> list[Value]:
    payee = line["payee"]
    return [
        line["position"],
        line["claim"],
        payee["name"],
        payee["code"],
        payee["bank_name"],
        payee["bank_account_name"],
        payee["bank_account_number"],
        *([invoice_words(line)] if invoiced else []),
        publicity_words(line),
        _amount(line["of_claim_fen"]),
        _amount(line["amount_fen"]),
    ]


def _about_sheet(content: Content, words: Mapping[str, Caption]) -> Sheet:
    annexes: list[list[Value]] = [
        [str(wording.ASKED[each["kind"]]), f"{each['name']} {each['sha256']}"] for each in content.get("evidence", ())
    ]
    rows: list[list[Value]] = [
        *_facts(content, words),
        *annexes,
        *_beside(content, words),
        [words["total"].line, _amount(content["totals"]["total_fen"])],
        [words["maker"].line, content["maker"]],
        [words["content_hash"].line, sha256_of(dict(content))],
    ]
    return Sheet(words["sheet_about"].zh, [words["field"].line, words["value"].line], rows, [28, 80])


def _beside(content: Content, words: Mapping[str, Caption]) -> list[list[Value]]:
    """What goes back with a payment list, and what is transferred in all."""
    if "surplus" not in content:
        return []
    rows: list[list[Value]] = [
        [f"{words['of_notice'].line} {each['notice']} {each['payee']['name']}", _amount(each["amount_fen"])]
        for each in content["surplus"]["lines"]
    ]
    return [*rows, [words["in_all"].line, _amount(content["surplus"]["transfer_fen"])]]
