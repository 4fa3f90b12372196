"""Statements and the month's board as rows for people, from the frozen content (or that of a dry run)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse

from billing import wording
from billing.month.rules.came_of import CameOf
from billing.settlement import lines as line_words
from billing.settlement.models import FrozenDocument, RenderState, Statement
from billing.settlement.queries import Board, BoardRow
from config.kernel.messages import sentence

Content = Mapping[str, Any]
#: The state of the documents in the words of ``frontend.states``.
DOCUMENT_STATES: Mapping[str, str] = {
    RenderState.QUEUED: "pending",
    RenderState.RENDERING: "running",
    RenderState.DONE: "ready",
    RenderState.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class PartyRow:
    name: str
    code: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """One session. ``starts_at`` carries its own offset; ``zone`` is the site's."""

    position: int
    url: str
    reference: str
    way: str
    instrument: str
    inner_id: str
    party: PartyRow
    starts_at: datetime
    ends_at: datetime
    zone: str
    hours: str
    gross_fen: int
    excluded_fen: int
    excluded_why: str
    rate: str
    computed_fen: int
    cut: str
    awarded_fen: int


@dataclass(frozen=True, slots=True)
class AmountRow:
    name: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ClauseRow:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class StatementView:
    """Everything a page says about a statement. ``party_is_customer`` names the heading of a line's other party."""

    number: str
    first_day: date
    last_day: date
    code: str
    version: str
    name: str
    issuer: str
    mode_word: str
    office: PartyRow
    payee: PartyRow
    bank_name: str
    bank_account_name: str
    bank_account_number: str
    line_count: int
    hours: str
    gross_fen: int
    excluded_fen: int
    computed_fen: int
    awarded_fen: int
    capitals: str
    payers: tuple[AmountRow, ...]
    clauses: tuple[ClauseRow, ...]
    lines: tuple[LineRow, ...]
    maker: str
    reviewer: str
    party_is_customer: bool

    @property
    def has_bank(self) -> bool:
        return bool(self.bank_account_number)


def statement_view(content: Content, only: slice = slice(None)) -> StatementView:
    """The view of a content, with the lines in ``only``."""
    programme, payee, totals = content["programme"], content["payee"], content["totals"]
    paid_to_owner = programme["mode"] != "refunded_later"
    return StatementView(
        number=content["number"],
        first_day=date.fromisoformat(content["period"]["first_day"]),
        last_day=date.fromisoformat(content["period"]["last_day"]),
        code=programme["code"],
        version=programme["version"],
        name=wording.document_text(programme["name"]),
        issuer=wording.document_text(programme["issuer"]),
        mode_word=wording.mode_word(programme["mode"]),
        office=_party(content["office"]),
        payee=_party(payee),
        bank_name=payee["bank_name"],
        bank_account_name=payee["bank_account_name"],
        bank_account_number=payee["bank_account_number"],
        line_count=totals["lines"],
        hours=totals["hours"],
        gross_fen=totals["gross_fen"],
        excluded_fen=totals["excluded_fen"],
        computed_fen=totals["computed_fen"],
        awarded_fen=totals["awarded_fen"],
        capitals=totals["capitals"],
        payers=tuple(AmountRow(wording.payer_word(each["payer"]), each["amount_fen"]) for each in totals["payers"]),
        clauses=tuple(ClauseRow(each["id"], wording.document_text(each)) for each in content["clauses"]),
        lines=tuple(_line(each, "customer" if paid_to_owner else "owner") for each in content["lines"][only]),
        maker=content["signatures"]["maker"],
        reviewer=content["signatures"]["reviewer"],
        party_is_customer=paid_to_owner,
    )


def _named(names: Mapping[str, str]) -> str:
    """The name in the reader's language where there is one."""
    return (wording.in_english() and names["name_en"]) or names["name"]


def _party(party: Mapping[str, str]) -> PartyRow:
    return PartyRow(_named(party), party["code"])


def _url(line: Mapping[str, Any]) -> str:
    """The page of what was done."""
    if "samples" in line:
        return reverse("sample_job", args=[line["sample_job"]])
    return reverse("reservation_detail", args=[line["reservation"]["id"]])


