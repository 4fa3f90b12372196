"""/api/v1/hand-payments: money that finance enters by hand."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from billing.payments import queries
from billing.payments.hand_models import HandEntry
from billing.payments.rules.by_hand import Way
from billing.payments.services import by_hand
from billing.payments.services.by_hand import Wanted
from config.kernel.api.fields import BIGGEST, Day, Text
from config.kernel.api.parsers import StrictJSONParser
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.http import attachment
from instruments.services import uploads


class HandPaymentIn(StrictSerializer):
    owner = serializers.IntegerField(min_value=1, max_value=BIGGEST)  # multipart: everything is text
    way = serializers.ChoiceField(choices=[each.value for each in Way])
    amount_fen = serializers.IntegerField(max_value=BIGGEST)
    received_on = Day()
    payer_name = Text(max_length=400)
    reference = Text(max_length=200)
    remark = Text(max_length=600, required=False, default="")
    another = serializers.BooleanField(default=False, help_text="Money that was named as maybe the same (409) is not it.")
    file = serializers.FileField(help_text="The slip, receipt or cheque as PDF, JPEG or PNG.")


class HandConfirmIn(StrictSerializer):
    another = serializers.BooleanField(default=False, help_text="Money that was named as maybe the same (409) is not it.")


class HandEndIn(StrictSerializer):
    reason = Text(max_length=1000)


class HandPaymentOut(serializers.Serializer):
    id = serializers.IntegerField()
    owner = serializers.IntegerField()
    way = serializers.ChoiceField(choices=[each.value for each in Way])
    amount_fen = serializers.IntegerField()
    received_on = serializers.DateField()
    payer_name = serializers.CharField()
    reference = serializers.CharField()
    remark = serializers.CharField()
    payment = serializers.IntegerField(allow_null=True, help_text="Once another person confirmed it.")
    ended = serializers.BooleanField()
    end_reason = serializers.CharField()


def hand_json(row: HandEntry) -> dict[str, Any]:
    """One entry from ``queries.hand_entries``."""
    names = ("way", "amount_fen", "payer_name", "reference", "remark", "end_reason")
    payment = getattr(row, "payment", None)
    return {
        "id": row.pk,
        "owner": row.owner_id,
        **{name: getattr(row, name) for name in names},
        "received_on": row.received_on.isoformat(),
        "payment": payment.pk if payment is not None else None,
        "ended": row.ended_at is not None,
    }


class HandPaymentView(ApiView):
    """Money that is entered by hand: written down by one person, confirmed by another; a token needs the scope ``settle`` to write."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = HandEntry.objects.none()
    parser_classes = [MultiPartParser, StrictJSONParser]

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return {"create": HandPaymentIn, "confirm": HandConfirmIn, "end": HandEndIn}.get(self.action or "", HandPaymentOut)

    @extend_schema(responses=HandPaymentOut(many=True))
    def list(self, request: Request) -> Response:
        """What was entered, that which waits for a second person first."""
        return self.paged(queries.hand_entries(self.actor), hand_json)

    @extend_schema(request={"multipart/form-data": HandPaymentIn}, responses={201: HandPaymentOut})
    def create(self, request: Request) -> Response:
        """Write money down. What may be the same money is named (409); send it again with ``another``."""
        asked = dict(self.valid(request))
        owner, file = asked.pop("owner"), asked.pop("file")
        row = by_hand.record(self.actor, owner, Wanted(**asked), uploads.received(file), file.name or "", self.now)
        return Response(hand_json(row), status=201)

    @extend_schema(request=HandConfirmIn, responses=HandPaymentOut)
    def confirm(self, request: Request, pk: str) -> Response:
        """Another person says that the money is there: it is a payment."""
        payment = by_hand.confirm(self.actor, int(pk), self.now, another=self.valid(request)["another"])
        return Response(hand_json(queries.hand_entries(self.actor).get(payment=payment)))

    @extend_schema(request=HandEndIn, responses=HandPaymentOut)
    def end(self, request: Request, pk: str) -> Response:
        """Take it back; what was confirmed only while nothing of it is given."""
        row = by_hand.end(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return Response(hand_json(queries.hand_entries(self.actor).get(pk=row.pk)))

    @extend_schema(operation_id="hand_payments_file", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def file(self, request: Request, pk: str) -> HttpResponse:
        """The file that proves it."""
        stored, content = queries.hand_evidence(self.actor, int(pk))
        return attachment(content, stored.media_type, stored.file_name)
