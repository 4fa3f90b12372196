"""From the frozen content of a statement to its documents: HTML and PDF, and the workbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from billing import wording
from billing.ledger.rules.money import yuan
from billing.settlement.apart import Limits, html_to_pdf_apart
from billing.settlement.captions import CHINESE, Caption, captions
from billing.settlement.pdf import html_to_pdf
from billing.settlement.rules.statement import SEALS, SIGNATURES, fingerprint
from billing.settlement.xlsx import Sheet, Value, workbook

FONT_FOLDER = Path(settings.BASE_DIR) / "frontend" / "dist" / "fonts"
_SECONDS, _SECONDS_PER_LINE = 60, 0.06
_MEMORY, _MEMORY_PER_LINE = 1_500_000_000, 2_000_000
_TEMPLATES = Path(__file__).parents[1] / "templates" / "billing"
Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """``under`` is a second, smaller line; ``end`` aligns figures."""

    text: str
    under: str = ""
    end: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    caption: Caption
    width: str
    end: bool = False


def render_pdf(content: Content) -> bytes:
    """The PDF of a content, made in this process. The same content gives the same bytes."""
    return html_to_pdf(render_html(content), FONT_FOLDER, _identifier(content))


def render_pdf_apart(content: Content) -> bytes:
    """The same bytes as ``render_pdf``, from a process with limits. Raises ``apart.TooSlow``, ``apart.Crashed``."""
    return html_to_pdf_apart(render_html(content), FONT_FOLDER, _identifier(content), limits(len(content["lines"])))


def limits(lines: int) -> Limits:
    """Time and memory that a statement of so many lines may take."""
    return Limits(_SECONDS + int(lines * _SECONDS_PER_LINE), _MEMORY + lines * _MEMORY_PER_LINE)


def _identifier(content: Content) -> bytes:
    return bytes.fromhex(fingerprint(dict(content)))[:16]


def render_html(content: Content) -> str:
    """The HTML of the PDF: no script, no address outside, every text escaped."""
    words = captions()
    with translation.override(CHINESE):
        return render_to_string(
            "billing/statement.html",
            {
                "c": content,
                "w": words,
                "style": _style(),
                "hash": fingerprint(dict(content)),
                "programme": content["programme"]["name"],
                "mode": wording.mode_word(content["programme"]["mode"]),
                "code_caption": words["code" if content["payee"]["scheme"] in ("uscc", "") else "other_code"],
                "made_on": content["made_at"][:10],
                "total": yuan(content["totals"]["awarded_fen"]),
                "split": [(wording.payer_word(each["payer"]), yuan(each["amount_fen"])) for each in content["totals"]["payers"]],
                "columns": _columns(content, words),
                "rows": [_cells(line, content, words) for line in content["lines"]],
                "totals": _total_cells(content),
                "signatures": [(words[role], content["signatures"][role]) for role in SIGNATURES],
                "seals": [words[seal] for seal in SEALS],
                "zones": ", ".join(sorted({line["zone"] for line in content["lines"]})),
            },
        )


@cache
def _style() -> str:
    return (_TEMPLATES / "statement.css").read_text(encoding="utf-8")


def _other_party(content: Content) -> str:
    """Which party of a line is not the payee of the whole statement."""
    return "customer" if content["programme"]["mode"] == "deducted_now" else "owner"


def _columns(content: Content, words: Mapping[str, Caption]) -> list[Column]:
    """The table's columns with their shares of the width."""
    payers = [Caption(wording.payer_word(each["payer"]), "") for each in content["totals"]["payers"]]
    plan: list[tuple[Caption, int, bool]] = [
        (words["position"], 8, False),
        (words["session"], 24, False),
        (words["time"], 25, False),
        (words["instrument"], 38, False),
        (words[_other_party(content)], 38, False),
        (words["hours"], 12, True),
        (words["price"], 18, True),
        (words["gross"], 20, True),
        (words["rate"], 26, False),
        (words["computed"], 20, True),
        (words["awarded"], 20, True),
        *((payer, 18, True) for payer in payers),
    ]
    whole = sum(width for _, width, _ in plan)
    return [Column(caption, f"{width * 100 / whole:.3f}%", end) for caption, width, end in plan]


