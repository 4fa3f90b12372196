"""/api/v1/quotations and /commission-sheets: from a lab's offer to the signed order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api import order_shapes as shapes
from billing.ordering import queries
from billing.ordering.models import CommissionSheet, Quotation
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import line_charges, quotations, sheets
from billing.ordering.services.line_charges import Part
from billing.ordering.services.quotations import QuotationInput
from billing.ordering.services.sheets import SheetInput
from booking.api.enquiries import created, made
from booking.rules.enquiries import Side
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.http import attachment
from instruments.services import uploads

BINARY = {(200, "application/octet-stream"): OpenApiTypes.BINARY}
SIDE = OpenApiParameter("side", str, OpenApiParameter.PATH, enum=[side.value for side in Side], description="Who handed it in.")
COPY = OpenApiParameter("copy", str, OpenApiParameter.PATH, enum=["issued", "signed"], description="Before or with signatures.")


def quotation_input(given: Mapping[str, Any]) -> QuotationInput:
    """A checked body as the service takes it."""
    lines = tuple(
        LineInput(
            kind=line["kind"],
            quantity=line["quantity"],
            subject_id=line.get("subject"),
            description=line["description"],
            unit=line["unit"],
            unit_price_fen=line.get("unit_price_fen"),
        )
        for line in given["lines"]
    )
    return QuotationInput(given["title"], given["valid_until"], lines, given["tax_note"], given["terms"])


def _side(given: Mapping[str, Any]) -> Side | None:
    return Side(given["side"]) if "side" in given else None


class QuotationView(ApiView):
    """Quotations: a lab's managers (scope ``manage``) write and send them, customers (scope ``book``) accept or decline."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "manage", "PUT": "manage"}
    queryset = Quotation.objects.none()
    parameters_shapes: ClassVar[dict[str, type[StrictSerializer]]] = {"list": shapes.QuotationParameters}
    shapes_by_action: ClassVar[dict[str, type[BaseSerializer]]] = {
        "draft": shapes.QuotationIn,
        "update": shapes.QuotationIn,
        "send": shapes.SendIn,
        "withdraw": shapes.OrderReasonIn,
        "decline": shapes.OrderReasonIn,
        "accept": shapes.AcceptQuotationIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.shapes_by_action.get(self.action, NoFields)

    @extend_schema(parameters=[shapes.QuotationParameters], responses=shapes.QuotationRow(many=True))
    def list(self, request: Request) -> Response:
        """The quotations that I read, newest first; a customer sees those that were sent."""
        asked = self.parameters(request)
        rows = queries.quotations_visible(self.actor)
        if "enquiry" in asked:
            rows = rows.filter(enquiry_id=asked["enquiry"])
        if "state" in asked:
            rows = rows.filter(state=asked["state"])
        return self.paged(rows, shapes.quotation_row)

    @extend_schema(responses=shapes.QuotationOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One quotation with its lines."""
        return self._shown(int(pk))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.QuotationOut, 200: shapes.QuotationOut})
    def draft(self, request: Request, pk: str) -> Response:
        """Write a quotation down in a thread; the customer sees it when it is sent."""
        key, given = self.idempotency_key(request), self.valid(request)
        written = quotations.draft(self.actor, int(pk), quotation_input(given), self.now, idempotency_key=key)
        return created(self._told(written.pk), written)

    @extend_schema(responses=shapes.QuotationOut)
    def update(self, request: Request, pk: str) -> Response:
        """Replace what a draft says."""
        quotations.edit(self.actor, int(pk), quotation_input(self.valid(request)), self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.QuotationOut)
    def send(self, request: Request, pk: str) -> Response:
        """Number it, freeze it and send it."""
        quotations.send(self.actor, int(pk), self.valid(request)["note"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.QuotationOut)
    def withdraw(self, request: Request, pk: str) -> Response:
        """The lab no longer offers it."""
        quotations.withdraw(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses=BINARY)
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        """The PDF, byte for byte as it was made once; 422 until it has been made."""
        stored, content = queries.document(queries.quotation_for(self.actor, int(pk)).pdf)
        return attachment(content, stored.media_type, stored.file_name)

    def _shown(self, pk: int) -> Response:
        return Response(self._told(pk))

    def _told(self, pk: int) -> dict[str, Any]:
        return shapes.quotation_json(queries.quotation_for(self.actor, pk))


class CustomerQuotationView(QuotationView):
    """What the customer does with a quotation; a token needs the scope ``book``."""

    token_scopes: ClassVar[dict[str, str]] = {"POST": "book"}

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.AcceptedOut, 200: shapes.AcceptedOut})
    def accept(self, request: Request, pk: str) -> Response:
        """Say yes: it becomes one commission sheet, however often this is sent."""
        key, given = self.idempotency_key(request), self.valid(request)
        sheet = quotations.accept(self.actor, int(pk), given.get("total_fen"), self.now, idempotency_key=key)
        return made(sheet, "api_commission")

    @extend_schema(responses=shapes.QuotationOut)
    def decline(self, request: Request, pk: str) -> Response:
        """Say no, and why."""
        quotations.decline(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self._shown(int(pk))


class CommissionView(ApiView):
    """Commission sheets: what is agreed, who signed, which reservations belong to it; a token needs the scope ``book`` to write."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "book", "PUT": "book"}
    queryset = CommissionSheet.objects.none()
    parameters_shapes: ClassVar[dict[str, type[StrictSerializer]]] = {"list": shapes.SheetParameters}
    shapes_by_action: ClassVar[dict[str, type[BaseSerializer]]] = {
        "update": shapes.SheetIn,
        "sign": shapes.SignIn,
        "scan": shapes.ScanIn,
        "cancel": shapes.OrderReasonIn,
        "link": shapes.ReservationLinkIn,
        "unlink": shapes.ReservationLinkIn,
        "charge": shapes.LineChargeIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.shapes_by_action.get(self.action, NoFields)

    @extend_schema(parameters=[shapes.SheetParameters], responses=shapes.SheetRow(many=True))
    def list(self, request: Request) -> Response:
        """The commission sheets that I read, newest first."""
        asked = self.parameters(request)
        rows = queries.sheets_visible(self.actor)
        return self.paged(rows.filter(state=asked["state"]) if "state" in asked else rows, shapes.sheet_row)

    @extend_schema(responses=shapes.SheetOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One sheet with lines, signatures and reservations."""
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SheetOut)
    def update(self, request: Request, pk: str) -> Response:
        """Write down what is agreed; both sides may until it is issued."""
        sheets.fill(self.actor, int(pk), SheetInput(**self.valid(request)), self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SheetOut)
    def issue(self, request: Request, pk: str) -> Response:
        """The lab numbers it, copies the parties and freezes it."""
        self.valid(request)
        sheets.issue(self.actor, int(pk), self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SheetOut)
    def sign(self, request: Request, pk: str) -> Response:
        """Sign for one's side: an administrator of the firm, a manager of the lab."""
        given = self.valid(request)
        sheets.sign(self.actor, int(pk), given["sha256"], self.now, side=_side(given))
        return self._shown(int(pk))

    @extend_schema(request={"multipart/form-data": shapes.ScanIn}, responses=shapes.SheetOut)
    def scan(self, request: Request, pk: str) -> Response:
        """Hand in the sealed paper (multipart), which binds the side that hands it in."""
        given = self.valid(request)
        sheets.hand_in_scan(self.actor, int(pk), uploads.received(given["file"]), self.now, side=_side(given))
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SheetOut)
    def cancel(self, request: Request, pk: str) -> Response:
        """Call it off before both sides have signed."""
        sheets.cancel(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SheetOut)
    def finish(self, request: Request, pk: str) -> Response:
        """The lab says that everything on it is done."""
        self.valid(request)
        sheets.finish(self.actor, int(pk), self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SheetOut)
    def link(self, request: Request, pk: str) -> Response:
        """Attach a reservation of the same two sides."""
        sheets.link(self.actor, int(pk), self.valid(request)["reservation"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SheetOut)
    def unlink(self, request: Request, pk: str) -> Response:
        """Take a reservation off again, until both sides have signed."""
        sheets.unlink(self.actor, int(pk), self.valid(request)["reservation"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses={201: shapes.LineChargeOut})
    def charge(self, request: Request, pk: str) -> Response:
        """The lab charges a part of a line of the kind `other`, as both sides have signed."""
        given = self.valid(request)
        part = Part(given["line"], given["quantity"], given.get("reservation"), given.get("sample_job"))
        made = line_charges.charge(self.actor, int(pk), part, self.now)
        return Response(shapes.charge_json(made), status=201)

    @extend_schema(parameters=[COPY], responses=BINARY)
    def pdf(self, request: Request, pk: str, copy: str) -> HttpResponse:
        """The PDF as it was issued, or with both signatures; 422 until it has been made."""
        found = queries.sheet_for(self.actor, int(pk))
        stored, content = queries.document(found.signed_pdf if copy == "signed" else found.pdf)
        return attachment(content, stored.media_type, stored.file_name)

    @extend_schema(parameters=[SIDE], operation_id="commission_sheets_read_scan", responses=BINARY)
    def read_scan(self, request: Request, pk: str, side: str) -> HttpResponse:
        """The sealed paper that a side handed in."""
        stored, content = queries.scan_for(self.actor, int(pk), side)
        return attachment(content, stored.media_type, stored.file_name)

    def _shown(self, pk: int) -> Response:
        return Response(shapes.sheet_json(queries.sheet_for(self.actor, pk)))


class ScanView(CommissionView):
    """Handing in a scan takes multipart."""

    parser_classes = [MultiPartParser]
