"""Requests for VAT invoices, and the invoices as they were recorded."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from billing.bills.guards import insert, update
from billing.invoices import guards
from billing.invoices.rules.checks import InvoiceKind
from config.kernel.models.guards import append_only, no_truncate

KINDS = [(each.value, each.value) for each in InvoiceKind]


class Answer(models.TextChoices):
    """What became of a request."""

    RECORDED = "recorded"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


def _of_one_paper(name: str) -> models.CheckConstraint:
    """Of a bill or of a settlement statement."""
    one = Q(bill__isnull=False, statement__isnull=True) | Q(bill__isnull=True, statement__isnull=False)
    return models.CheckConstraint(condition=one, name=name)


class InvoiceRequest(models.Model):
    """A customer asks for the VAT invoice of a bill, or an office for that of a settlement statement of what it buys: to whom it is made
    out and where it is sent. One that waits per paper; answered once, never deleted. ``reason``: why it was refused, for who asked.
    ``other_buyer``: who the buyer is, and why, where it is not the customer."""

    bill = models.ForeignKey("billing.Bill", null=True, on_delete=models.PROTECT, related_name="invoice_requests")
    statement = models.ForeignKey("billing.Statement", null=True, on_delete=models.PROTECT, related_name="invoice_requests")
    title = models.CharField(max_length=200)
    buyer_code = models.CharField(max_length=18)
    kind = models.CharField(max_length=10, choices=KINDS)
    email = models.EmailField()
    note = models.CharField(max_length=200, blank=True)
    other_buyer = models.CharField(max_length=200, blank=True, default="", db_default="")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    answer = models.CharField(max_length=10, choices=Answer.choices, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bill"], condition=Q(answered_at__isnull=True), name="invoice_request_one_waits"),
            models.UniqueConstraint(
                fields=["statement"], condition=Q(answered_at__isnull=True), name="invoice_request_one_of_statement"
            ),
            _of_one_paper("invoice_request_of_one_paper"),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answer="") | Q(answered_at__isnull=False) & ~Q(answer=""),
                name="invoice_request_answered",
            ),
        ]
        indexes = [
            models.Index(fields=["bill", "-id"], name="invoice_request_by_bill"),
            models.Index(fields=["statement", "-id"], name="invoice_request_by_statement"),
        ]
        triggers = [
            update("invoice_request_once", guards.REQUEST_ANSWERED_ONCE),
            pgtrigger.Protect(name="invoice_request_kept", operation=pgtrigger.Delete),
            no_truncate("invoice_request_no_truncate"),
        ]


class VatInvoice(models.Model):
    """A VAT invoice that the tax platform made, as it was recorded and checked. Append-only.

    ``code`` is empty but for old paper; code and number together are one invoice of the country, so no invoice stands for two papers and
    no award is claimed with one that another was claimed with. ``statement``: of what an office buys of the owner; else of a ``bill``. A
    red-letter one ``reverses`` a blue one; its amounts are below zero.
    ``file``: the invoice itself as the platform gave it, where it was handed in.
    """

    owner = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    bill = models.ForeignKey("billing.Bill", null=True, on_delete=models.PROTECT, related_name="invoices")
    statement = models.ForeignKey("billing.Statement", null=True, on_delete=models.PROTECT, related_name="invoices")
    reverses = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="reversed_by")
    number = models.CharField(max_length=20)
    code = models.CharField(max_length=12, blank=True)
    issued_on = models.DateField()
    buyer_code = models.CharField(max_length=18)
    seller_code = models.CharField(max_length=18)
    net_fen = models.BigIntegerField()
    tax_fen = models.BigIntegerField()
    total_fen = models.BigIntegerField()
    file = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "number"], name="invoice_once"),
            _of_one_paper("invoice_of_one_paper"),
            models.CheckConstraint(condition=Q(total_fen=F("net_fen") + F("tax_fen")), name="invoice_adds_up"),
            models.CheckConstraint(
                condition=Q(reverses__isnull=True, net_fen__gt=0, tax_fen__gte=0)
                | Q(reverses__isnull=False, net_fen__lt=0, tax_fen__lte=0),
                name="invoice_blue_or_red",
            ),
            models.CheckConstraint(
                condition=Q(code="", number__regex=r"^[0-9]{20}$")
                | Q(code__regex=r"^([0-9]{10}|[0-9]{12})$", number__regex=r"^[0-9]{8}$"),
                name="invoice_number_form",
            ),
        ]
        indexes = [models.Index(fields=["owner", "-issued_on", "-id"], name="invoice_by_owner")]
        triggers = [
            append_only("invoice_append_only"),
            no_truncate("invoice_no_truncate"),
            insert("invoice_fits", guards.INVOICE_FITS),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.number}".strip()
