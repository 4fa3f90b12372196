"""The PDF and the workbook: what they say, that hostile texts stay texts, that they are always the same bytes."""

from __future__ import annotations

import contextlib
import copy
import io
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pgtrigger
import pytest
from django.conf import settings
from django.utils import translation
from openpyxl import load_workbook

from billing import wording
from billing.ledger.rules.money import yuan
from billing.settlement import apart, lines, pdf, sheets, typeset, xlsx
from billing.settlement.models import RenderState, Statement
from billing.settlement.services import rendering
from config.kernel.errors import Refusal
from config.kernel.services import files
from tests.billing.settlement.conftest import DECEMBER

HOSTILE = (
    '<img src="file:///etc/passwd"><link rel=stylesheet href="http://127.0.0.1:9/x.css"><script>alert(1)</script>'
    "<style>@import url(file:///etc/hostname); body{background:url(http://127.0.0.1:9/b)}</style>"
    '<iframe src="file:///etc/passwd"></iframe><svg><image href="file:///etc/passwd"/></svg>{{ c.number }}{% now "Y" %}'
)
FORMULAS = ["=cmd()", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\uff1dcmd()", "\uff0b1", "\uff0d1", "\uff20x", "%0A", "|x"]


def text_of(content: bytes, tmp_path, *options: str) -> str:
    path = tmp_path / "statement.pdf"
    path.write_bytes(content)
    return subprocess.run(["pdftotext", *options, str(path), "-"], capture_output=True, check=True).stdout.decode()


def info_of(content: bytes, tmp_path) -> str:
    path = tmp_path / "statement.pdf"
    path.write_bytes(content)
    return subprocess.run(["pdfinfo", str(path)], capture_output=True, check=True).stdout.decode()


def inside_of(paper: bytes) -> bytes:
    """All streams of a PDF, unpacked."""
    found = []
    for match in re.finditer(rb"stream\n", paper):
        with contextlib.suppress(zlib.error):
            found.append(zlib.decompressobj().decompress(paper[match.end() :]))
    return b"\n".join([paper, *found])


def with_lines(content, count):
    """The content with its lines repeated to ``count``; totals are not of interest then."""
    lines = [{**content["lines"][place % 2], "position": place + 1} for place in range(count)]
    return {**content, "lines": lines}


def everywhere(content, text):
    """The content with ``text`` in every field that people fill."""
    changed = copy.deepcopy(content)
    for party in (changed["office"], changed["payee"]):
        party["name"] = party["name_en"] = party["code"] = text
    for name in ("bank_name", "bank_account_name", "bank_account_number"):
        changed["payee"][name] = text
    for name in ("name", "issuer", "budget_item"):
        changed["programme"][name] = {"zh": text, "en": text}
    changed["programme"]["code"] = changed["programme"]["version"] = text
    changed["signatures"]["maker"] = text
    for clause in changed["clauses"]:
        clause["zh"] = clause["en"] = clause["id"] = text
    for line in changed["lines"]:
        line["instrument"] = {"name": text, "name_en": text, "inner_id": text}
        for party in (line["owner"], line["customer"]):
            party["name"] = party["name_en"] = party["code"] = text
        line["reservation"]["reference"] = line["service_way"] = text
        line["prices"][0]["band_name"] = {"zh": text, "en": text}
        line["clauses"] = [text]
    return changed


@pytest.fixture
def fetchers(monkeypatch):
    """Every fetcher that is made in this process."""
    made = []

    class Watched(typeset.OnlyFonts):
        def __init__(self, folder):
            super().__init__(folder)
            made.append(self)

    monkeypatch.setattr(typeset, "OnlyFonts", Watched)
    return made


def test_the_pdf_says_number_parties_totals_and_page_of_pages(issue, tmp_path):
    statement = issue()
    text = text_of(pdf.render_pdf(statement.content), tmp_path, "-layout")
    for said in (
        statement.number, "Kunlun Institute", "12630000000000123E", "91630100MA00000151", "DEMO-QH-V", "2026-11-01 – 2026-11-30",
        yuan(statement.total_fen), statement.content["totals"]["capitals"], statement.content_sha256, "Qian", "6222 0000",
        "2060503 科技条件专项",
    ):  # fmt: skip
        assert said in text, said
    assert "1 / 2" in text and "2 / 2" in text
    for line in statement.content["lines"]:
        assert line["reservation"]["reference"] in text and yuan(line["awarded_fen"]) in text
    for clause in statement.content["clauses"]:
        assert clause["zh"][:12] in text


def test_the_pdf_is_tagged_titled_in_chinese_and_carries_its_fonts(issue, tmp_path):
    statement = issue()
    paper = pdf.render_pdf(statement.content)
    told = info_of(paper, tmp_path)
    assert "Tagged:          yes" in told and statement.number in told.splitlines()[0]
    inside = inside_of(paper)
    assert b"/Lang (zh-CN)" in inside and b"pdfuaid" in inside
    fonts = subprocess.run(["pdffonts", str(tmp_path / "statement.pdf")], capture_output=True, check=True).stdout.decode()
    listed = fonts.splitlines()[2:]
    assert {line.split()[0].split("+")[1] for line in listed} == {"Jishi", "Jishi-Bold"}
    assert all(" yes yes yes " in line for line in listed)  # embedded, a subset, with its characters


def test_the_head_of_the_table_and_the_number_are_on_every_page(issue, tmp_path):
    statement = issue()
    text = text_of(pdf.render_pdf(with_lines(statement.content, 60)), tmp_path, "-layout")
    pages = text.split("\f")[:-1]
    assert len(pages) > 3
    for place, page in enumerate(pages, start=1):
        assert statement.number in page and f"{place} / {len(pages)}" in page
    with_rows = [page for page in pages if "R2026-" in page]
    head = pdf.captions()["computed"].zh
    assert len(with_rows) > 2 and all(head in page for page in with_rows)


def test_the_same_content_gives_the_same_bytes_here_and_in_a_process_of_its_own(issue):
    content = issue().content
    first = pdf.render_pdf(content)
    assert first == pdf.render_pdf(content) == pdf.render_pdf_apart(content)
    assert sheets.render_xlsx(content) == sheets.render_xlsx(content)
    other = {**content, "number": "JS-2026-000099"}
    assert pdf.render_pdf(other) != first


def test_hostile_texts_are_printed_and_fetch_nothing(issue, fetchers, tmp_path):
    content = everywhere(issue().content, HOSTILE)
    html = pdf.render_html(content)
    for tag in ("<img", "<link", "<script", "<iframe", "<image"):
        assert tag not in html.replace("&lt;", "")
    assert html.count("<svg") == 1  # the code of the paper, drawn by us
    text = text_of(pdf.render_pdf(content), tmp_path).replace("\n", "")
    assert '<img src="file:///etc/passwd">' in text and '{% now "Y" %}' in text
    assert "root:x:0" not in text
    (fetcher,) = fetchers
    assert fetcher.refused == [] and sorted(fetcher.served) == sorted(typeset.FONT_URLS)


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "http://127.0.0.1:9/", "https://fonts.jishi.invalid/../x", "data:text/css,a{}", "ftp://x/y"]
)
def test_a_document_that_did_fetch_would_be_stopped(fetchers, address):
    """The control: what an unescaped text would do."""
    with pytest.raises(RuntimeError, match="may not fetch"):
        typeset.html_to_pdf(f'<title>x</title><link rel="stylesheet" href="{address}">', pdf.FONT_FOLDER, b"x")
    assert fetchers[0].refused