def _cells(line: Mapping[str, Any], content: Content, words: Mapping[str, Caption]) -> list[Cell]:
    party = line[_other_party(content)]
    starts, ends = datetime.fromisoformat(line["starts_at"]), datetime.fromisoformat(line["ends_at"])
    same_day = starts.date() == ends.date()
    cuts = wording.several(_cut_words(line))
    return [
        Cell(str(line["position"])),
        Cell(line["reservation"]["reference"], wording.service_way_word(line["service_way"])),
        Cell(f"{starts:%Y-%m-%d}", f"{starts:%H:%M}–{ends:%H:%M}" if same_day else f"{starts:%H:%M}–{ends:%m-%d %H:%M}"),
        Cell(line["instrument"]["name"], line["instrument"]["inner_id"]),
        Cell(party["name"], party["code"]),
        Cell(line["hours"], end=True),
        Cell(*_price(line), end=True),
        Cell(yuan(line["gross_fen"]), _excluded(line, words), end=True),
        Cell(_rate(line), _grounds(line, words)),
        Cell(yuan(line["computed_fen"]), end=True),
        Cell(yuan(line["awarded_fen"]), f"{words['cut'].zh}: {cuts}" if cuts else "", end=True),
        *(Cell(yuan(each["amount_fen"]), end=True) for each in line["payers"]),
    ]


def _total_cells(content: Content) -> list[Cell]:
    """The cells of the last row, from the hours on."""
    totals = content["totals"]
    return [
        Cell(totals["hours"], end=True),
        Cell(""),
        Cell(yuan(totals["gross_fen"]), end=True),
        Cell(""),
        Cell(yuan(totals["computed_fen"]), end=True),
        Cell(yuan(totals["awarded_fen"]), end=True),
        *(Cell(yuan(each["amount_fen"]), end=True) for each in totals["payers"]),
    ]


def _price(line: Mapping[str, Any]) -> tuple[str, str]:
    """The first price per hour and, under it, the others."""
    rates = list(dict.fromkeys(wording.hourly(price["yuan_per_hour"])[1:] for price in line["prices"] if price["yuan_per_hour"]))
    return (rates[0], wording.several(rates[1:])) if rates else ("", "")


def _excluded(line: Mapping[str, Any], words: Mapping[str, Caption]) -> str:
    amount = sum(part["amount_fen"] for part in line["excluded"])
    return f"{words['excluded'].zh} {yuan(amount)}" if amount else ""


def _rate(line: Mapping[str, Any]) -> str:
    """The rates, factor and bonus as they were applied: ``50% + 40% × 0.9 + 1,000.00``."""
    tiers = line["rates"]
    text = " + ".join(f"{wording.percent(tier['rate'])}" for tier in tiers)
    for each in line["adjustments"]:
        if each["kind"] == "quality" and Decimal(each["factor"]) != 1:
            text = f"({text})" if len(tiers) > 1 else text
            text += f" × {wording.factor_text(each['factor'])}"
        elif each["kind"] == "first_use":
            text += f" + {yuan(each['amount_fen'])}"
        elif each["kind"] == "asked_less":
            text += f" ≤ {yuan(each['amount_fen'])}"
    return text


def _grounds(line: Mapping[str, Any], words: Mapping[str, Caption]) -> str:
    """The clauses, and the quality grade when one counted."""
    text = "§ " + " ".join(line["clauses"])
    grade = line["grade"]
    if grade is None:
        return text
    assumed = f" ({words['assumed'].zh})" if grade["assumed"] else ""
    return f"{text} · {words['grade'].zh} {grade['grade']}{assumed}"


def _cut_words(line: Mapping[str, Any]) -> list[str]:
    return [wording.cap_word(cut["per"], cut["payer"]) for cut in line["cuts"]]


def render_xlsx(content: Content) -> bytes:
    """The workbook of a content: lines with typed values, the clauses, and what the file is. The same content gives the same bytes."""
    words = captions()
    with translation.override(CHINESE):
        sheets = [_lines_sheet(content, words), _policy_sheet(content, words), _about_sheet(content, words)]
        title = f"{words['title'].zh} {content['number']}"
    made_at = datetime.fromisoformat(content["made_at"])
    return workbook(sheets, title=title, creator=content["office"]["name"], made_at=made_at)


