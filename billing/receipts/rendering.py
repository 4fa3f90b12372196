"""The PDF and the workbook of a receipt or a statement of account, from its frozen content."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation

from billing.bills.pdf import order_style, party_box
from billing.ledger.rules.documents import sha256_of
from billing.ledger.rules.money import yuan
from billing.papers.codes import check_mark
from billing.receipts.captions import METHODS, WHAT, receipt_captions
from billing.receipts.rules.content import RECEIPT
from billing.settlement.apart import html_to_pdf_apart
from billing.settlement.captions import CHINESE, Caption
from billing.settlement.pdf import FONT_FOLDER, Cell, limits
from billing.settlement.xlsx import Sheet, Value, workbook

Content = Mapping[str, Any]


def render_pdf_apart(content: Content) -> bytes:
    """The PDF, from a process with limits; the same content gives the same bytes. Raises ``apart.TooSlow``, ``apart.Crashed``."""
    identifier = bytes.fromhex(sha256_of(dict(content)))[:16]
    return html_to_pdf_apart(render_html(content), FONT_FOLDER, identifier, limits(len(content["lines"])))


def render_html(content: Content) -> str:
    """The HTML of the PDF: no script, no address outside, every text escaped."""
    words = receipt_captions()
    with translation.override(CHINESE):
        sides = [party_box(words[caption], content[side], words) for side, caption in _sides(content).items()]
        context = {
            "c": content,
            "w": words,
            "title": words[content["kind"]],
            "style": order_style(),
            "hash": sha256_of(dict(content)),
            "check": check_mark(content),
            "parties": sides,
            "method": METHODS.get(content["received"]["method"], "") if content["kind"] == RECEIPT else "",
            "heads": [words[name] for name in _heads(content)],
            "rows": [_cells(line, content) for line in content["lines"]],
            "total": yuan(content["totals"]["total_fen"]),
            "opening": yuan(content["totals"].get("opening_fen", 0)),
        }
        return render_to_string("billing/receipt.html", context)


def _sides(content: Content) -> dict[str, str]:
    """How each side is called."""
    if content.get("of_office"):
        return {"owner": "owed_to", "customer": "owed_by"}
    return {"owner": "owner", "customer": "customer"}


def _heads(content: Content) -> tuple[str, ...]:
    first = ("position", "on", "what", "paper")
    return (*first, "paid") if content["kind"] == RECEIPT else (*first, "debit", "credit", "balance")


def _cells(line: Mapping[str, Any], content: Content) -> list[Cell]:
    first = [Cell(str(line["position"])), Cell(line["on"]), Cell(str(WHAT[line["what"]])), Cell(line["number"])]
    if content["kind"] == RECEIPT:
        return [*first, Cell(yuan(line["credit_fen"] - line["debit_fen"]), end=True)]
    amounts = [yuan(line[name]) if line[name] else "" for name in ("debit_fen", "credit_fen")]
    return [*first, *(Cell(amount, end=True) for amount in amounts), Cell(yuan(line["balance_fen"]), end=True)]


def render_xlsx(content: Content) -> bytes:
    """The workbook of a content: its lines with typed values, and what the file is. The same content gives the same bytes."""
    words = receipt_captions()
    with translation.override(CHINESE):
        sheets = [lines_sheet(content), _about(content, words)]
        title = f"{words[content['kind']].zh} {content['number']}"
    made_at = datetime.combine(date.fromisoformat(content["made_on"]), datetime.min.time())
    return workbook(sheets, title=title, creator=content["owner"]["name"], made_at=made_at)


def lines_sheet(content: Content) -> Sheet:
    """The lines as a table, with a total below."""
    words = receipt_captions()
    with translation.override(CHINESE):
        rows = [_values(line, content) for line in content["lines"]]
    heads = _heads(content)
    total: list[Value] = [words["total"].line, *[None] * (len(heads) - 2), _amount(content["totals"]["total_fen"])]
    above: list[list[Value]] = [
        [words[content["kind"]].line],
        [words["number"].line, content["number"]],
        *([words[caption].line, content[side]["name"], content[side]["code"]] for side, caption in _sides(content).items()),
        [],
    ]
    return Sheet(
        words["sheet_lines"].zh,
        [words[name].line for name in heads],
        rows,
        [8, 14, 18, 24, 16, 16, 16][: len(heads)],
        total,
        above,
    )


def _values(line: Mapping[str, Any], content: Content) -> list[Value]:
    first: list[Value] = [line["position"], date.fromisoformat(line["on"]), str(WHAT[line["what"]]), line["number"]]
    if content["kind"] == RECEIPT:
        return [*first, _amount(line["credit_fen"] - line["debit_fen"])]
    return [*first, *(_amount(line[name]) for name in ("debit_fen", "credit_fen", "balance_fen"))]


def _amount(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _about(content: Content, words: Mapping[str, Caption]) -> Sheet:
    rows: list[list[Value]] = [
        [words["number"].line, content["number"]],
        [words["made_on"].line, date.fromisoformat(content["made_on"])],
        [words["total"].line, _amount(content["totals"]["total_fen"])],
        [words["capitals"].line, content["totals"]["capitals"]],
        [words["maker"].line, content["maker"]],
        [words["content_hash"].line, sha256_of(dict(content))],
    ]
    return Sheet(words["sheet_about"].zh, [words["field"].line, words["value"].line], rows, [28, 80])
