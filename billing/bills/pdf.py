"""The PDF of a bill or a credit note, from its frozen content."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation

from billing.bills import wording
from billing.bills.captions import bill_captions
from billing.bills.rules.content import tax_rows
from billing.ledger.rules.documents import sha256_of
from billing.ledger.rules.money import yuan
from billing.papers.codes import check_mark
from billing.settlement.apart import html_to_pdf_apart
from billing.settlement.captions import CHINESE, Caption
from billing.settlement.pdf import FONT_FOLDER, Cell, limits
from billing.wording import percent

Content = Mapping[str, Any]
_TEMPLATES = Path(__file__).parents[1] / "templates" / "billing"


def render_pdf_apart(content: Content) -> bytes:
    """The PDF, from a process with limits; the same content gives the same bytes. Raises ``apart.TooSlow``, ``apart.Crashed``."""
    return html_to_pdf_apart(render_html(content), FONT_FOLDER, _identifier(content), limits(len(lines_of(content))))


def lines_of(content: Content) -> list[Mapping[str, Any]]:
    """The lines of a bill, or the one line that a credit note is about."""
    return content["lines"] if content["kind"] == "bill" else [content["line"]]


def render_html(content: Content, *, draft: bool = False) -> str:
    """The HTML of the PDF: no script, no address outside, every text escaped. A ``draft`` has no number and says so across the page."""
    words = bill_captions()
    with translation.override(CHINESE):
        return render_to_string(
            "billing/bill.html",
            {
                "c": content,
                "w": words,
                "title": words[content["kind"]],
                "draft": draft,
                "style": order_style(),
                "hash": sha256_of(dict(content)),
                "check": check_mark(content),
                "parties": [
                    party_box(words["owner"], content["owner"], words),
                    party_box(words["customer"], content["customer"], words),
                ],
                "rows": [_cells(line) for line in lines_of(content)],
                "total": yuan(content["totals"]["total_fen"]),
                "taxes": [
                    (percent(row.rate), yuan(row.net_fen), yuan(row.tax_fen), yuan(row.gross_fen)) for row in tax_rows(content)
                ],
                "subsidy": yuan(content["totals"]["subsidy_fen"]) if content["totals"].get("subsidy_fen") else "",
                "reason": wording.CREDIT_REASONS[content["reason_code"]] if content["kind"] == "credit_note" else "",
                "zones": ", ".join(sorted({line["zone"] for line in lines_of(content)})),
            },
        )


def _identifier(content: Content) -> bytes:
    return bytes.fromhex(sha256_of(dict(content)))[:16]


@cache
def order_style() -> str:
    """The style sheet of papers between a lab and a customer."""
    return (_TEMPLATES / "order.css").read_text(encoding="utf-8")


def party_box(caption: Caption, party: Mapping[str, str], words: Mapping[str, Caption]) -> dict[str, Any]:
    facts = [
        (words["code" if party["scheme"] in ("uscc", "") else "other_code"], party["code"]),
        (words["address"], party["address"]),
    ]
    facts += [
        (words[name], party[field])
        for name, field in (
            ("bank", "bank_name"),
            ("account_name", "bank_account_name"),
            ("account_number", "bank_account_number"),
        )
        if party[field]
    ]
    return {"caption": caption, "name": party["name"], "name_en": party["name_en"], "facts": facts}


def span_words(line: Mapping[str, Any]) -> tuple[str, str]:
    """The local day, and from when until when."""
    starts, ends = datetime.fromisoformat(line["starts_at"]), datetime.fromisoformat(line["ends_at"])
    last = f"{ends:%H:%M}" if starts.date() == ends.date() else f"{ends:%m-%d %H:%M}"
    return f"{starts:%Y-%m-%d}", f"{starts:%H:%M}–{last}"


def _beside(line: Mapping[str, Any]) -> str:
    """What stands under the name of what was used."""
    return " ".join(filter(None, (line["subject"]["inner_id"], wording.what_word(line), wording.order_word(line))))


def _cells(line: Mapping[str, Any]) -> list[Cell]:
    off = line["relieved_fen"] + sum(each["amount_fen"] for each in line["deductions"])
    why = " ".join(each["programme"] for each in line["deductions"])
    return [
        Cell(str(line["position"])),
        Cell(line["subject"]["name"], _beside(line)),
        Cell(line["reference"]),
        Cell(*span_words(line)),
        Cell(f"{line['quantity']} {wording.unit_word(line['unit'])}", end=True),
        Cell(yuan(line["gross_fen"]), end=True),
        Cell(yuan(-off) if off else "", why, end=True),
        Cell(yuan(line["amount_fen"]), end=True),
    ]
