"""The workbook of a statement, from its frozen content."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import translation

from billing import wording
from billing.settlement import further, lines
from billing.settlement.captions import CHINESE, Caption, captions
from billing.settlement.pdf import ANNEX, TAKEN_BACK, annex_rows, taken_back_rows
from billing.settlement.rules.statement import fingerprint
from billing.settlement.xlsx import Sheet, Value, workbook

Content = Mapping[str, Any]


def render_xlsx(content: Content) -> bytes:
    """The workbook of a content: lines with typed values, the clauses, and what the file is. The same content gives the same bytes."""
    words = captions()
    with translation.override(CHINESE):
        sheets = [
            _lines_sheet(content, words),
            _policy_sheet(content, words),
            *_annex_sheets(content, words),
            *_taken_back_sheets(content, words),
            _about_sheet(content, words),
        ]
        title = f"{words['title'].zh} {content['number']}"
    made_at = datetime.fromisoformat(content["made_at"])
    return workbook(sheets, title=title, creator=content["office"]["name"], made_at=made_at)


def _amount(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2)


def _lines_sheet(content: Content, words: Mapping[str, Caption]) -> Sheet:
    payers = content["totals"]["payers"]
    names = [
        *("position", "session", "starts", "ends", "zone", "instrument", "inner_id", "owner", "customer", "service_way", "hours"),
        *("price", "gross", "excluded", "excluded_why", "eligible", "rate", "clauses", "computed", "cut", "awarded"),
    ]
    head = [words[name].line for name in names] + [wording.payer_word(each["payer"]) for each in payers]
    widths = [6, 15, 17, 17, 15, 30, 18, 28, 28, 12, 9, 12, 14, 12, 28, 14, 20, 14, 14, 22, 14] + [14] * len(payers)
    totals = content["totals"]
    total: list[Value] = [words["total"].line, *[None] * 9, Decimal(totals["hours"]), None]
    total += [_amount(totals["gross_fen"]), _amount(totals["excluded_fen"]), None, _amount(totals["eligible_fen"]), None, None]
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


def lines_sheet(content: Content) -> Sheet:
    """The lines of a statement as a table, in Chinese."""
    with translation.override(CHINESE):
        return _lines_sheet(content, captions())


def _values(line: Mapping[str, Any]) -> list[Value]:
    starts, ends = (datetime.fromisoformat(line[name]).replace(tzinfo=None) for name in ("starts_at", "ends_at"))
    first, others = lines.price(line)
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
        lines.measured(line) if "samples" in line else Decimal(line["hours"]),
        Decimal(first.replace(",", "")) if first and not others else f"{first} {others}".strip(),
        _amount(line["gross_fen"]),
        _amount(sum(part["amount_fen"] for part in line["excluded"])),
        lines.excluded_why(line),
        _amount(line["eligible_fen"]),
        lines.rate(line),
        wording.several(line["clauses"]),
        _amount(line["computed_fen"]),
        wording.several(lines.cut_words(line)),
        _amount(line["awarded_fen"]),
        *(_amount(each["amount_fen"]) for each in line["payers"]),
    ]


def _policy_sheet(content: Content, words: Mapping[str, Caption]) -> Sheet:
    head = [words["clauses"].line, words["clause_text"].line, words["clause_text_en"].line]
    rows = [[clause["id"], clause["zh"], clause["en"]] for clause in content["clauses"]]
    return Sheet(words["sheet_policy"].zh, head, rows, [12, 80, 80])


def _annex_sheets(content: Content, words: Mapping[str, Caption]) -> list[Sheet]:
    """The papers behind the lines, where there are any."""
    rows: list[list[Value]] = [[int(place), *papers] for place, *papers in annex_rows(content)]
    head = [words[name].line for name in ("position", *ANNEX)]
    return [Sheet(words["sheet_annexes"].zh, head, rows, [6, 24, 22, 36, 30, 60])] if rows else []


def _taken_back_sheets(content: Content, words: Mapping[str, Caption]) -> list[Sheet]:
    """What was taken back of earlier statements, where something was."""
    rows: list[list[Value]] = [[*texts, _amount(fen)] for *texts, fen in taken_back_rows(content)]
    head = [words[name].line for name in TAKEN_BACK]
    return [Sheet(words["sheet_taken_back"].zh, head, rows, [26, 18, 12, 18, 32, 14])] if rows else []


def _further(content: Content, words: Mapping[str, Caption]) -> list[list[Value]]:
    """What is said since format 2; before, the budget item where there was one."""
    if further.says(content):
        return [[caption.line, text] for caption, text in further.facts(content, words)]
    item = content["programme"].get("budget_item")
    return [[words["budget_item"].line, wording.document_text(item)]] if item else []


def _about_sheet(content: Content, words: Mapping[str, Caption]) -> Sheet:
    payee, totals = content["payee"], content["totals"]
    rows: list[list[Value]] = [
        [words["number"].line, content["number"]],
        [words["made_on"].line, date.fromisoformat(content["made_at"][:10])],
        *([[words["fund_year"].line, content["fund_year"]]] if "fund_year" in content else []),
        *_further(content, words),
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
        *([[words["reviewer"].line, name]] if (name := content["signatures"]["reviewer"]) else []),
        [words["content_hash"].line, fingerprint(dict(content))],
    ]
    return Sheet(words["sheet_about"].zh, [words["field"].line, words["value"].line], rows, [28, 80])
