"""/api/v1/organisations/{id}/booking-rules/ and /instruments/{id}/booking-rules/: a lab's rules as documents."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from booking.models import PolicyLayer
from booking.queries import policies as queries
from booking.rules.policy_layers import KEPT_AS_DOCUMENT, rest_document
from booking.services import policies
from booking.services.policies import COLUMNS, Scope
from config.kernel.api.fields import Id, Text
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "All instruments of a lab: at most 40 hours a week for one organisation",
            value={
                "said": {
                    "notice_minutes": 240,
                    "quotas": [
                        {"subject": "organisation", "measure": "minutes", "period": "week", "most": 2400, "peak_only": False}
                    ],
                    "licensed_times": [{"weekdays": [1, 2, 3, 4, 5], "from_minute": 1320, "until_minute": 360}],
                },
                "reason": "New term",
            },
            request_only=True,
        )
    ]
)
class LayerIn(StrictSerializer):
    """``said`` is all that the layer says; what it leaves out it leaves open. Neither class nor instrument: all of the lab."""

    class_code = Text(max_length=6, required=False, allow_blank=True, default="")
    instrument = Id(required=False, allow_null=True, default=None)
    said = serializers.DictField()
    reason = Text(max_length=300, required=False, allow_blank=True, default="")


class LayerOut(serializers.Serializer):
    class_code = serializers.CharField()
    instrument = serializers.IntegerField(source="instrument_id", allow_null=True)
    said = serializers.DictField()
    changed_at = serializers.DateTimeField()


class EffectiveOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    rules = serializers.DictField(help_text="What holds, all layers taken together.")


class LayersView(ApiView):
    """What a lab says in layers; for its managers."""

    token_scopes = {"GET": "read", "PUT": "manage"}
    queryset = PolicyLayer.objects.none()
    serializer_class = LayerIn

    @extend_schema(responses=LayerOut(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """Every layer that says something."""
        queries.lab_of(self.actor, int(pk))
        return Response(LayerOut(queries.layers_of(self.actor, int(pk)), many=True).data)

    @extend_schema(responses=LayerOut)
    def update(self, request: Request, pk: str) -> Response:
        """Say all that one layer says; an empty document takes it back. 422 names every setting that is wrong."""
        asked = self.valid(request)
        scope = Scope(int(pk), asked["class_code"], asked["instrument"])
        layer = policies.say(self.actor, scope, asked["said"], self.now, asked["reason"])
        return Response(LayerOut(layer).data)


class EffectiveView(ApiView):
    """What holds for one instrument; for its managers."""

    token_scopes = {"GET": "read"}
    queryset = PolicyLayer.objects.none()
    serializer_class = EffectiveOut

    @extend_schema(responses=EffectiveOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """The rules of an instrument, defaults filled in."""
        instrument, combined = queries.effective(self.actor, int(pk))
        rules: dict[str, Any] = {name: getattr(combined.policy, name) for name in COLUMNS}
        plain = {name: getattr(combined.policy, name) for name in KEPT_AS_DOCUMENT}
        rules |= {name: value for name, value in plain.items() if isinstance(value, (bool, int, str))}
        return Response({"instrument": instrument.pk, "rules": rules | rest_document(combined.policy)})
