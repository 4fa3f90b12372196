"""Every read about bills that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.bills.models import Bill, BillLine, BillVoid, CreditNote, WriteOff
from billing.bills.pdf import render_html
from billing.bills.proposal_models import BillProposal, WriteOffProposal
from billing.bills.rules.standing import Standing
from billing.bills.services.collecting import Open, open_by_customer
from billing.bills.sheets import lines_sheet
from billing.settlement.exports import DATA_KINDS, export
from billing.settlement.fee_models import FeeRelief
from billing.settlement.models import RenderState
from billing.settlement.proposal_models import ProposalState
from billing.settlement.queries import KINDS, Document
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import NotFound, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import files
from instruments.models import Organisation

#: Who issues bills, and who pays them.
ISSUERS = (Role.OWNER_FINANCE,)
PAYERS = (Role.FIRM_ADMIN, Role.OWNER_FINANCE)


def _sum_of(queryset: QuerySet[Any], field: str) -> Any:
    """The sum of a field over the rows of one bill (``bill_id`` = the outer row)."""
    sums = queryset.filter(bill_id=OuterRef("pk")).order_by().values("bill_id").annotate(fen=Sum(field)).values("fen")
    return Coalesce(Subquery(sums), 0)


def with_standing(rows: QuerySet[Bill]) -> QuerySet[Bill]:
    """Bills with the facts that say where they stand: ``paid_fen``, ``credited_fen``, ``written_off_fen``, ``is_void``."""
    allocations = Bill._meta.get_field("allocations").related_model._default_manager.all()
    return rows.annotate(
        paid_fen=_sum_of(allocations, "amount_fen"),
        credited_fen=_sum_of(CreditNote.objects.all(), "total_fen"),
        written_off_fen=_sum_of(WriteOff.objects.all(), "amount_fen"),
        is_void=Exists(BillVoid.objects.filter(bill_id=OuterRef("pk"))),
    )


def standing_of(bill: Any) -> Standing:
    """Where a bill from ``with_standing`` stands."""
    return Standing(bill.total_fen, bill.credited_fen, bill.paid_fen, bill.is_void, bill.written_off_fen)


def standing_for(actor: Actor, bill: Any) -> Standing:
    """Where it stands as the actor may know: that the owner gave it up is for who reads the owner's books."""
    standing = standing_of(bill)
    return standing if actor.has(Role.INSPECTOR) or bill.owner_id in actor.organisations(*ISSUERS) else standing.outside


