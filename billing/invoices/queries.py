"""Every read about VAT invoices that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce, Concat, Least

from billing.bills.models import AwardReversal, Bill, BillVoid, CreditNote
from billing.invoices.models import InvoiceRequest, VatInvoice
from billing.invoices.papers import Key, Kind, Paper, is_sold, key_of, of_bill, of_statement, why_none
from billing.invoices.rules.checks import Expected
from billing.settlement.models import Statement
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import NotFound
from config.kernel.models import StoredFile
from config.kernel.services import files


@dataclass(frozen=True, slots=True)
class SoldInvoice:
    """The invoice of a statement that counts (None: there is none), and whether one was asked for and waits."""

    live: Any
    waiting: bool


READERS = (Role.OWNER_FINANCE, Role.FIRM_ADMIN, Role.FINANCE, Role.PROGRAMME_OFFICER, Role.INSPECTOR)
#: With what they are for, but its content.
_PAPERS = ("bill__owner", "bill__customer", "statement__payee", "statement__programme_version__programme__issuer")
_HEAVY = ("bill__content", "statement__content", "statement__programme_version__document")


@dataclass(frozen=True, slots=True)
class InvoiceFile:
    """A stored file and its bytes."""

    stored: StoredFile
    content: bytes


def _with_left(rows: QuerySet[VatInvoice]) -> QuerySet[Any]:
    """``left_fen`` and ``left_tax_fen``: what red-letter ones have not taken back."""
    red = VatInvoice.objects.filter(reverses=OuterRef("pk")).order_by().values("reverses")
    taken = {name: Subquery(red.annotate(fen=Sum(name)).values("fen")) for name in ("total_fen", "tax_fen")}
    return rows.annotate(
        left_fen=F("total_fen") + Coalesce(taken["total_fen"], Value(0)),
        left_tax_fen=F("tax_fen") + Coalesce(taken["tax_fen"], Value(0)),
    )


def _credited(since: str = "") -> Coalesce:
    """What was credited of the bill of a row, or taken back of its statement (fen); from the day in the column ``since`` on."""
    notes = CreditNote.objects.filter(bill_id=OuterRef("bill"))
    back = AwardReversal.objects.filter(award__statement_line__statement=OuterRef("statement"), claimed=True)
    if since:
        notes, back = notes.filter(issued_at__date__gte=OuterRef(since)), back.filter(created_at__date__gte=OuterRef(since))
    of_bill = notes.order_by().values("bill_id").annotate(fen=Sum("total_fen")).values("fen")
    of_statement = back.order_by().values("award__statement_line__statement").annotate(fen=Sum("amount_fen")).values("fen")
    return Coalesce(Subquery(of_bill), Subquery(of_statement), Value(0))


def _with_customer(rows: QuerySet[Any]) -> QuerySet[Any]:
    """``customer_code``: the code of the customer on the bill, or of the office on the statement, whatever its scheme."""
    return rows.annotate(
        customer_code=Coalesce(
            KeyTextTransform("code", KeyTransform("customer", "bill__content")),
            KeyTextTransform("code", KeyTransform("office", "statement__content")),
        )
    )


def blue_invoices() -> QuerySet[Any]:
    """Every blue invoice with ``whole`` (of old paper the number after its code), ``left_fen``, ``owed_fen`` (what is owed of its bill
    after credit notes, or bought by its statement after what was taken back), ``customer_code``, and ``why_other``: what who pays said
    where another buyer was asked for."""
    asked = InvoiceRequest.objects.filter(
        Q(bill=OuterRef("bill")) | Q(statement=OuterRef("statement")), buyer_code=OuterRef("buyer_code")
    ).order_by("-pk")
    rows = _with_customer(_with_left(VatInvoice.objects.filter(reverses__isnull=True)))
    return rows.annotate(
        whole=Concat("code", "number"),
        owed_fen=Coalesce(F("bill__total_fen"), F("statement__total_fen")) - _credited(),
        why_other=Coalesce(Subquery(asked.values("other_buyer")[:1]), Value("")),
    )


def red_due(actor: Actor) -> QuerySet[Any]:
    """Invoices of which more counts than is owed, because of credit notes, or of what was taken back, since they were made, the oldest
    first; ``due_fen`` is what a red letter has to take back. Raises Forbidden."""
    actor.require(*READERS)
    due = Least(F("left_fen") - F("owed_fen"), _credited("issued_on") - (F("total_fen") - F("left_fen")))
    rows = visible_to(blue_invoices(), actor).annotate(due_fen=due).filter(due_fen__gt=0)
    return rows.select_related(*_PAPERS).order_by("issued_on", "pk")


def has_live_invoice(paper: Paper) -> bool:
    """Whether a bill or a statement has an invoice of which something counts."""
    return paper.key in with_live_invoice([paper.key])


def with_live_invoice(keys: Iterable[Key]) -> set[Key]:
    """Which bills and statements have an invoice of which something counts; one query."""
    blue = _of(VatInvoice.objects.filter(reverses__isnull=True), keys)
    return {key_of(row) for row in _with_left(blue).filter(left_fen__gt=0).only("bill_id", "statement_id")}


def _ids(keys: Iterable[Key], kind: Kind) -> list[int]:
    return [pk for each, pk in keys if each is kind]


def _of(rows: QuerySet[Any], keys: Iterable[Key]) -> QuerySet[Any]:
    """The rows of some bills and statements."""
    keys = list(keys)
    return rows.filter(Q(bill_id__in=_ids(keys, Kind.BILL)) | Q(statement_id__in=_ids(keys, Kind.STATEMENT)))


def requests_visible(actor: Actor) -> QuerySet[InvoiceRequest]:
    """The requests that one may read, those that wait first, then the latest. Raises Forbidden."""
    actor.require(*READERS)
    rows = visible_to(InvoiceRequest.objects.all(), actor).select_related(*_PAPERS).defer(*_HEAVY)
    return _with_customer(rows).order_by(F("answered_at").desc(nulls_first=True), "-pk")


def invoices_visible(actor: Actor) -> QuerySet[Any]:
    """The invoices that one may read, the latest first. Raises Forbidden."""
    actor.require(*READERS)
    rows = _with_left(visible_to(VatInvoice.objects.all(), actor)).select_related(*_PAPERS, "file", "reverses")
    return _with_customer(rows).defer(*_HEAVY).order_by("-issued_on", "-pk")


def bill_paper(actor: Actor, bill_id: int) -> Paper:
    """A bill. Raises NotFound."""
    return of_bill(get_visible(Bill.objects.select_related("owner", "customer"), actor, pk=bill_id))


def statement_paper(actor: Actor, statement_id: int) -> Paper:
    """A settlement statement. Raises NotFound."""
    rows = Statement.objects.select_related("payee", "programme_version__programme__issuer")
    return of_statement(get_visible(rows, actor, pk=statement_id))


def of_paper(actor: Actor, paper: Paper) -> tuple[list[Any], InvoiceRequest | None]:
    """The invoices of a bill or a statement, the first one first, and its latest request; two queries."""
    found = _with_customer(_with_left(visible_to(VatInvoice.objects.filter(**paper.column), actor)))
    asked = visible_to(InvoiceRequest.objects.filter(**paper.column), actor).order_by("-pk").first()
    return list(found.select_related("file", "reverses").order_by("pk")), asked


def invoice_for(actor: Actor, invoice_id: int) -> Any:
    """One invoice with what of it is left. Raises NotFound."""
    rows = VatInvoice.objects.select_related("bill", "statement__programme_version__programme", "file")
    return get_visible(_with_left(rows), actor, pk=invoice_id)


def file_of(actor: Actor, invoice_id: int) -> InvoiceFile:
    """The invoice's own file. Raises NotFound (also where none was handed in), Refusal ``files.*``."""
    found = invoice_for(actor, invoice_id)
    if found.file is None:
        raise NotFound.of("access.not_found", model="vatinvoice")
    return InvoiceFile(found.file, files.read(found.file))


