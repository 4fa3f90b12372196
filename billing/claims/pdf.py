"""The PDF of a redemption form, a payment list or a claw-back notice, from its frozen content; the templates of bills and statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing.claims import wording
from billing.claims.captions import claim_captions
from billing.ledger.rules.documents import sha256_of
from billing.ledger.rules.money import yuan
from billing.papers.codes import check_mark
from billing.settlement.apart import html_to_pdf_apart
from billing.settlement.captions import CHINESE, Caption
from billing.settlement.lines import public_words
from billing.settlement.pdf import FONT_FOLDER, Cell, Column, limits
from billing.wording import fact_word, payer_word, several

Content = Mapping[str, Any]
_TEMPLATES = Path(__file__).parents[1] / "templates" / "billing"
_FORM = (
    ("position", "6%", False),
    ("reference", "14%", False),
    ("service_on", "11%", False),
    ("subject", "19%", False),
    ("other", "17%", False),
    ("invoice_number", "13%", False),
    ("gross", "10%", True),
    ("amount", "10%", True),
)
_LIST = (
    ("position", "6%", False),
    ("claim", "15%", False),
    ("payee", "21%", False),
    ("account_number", "20%", False),
    ("publicity", "16%", False),
    ("of_claim_fen", "10%", True),
    ("to_pay", "12%", True),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the head: caption and text; of ``half`` the width, so that another one may stand beside it."""

    caption: Caption
    text: str
    half: bool = False


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody who signed, for whom (empty: in their own right), and the day."""

    name: str
    behalf: str
    on: str

    @property
    def words(self) -> str:
        names = {"name": self.name, "behalf": self.behalf}
        return pgettext("signature", "%(name)s for %(behalf)s") % names if self.behalf else self.name


@dataclass(frozen=True, slots=True)
class Signed:
    """Who checked and who approved a payment list, beside its maker, whom the content names."""

    reviewer: Hand
    approver: Hand


def render_pdf_apart(content: Content, *, draft: bool = False, signed: Signed | None = None) -> bytes:
    """The PDF, from a process with limits; the same content and signatures give the same bytes. Raises ``apart.TooSlow``,
    ``apart.Crashed``."""
    html = render_html(content, draft=draft, signed=signed)
    return html_to_pdf_apart(html, FONT_FOLDER, _identifier(content, draft, signed), limits(len(content["lines"])))


def render_html(content: Content, *, draft: bool = False, signed: Signed | None = None) -> str:
    """The HTML of the PDF: no script, no address outside, every text escaped. A ``draft`` says across the page that nobody has approved it
    yet; ``signed``: who did. The hash of the content is the same with and without."""
    words = claim_captions()
    with translation.override(CHINESE):
        return render_to_string(
            "billing/claim.html",
            {
                "c": content,
                "draft": draft,
                "signed": signed,
                "w": words,
                "title": words[content["kind"]],
                "style": _style(),
                "hash": sha256_of(dict(content)),
                "check": check_mark(content),
                "facts": _paired(facts(content, words)),
                "columns": [Column(words[name], width, end) for name, width, end in _columns(content)],
                "rows": [_cells(content, line) for line in content["lines"]],
                "total": yuan(content["totals"]["total_fen"]),
                "payers": [(payer_word(each["payer"]), yuan(each["amount_fen"])) for each in content["totals"]["payers"]],
                "surplus": _surplus_rows(content),
                "in_all": yuan(content["surplus"]["transfer_fen"]) if "surplus" in content else "",
                "before_total": len(_columns(content)) - 4,
            },
        )


def facts(content: Content, words: Mapping[str, Caption]) -> list[Fact]:
    """The head of a document, in order."""
    batch = content["batch"]
    found = [
        Fact(words["number"], content["number"], half=True),
        Fact(words["made_on"], content["made_on"], half=True),
        Fact(words["programme"], f"{batch['name']['zh']} ({batch['programme']} {batch['version']})"),
        Fact(words["office"], batch["office"]),
        Fact(words["batch"], batch["number"], half=True),
        Fact(words["fund_year"], str(batch["fund_year"]), half=True),
        *([Fact(words["budget_item"], batch["budget_item"]["zh"])] if "budget_item" in batch else []),
        Fact(words["period"], f"{batch['first_day']} – {batch['last_day']}", half=True),
    ]
    if content.get("payer"):
        found.append(Fact(words["payer"], str(payer_word(content["payer"])), half=True))
    if content["kind"] == "clawback":
        found.append(Fact(words["of_claim"], content["claim"], half=True))
        found.append(Fact(words["reason"], f"{wording.CAUSES[content['cause']]}: {content['reason']}"))
    if "payee" in content:
        payee, repays = content["payee"], content["kind"] == "clawback"
        found += [
            Fact(words["debtor" if repays else "payee"], payee["name"], half=True),
            Fact(words["code"], payee["code"], half=True),
        ]
        named = (("bank", "bank_name"), ("account_name", "bank_account_name"), ("account_number", "bank_account_number"))
        found += [Fact(words[name], payee[field], half=True) for name, field in named if payee[field]]
    return found + _how_to_repay(content.get("repay", {}), words)


def _paired(found: Sequence[Fact]) -> list[list[Fact]]:
    """The rows of the head: two short facts beside each other, so that a paper of one line stays on one page. A row says which ones, not
    what is typed there."""
    rows: list[list[Fact]] = []
    for fact in found:
        if fact.half and rows and len(rows[-1]) == 1 and rows[-1][0].half:
            rows[-1].append(fact)
        else:
            rows.append([fact])
    return rows


def _how_to_repay(repay: Mapping[str, str], words: Mapping[str, Caption]) -> list[Fact]:
    """By when, with which purpose and where to; notices from before say nothing of it."""
    named = (
        ("due_on", "due_on"),
        ("pay_reference", "reference"),
        ("pay_bank", "bank_name"),
        ("pay_account_name", "bank_account_name"),
        ("pay_account_number", "bank_account_number"),
    )
    return [Fact(words[name], repay[field], half=True) for name, field in named if repay.get(field)]


def _columns(content: Content) -> tuple[tuple[str, str, bool], ...]:
    return _LIST if content["kind"] == "payment_list" else _FORM


def _cells(content: Content, line: Mapping[str, Any]) -> list[Cell]:
    if content["kind"] == "payment_list":
        payee = line["payee"]
        return [
            Cell(str(line["position"])),
            Cell(line["claim"], invoice_words(line)),
            Cell(payee["name"], payee["code"]),
            Cell(payee["bank_account_number"], f"{payee['bank_name']} {payee['bank_account_name']}".strip()),
            Cell(publicity_words(line)),
            Cell(yuan(line["of_claim_fen"]), end=True),
            Cell(yuan(line["amount_fen"]), end=True),
        ]
    return [
        Cell(str(line["position"])),
        Cell(line["reference"], line["clawback"]),
        Cell(line["service_on"]),
        Cell(line["subject"], declared_words(line) if line["kind"] == "award" else str(wording.LINES[line["kind"]])),
        Cell(line["other"]),
        Cell(line["invoice_number"]),
        Cell(yuan(line["gross_fen"]), end=True),
        Cell(yuan(line["amount_fen"]), end=True),
    ]


def declared_words(line: Mapping[str, Any]) -> str:
    """What was declared of a line of a redemption form, empty where the paper says nothing."""
    told = [f"{fact_word(path)} ¥{yuan(fen)}" for path, fen in line.get("declared", {}).items()]
    return _("Declared: %(facts)s") % {"facts": several(told)} if told else ""


def publicity_words(line: Mapping[str, Any]) -> str:
    """The days of publicity of a line of a payment list and their outcome, empty where the paper says none."""
    return public_words(line["publicity"]) if "publicity" in line else ""


def invoice_words(line: Mapping[str, Any]) -> str:
    """Number and day of the VAT invoices behind a line of a payment list, empty where the paper says none."""
    named = "; ".join(f"{each['number']} {each['issued_on']}" for each in line.get("invoices", ()))
    return pgettext("claim line", "VAT invoice %(named)s") % {"named": named} if named else ""


def _surplus_rows(content: Content) -> list[tuple[str, str, str, str]]:
    """Notice, payee, account and amount of what goes back with a payment list."""
    return [
        (each["notice"], each["payee"]["name"], each["payee"]["bank_account_number"], yuan(each["amount_fen"]))
        for each in content.get("surplus", {}).get("lines", ())
    ]


def _identifier(content: Content, draft: bool, signed: Signed | None) -> bytes:
    own = sha256_of(dict(content))
    if draft or signed is not None:
        own = sha256_of({"content": own, "draft": draft, "signed": asdict(signed) if signed is not None else {}})
    return bytes.fromhex(own)[:16]


@cache
def _style() -> str:
    return (_TEMPLATES / "order.css").read_text(encoding="utf-8")
