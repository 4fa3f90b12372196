"""/api/v1/programme-ends: a published version that ends before the last day of its document, proposed by one officer and confirmed by
another."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api.bill_shapes import ReasonIn
from billing.subsidy import ends
from billing.subsidy.end_models import VersionEnd
from config.kernel.api.fields import Day, Id, Text
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView

_TEXT = 2000  # longer is refused as input; the service says what really fits


class EndProposalIn(ReasonIn):
    version = Id(help_text="The published version, by its id.")
    last_on = Day(help_text="Its new last day: today or later, and before the last day that it has.")


class EndDecisionIn(StrictSerializer):
    confirm = serializers.BooleanField(
        help_text="True: the version ends so. False: it goes on, or whoever proposed it takes it back."
    )
    reason = Text(max_length=_TEXT, required=False, default="", help_text="Needed where it is not confirmed.")


class EndOut(serializers.Serializer):
    id = serializers.IntegerField()
    programme = serializers.CharField()
    version = serializers.IntegerField()
    version_label = serializers.CharField()
    successor = serializers.IntegerField(
        allow_null=True, help_text="The version that begins the day after; null: it was stopped."
    )
    successor_label = serializers.CharField(allow_null=True)
    last_before = serializers.DateField()
    last_on = serializers.DateField()
    reason = serializers.CharField(help_text="Why it is stopped; empty where a successor begins.")
    state = serializers.ChoiceField(choices=VersionEnd.State.values)
    asked_by = serializers.IntegerField()
    asked_at = serializers.DateTimeField()
    decided_by = serializers.IntegerField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField(help_text="Why it was not confirmed.")


def end_out(row: VersionEnd) -> dict[str, Any]:
    """An end that was proposed, as JSON."""
    return {
        "id": row.pk,
        "programme": row.version.programme.code,
        "version": row.version_id,
        "version_label": row.version.label,
        "successor": row.successor_id,
        "successor_label": None if row.successor is None else row.successor.label,
        "last_before": row.last_before.isoformat(),
        "last_on": row.last_on.isoformat(),
        "reason": row.reason,
        "state": row.state,
        "asked_by": row.asked_by_id,
        "asked_at": row.asked_at.isoformat(),
        "decided_by": row.decided_by_id,
        "decided_at": row.decided_at and row.decided_at.isoformat(),
        "answer": row.answer,
    }


class EndView(ApiView):
    """Ends of published versions: read by officers, finance and inspectors; officers of the programme's office propose and confirm."""

    queryset = VersionEnd.objects.none()
    token_scopes = {"GET": "read", "POST": "manage"}
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"propose": EndProposalIn, "decide": EndDecisionIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", NoFields)

    @extend_schema(responses=EndOut(many=True))
    def list(self, request: Request) -> Response:
        """What ended versions early or was proposed to, the latest first."""
        return self.paged(ends.ends_visible(self.actor), end_out)

    @extend_schema(responses=EndOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(end_out(ends.end_for_reading(self.actor, int(pk))))

    @extend_schema(responses={201: EndOut})
    def propose(self, request: Request) -> Response:
        """Propose a last day without a successor; nothing ends until a second officer confirms it."""
        asked = self.valid(request)
        made = ends.ask(self.actor, asked["version"], asked["last_on"], asked["reason"], self.now)
        return Response(end_out(made), status=201)

    @extend_schema(responses=EndOut)
    def decide(self, request: Request, pk: str) -> Response:
        """An officer who did not propose it confirms it; any officer of the office lets the version go on."""
        asked = self.valid(request)
        if asked["confirm"]:
            ends.confirm(self.actor, int(pk), self.now)
        else:
            ends.refuse(self.actor, int(pk), asked["reason"], self.now)
        return self.retrieve(request, pk)
