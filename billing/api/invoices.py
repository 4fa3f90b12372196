"""/api/v1/invoices, /api/v1/invoice-tables, and asking for the invoice of a bill or of a settlement statement."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from billing.invoices import queries
from billing.invoices.models import VatInvoice
from billing.invoices.rules.checks import Given, InvoiceKind, plain
from billing.invoices.services import asking, recording
from billing.invoices.services.asking import Wanted
from config.kernel.api.fields import BIGGEST, Day, Id, Text, WholeNumber
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.http import attachment
from instruments.services import uploads


class InvoiceAskIn(StrictSerializer):
    title = Text(max_length=400, help_text="To whom the invoice is made out.")
    buyer_code = Text(max_length=40, help_text="The buyer's unified social credit code.")
    kind = serializers.ChoiceField(choices=[each.value for each in InvoiceKind])
    email = Text(max_length=254)
    note = Text(max_length=400, required=False, default="")
    other_buyer = Text(
        max_length=400,
        required=False,
        default="",
        help_text="Who the buyer is, and why, where it is not the customer of the bill.",
    )


class InvoiceIn(StrictSerializer):
    """An invoice as the tax platform made it, of a bill or of a settlement statement; or with ``reverses`` a red-letter one, all amounts
    below zero."""

    bill = Id(required=False, allow_null=True, default=None, help_text="Of a blue invoice.")
    statement = Id(
        required=False, allow_null=True, default=None, help_text="Of a blue invoice to the office that buys, instead of a bill."
    )
    reverses = Id(required=False, allow_null=True, default=None, help_text="The blue invoice that is taken back.")
    number = Text(max_length=40)
    code = Text(max_length=20, required=False, default="", help_text="Only old paper has one.")
    issued_on = Day()
    buyer_code = Text(max_length=40)
    seller_code = Text(max_length=40)
    net_fen = WholeNumber(min_value=-BIGGEST)
    tax_fen = WholeNumber(min_value=-BIGGEST)
    total_fen = WholeNumber(min_value=-BIGGEST)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A blue invoice is of one paper."""
        if attrs["reverses"] is None and (attrs["bill"] is None) == (attrs["statement"] is None):
            raise serializers.ValidationError({"bill": "Give exactly one of bill and statement, or what it reverses."})
        return attrs


class InvoiceTableIn(StrictSerializer):
    owner = serializers.IntegerField(min_value=1, max_value=BIGGEST)  # multipart: everything is text
    file = serializers.FileField(help_text="The table of the tax platform as CSV.")


class InvoiceOut(serializers.Serializer):
    id = serializers.IntegerField()
    bill = serializers.IntegerField(allow_null=True)
    statement = serializers.IntegerField(
        allow_null=True, help_text="The settlement statement of what an office buys; else a bill."
    )
    reverses = serializers.IntegerField(allow_null=True)
    number = serializers.CharField()
    code = serializers.CharField()
    issued_on = serializers.DateField()
    buyer_code = serializers.CharField()
    seller_code = serializers.CharField()
    net_fen = serializers.IntegerField()
    tax_fen = serializers.IntegerField()
    total_fen = serializers.IntegerField()
    left_fen = serializers.IntegerField(help_text="What no red-letter invoice has taken back.")
    other_buyer = serializers.BooleanField(help_text="Whether it is made out to another than who pays the paper.")
    has_file = serializers.BooleanField()


class InvoiceMadeOut(serializers.Serializer):
    id = serializers.IntegerField()


class InvoicesTakenOut(serializers.Serializer):
    invoices = serializers.IntegerField()


_FIELDS = ("id", "number", "code", "issued_on", "buyer_code", "seller_code", "net_fen", "tax_fen", "total_fen", "left_fen")


def invoice_json(found: Any) -> dict[str, Any]:
    """One invoice from ``queries.invoices_visible``."""
    row = {name: getattr(found, name) for name in _FIELDS}
    of = {
        "bill": found.bill_id,
        "statement": found.statement_id,
        "reverses": found.reverses_id,
        "has_file": found.file_id is not None,
    }
    return {**row, **of, "other_buyer": found.buyer_code != found.customer_code}


class InvoiceView(ApiView):
    """VAT invoices as they were recorded; a token needs the scope ``settle`` to record one."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = VatInvoice.objects.none()
    serializer_class = InvoiceIn

    @extend_schema(responses=InvoiceOut(many=True))
    def list(self, request: Request) -> Response:
        """The invoices of bills and settlement statements that one issues or pays, the latest first."""
        return self.paged(queries.invoices_visible(self.actor), invoice_json)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: InvoiceMadeOut})
    def create(self, request: Request) -> Response:
        """Record an invoice, or a red-letter one; every fault is named (422)."""
        asked = self.valid(request)
        texts = [plain(asked[name]) for name in ("number", "code", "buyer_code", "seller_code")]
        number, code, buyer, seller = texts
        given = Given(number, code, asked["issued_on"], buyer, seller, asked["net_fen"], asked["tax_fen"], asked["total_fen"])

        def effect() -> dict[str, Any]:
            if asked["reverses"] is not None:
                return {"id": recording.record_red(self.actor, asked["reverses"], given, self.now).pk}
            if asked["statement"] is not None:
                return {"id": recording.record_sold(self.actor, asked["statement"], given, self.now).pk}
            return {"id": recording.record(self.actor, asked["bill"], given, self.now).pk}

        return self.once(request, "invoice.record", effect)

    @extend_schema(operation_id="invoices_file", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def file(self, request: Request, pk: str) -> HttpResponse:
        """The invoice itself, as the tax platform gave it."""
        found = queries.file_of(self.actor, int(pk))
        return attachment(found.content, found.stored.media_type, found.stored.file_name)


class InvoiceAskView(ApiView):
    """Asking for the invoice of a bill."""

    token_scopes = {"POST": "settle"}
    queryset = VatInvoice.objects.none()
    serializer_class = InvoiceAskIn

    @extend_schema(parameters=[IDEMPOTENT], responses={201: InvoiceMadeOut})
    def ask(self, request: Request, pk: str) -> Response:
        """Who pays the bill says to whom the invoice is made out."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            return {"id": asking.ask(self.actor, int(pk), Wanted(**asked), self.now).pk}

        return self.once(request, f"invoice.ask:{pk}", effect)


class SoldInvoiceAskView(InvoiceAskView):
    """Asking for the invoice of what an office buys by a settlement statement."""

    @extend_schema(parameters=[IDEMPOTENT], responses={201: InvoiceMadeOut})
    def ask(self, request: Request, pk: str) -> Response:
        """The finance of the office says to whom the invoice is made out."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            return {"id": asking.ask_sold(self.actor, int(pk), Wanted(**asked), self.now).pk}

        return self.once(request, f"invoice.ask_sold:{pk}", effect)


class InvoiceTableView(ApiView):
    """A table from the tax platform; takes multipart."""

    token_scopes = {"POST": "settle"}
    parser_classes = [MultiPartParser]
    queryset = VatInvoice.objects.none()
    serializer_class = InvoiceTableIn

    @extend_schema(request={"multipart/form-data": InvoiceTableIn}, responses={201: InvoicesTakenOut})
    def create(self, request: Request) -> Response:
        """Whole or not at all: with a fault nothing is recorded, and every fault is named by its row (422)."""
        asked = self.valid(request)
        done = recording.import_table(self.actor, asked["owner"], uploads.received(asked["file"]), (), self.now)
        return Response({"invoices": done.invoices}, status=201)