def _amount(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _lines_sheet(content: Content, words: Mapping[str, Caption]) -> Sheet:
    payers = content["totals"]["payers"]
    names = [
        *("position", "session", "starts", "ends", "zone", "instrument", "inner_id", "owner", "customer", "service_way", "hours"),
        *("price", "gross", "excluded", "eligible", "rate", "clauses", "computed", "cut", "awarded"),
    ]
    head = [words[name].line for name in names] + [wording.payer_word(each["payer"]) for each in payers]
    widths = [6, 15, 17, 17, 15, 30, 18, 28, 28, 12, 9, 12, 14, 12, 14, 20, 14, 14, 22, 14] + [14] * len(payers)
    totals = content["totals"]
    total: list[Value] = [words["total"].line, *[None] * 9, Decimal(totals["hours"]), None]
    total += [_amount(totals["gross_fen"]), _amount(totals["excluded_fen"]), _amount(totals["eligible_fen"]), None, None]
    total += [_amount(totals["computed_fen"]), None, _amount(totals["awarded_fen"])]
    total += [_amount(each["amount_fen"]) for each in payers]
    programme, payee = content["programme"], content["payee"]
    above: list[list[Value]] = [
        [words["title"].line],
        [words["number"].line, content["number"]],
        [words["period"].line, f"{content['period']['first_day']} – {content['period']['last_day']}"],
        [words["programme"].line, f"{programme['code']} {programme['version']} {wording.document_text(programme['name'])}"],
        [words["payee"].line, payee["name"], payee["code"]],
        [words["total_capitals"].line, totals["capitals"]],
        [],
    ]
    return Sheet(words["sheet_lines"].zh, head, [_values(line) for line in content["lines"]], widths, total, above)


def _values(line: Mapping[str, Any]) -> list[Value]:
    starts, ends = (datetime.fromisoformat(line[name]).replace(tzinfo=None) for name in ("starts_at", "ends_at"))
    first, others = _price(line)
    return [
        line["position"],
        line["reservation"]["reference"],
        starts,
        ends,
        line["zone"],
        line["instrument"]["name"],
        line["instrument"]["inner_id"],
        line["owner"]["name"],
        line["customer"]["name"],
        wording.service_way_word(line["service_way"]),
        Decimal(line["hours"]),
        Decimal(first.replace(",", "")) if first and not others else f"{first} {others}".strip(),
        _amount(line["gross_fen"]),
        _amount(sum(part["amount_fen"] for part in line["excluded"])),
        _amount(line["eligible_fen"]),
        _rate(line),
        wording.several(line["clauses"]),
        _amount(line["computed_fen"]),
        wording.several(_cut_words(line)),
        _amount(line["awarded_fen"]),
        *(_amount(each["amount_fen"]) for each in line["payers"]),
    ]


def _policy_sheet(content: Content, words: Mapping[str, Caption]) -> Sheet:
    head = [words["clauses"].line, words["clause_text"].line, words["clause_text_en"].line]
    rows = [[clause["id"], clause["zh"], clause["en"]] for clause in content["clauses"]]
    return Sheet(words["sheet_policy"].zh, head, rows, [12, 80, 80])


def _about_sheet(content: Content, words: Mapping[str, Caption]) -> Sheet:
    payee, totals = content["payee"], content["totals"]
    rows: list[list[Value]] = [
        [words["number"].line, content["number"]],
        [words["made_on"].line, date.fromisoformat(content["made_at"][:10])],
        [words["office"].line, content["office"]["name"]],
        [words["issuer"].line, wording.document_text(content["programme"]["issuer"])],
        [words["payee"].line, payee["name"]],
        [words["code"].line, payee["code"]],
        [words["bank"].line, payee["bank_name"]],
        [words["account_name"].line, payee["bank_account_name"]],
        [words["account_number"].line, payee["bank_account_number"]],
        [words["lines"].line, totals["lines"]],
        [words["total_figures"].line, _amount(totals["awarded_fen"])],
        [words["total_capitals"].line, totals["capitals"]],
        [words["maker"].line, content["signatures"]["maker"]],
        [words["content_hash"].line, fingerprint(dict(content))],
    ]
    return Sheet(words["sheet_about"].zh, [words["field"].line, words["value"].line], rows, [28, 80])
