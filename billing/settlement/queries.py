"""Every read about awards of a month and statements that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce

from billing.settlement.exports import DATA_KINDS, DataFile, export
from billing.settlement.models import Award, RenderState, Statement, StatementLine
from billing.settlement.pdf import render_html
from billing.settlement.proposal_models import StatementProposal
from billing.settlement.rules.period import first_day, is_over, next_month, previous_month
from billing.settlement.sheets import lines_sheet
from billing.subsidy import services as subsidy
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import NotFound, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import files

#: Who works with the month of all payees.
BOARD_ROLES = (Role.FINANCE, Role.PROGRAMME_OFFICER, Role.INSPECTOR)
#: Who reads statements: those, and the payees' administrators and finance.
READER_ROLES = (*BOARD_ROLES, Role.OWNER_FINANCE, Role.FIRM_ADMIN)
KINDS = ("pdf", "xlsx")


@dataclass(frozen=True, slots=True)
class Issued:
    """A statement of a row, for a link."""

    pk: int
    number: str
    total_fen: int
    render_state: str


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One programme version, payee and way of settlement in a month. ``open_*``: awarded and on no statement yet. Amounts in fen."""

    version_id: int
    issuer_id: int | None
    code: str
    label: str
    name: Mapping[str, str]
    mode: str
    payee_id: int
    payee_name: str
    payee_name_en: str
    sessions: int
    gross_fen: int
    awarded_fen: int
    open_sessions: int
    open_fen: int
    statements: tuple[Issued, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """A month as finance sees it. ``over`` says whether statements can be issued; the neighbours are first days of months."""

    period_on: date
    over: bool
    rows: tuple[BoardRow, ...]
    sessions: int
    gross_fen: int
    awarded_fen: int
    open_sessions: int
    open_fen: int
    issued_fen: int
    previous_on: date
    next_on: date | None


def local_today(now: datetime) -> date:
    """The date in the platform's zone, in which months end."""
    return now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


_ISSUER = "programme_version__programme__issuer_id"


def period_board(actor: Actor, period_on: date, now: datetime) -> Board:
    """What was awarded in a month, by programme version and payee, and what of it stands on statements. Three queries.

    Raises Forbidden.
    """
    actor.require(*BOARD_ROLES)
    month = first_day(period_on)
    awards = visible_to(Award.objects.all(), actor).filter(service_on__gte=month, service_on__lt=next_month(month))
    awards = awards.annotate(left_fen=F("total_fen") - _before_statements())
    unstated = Q(statement_line__isnull=True, left_fen__gt=0)
    groups = (
        awards.values("programme_version_id", _ISSUER, "payee_id", "payee__name", "payee__name_en", "mode")
        .annotate(
            sessions=Count("pk"),
            gross_fen=Sum("charge__gross_fen"),
            awarded_fen=Sum("left_fen"),
            open_sessions=Count("pk", filter=unstated),
            open_fen=Sum("left_fen", filter=unstated, default=0),
        )
        .order_by("programme_version__programme__code", "programme_version__label", "payee__name_pinyin", "payee_id", "mode")
    )
    issued: dict[tuple[int, int, str], list[Issued]] = {}
    found = visible_to(Statement.objects.filter(period_on=month), actor).annotate(mode=KT("content__programme__mode"))
    for statement in found.order_by("number").defer("content"):
        link = Issued(statement.pk, statement.number, statement.total_fen, statement.render_state)
        issued.setdefault((statement.programme_version_id, statement.payee_id, statement.mode), []).append(link)
    rows = tuple(_board_row(group, issued) for group in groups)
    today = local_today(now)
    return Board(
        period_on=month,
        over=is_over(month, today),
        rows=rows,
        sessions=sum(row.sessions for row in rows),
        gross_fen=sum(row.gross_fen for row in rows),
        awarded_fen=sum(row.awarded_fen for row in rows),
        open_sessions=sum(row.open_sessions for row in rows),
        open_fen=sum(row.open_fen for row in rows),
        issued_fen=sum(row.awarded_fen - row.open_fen for row in rows),
        previous_on=previous_month(month),
        next_on=next_month(month) if next_month(month) <= today else None,
    )


def _before_statements() -> Any:
    """What of an award had gone back with credit notes before a statement took it up."""
    rows = Award.objects.filter(pk=OuterRef("pk"), reversals__claimed=False).order_by().values("pk")
    return Coalesce(Subquery(rows.annotate(fen=Sum("reversals__amount_fen")).values("fen")), 0)


def _board_row(group: Mapping[str, object], issued: Mapping[tuple[int, int, str], list[Issued]]) -> BoardRow:
    values = dict(group)
    version_id, payee_id = int(str(values.pop("programme_version_id"))), int(str(values.pop("payee_id")))
    programme = subsidy.in_force(version_id).programme
    return BoardRow(
        version_id=version_id,
        issuer_id=values.pop(_ISSUER),  # type: ignore[arg-type]
        code=programme.code,
        label=programme.version,
        name=programme.name,
        payee_id=payee_id,
        payee_name=str(values.pop("payee__name")),
        payee_name_en=str(values.pop("payee__name_en")),
        statements=tuple(issued.get((version_id, payee_id, str(values["mode"])), ())),
        **values,  # type: ignore[arg-type]
    )


def latest_month_with_awards(actor: Actor, now: datetime) -> date:
    """The month to show first: the latest that is over and has something to issue, else the latest with awards, else last month."""
    today = local_today(now)
    awards = visible_to(Award.objects.all(), actor)
    due = awards.filter(service_on__lt=first_day(today), statement_line__isnull=True).aggregate(last=Max("service_on"))["last"]
    last = due or awards.aggregate(last=Max("service_on"))["last"]
    return first_day(last) if last else previous_month(first_day(today))


def months_with_awards(actor: Actor, now: datetime, most: int = 36) -> list[date]:
    """First days of the months from the first award to the current month, latest first, at most ``most``."""
    first = visible_to(Award.objects.all(), actor).aggregate(first=Min("service_on"))["first"]
    month = first_day(local_today(now))
    months: list[date] = []
    while len(months) < most and (not months or (first is not None and month >= first_day(first))):
        months.append(month)
        month = previous_month(month)
    return months


def statements_visible(actor: Actor) -> QuerySet[Statement]:
    """The statements that the actor may read, latest first, without their contents. Raises Forbidden for those who read none."""
    actor.require(*READER_ROLES)
    rows = visible_to(Statement.objects.all(), actor).select_related("payee", "programme_version__programme")
    return rows.defer("content", "programme_version__document").order_by("-period_on", "-number")


def proposals_visible(actor: Actor) -> QuerySet[StatementProposal]:
    """The statements that somebody proposed at the actor's offices, the latest first."""
    rows = visible_to(StatementProposal.objects.all(), actor)
    rows = rows.select_related("programme_version__programme", "payee", "proposed_by", "decided_by", "statement")
    return rows.defer("programme_version__document", "statement__content").order_by("-pk")


def proposal_for(actor: Actor, pk: int) -> StatementProposal:
    """One proposal. Raises NotFound."""
    return get_visible(proposals_visible(actor), actor, pk=pk)


def statement_for(actor: Actor, statement_id: int) -> Statement:
    """One statement with its content and files. Raises NotFound."""
    rows = Statement.objects.select_related("payee", "programme_version__programme", "pdf", "xlsx", "issued_by")
    return get_visible(rows, actor, pk=statement_id)


def statement_line(actor: Actor, statement_id: int, position: int) -> StatementLine:
    """One line with its charge and reservation. Raises NotFound."""
    rows = StatementLine.objects.select_related(
        "statement", "award__charge__reservation__instrument__site", "award__charge__sample_job__resource"
    )
    return get_visible(rows.defer("statement__content"), actor, statement_id=statement_id, position=position)


def _page(content: Mapping[str, Any], told: str) -> str:
    return render_html(content).replace("</body>", f"{told}</body>", 1)


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document and its verified bytes."""

    stored: StoredFile | DataFile
    content: bytes


def document(actor: Actor, statement_id: int, kind: str, since: Callable[[Actor, Statement], str] | None = None) -> Document:
    """The ``pdf`` or ``xlsx`` of a statement, byte for byte as it was made, or its frozen content as ``csv``, ``json`` or ``html``; at
    the end of that stands what ``since`` says of it.

    Raises NotFound (also for another kind), Refusal ``statement.not_ready``, ``files.missing``, ``files.damaged``.
    """
    if kind not in (*KINDS, *DATA_KINDS):
        raise NotFound.of("access.not_found", model="statement")
    statement = statement_for(actor, statement_id)
    if kind in DATA_KINDS:
        told = since(actor, statement) if since is not None and kind == "html" else ""
        return Document(*export(statement.number, statement.content, lines_sheet, lambda content: _page(content, told), kind))
    stored: StoredFile | None = getattr(statement, kind)
    if stored is None or statement.render_state != RenderState.DONE:
        raise Refusal.of("statement.not_ready")
    return Document(stored, files.read(stored))