def still_open(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those of which something is to pay, given up in the books or not; ``rows`` from ``with_standing``."""
    return rows.filter(is_void=False, total_fen__gt=F("paid_fen") + F("credited_fen"))


def still_expected(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those of which something is to pay that was not given up; ``rows`` from ``with_standing``."""
    return still_open(rows).filter(total_fen__gt=F("paid_fen") + F("credited_fen") + F("written_off_fen"))


def bills_visible(actor: Actor) -> QuerySet[Bill]:
    """The bills that the actor may read, the latest first, without their contents."""
    rows = with_standing(visible_to(Bill.objects.all(), actor)).select_related("owner", "customer")
    return rows.defer("content").order_by("-issued_at", "-pk")


def bill_for(actor: Actor, bill_id: int) -> Bill:
    """One bill with its content and files. Raises NotFound."""
    rows = with_standing(Bill.objects.select_related("owner", "customer", "pdf", "xlsx", "issued_by"))
    return get_visible(rows, actor, pk=bill_id)


def credit_note_for(actor: Actor, note_id: int) -> CreditNote:
    """One credit note with its content and files. Raises NotFound."""
    return get_visible(CreditNote.objects.select_related("bill", "line", "pdf", "xlsx"), actor, pk=note_id)


def credits_of(actor: Actor, bill: Bill) -> list[CreditNote]:
    """The credit notes of a bill, the first one first."""
    rows = visible_to(CreditNote.objects.filter(bill=bill), actor).select_related("line")
    return list(rows.order_by("pk"))


@dataclass(frozen=True, slots=True)
class LineStanding:
    """A line of a bill and what of it may still be credited; ``fell_away_fen``: of a fee, what has fallen away since the bill was issued
    and is not credited yet."""

    line: BillLine
    credited_fen: int
    fell_away_fen: int

    @property
    def left_fen(self) -> int:
        return self.line.amount_fen - self.credited_fen


def lines_of(actor: Actor, bill: Bill, only: slice = slice(None)) -> list[LineStanding]:
    """The lines of a bill with what was credited of each, in their order; three queries."""
    lines = list(visible_to(BillLine.objects.filter(bill=bill), actor).order_by("position")[only])
    return standings(lines)


def standings(lines: Iterable[BillLine]) -> list[LineStanding]:
    """``LineStanding`` of each line; two queries."""
    lines = list(lines)
    credited: dict[int, int] = {}
    for line_id, amount in CreditNote.objects.filter(line__in=[line.pk for line in lines]).values_list("line_id", "total_fen"):
        credited[line_id] = credited.get(line_id, 0) + amount
    fees = [line.fee_id for line in lines if line.fee_id is not None]
    fallen = FeeRelief.objects.filter(fee__in=fees).order_by().values("fee").annotate(fen=Sum("amount_fen")) if fees else ()
    relieved = {row["fee"]: row["fen"] for row in fallen}
    found = []
    for line in lines:
        done = credited.get(line.pk, 0)
        since = relieved.get(line.fee_id, 0) - line.relieved_fen if line.fee_id is not None else 0
        found.append(LineStanding(line, done, 0 if line.voided else max(0, since - done)))
    return found


@dataclass(frozen=True, slots=True)
class OpenRow:
    """What can be billed to a customer."""

    customer: Organisation
    open: Open


def to_bill(actor: Actor, owner_id: int, until_on: date) -> list[OpenRow]:
    """What an owner can bill, by customer. Three queries. Raises NotFound for who does not account for the owner."""
    if owner_id not in actor.organisations(*ISSUERS):
        raise NotFound.of("access.not_found", model="organisation")
    rows = open_by_customer(owner_id, until_on)
    customers = Organisation.objects.in_bulk([row.customer_id for row in rows])
    return [OpenRow(customers[row.customer_id], row) for row in rows]


def owners_of(actor: Actor) -> list[Organisation]:
    """The institutions whose bills the actor issues, by name."""
    return list(Organisation.objects.filter(pk__in=actor.organisations(*ISSUERS), kind="owner").order_by("name_pinyin", "pk"))


def proposals_visible(actor: Actor) -> QuerySet[BillProposal]:
    """The bills that somebody proposed at the actor's institutions, the latest first."""
    rows = visible_to(BillProposal.objects.all(), actor).select_related("customer", "proposed_by", "decided_by", "bill")
    return rows.defer("bill__content").order_by("-pk")


def proposal_for(actor: Actor, pk: int) -> BillProposal:
    """One proposal. Raises NotFound."""
    return get_visible(proposals_visible(actor), actor, pk=pk)


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What became of giving a bill up: the proposal that waits, and what was written, the first one first."""

    waiting: WriteOffProposal | None
    rows: list[WriteOff]


def given_up(actor: Actor, bill: Bill) -> GivenUp:
    """For who reads the owner's books; two queries."""
    proposals = visible_to(WriteOffProposal.objects.filter(bill=bill, state=ProposalState.WAITING), actor)
    rows = visible_to(WriteOff.objects.filter(bill=bill), actor).select_related("actor", "proposal__proposed_by").order_by("pk")
    return GivenUp(proposals.select_related("proposed_by").first(), list(rows))


def given_up_between(actor: Actor, owner_id: int, customer_id: int, until: datetime | None) -> int:
    """What of the bills of a customer was given up before a moment (None: by now), for who reads the owner's books (fen)."""
    rows = visible_to(WriteOff.objects.filter(bill__owner=owner_id, bill__customer=customer_id), actor)
    return sum((rows if until is None else rows.filter(at__lt=until)).values_list("amount_fen", flat=True))


def write_offs_waiting(actor: Actor, owner_id: int) -> QuerySet[WriteOffProposal]:
    """The bills of an owner that somebody proposed to give up, the latest first."""
    rows = visible_to(WriteOffProposal.objects.filter(bill__owner_id=owner_id, state=ProposalState.WAITING), actor)
    return rows.select_related("bill__customer", "proposed_by").defer("bill__content").order_by("-pk")


def fell_away_since(actor: Actor, owner_id: int) -> QuerySet[BillLine]:
    """Lines of fees of which more has fallen away than the bill said and credit notes took off: to be credited."""
    fallen = FeeRelief.objects.filter(fee=OuterRef("fee")).order_by().values("fee").annotate(fen=Sum("amount_fen")).values("fen")
    noted = CreditNote.objects.filter(line=OuterRef("pk")).order_by().values("line").annotate(fen=Sum("total_fen")).values("fen")
    rows = visible_to(BillLine.objects.filter(bill__owner_id=owner_id, fee__isnull=False, voided=False), actor)
    rows = rows.annotate(fallen=Coalesce(Subquery(fallen), 0), noted=Coalesce(Subquery(noted), 0))
    return rows.filter(fallen__gt=F("relieved_fen") + F("noted")).select_related("bill").order_by("pk")


def document(actor: Actor, model: type[Bill] | type[CreditNote], document_id: int, kind: str) -> Document:
    """The ``pdf`` or ``xlsx`` of a bill or credit note, byte for byte as it was made, or its frozen content as ``csv``,
    ``json`` or ``html``.

    Raises NotFound (also for another kind), Refusal ``statement.not_ready``, ``files.missing``, ``files.damaged``.
    """
    if kind not in (*KINDS, *DATA_KINDS):
        raise NotFound.of("access.not_found", model="bill")
    rows = model._default_manager.select_related("pdf", "xlsx")
    found: Any = get_visible(rows, actor, pk=document_id)
    if kind in DATA_KINDS:
        return Document(*export(found.number, found.content, lines_sheet, render_html, kind))
    stored: StoredFile | None = getattr(found, kind)
    if stored is None or found.render_state != RenderState.DONE:
        raise Refusal.of("statement.not_ready")
    return Document(stored, files.read(stored))