def test_long_names_emoji_and_tibetan_are_printed(issue, tmp_path):
    name = "\u0f56\u0f7c\u0f51\u0f0b\u0f66\u0f90\u0f51 \U0001f52c " + "Very long name " * 66
    paper = pdf.render_pdf(everywhere(issue().content, name[:1000]))
    assert "Very long name" in text_of(paper, tmp_path)


def rows_of(content: bytes, sheet: int = 0):
    return list(load_workbook(io.BytesIO(content)).worksheets[sheet].iter_rows())


def test_the_workbook_has_typed_values_and_the_same_totals(issue):
    statement = issue()
    rows = rows_of(sheets.render_xlsx(statement.content))
    head = next(place for place, row in enumerate(rows) if sum(cell.value is not None for cell in row) > 15)
    lines, total = rows[head + 1 : head + 3], rows[head + 3]
    first = lines[0]
    assert first[0].value == 1 and first[1].value == statement.content["lines"][0]["reservation"]["reference"]
    assert first[2].value == datetime(2026, 11, 25, 9, 0)
    assert first[2].is_date and first[10].value == 3 and first[11].value == 400
    assert (first[12].value, first[12].number_format) == (1200, "#,##0.00")
    awarded = [row[20].value for row in lines]
    assert [Decimal(str(value)) for value in awarded] == [480, 240]
    assert Decimal(str(total[20].value)) * 100 == statement.total_fen
    assert Decimal(str(total[21].value)) + Decimal(str(total[22].value)) == Decimal(str(total[20].value))