def _line(line: Mapping[str, Any], other: str) -> LineRow:
    return LineRow(
        position=line["position"],
        url=_url(line),
        reference=line["reservation"]["reference"],
        way=line_words.way(line),
        instrument=_named(line["instrument"]),
        inner_id=line["instrument"]["inner_id"],
        party=_party(line[other]),
        starts_at=datetime.fromisoformat(line["starts_at"]),
        ends_at=datetime.fromisoformat(line["ends_at"]),
        zone=line["zone"],
        hours=line_words.measured(line),
        gross_fen=line["gross_fen"],
        excluded_fen=sum(part["amount_fen"] for part in line["excluded"]),
        excluded_why=line_words.excluded_why(line),
        rate=line_words.rate(line),
        computed_fen=line["computed_fen"],
        cut=wording.several(line_words.cut_words(line)),
        awarded_fen=line["awarded_fen"],
    )


@dataclass(frozen=True, slots=True)
class TakenBackRow:
    """What went back of a line of a statement, with why in words and the numbers of the papers that say so."""

    statement: str
    position: int
    reference: str
    on: date
    cause: str
    papers: str
    amount_fen: int


def taken_back_rows(found: Sequence[Mapping[str, Any]]) -> list[TakenBackRow]:
    """What was taken back (``rules.statement.TakenBack`` as JSON), for a page."""
    return [
        TakenBackRow(
            each["statement"],
            each["position"],
            each["reference"],
            date.fromisoformat(each["on"]),
            wording.reversal_cause_word(each["cause"]),
            wording.several(each["papers"]),
            each["amount_fen"],
        )
        for each in found
    ]


@dataclass(frozen=True, slots=True)
class DocumentsView:
    """Where the documents of a statement, a bill or a credit note stand. ``waiting`` asks the page to look again; the addresses are of
    the document's page, of this part of it, of making them again, and of the files."""

    page_url: str
    progress_url: str
    retry_url: str
    pdf_url: str
    xlsx_url: str
    csv_url: str
    html_url: str
    json_url: str
    state: str
    percent: int
    problem: str
    waiting: bool
    ready: bool
    failed: bool
    pdf_bytes: int
    xlsx_bytes: int
    sha256: str


def documents_view(statement: FrozenDocument, routes: str = "statement") -> DocumentsView:
    """The documents of ``statement`` (its files loaded); ``routes`` is what the names of its addresses begin with."""
    state, pk = statement.render_state, statement.pk
    return DocumentsView(
        page_url=reverse(f"{routes}_detail", args=[pk]),
        progress_url=reverse(f"{routes}_progress", args=[pk]),
        retry_url=reverse(f"{routes}_retry", args=[pk]),
        pdf_url=reverse(f"{routes}_download", args=[pk, "pdf"]),
        xlsx_url=reverse(f"{routes}_download", args=[pk, "xlsx"]),
        csv_url=reverse(f"{routes}_download", args=[pk, "csv"]),
        html_url=reverse(f"{routes}_download", args=[pk, "html"]),
        json_url=reverse(f"{routes}_download", args=[pk, "json"]),
        state=DOCUMENT_STATES[state],
        percent=statement.render_percent,
        problem=sentence(statement.render_error, {"number": statement.number}) if statement.render_error else "",
        waiting=state in (RenderState.QUEUED, RenderState.RENDERING),
        ready=state == RenderState.DONE,
        failed=state == RenderState.FAILED,
        pdf_bytes=statement.pdf.size_bytes if statement.pdf else 0,
        xlsx_bytes=statement.xlsx.size_bytes if statement.xlsx else 0,
        sha256=statement.content_sha256,
    )


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One statement of a list, with what became of its amount."""

    statement: Statement
    programme: str
    state: str
    came_of: CameOf


def statement_rows(statements: Sequence[Statement], came_of: Mapping[int, CameOf]) -> list[StatementRow]:
    """The rows of a list of statements; ``came_of`` by id."""
    return [
        StatementRow(each, each.programme_version.programme.code, DOCUMENT_STATES[each.render_state], came_of[each.pk])
        for each in statements
    ]


@dataclass(frozen=True, slots=True)
class BoardLine:
    """A row of the month with the programme's name and its statements' states in words."""

    row: BoardRow
    name: str
    mode_word: str
    statements: tuple[tuple[int, str, str], ...]
    may_issue: bool


def board_lines(board: Board, issues: Callable[[int | None], bool]) -> list[BoardLine]:
    """The rows of a month. ``issues``: whether the reader issues statements of programmes of that issuer."""
    return [
        BoardLine(
            row,
            wording.document_text(row.name),
            wording.mode_word(row.mode),
            tuple((each.pk, each.number, DOCUMENT_STATES[each.render_state]) for each in row.statements),
            issues(row.issuer_id),
        )
        for row in board.rows
    ]
