"""Every paper that billing makes, of both sides of the world, in every form that is handed out: nothing of one side stands in the other's,
and what people typed stays text: no tag, no formula, nothing that turns the direction of an amount.

The papers are those of the registry (``billing.papers.kinds``): a new kind fails here until its forms are listed.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from billing.bills import pdf as bill_pages
from billing.bills import sheets as bill_sheets
from billing.claims import pdf as claim_pages
from billing.claims import sheets as claim_sheets
from billing.invoices import sheets as invoice_sheets
from billing.invoices.rules.batch_rows import BatchRow, Part
from billing.month.rules.came_of import CameOf
from billing.month.sheets import statements_csv
from billing.ordering import pdf as order_pages
from billing.papers.codes import KEY
from billing.papers.kinds import kinds
from billing.receipts import rendering as receipts
from billing.settlement import pdf as statement_pages
from billing.settlement import service_records, typeset
from billing.settlement import sheets as statement_sheets
from billing.settlement.exports import DATA_KINDS, export
from billing.settlement.slip_csv import slips_csv
from billing.settlement.xlsx import Sheet
from frontend.presenters import ledger, sandbox
from tests.access.world import World

pytestmark = pytest.mark.django_db

Content = dict[str, Any]
TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
HOSTILE = (
    "=cmd()|' /C calc'!A0\u202e00.21\u2066<script>alert(1)</script><img src=\"file:///etc/passwd\"><style>@import"
    " url(http://127.0.0.1:9/x);</style>\"' onload=x {{ 7|add:7 }}"
)
#: What the platform writes itself: figures, days and instants, codes, zones.
OUR_OWN = re.compile(r"[-+\d.:TZ]+|[a-z][a-z0-9_]*|[A-Z]\w+/\w+")


@dataclass(frozen=True)
class Forms:
    """How a kind of paper is had beside JSON: ``page`` is the HTML of its PDF, ``lines`` its CSV, ``book`` its workbook; the last two are
    None where it has none. ``world``: what the world calls its objects."""

    world: str
    page: Callable[[Content], str]
    lines: Callable[[Content], Sheet] | None = None
    book: Callable[[Content], bytes] | None = None


def _claim(world: str) -> Forms:
    return Forms(world, claim_pages.render_html, claim_sheets.lines_sheet, claim_sheets.render_xlsx)


FORMS = {
    "account_statement": Forms("account_statement", receipts.render_html, receipts.lines_sheet, receipts.render_xlsx),
    "bill": Forms("bill", bill_pages.render_html, bill_sheets.lines_sheet, bill_sheets.render_xlsx),
    "clawback_notice": _claim("clawback"),
    "commission": Forms("commission:signed", order_pages.render_html),
    "credit_note": Forms("credit_note", bill_pages.render_html, bill_sheets.lines_sheet, bill_sheets.render_xlsx),
    "payment_list": _claim("payout_list"),
    "quotation": Forms("quotation", order_pages.render_html),
    "receipt": Forms("receipt", receipts.render_html, receipts.lines_sheet, receipts.render_xlsx),
    "redemption_form": _claim("claim_form"),
    "statement": Forms("statement", statement_pages.render_html, statement_sheets.lines_sheet, statement_sheets.render_xlsx),
}


def test_every_kind_of_paper_is_looked_at() -> None:
    assert set(FORMS) == set(kinds())
    for name, forms in FORMS.items():
        assert (forms.book is not None) == ("xlsx" in kinds()[name].files), name


def content_of(world: World, name: str, side: int) -> Content:
    """The frozen content of the paper of a kind on one side."""
    content: Content = kinds()[name].rows().get(pk=world.objects[FORMS[name].world][side]).content
    return content


def files_of(name: str, content: Content) -> dict[str, bytes]:
    """The paper in every form but PDF."""
    forms = FORMS[name]
    found = {"page": forms.page(content).encode()}
    for kind in DATA_KINDS:
        if kind != "csv" or forms.lines is not None:
            found[kind] = export("1", content, forms.lines or _none, forms.page, kind)[1]
    if forms.book is not None:
        found["xlsx"] = forms.book(content)
    return found


def _none(content: Content) -> Sheet:
    raise AssertionError("this kind has no table")


def cells_of(book: bytes) -> list[Any]:
    return [cell for sheet in load_workbook(io.BytesIO(book)).worksheets for row in sheet.iter_rows() for cell in row]


def text_of(kind: str, body: bytes) -> str:
    return "\n".join(str(cell.value) for cell in cells_of(body)) if kind == "xlsx" else body.decode()


def canaries(world: World) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands on the papers of one side only."""
    cast = world.cast
    return ("kx5", cast.firm.name, cast.lab.name), ("qz7", cast.other_firm.name, world.other_lab.name)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_nothing_of_one_side_stands_in_the_papers_of_the_other(world: World, name: str) -> None:
    marks = canaries(world)
    for side in (0, 1):
        for kind, body in files_of(name, content_of(world, name, side)).items():
            said = text_of(kind, body)
            assert [mark for mark in marks[1 - side] if mark in said] == [], (kind, side)
            if kind == "json":
                assert any(mark in said for mark in marks[side]), "no canary of its own: the test would see nothing"