def test_what_is_eligible_has_a_column_and_what_is_left_out_says_why_in_words(issue, tmp_path):
    content = copy.deepcopy(issue().content)
    line = content["lines"][0]
    line["eligible_fen"] = 888_00
    line["excluded"] = [
        {"reason": "minimum_charge", "amount_fen": 200_00, "clause": "5"},
        {"reason": "agreed_beyond", "amount_fen": 112_00, "clause": ""},
    ]
    text = text_of(pdf.render_pdf(content), tmp_path, "-raw").replace("\n", "")
    with translation.override("zh-hans"):
        minimum, beyond = wording.excluded_word("minimum_charge"), wording.excluded_word("agreed_beyond")
    for said in ("可补贴金额", "888.00", f"200.00 {minimum} (§ 5)", f"112.00 {beyond}"):
        assert said.replace(" ", "") in text.replace(" ", ""), said
    book = load_workbook(io.BytesIO(sheets.render_xlsx(content)))
    rows = [row for row in book[book.sheetnames[0]].values if row[0] == 1]
    (row,) = rows
    assert (row[13], row[15]) == (312, 888) and f"200.00 {minimum} (§ 5)" in row[14] and f"112.00 {beyond}" in row[14]
    unknown = [{"reason": "of_tomorrow", "amount_fen": 1_00, "clause": ""}]
    assert lines.excluded_why({"excluded": unknown}) == "1.00 of_tomorrow"


def test_the_workbook_names_its_fingerprint_and_the_clauses(issue):
    statement = issue()
    paper = sheets.render_xlsx(statement.content)
    about = [row[1].value for row in rows_of(paper, 2)]
    assert {statement.content_sha256, "【虚构】2060503 科技条件专项"} <= set(about)
    assert [row[0].value for row in rows_of(paper, 1)[1:]] == [clause["id"] for clause in statement.content["clauses"]]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_looks_like_a_formula_stays_a_text(issue, text):
    paper = sheets.render_xlsx(everywhere(issue().content, text))
    book = load_workbook(io.BytesIO(paper))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    found = [cell for cell in cells if cell.value.strip() == text.strip()]
    assert len(found) >= 5
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in found)
    with zipfile.ZipFile(io.BytesIO(paper)) as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist())


def test_openpyxl_itself_would_have_made_a_formula():
    """The control."""
    from openpyxl import Workbook

    page = Workbook().active
    page["A1"] = "=cmd()"
    assert page["A1"].data_type == "f"


def test_rows_of_a_workbook_are_written_as_they_come_and_no_cell_is_kept():
    """What is held at once grows with the file, which is packed, and not with the cells."""
    row = ["R2026-000001", "=text", Decimal("12.50"), datetime(2026, 11, 3, 9), 7] * 4

    def highest(rows: int) -> int:
        tracemalloc.start()
        made = xlsx.workbook(
            [xlsx.Sheet("1", ["x"] * 20, [row] * rows, [])], title="t", creator="c", made_at=datetime(2026, 12, 1)
        )
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most - len(made)

    highest(1)
    assert highest(2000) - highest(200) < 1_000_000


def test_a_workbook_looks_the_same_in_every_row():
    made_at, rows = (
        datetime(2026, 12, 1),
        [["a", Decimal("1.5"), date(2026, 12, 1), datetime(2026, 12, 1, 9), None, "", 3, "=x"]] * 3,
    )
    sheet = xlsx.Sheet("1", ["head"], rows, [5, 20], total=["sum", Decimal(3)], above=[["title"], [], ["party"]])
    page = load_workbook(io.BytesIO(xlsx.workbook([sheet], title="t", creator="c", made_at=made_at))).active
    assert [cell.value for cell in page["A"]] == ["title", None, "party", "head", "a", "a", "a", "sum"]
    assert [cell.font.b for cell in page["A"]] == [True, False, False, True, False, False, False, True]
    assert (page.freeze_panes, page.print_title_rows, page.column_dimensions["B"].width) == ("A5", "$4:$4", 20)
    for line in range(5, 8):
        cells = page[line]
        assert [cell.data_type for cell in cells] == ["s", "n", "d", "d", "n", "n", "n", "s"]
        assert [cell.number_format for cell in cells[1:4]] == ["#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm"]
        assert [cell.alignment.wrap_text for cell in (cells[0], cells[7])] == [True, True]
        assert (cells[0].quotePrefix, cells[7].quotePrefix) == (False, True)
    assert (page["B8"].number_format, page["B8"].font.b) == ("#,##0.00", True)


def test_control_characters_and_overlong_texts_do_not_break_the_workbook(issue):
    assert sheets.render_xlsx(everywhere(issue().content, "\x00\x08\x1f" + "x" * 40_000))


