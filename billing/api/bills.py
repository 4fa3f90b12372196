"""/api/v1/bills, /payments, /bank-statements and /allocations."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api import bill_shapes as shapes
from billing.api.proposals import DeclineIn
from billing.bills import queries
from billing.bills.models import Bill, CreditNote
from billing.bills.services import issuing, writing_off
from billing.bills.services.issuing import BillRequest
from billing.payments import queries as payments
from billing.payments.models import Allocation, BankStatement, Payment
from billing.payments.rules.bank_rows import MOST_BYTES
from billing.payments.rules.overlap import Answer
from billing.payments.services import allocating, bank_import, crediting, giving_certain, refunding
from billing.payments.services.crediting import CreditRequest, Shown
from billing.payments.services.giving_certain import Wanted
from billing.settlement.rules.lines_digest import Expected
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields
from config.kernel.api.views import REPLAYED, ApiView
from config.kernel.http import attachment

KIND = OpenApiParameter(
    "kind", str, OpenApiParameter.PATH, enum=["pdf", "xlsx", "csv", "json", "html"], description="Which document."
)


class BillView(ApiView):
    """Bills: reading, issuing, voiding, crediting; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = Bill.objects.none()
    parameters_shapes = {"list": shapes.BillParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {
        "create": shapes.BillIn,
        "void": shapes.ReasonIn,
        "credit": shapes.CreditIn,
        "propose_write_off": shapes.WriteOffIn,
        "write_off": NoFields,
        "decline_write_off": DeclineIn,
        "take_back": shapes.ReasonIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", shapes.BillOut)

    @extend_schema(parameters=[shapes.BillParameters], responses=shapes.BillOut(many=True))
    def list(self, request: Request) -> Response:
        """The bills that one issues or pays, the latest first."""
        rows = queries.bills_visible(self.actor)
        if self.parameters(request).get("open"):
            rows = queries.still_open(rows)
        return self.paged(rows, lambda bill: shapes.bill_json(self.actor, bill))

    @extend_schema(responses=shapes.BillDetailOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One bill with its frozen content."""
        found = queries.bill_for(self.actor, int(pk))
        return Response({**shapes.bill_json(self.actor, found), "content": found.content})

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.MoneyMadeOut, 200: shapes.MoneyMadeOut})
    def create(self, request: Request) -> Response:
        """Number and freeze what a customer was charged and stands on no bill; 200 when this Idempotency-Key has issued before."""
        key, asked = self.idempotency_key(request), self.valid(request)
        seen = asked.get("expected")
        issued = issuing.issue_once(
            self.actor,
            BillRequest(asked["owner"], asked["customer"], asked["until_on"], asked["due_days"]),
            self.now,
            idempotency_key=key,
            expected=Expected(**seen) if seen else None,
        )
        headers = {REPLAYED: "true"} if issued.replayed else {"Location": reverse("api_bill", args=[issued.bill_id])}
        return Response({"id": issued.bill_id}, status=200 if issued.replayed else 201, headers=headers)

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.MoneyMadeOut)
    def void(self, request: Request, pk: str) -> Response:
        """Undo a bill that nobody has paid; its number stays."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            issuing.void(self.actor, int(pk), asked["reason"], self.now)
            return {"id": int(pk)}

        return self.once(request, f"bill.void:{pk}", effect, status=200)

    @extend_schema(responses=shapes.BillDetailOut)
    def propose_write_off(self, request: Request, pk: str) -> Response:
        """Propose to give up what is expected still of an overdue bill, or a part of it; another person decides."""
        asked = self.valid(request)
        writing_off.propose(self.actor, int(pk), asked["reason"], self.now, asked["amount_fen"])
        return self.retrieve(request, pk)

    @extend_schema(responses=shapes.BillDetailOut)
    def write_off(self, request: Request, pk: str) -> Response:
        """Give up what another person proposed; 409 where that does not fit what is left by now. The customer owes it all the same."""
        self.valid(request)
        writing_off.write_off(self.actor, int(pk), self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses=shapes.BillDetailOut)
    def decline_write_off(self, request: Request, pk: str) -> Response:
        """Send the proposed write-off back with a reason, or withdraw one's own."""
        writing_off.decline(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses=shapes.BillDetailOut)
    def take_back(self, request: Request, pk: str) -> Response:
        """Expect the money again after a write-off."""
        writing_off.take_back(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self.retrieve(request, pk)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.CreditOut})
    def credit(self, request: Request, pk: str) -> Response:
        """Credit a part of a line; with ``expected_*`` only where it does just that (409, with ``effect`` as it is now)."""
        asked = self.valid(request)
        wanted = CreditRequest(int(pk), asked["position"], asked["amount_fen"], asked["reason_code"], asked["reason"])

        def effect() -> dict[str, Any]:
            shown = Shown(*(asked[f"expected_{name}_fen"] for name in ("freed", "subsidy", "card")))
            return shapes.credit_json(crediting.issue(self.actor, wanted, self.now, shown=shown))

        return self.once(request, f"bill.credit:{pk}", effect)

    @extend_schema(
        parameters=[KIND], operation_id="bills_download", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}
    )
    def download(self, request: Request, pk: str, kind: str) -> HttpResponse:
        """The PDF or the XLSX, byte for byte as it was made once; 422 until it has been made."""
        found = queries.document(self.actor, Bill, int(pk), kind)
        return attachment(found.content, found.stored.media_type, found.stored.file_name)

    @extend_schema(
        parameters=[KIND],
        operation_id="credit_notes_download",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def download_credit(self, request: Request, pk: str, kind: str) -> HttpResponse:
        """The PDF or the XLSX of a credit note."""
        found = queries.document(self.actor, CreditNote, int(pk), kind)
        return attachment(found.content, found.stored.media_type, found.stored.file_name)


class PaymentView(ApiView):
    """What came in, giving it to bills and sending it back; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = Payment.objects.none()
    parameters_shapes = {"list": shapes.PaymentParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {
        "give": shapes.GiveIn,
        "give_certain": shapes.GiveCertainIn,
        "refund": shapes.RefundIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", shapes.PaymentOut)

    @extend_schema(parameters=[shapes.PaymentParameters], responses=shapes.PaymentOut(many=True))
    def list(self, request: Request) -> Response:
        """The payments of one's institutions, the latest first."""
        rows = payments.payments_visible(self.actor)
        return self.paged(payments.with_free_money(rows) if self.parameters(request).get("free") else rows, shapes.payment_json)

    @extend_schema(responses=shapes.PaymentOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One payment and what of it is free."""
        return Response(shapes.payment_json(payments.payment_for(self.actor, int(pk))))

    @extend_schema(operation_id="payments_certain", responses=shapes.CertainOut)
    def certain(self, request: Request) -> Response:
        """What may be given without a second look: one reference on the money, and exactly that much open of its bill."""
        return Response(shapes.certain_json(payments.certain_matches(self.actor)[: giving_certain.MOST]))

    @extend_schema(operation_id="payments_give_certain", parameters=[IDEMPOTENT], responses=shapes.CertainGivenOut)
    def give_certain(self, request: Request) -> Response:
        """Give these matches, each by itself and once for this Idempotency-Key; what is not certain any more says why."""
        key, asked = self.idempotency_key(request), self.valid(request)
        wanted = [Wanted(each["payment"], each["bill"], each["amount_fen"]) for each in asked["matches"]]
        return Response(shapes.given_json(giving_certain.give_all(self.actor, wanted, self.now, key=key)))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.AllocationOut})
    def give(self, request: Request, pk: str) -> Response:
        """Give a part of a payment to a bill of the same institution."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            return shapes.allocation_json(allocating.give(self.actor, int(pk), asked["bill"], asked["amount_fen"], self.now))

        return self.once(request, f"payment.give:{pk}", effect)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.MoneyMadeOut})
    def refund(self, request: Request, pk: str) -> Response:
        """Write down that free money was sent back, or ask the payment service to send it."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            return {"id": refunding.refund(self.actor, int(pk), asked["amount_fen"], asked["reason"], self.now).pk}

        return self.once(request, f"payment.refund:{pk}", effect)


class AllocationView(ApiView):
    """Taking money away from a bill again."""

    token_scopes = {"POST": "settle"}
    queryset = Allocation.objects.none()
    serializer_class = shapes.ReasonIn

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.AllocationOut})
    def undo(self, request: Request, pk: str) -> Response:
        """By a reversing entry; the money is free again."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            return shapes.allocation_json(allocating.undo(self.actor, int(pk), asked["reason"], self.now))

        return self.once(request, f"allocation.undo:{pk}", effect)


class BankStatementView(ApiView):
    """A bank's list of movements; takes multipart. Handing the same in again adds nothing."""

    token_scopes = {"POST": "settle"}
    parser_classes = [MultiPartParser]
    queryset = BankStatement.objects.none()
    serializer_class = shapes.StatementFileIn

    @extend_schema(request={"multipart/form-data": shapes.StatementFileIn}, responses={201: shapes.StatementTakenOut})
    def create(self, request: Request) -> Response:
        """Whole or not at all: with a fault nothing is taken in, and every fault is named (422).

        Rows that may be payments taken in before are named with their fingerprints (409); send the file again with each under ``same`` or
        ``other``.
        """
        asked = self.valid(request)
        content = asked["file"].read(MOST_BYTES + 1)
        answers = dict.fromkeys(asked["same"], Answer.SAME.value) | dict.fromkeys(asked["other"], Answer.OTHER.value)
        taken = bank_import.import_statement(
            self.actor, asked["owner"], content, asked["file"].name or "", self.now, layout=asked["layout"], answers=answers
        )
        return Response(shapes.taken_json(taken.statement, taken.known), status=200 if taken.known else 201)