def none_for(paper: Paper) -> str:
    """The code of why there is no invoice for a bill or a statement; empty: there may be one. Two queries."""
    void = paper.kind is Kind.BILL and BillVoid.objects.filter(bill_id=paper.pk).exists()
    return why_none(paper, credited_of([paper.key]).get(paper.key, 0), void)


def expected_of(paper: Paper, buyer_code: str, today: date) -> Expected:
    """What an invoice for a bill or a statement has to say; one query. ``buyer_code``: who asked to be named, else who pays as on it."""
    return paper.expected(credited_of([paper.key]).get(paper.key, 0), buyer_code, today)


def credited_of(keys: Iterable[Key]) -> dict[Key, int]:
    """What was credited of bills, or taken back of statements since they were issued (fen), by key; a query for each of the two kinds."""
    keys = list(keys)
    found: dict[Key, int] = {}
    if bills := _ids(keys, Kind.BILL):
        notes = CreditNote.objects.filter(bill_id__in=bills).order_by().values("bill_id").annotate(fen=Sum("total_fen"))
        found |= {(Kind.BILL, pk): fen for pk, fen in notes.values_list("bill_id", "fen")}
    if statements := _ids(keys, Kind.STATEMENT):
        of = "award__statement_line__statement_id"
        back = AwardReversal.objects.filter(claimed=True, **{f"{of}__in": statements}).order_by().values(of)
        found |= {(Kind.STATEMENT, pk): fen for pk, fen in back.annotate(fen=Sum("amount_fen")).values_list(of, "fen")}
    return found


def waiting_of(actor: Actor, owner_id: int) -> QuerySet[InvoiceRequest]:
    """What waits at one of the actor's institutions, the oldest first, with its bill or statement. Raises NotFound for another one."""
    if owner_id not in actor.organisations(Role.OWNER_FINANCE):
        raise NotFound.of("access.not_found", model="organisation")
    theirs = Q(bill__owner_id=owner_id) | Q(statement__payee_id=owner_id)
    rows = visible_to(InvoiceRequest.objects.filter(theirs, answered_at__isnull=True), actor)
    return rows.select_related("bill", "statement").order_by("pk")


def of_awards(award_ids: Iterable[int]) -> QuerySet[Any]:
    """The blue invoices of which something counts, of the statements on which awards stand, with ``award_id``; one row for each award."""
    rows = blue_invoices().filter(statement__lines__award__in=list(award_ids), left_fen__gt=0)
    return rows.annotate(award_id=F("statement__lines__award_id")).order_by("issued_on", "pk")


def sold_invoice(actor: Actor, statement: Statement) -> SoldInvoice | None:
    """How it stands with the invoice of what an office buys by a statement (loaded with its programme version); None: it is no sale."""
    if not is_sold(statement):
        return None
    found, asked = of_paper(actor, of_statement(statement))
    live = next((each for each in found if each.reverses_id is None and each.left_fen > 0), None)
    return SoldInvoice(live, waiting=asked is not None and asked.answered_at is None)
