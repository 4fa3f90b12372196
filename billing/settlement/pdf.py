"""The PDF of a statement, from its frozen content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from billing import wording
from billing.ledger.rules.money import yuan
from billing.papers.codes import check_mark
from billing.settlement import further, lines
from billing.settlement.apart import Limits, html_to_pdf_apart
from billing.settlement.captions import CHINESE, Caption, captions
from billing.settlement.rules.statement import SEALS, SIGNATURES, fingerprint

FONT_FOLDER = Path(settings.BASE_DIR) / "frontend" / "dist" / "fonts"
_SECONDS, _SECONDS_PER_LINE = 120, 0.12
_MEMORY, _MEMORY_PER_LINE = 1_500_000_000, 2_000_000
_TEMPLATES = Path(__file__).parents[1] / "templates" / "billing"
Content = Mapping[str, Any]
Fact = tuple[Caption, str]
ANNEX = ("bill", "paid", "invoice", "receipts", "other_papers")
TAKEN_BACK = ("of_statement", "session", "on", "cause", "by_paper", "amount")


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
    from billing.settlement.typeset import html_to_pdf  # only here: WeasyPrint takes most of a second to load

    return html_to_pdf(render_html(content), FONT_FOLDER, _identifier(content))


def render_pdf_apart(content: Content) -> bytes:
    """The same bytes as ``render_pdf``, from a process with limits. Raises ``apart.TooSlow``, ``apart.Crashed``."""
    return html_to_pdf_apart(render_html(content), FONT_FOLDER, _identifier(content), limits(len(content["lines"])))


def limits(line_count: int) -> Limits:
    """Time and memory that a statement of so many lines may take, with room for a busy machine."""
    return Limits(_SECONDS + int(line_count * _SECONDS_PER_LINE), _MEMORY + line_count * _MEMORY_PER_LINE)


def _identifier(content: Content) -> bytes:
    return bytes.fromhex(fingerprint(dict(content)))[:16]


def render_html(content: Content, *, draft: bool = False) -> str:
    """The HTML of the PDF: no script, no address outside, every text escaped. A ``draft`` has no number and says so across the page."""
    words = captions()
    with translation.override(CHINESE):
        return render_to_string(
            "billing/statement.html",
            {
                "c": content,
                "w": words,
                "draft": draft,
                "style": style(),
                "hash": fingerprint(dict(content)),
                "check": check_mark(content),
                "programme": content["programme"]["name"],
                "mode": wording.mode_word(content["programme"]["mode"]),
                "code_caption": words["code" if content["payee"]["scheme"] in ("uscc", "") else "other_code"],
                "made_on": content["made_at"][:10],
                "further": _pairs(further.facts(content, words)),
                "total": yuan(content["totals"]["awarded_fen"]),
                "split": [(wording.payer_word(each["payer"]), yuan(each["amount_fen"])) for each in content["totals"]["payers"]],
                "columns": _columns(content, words),
                "rows": [_cells(line, content, words) for line in content["lines"]],
                "totals": _total_cells(content),
                "annexes": annex_rows(content),
                "annex_columns": [words[name] for name in ("position", *ANNEX)],
                "taken_back": [(*texts, yuan(fen)) for *texts, fen in taken_back_rows(content)],
                "taken_back_columns": [words[name] for name in TAKEN_BACK],
                "signatures": [(words[role], content["signatures"][role]) for role in SIGNATURES],
                "seals": [words[seal] for seal in SEALS],
                "zones": ", ".join(sorted({line["zone"] for line in content["lines"]})),
            },
        )


@cache
def style(*more: str) -> str:
    """The style sheet of papers with figures, our fonts included, and ``more`` sheets behind it."""
    return "\n".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("statement.css", *more))


def _pairs(facts: Sequence[Fact]) -> list[Sequence[Fact]]:
    """Two beside each other."""
    return [facts[place : place + 2] for place in range(0, len(facts), 2)]


def annex_rows(content: Content) -> list[tuple[str, ...]]:
    """The papers behind each line that has some, after its place."""
    found = [(str(line["position"]), lines.annex(line, hashes=further.says(content))) for line in content["lines"]]
    return [(place, *papers) for place, papers in found if papers is not None]


def taken_back_rows(content: Content) -> list[tuple[str, str, str, str, str, int]]:
    """What was taken back of earlier statements, as ``TAKEN_BACK`` names it; the amount last (fen)."""
    return [
        (
            f"{each['statement']} / {each['position']}",
            each["reference"],
            each["on"],
            wording.reversal_cause_word(each["cause"]),
            "; ".join(each["papers"]),
            each["amount_fen"],
        )
        for each in content.get("taken_back", ())
    ]


def _other_party(content: Content) -> str:
    """Which party of a line is not the payee of the whole statement."""
    return "owner" if content["programme"]["mode"] == "refunded_later" else "customer"


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
        (words["eligible"], 22, True),
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
    return [
        Cell(str(line["position"])),
        Cell(line["reservation"]["reference"], lines.way(line)),
        Cell(f"{starts:%Y-%m-%d}", f"{starts:%H:%M}–{ends:%H:%M}" if same_day else f"{starts:%H:%M}–{ends:%m-%d %H:%M}"),
        Cell(line["instrument"]["name"], line["instrument"]["inner_id"]),
        Cell(party["name"], party["code"]),
        Cell(lines.measured(line), end=True),
        Cell(*lines.price(line), end=True),
        Cell(yuan(line["gross_fen"]), end=True),
        Cell(yuan(line["eligible_fen"]), lines.excluded(line, words), end=True),
        Cell(lines.rate(line), lines.grounds(line, words)),
        Cell(yuan(line["computed_fen"]), end=True),
        Cell(yuan(line["awarded_fen"]), _under_award(line, words), end=True),
        *(Cell(yuan(each["amount_fen"]), end=True) for each in line["payers"]),
    ]


def _under_award(line: Mapping[str, Any], words: Mapping[str, Caption]) -> str:
    """Which limits cut the amount, and what went back with a credit note."""
    cuts = wording.several(lines.cut_words(line))
    notes = [f"{words['cut'].zh}: {cuts}"] if cuts else []
    notes += [f"{words['credited'].zh}: {yuan(line['credited_fen'])}"] if line.get("credited_fen") else []
    return " ".join(notes)


def _total_cells(content: Content) -> list[Cell]:
    """The cells of the last row, from the hours on."""
    totals = content["totals"]
    return [
        Cell(totals["hours"], end=True),
        Cell(""),
        Cell(yuan(totals["gross_fen"]), end=True),
        Cell(yuan(totals["eligible_fen"]), end=True),
        Cell(""),
        Cell(yuan(totals["computed_fen"]), end=True),
        Cell(yuan(totals["awarded_fen"]), end=True),
        *(Cell(yuan(each["amount_fen"]), end=True) for each in totals["payers"]),
    ]