def hostile(node: Any, counted: Iterator[int] | None = None) -> Any:
    """A content with ``HOSTILE`` (and a number, so that what differed differs still) in place of every text that is not the platform's
    own; its code, which is drawn, stays."""
    counted = counted or count()
    if isinstance(node, dict):
        return {name: value if name == KEY else hostile(value, counted) for name, value in node.items()}
    if isinstance(node, list):
        return [hostile(each, counted) for each in node]
    return f"{HOSTILE} {next(counted)}" if isinstance(node, str) and node and not OUR_OWN.fullmatch(node) else node


class _Shape(HTMLParser):
    """The tags of a page with the names of their attributes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(sorted(name for name, _value in attrs))))


def shape(page: str) -> list[tuple[str, tuple[str, ...]]]:
    parser = _Shape()
    parser.feed(page)
    return parser.tags


_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def risky_cells(table: bytes) -> list[str]:
    """Cells of a CSV that a spreadsheet program could run, or that turn the direction of what follows."""
    found: list[str] = []
    for row in csv.reader(io.StringIO(table.decode("utf-8-sig"))):
        found += [
            cell for cell in row if (cell.startswith(tuple("=+-@\t\r")) and not _NUMBER.fullmatch(cell)) or TURNS.search(cell)
        ]
    return found


def formulas(book: bytes) -> list[str]:
    """What of a workbook is a formula, or turns the direction of what follows."""
    found = [str(cell.value) for cell in cells_of(book) if cell.data_type == "f" or TURNS.search(str(cell.value or ""))]
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return found + [name for name in archive.namelist() if b"<f>" in archive.read(name)]


@pytest.mark.parametrize("name", sorted(FORMS))
def test_what_people_typed_stays_text_in_every_form(world: World, name: str) -> None:
    plain = content_of(world, name, 0)
    typed, before = hostile(plain), files_of(name, plain)
    found = files_of(name, typed)
    for kind in ("page", "html"):
        page = found[kind].decode()
        assert shape(page) == shape(before[kind].decode()), kind
        assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page and "{{ 7|add:7 }}" in page
    assert TURNS.search(found["html"].decode()) is None
    assert json.loads(found["json"]) == typed
    if "csv" in found:
        assert risky_cells(found["csv"]) == [] and b"'=cmd()" in found["csv"]
    if "xlsx" in found:
        assert formulas(found["xlsx"]) == []
        assert any(str(cell.value).startswith("=cmd()") and cell.data_type == "s" for cell in cells_of(found["xlsx"]))


@pytest.mark.proof
@pytest.mark.parametrize("name", sorted(FORMS))
def test_the_pdf_prints_it_as_text_and_names_nobody_else(
    world: World, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetchers: list[Any] = []

    class Watched(typeset.OnlyFonts):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            fetchers.append(self)

    monkeypatch.setattr(typeset, "OnlyFonts", Watched)
    marks = canaries(world)
    for side in (0, 1):
        content = content_of(world, name, side)
        text = _printed(FORMS[name].page(content), tmp_path)
        assert [mark for mark in marks[1 - side] if mark in text] == [] and any(mark in text for mark in marks[side])
    text = "".join(_printed(FORMS[name].page(hostile(content)), tmp_path).split())
    assert "<script>alert(1)</script>" in text and "{{7|add:7}}" in text and "root:x:0" not in text
    assert TURNS.search(text) is None
    assert len(fetchers) == 3 and [each.refused for each in fetchers] == [[], [], []]


def _printed(page: str, tmp_path: Path) -> str:
    """What pdftotext reads of the PDF of a page."""
    path = tmp_path / "paper.pdf"
    path.write_bytes(typeset.html_to_pdf(page, statement_pages.FONT_FOLDER, b"x" * 16))
    return subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout.decode()


# --- Other files of money ---------------------------------------------------------------------------------------------
_MAKES = re.compile(
    r"\bcsv\.writer\(|(?<!def )\bworkbook\(|\bZipFile\(|(?<!def )\bhtml_to_pdf(?:_apart)?\(|(?<!def )\bhtml_twin\("
)
#: Where billing and its pages make a file for people -> the test that looks at its hostile texts.
MAKERS = {
    "billing/bills/pdf.py": "tests/access/test_papers.py",
    "billing/bills/sheets.py": "tests/access/test_papers.py",
    "billing/claims/pdf.py": "tests/access/test_papers.py",
    "billing/claims/sheets.py": "tests/access/test_papers.py",
    "billing/invoices/sheets.py": "tests/access/test_papers.py",
    "billing/month/rules/archive.py": "tests/billing/month/test_rules.py",  # of files that are looked at here
    "billing/ordering/pdf.py": "tests/access/test_papers.py",
    "billing/receipts/rendering.py": "tests/access/test_papers.py",
    "billing/settlement/apart.py": "tests/billing/settlement/test_documents.py",
    "billing/settlement/exports.py": "tests/access/test_papers.py",
    "billing/settlement/pdf.py": "tests/access/test_papers.py",
    "billing/month/sheets.py": "tests/access/test_papers.py",
    "billing/settlement/service_records.py": "tests/access/test_papers.py",
    "billing/settlement/sheets.py": "tests/access/test_papers.py",
    "billing/settlement/slip_csv.py": "tests/access/test_papers.py",
    "billing/settlement/xlsx.py": "tests/billing/settlement/test_documents.py",
    "frontend/presenters/ledger.py": "tests/access/test_papers.py",
    "frontend/presenters/sandbox.py": "tests/access/test_papers.py",
    "frontend/views/month_runs.py": "tests/access/test_papers.py",
    "frontend/views/quote_pdf.py": "tests/frontend/bookings/test_quote_pdf.py",
}
#: Files about instruments and their use, none of money; and the empty page with which processes start warm.
NOT_OF_MONEY = frozenset(
    {
        "billing/settlement/warm.py",
        "frontend/presenters/use_csv.py",
        "frontend/views/closure_imports.py",
        "frontend/views/imports.py",
    }
)


def makers() -> Iterator[str]:
    root = Path(__file__).parents[2]
    for app in ("billing", "frontend"):
        for path in sorted((root / app).rglob("*.py")):
            if "migrations" not in path.parts and _MAKES.search(path.read_text(encoding="utf-8")):
                yield path.relative_to(root).as_posix()


def test_whoever_makes_a_file_is_looked_at() -> None:
    root = Path(__file__).parents[2]
    assert set(makers()) - NOT_OF_MONEY == set(MAKERS)
    asked = {maker: (root / test).read_text(encoding="utf-8") for maker, test in MAKERS.items()}
    assert [maker for maker, text in asked.items() if not _is_taken_in(maker, text)] == []


def _is_taken_in(maker: str, test: str) -> bool:
    """Whether the test takes in the module of that path; views are asked by their address."""
    place, _, name = maker.removesuffix(".py").replace("/", ".").rpartition(".")
    taken = rf"from {place}\.{name} import |from {place} import [^\n]*\b{name}\b|from {place} import \([^)]*\b{name}\b"
    return place == "frontend.views" or re.search(taken, test) is not None


def test_tables_beside_the_papers_begin_no_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part("", None, None, -1)
    asked = BatchRow(HOSTILE, HOSTILE, HOSTILE, HOSTILE, "special", HOSTILE, part, note=HOSTILE, blue=HOSTILE)
    record = dict.fromkeys(range(3), HOSTILE)
    table = sandbox.Table("x", HOSTILE, [HOSTILE], [[sandbox.Cell("text", HOSTILE)]])
    monkeypatch.setattr(ledger, "COLUMNS", {"text": lambda line: HOSTILE})
    monkeypatch.setattr(ledger, "lines", lambda entries, codes: [None])
    booked = "".join(ledger.entries_csv([], ["text"])).encode()
    said = {
        "group": HOSTILE, "card": {"number": HOSTILE}, "person": HOSTILE, "instrument": {"name": HOSTILE}, "reference": HOSTILE,
        "starts_at": HOSTILE, "ends_at": HOSTILE, "lines": [], "cause": "",
    }  # fmt: skip
    slip: Any = SimpleNamespace(
        number=HOSTILE, issued_at=datetime.now(UTC), content=said, total_fen=-1, covered_fen=0, open_fen=-1
    )
    slips = slips_csv([slip], ZoneInfo("Asia/Shanghai"))
    code = SimpleNamespace(programme=SimpleNamespace(code=HOSTILE))
    payee = SimpleNamespace(name=HOSTILE)
    stated: Any = SimpleNamespace(pk=1, number=HOSTILE, period_on=date(2026, 11, 1), payee=payee, programme_version=code)
    statements = statements_csv([stated], {1: CameOf(-1)})
    tables = (
        invoice_sheets.requests_csv([asked]),
        service_records.as_csv([record]),
        sandbox.csv_file(table),
        booked,
        slips,
        statements,
    )
    for made in tables:
        assert risky_cells(made) == [] and b"'=cmd()" in made


def test_the_looks_would_see_what_they_look_for() -> None:
    """The control: what an unescaped text, an open cell and a formula would do."""
    assert shape(f"<p>{HOSTILE}</p>") != shape("<p>x</p>")
    assert (
        risky_cells(f"a,=cmd(),{HOSTILE[:5]}\u202e\n".encode("utf-8-sig"))
        != []
        == risky_cells("a,-1.50,'=x\n".encode("utf-8-sig"))
    )
    from openpyxl import Workbook

    book, out = Workbook(), io.BytesIO()
    book.active["A1"] = "=cmd()"
    book.save(out)
    assert formulas(out.getvalue()) != []
