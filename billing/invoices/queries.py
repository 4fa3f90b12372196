"""Every read about VAT invoices that pages and API share; row-level permission is applied here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Coalesce, Concat, Least

from billing.bills.models import Bill, CreditNote
from billing.invoices.models import InvoiceRequest, VatInvoice
from billing.invoices.rules.checks import WINDOW_DAYS, Expected
from config.kernel.access import Actor, Role, get_visible, visible_to
from config.kernel.errors import NotFound
from config.kernel.models import StoredFile
from config.kernel.services import files

READERS = (Role.OWNER_FINANCE, Role.FIRM_ADMIN, Role.INSPECTOR)


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


def _credited(bill: str) -> Coalesce:
    """What was credited of the bill (fen) that the column named ``bill`` names."""
    notes = CreditNote.objects.filter(bill_id=OuterRef(bill)).order_by().values("bill_id").annotate(fen=Sum("total_fen"))
    return Coalesce(Subquery(notes.values("fen")), Value(0))


def customer_code(content: Mapping[str, Any]) -> str:
    """The unified social credit code of a bill's customer as it stands on the bill; empty where it has none."""
    customer = content["customer"]
    return str(customer["code"]) if customer["scheme"] == "uscc" else ""


def _with_customer(rows: QuerySet[Any]) -> QuerySet[Any]:
    """``customer_code``: the code of the customer on the bill, whatever its scheme."""
    return rows.annotate(customer_code=KeyTextTransform("code", KeyTransform("customer", "bill__content")))


def blue_invoices() -> QuerySet[Any]:
    """Every blue invoice with ``whole`` (of old paper the number after its code), ``left_fen``, ``owed_fen`` (what is owed of its bill
    after credit notes), ``customer_code``, and ``why_other``: what the customer said where another buyer was asked for."""
    asked = InvoiceRequest.objects.filter(bill=OuterRef("bill"), buyer_code=OuterRef("buyer_code")).order_by("-pk")
    rows = _with_customer(_with_left(VatInvoice.objects.filter(reverses__isnull=True)))
    return rows.annotate(
        whole=Concat("code", "number"),
        owed_fen=F("bill__total_fen") - _credited("bill"),
        why_other=Coalesce(Subquery(asked.values("other_buyer")[:1]), Value("")),
    )


def red_due(actor: Actor) -> QuerySet[Any]:
    """Invoices of which more counts than is owed of their bill, because of credit notes since they were made, the oldest first;
    ``due_fen`` is what a red letter has to take back. Raises Forbidden."""
    actor.require(*READERS)
    notes = CreditNote.objects.filter(bill_id=OuterRef("bill"), issued_at__date__gte=OuterRef("issued_on"))
    since = Subquery(notes.order_by().values("bill_id").annotate(fen=Sum("total_fen")).values("fen"))
    due = Least(F("left_fen") - F("owed_fen"), Coalesce(since, Value(0)) - (F("total_fen") - F("left_fen")))
    rows = visible_to(blue_invoices(), actor).annotate(due_fen=due).filter(due_fen__gt=0)
    return rows.select_related("bill__customer").order_by("issued_on", "pk")


def has_live_invoice(bill: Bill) -> bool:
    """Whether a bill has an invoice of which something counts."""
    return bill.pk in with_live_invoice([bill.pk])


def with_live_invoice(bill_ids: Iterable[int]) -> set[int]:
    """Which bills have an invoice of which something counts; one query."""
    blue = VatInvoice.objects.filter(bill_id__in=list(bill_ids), reverses__isnull=True)
    return set(_with_left(blue).filter(left_fen__gt=0).values_list("bill_id", flat=True))


def requests_visible(actor: Actor) -> QuerySet[InvoiceRequest]:
    """The requests that one may read, those that wait first, then the latest. Raises Forbidden."""
    actor.require(*READERS)
    rows = visible_to(InvoiceRequest.objects.all(), actor).select_related("bill__owner", "bill__customer").defer("bill__content")
    return _with_customer(rows).order_by(F("answered_at").desc(nulls_first=True), "-pk")


def invoices_visible(actor: Actor) -> QuerySet[Any]:
    """The invoices that one may read, the latest first. Raises Forbidden."""
    actor.require(*READERS)
    rows = _with_left(visible_to(VatInvoice.objects.all(), actor)).select_related(
        "bill__owner", "bill__customer", "file", "reverses"
    )
    return _with_customer(rows).defer("bill__content").order_by("-issued_on", "-pk")


def of_bill(actor: Actor, bill: Bill) -> tuple[list[Any], InvoiceRequest | None]:
    """The invoices of a bill, the first one first, and its latest request; two queries."""
    found = _with_customer(_with_left(visible_to(VatInvoice.objects.filter(bill=bill), actor))).select_related("file", "reverses")
    asked = visible_to(InvoiceRequest.objects.filter(bill=bill), actor).order_by("-pk").first()
    return list(found.order_by("pk")), asked


def invoice_for(actor: Actor, invoice_id: int) -> Any:
    """One invoice with what of it is left. Raises NotFound."""
    return get_visible(_with_left(VatInvoice.objects.select_related("bill", "file")), actor, pk=invoice_id)


def file_of(actor: Actor, invoice_id: int) -> InvoiceFile:
    """The invoice's own file. Raises NotFound (also where none was handed in), Refusal ``files.*``."""
    found = invoice_for(actor, invoice_id)
    if found.file is None:
        raise NotFound.of("access.not_found", model="vatinvoice")
    return InvoiceFile(found.file, files.read(found.file))


def expected_of(bill: Bill, buyer_code: str, today: date) -> Expected:
    """What an invoice for a bill has to say; one query. ``buyer_code``: who asked to be named, else the customer as on the bill."""
    return expected_after(bill, credited_of([bill.pk]).get(bill.pk, 0), buyer_code, today)


def credited_of(bill_ids: Iterable[int]) -> dict[int, int]:
    """What was credited of bills (fen), by id; one query."""
    notes = CreditNote.objects.filter(bill_id__in=list(bill_ids)).order_by().values("bill_id").annotate(fen=Sum("total_fen"))
    return dict(notes.values_list("bill_id", "fen"))


def expected_after(bill: Bill, credited: int, buyer_code: str, today: date) -> Expected:
    """As ``expected_of``, with what was credited of the bill already at hand; no query."""
    content = bill.content
    last = min(today, date.fromisoformat(content["made_on"]) + timedelta(days=WINDOW_DAYS))
    return Expected(
        buyer_code=buyer_code or content["customer"]["code"],
        seller_code=content["owner"]["code"],
        claimed_fen=bill.total_fen - credited,
        price_fen=content["totals"]["gross_fen"],
        first_on=date.fromisoformat(content["period"]["first_day"]),
        last_on=last,
    )


def waiting_of(actor: Actor, owner_id: int) -> QuerySet[InvoiceRequest]:
    """What waits at one of the actor's institutions, the oldest first, with its bill. Raises NotFound for another one."""
    if owner_id not in actor.organisations(Role.OWNER_FINANCE):
        raise NotFound.of("access.not_found", model="organisation")
    rows = visible_to(InvoiceRequest.objects.filter(bill__owner_id=owner_id, answered_at__isnull=True), actor)
    return rows.select_related("bill").order_by("pk")
