"""/api/v1/owner-incomes: what owners of instruments earned from customers outside, year by year."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from billing.firms import income_queries
from billing.firms.income_models import OwnerIncome
from billing.firms.services import incomes
from config.kernel.api.fields import BIGGEST, Text
from config.kernel.api.serializers import PageParameters, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.http import attachment
from instruments.services.uploads import received

_TEXT = 2000  # longer is refused as input; the service says what really fits


class IncomeIn(StrictSerializer):
    year = serializers.IntegerField(min_value=0, max_value=9999, help_text="A calendar year that is over.")
    income_fen = serializers.IntegerField(min_value=0, max_value=BIGGEST)
    note = Text(max_length=_TEXT, required=False, default="", allow_blank=True)
    file = serializers.FileField(allow_empty_file=True, help_text="PDF, JPEG or PNG: the page of the accounts, an audit report.")


class IncomeDecisionIn(StrictSerializer):
    confirm = serializers.BooleanField()
    reason = Text(max_length=_TEXT, required=False, default="", help_text="Needed for a refusal; the institution reads it.")


class IncomeOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation = serializers.IntegerField()
    year = serializers.IntegerField()
    position = serializers.IntegerField(help_text="1, 2, ...: the confirmed one with the highest counts.")
    income_fen = serializers.IntegerField()
    known_fen = serializers.IntegerField(
        help_text="What the platform itself had charged customers outside in that year when this was declared."
    )
    note = serializers.CharField()
    state = serializers.CharField(help_text="open, confirmed or refused.")
    reason = serializers.CharField()
    declared_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    sha256 = serializers.CharField(help_text="Of the evidence.")


def income_out(row: OwnerIncome) -> dict[str, Any]:
    """A figure as JSON."""
    return {
        "id": row.pk,
        "organisation": row.organisation_id,
        "year": row.year,
        "position": row.position,
        "income_fen": row.income_fen,
        "known_fen": row.known_fen,
        "note": row.note,
        "state": {None: "open", True: "confirmed", False: "refused"}[row.confirmed],
        "reason": row.reason,
        "declared_at": row.declared_at.isoformat(),
        "decided_at": row.decided_at and row.decided_at.isoformat(),
        "sha256": row.evidence.sha256,
    }


class IncomeView(ApiView):
    """Figures of years: an owner's own, and all for who supervises or pays."""

    token_scopes = {"GET": "read", "POST": "manage"}
    queryset = OwnerIncome.objects.none()
    parameters_shapes = {"list": PageParameters}

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return IncomeDecisionIn if self.action == "decide" else IncomeOut

    @extend_schema(responses=IncomeOut(many=True))
    def list(self, request: Request) -> Response:
        """The latest year and version first."""
        return self.paged(income_queries.incomes(self.actor), income_out)

    @extend_schema(responses=IncomeOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(income_out(income_queries.income_for(self.actor, int(pk))))

    @extend_schema(responses=IncomeOut)
    def decide(self, request: Request, pk: str) -> Response:
        """An officer of the owner's region confirms it or refuses it with a reason, once; never who declared it."""
        asked = self.valid(request)
        incomes.decide(self.actor, int(pk), asked["confirm"], asked["reason"], self.now)
        return self.retrieve(request, pk)

    @extend_schema(operation_id="owner_income_file", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def file(self, request: Request, pk: str) -> HttpResponse:
        """The evidence."""
        stored, content = incomes.evidence_for(self.actor, int(pk))
        return attachment(content, stored.media_type, stored.file_name)


class IncomeDeclareView(ApiView):
    """Declaring the figure of a year; takes multipart."""

    token_scopes = {"POST": "manage"}
    parser_classes = [MultiPartParser]
    queryset = OwnerIncome.objects.none()
    serializer_class = IncomeIn

    @extend_schema(request={"multipart/form-data": IncomeIn}, responses={201: IncomeOut})
    def declare(self, request: Request, pk: str) -> Response:
        """It counts once an officer of the region has confirmed it; of a year that has a figure it is the next version."""
        asked = self.valid(request)
        scan = received(asked["file"])
        made = incomes.declare(self.actor, int(pk), asked["year"], asked["income_fen"], asked["note"], scan, self.now)
        return Response(income_out(made), status=201)
