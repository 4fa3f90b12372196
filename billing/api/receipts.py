"""/api/v1/receipts and /api/v1/account-statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import money_shapes as shapes
from billing.api.bill_shapes import MoneyMadeOut
from billing.api.bills import KIND
from billing.receipts import queries
from billing.receipts.models import AccountStatement, Receipt
from billing.receipts.rules.content import ACCOUNT, RECEIPT
from billing.receipts.services import issuing
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.views import ApiView
from config.kernel.http import attachment

_FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY}


class PaperView(ApiView):
    """What both papers between an institution and a customer have in common; a token needs the scope ``settle`` to issue one."""

    token_scopes = {"GET": "read", "POST": "settle"}
    paper: ClassVar[str]

    @extend_schema(responses=shapes.CustomerPaperOut(many=True))
    def list(self, request: Request) -> Response:
        """Those of which one is either side, the latest first."""
        return self.paged(queries.papers_visible(self.actor, self.paper), shapes.paper_json)

    @extend_schema(responses=shapes.CustomerPaperDetailOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One with its frozen content."""
        found = queries.paper_for(self.actor, self.paper, int(pk))
        return Response({**shapes.paper_json(found), "content": found.content})

    def issue_once(self, request: Request, issue: Callable[[dict[str, Any]], Model]) -> Response:
        """The paper that was asked for, once for a key."""
        asked = self.valid(request)
        return self.once(request, f"{self.paper}.issue", lambda: {"id": issue(asked).pk})

    def file(self, pk: str, kind: str) -> HttpResponse:
        """One file of a paper. Raises NotFound, Refusal ``statement.not_ready``."""
        found = queries.document(self.actor, self.paper, int(pk), kind)
        return attachment(found.content, found.stored.media_type, found.stored.file_name)


class ReceiptView(PaperView):
    """Receipts; a token needs the scope ``settle`` to issue one."""

    queryset = Receipt.objects.none()
    serializer_class = shapes.ReceiptIn
    paper: ClassVar[str] = RECEIPT

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MoneyMadeOut})
    def create(self, request: Request) -> Response:
        """Acknowledge what of a payment pays the bills of a customer and stands on no receipt yet."""
        return self.issue_once(request, lambda asked: issuing.receipt(self.actor, asked["payment"], asked["customer"], self.now))

    @extend_schema(parameters=[KIND], operation_id="receipts_download", responses=_FILE)
    def download(self, request: Request, pk: str, kind: str) -> HttpResponse:
        """The PDF or the XLSX, byte for byte as it was made once (422 until then), or the frozen content as CSV, JSON or HTML."""
        return self.file(pk, kind)


class AccountStatementView(PaperView):
    """Statements of account; a token needs the scope ``settle`` to issue one."""

    queryset = AccountStatement.objects.none()
    serializer_class = shapes.AccountStatementIn
    paper: ClassVar[str] = ACCOUNT

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MoneyMadeOut})
    def create(self, request: Request) -> Response:
        """Freeze every movement between the two sides in a period; either side may."""

        def issue(asked: dict[str, Any]) -> Model:
            sides, days = (asked["owner"], asked["customer"]), (asked["first_on"], asked["last_on"])
            return issuing.account_statement(self.actor, *sides, *days, self.now)

        return self.issue_once(request, issue)

    @extend_schema(parameters=[KIND], operation_id="account_statements_download", responses=_FILE)
    def download(self, request: Request, pk: str, kind: str) -> HttpResponse:
        """The PDF or the XLSX, byte for byte as it was made once (422 until then), or the frozen content as CSV, JSON or HTML."""
        return self.file(pk, kind)
