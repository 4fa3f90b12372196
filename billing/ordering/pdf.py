"""The PDF of a quotation or a commission sheet, from its frozen content and, once signed, the signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from billing.ledger.rules.documents import sha256_of
from billing.ledger.rules.money import yuan
from billing.ordering import wording
from billing.ordering.captions import captions
from billing.papers.codes import check_mark
from billing.settlement.apart import Limits, html_to_pdf_apart
from billing.settlement.captions import CHINESE, Caption, both
from billing.settlement.pdf import FONT_FOLDER
from booking.rules.enquiries import Side

Content = Mapping[str, Any]
_TEMPLATES = Path(__file__).parents[1] / "templates" / "billing"
#: A quotation is signed by who offers, a commission sheet by both.
_SIGNING = {"quotation": (Side.LAB,), "commission": (Side.LAB, Side.CUSTOMER)}
_LIMITS = Limits(120, 1_500_000_000)


def render(content: Content, signatures: Sequence[Mapping[str, Any]] = ()) -> bytes:
    """The PDF, made in this process. The same arguments give the same bytes."""
    from billing.settlement.typeset import html_to_pdf  # only here: WeasyPrint takes most of a second to load

    return html_to_pdf(render_html(content, signatures), FONT_FOLDER, _identifier(content, signatures))


def render_apart(content: Content, signatures: Sequence[Mapping[str, Any]] = ()) -> bytes:
    """The same bytes, from a process with limits. Raises ``apart.TooSlow``, ``apart.Crashed``."""
    return html_to_pdf_apart(render_html(content, signatures), FONT_FOLDER, _identifier(content, signatures), _LIMITS)


def render_html(content: Content, signatures: Sequence[Mapping[str, Any]] = ()) -> str:
    """The HTML of the PDF: no script, no address outside, every text escaped."""
    words = captions()
    with translation.override(CHINESE):
        context = {
            "c": content,
            "w": words,
            "title": words[content["kind"]],
            "style": _style(),
            "hash": sha256_of(dict(content)),
            "check": check_mark(content),
            "parties": [_party(words["lab"], content["lab"], words), _party(words["customer"], content["customer"], words)],
            "rows": [_row(line) for line in content["lines"]],
            "total": yuan(content["total_fen"]),
            "agreed": _agreed(content, words) if content["kind"] == "commission" else [],
            "boxes": [_box(side, content, signatures) for side in _SIGNING[content["kind"]]],
        }
        return render_to_string("billing/order.html", context)


def _identifier(content: Content, signatures: Sequence[Mapping[str, Any]]) -> bytes:
    return bytes.fromhex(sha256_of({"content": dict(content), "signatures": [dict(each) for each in signatures]}))[:16]


@cache
def _style() -> str:
    return (_TEMPLATES / "order.css").read_text(encoding="utf-8")


def _party(caption: Caption, party: Mapping[str, str], words: Mapping[str, Caption]) -> dict[str, Any]:
    code = words["code" if party["scheme"] in ("uscc", "") else "other_code"]
    contact = " ".join(part for part in (party["contact"], party["contact_email"]) if part)
    bank = " ".join(part for part in (party["bank_name"], party["bank_account_name"], party["bank_account_number"]) if part)
    facts = [(code, party["code"]), (words["address"], party["address"]), (words["contact"], contact)]
    if bank:
        facts.append((words["bank"], bank))
    return {"caption": caption, "name": party["name"], "name_en": party["name_en"], "facts": facts}


def _row(line: Mapping[str, Any]) -> dict[str, str]:
    name = line["subject"] or line["description"]
    return {
        "position": str(line["position"]),
        "name": name,
        "under": line["description"] if line["subject"] else "",
        "kind": wording.kind_word(line["kind"]),
        "quantity": line["quantity"],
        "unit": wording.unit_word(line["unit"]),
        "unit_price": yuan(line["unit_price_fen"]),
        "amount": yuan(line["amount_fen"]),
    }


def _agreed(content: Content, words: Mapping[str, Caption]) -> list[tuple[Caption, Caption, str]]:
    """(caption, choice, note) of what the two sides agree on."""
    found = [
        (
            words["confidentiality"],
            both(wording.CONFIDENTIALITY_NAMES[content["confidentiality"]]),
            content["confidentiality_note"],
        ),
        (words["report"], both(wording.REPORT_NAMES[content["report_form"]]), content["report_note"]),
        (words["samples"], both(wording.SAMPLE_NAMES[content["sample_handling"]]), content["sample_note"]),
    ]
    if content["due_on"]:
        found.append((words["due"], Caption(content["due_on"], ""), ""))
    return found


def _box(side: Side, content: Content, signatures: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What stands in a side's box: nothing but its name until it has signed."""
    box = {"name": content[side.value]["name"], "who": "", "at": "", "how": "", "scan": "", "side": side.value}
    signed = next((each for each in signatures if each["side"] == side.value), None)
    if signed is None:
        return box
    at = datetime.fromisoformat(signed["signed_at"]).astimezone(ZoneInfo(settings.TIME_ZONE))
    how = str(wording.METHOD_NAMES[signed["method"]])
    return box | {"who": signed["name"], "at": f"{at:%Y-%m-%d %H:%M}", "how": how, "scan": signed["scan_sha256"]}