def test_the_archive_holds_no_time_of_making(issue):
    with zipfile.ZipFile(io.BytesIO(sheets.render_xlsx(issue().content))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {xlsx._ZIP_TIME}
        assert b"2026-12-01T10:00:00Z" in archive.read("docProps/core.xml")


def test_rendering_stores_both_documents_once_and_gives_them_back_unchanged(issue, monkeypatch):
    statement = issue()
    rendering.render(statement.pk, DECEMBER)
    statement.refresh_from_db()
    assert (statement.render_state, statement.render_percent) == (RenderState.DONE, 100)
    assert files.read(statement.pdf) == pdf.render_pdf(statement.content)
    assert files.read(statement.xlsx) == sheets.render_xlsx(statement.content)
    monkeypatch.setattr(pdf, "render_pdf_apart", lambda content: pytest.fail("made twice"))
    rendering.render(statement.pk, DECEMBER)


def test_a_failure_is_kept_in_words_and_the_next_attempt_mends_it(issue, monkeypatch):
    statement = issue()
    with monkeypatch.context() as patch:
        patch.setattr(pdf, "limits", lambda lines: apart.Limits(0, 2_000_000_000))
        with pytest.raises(apart.TooSlow):
            rendering.render(statement.pk, DECEMBER)
    failed = Statement.objects.get()
    assert (failed.render_state, failed.render_error) == (RenderState.FAILED, "statement.render_too_slow")
    rendering.render(statement.pk, DECEMBER)
    mended = Statement.objects.get()
    assert (mended.render_state, mended.render_error) == (RenderState.DONE, "")


def test_a_document_that_takes_too_much_memory_dies_alone(issue):
    html = pdf.render_html(with_lines(issue().content, 400))
    with pytest.raises(apart.Crashed):
        apart.html_to_pdf_apart(html, pdf.FONT_FOLDER, b"x", apart.Limits(120, 120_000_000))
    assert apart.html_to_pdf_apart("<title>x</title>x", pdf.FONT_FOLDER, b"x", apart.Limits(60, 2_000_000_000))


REACHES: dict[str, Callable[[], object]] = {
    "an address": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
    "a name": lambda: socket.getaddrinfo("localhost", 9),
    "a program": lambda: subprocess.run([sys.executable, "-c", ""], check=False),
    "a shell": lambda: os.system("true"),
}


@pytest.mark.parametrize("what", sorted(REACHES))
@pytest.mark.parametrize("refused", [True, False])
def test_the_process_that_makes_a_pdf_reaches_no_network_and_starts_no_program(monkeypatch, tmp_path, what, refused):
    """``refused`` False: the control, in which nothing is watched for."""
    monkeypatch.setattr(typeset, "html_to_pdf", lambda *_given: REACHES[what]() and b"")
    if not refused:
        monkeypatch.setattr(apart, "_NEVER", ("nothing",))
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    limits = apart.Limits(60, 8_000_000_000)
    given = (sender, "<title>x</title>", str(pdf.FONT_FOLDER), b"x", limits, str(tmp_path), os.getpid())
    process = context.Process(target=apart._work, args=given)
    process.start()
    sender.close()
    _told, said = receiver.recv()
    process.join()
    assert ("PermissionError" in str(said)) is refused


def test_content_that_was_tampered_with_is_not_printed(issue):
    statement = issue()
    with pgtrigger.ignore("billing.Statement:statement_frozen"):
        Statement.objects.update(
            content={**statement.content, "payee": {**statement.content["payee"], "bank_account_number": "666"}}
        )
    with pytest.raises(Refusal) as refused:
        rendering.render(statement.pk, DECEMBER)
    assert refused.value.reasons[0].code == "statement.content_changed"
    assert Statement.objects.get().render_state == RenderState.FAILED


ASKING = """
import sys
from pathlib import Path
from billing.settlement.apart import Limits, html_to_pdf_apart
html = "<title>x</title>" + "<p>word</p>" * 200_000
print("asking", flush=True)
html_to_pdf_apart(html, Path(sys.argv[1]), b"x", Limits(300, 4_000_000_000))
"""


def alive_with(mark: str) -> list[str]:
    """The processes whose environment carries ``mark``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append(entry.name)
    return found


def test_a_worker_that_is_killed_leaves_no_process_behind():
    mark = f"JISHI_MARK={uuid4()}"
    name, value = mark.split("=")
    worker = subprocess.Popen(
        [sys.executable, "-c", ASKING, str(pdf.FONT_FOLDER)],
        env={**os.environ, name: value},
        stdout=subprocess.PIPE,
        cwd=settings.BASE_DIR,
    )
    try:
        assert worker.stdout.readline() == b"asking\n"
        deadline = time.monotonic() + 60
        while len(alive_with(mark)) < 4:  # the worker, the tracker of its resources, the server that forks, the child
            assert time.monotonic() < deadline, alive_with(mark)
            time.sleep(0.1)
    finally:
        worker.kill()
        worker.wait()
    deadline = time.monotonic() + 20
    while left := alive_with(mark):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)
