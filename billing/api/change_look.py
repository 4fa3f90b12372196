"""/api/v1/reservations/{id}/changes/look: what a booking would cost at another time, or on another instrument of its lab."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.settlement.reservation_figures import quoted_of
from billing.settlement.services import moving
from booking.api.views import range_of
from booking.models import Reservation
from config.kernel.api.fields import Id, Instant
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView


class ChangeLookIn(StrictSerializer):
    starts_at = Instant()
    ends_at = Instant()
    instrument = Id(required=False, help_text="Another one of the lab; for its managers alone.")


class ChangeSumsOut(serializers.Serializer):
    gross_fen = serializers.IntegerField()
    subsidy_fen = serializers.IntegerField(help_text="What is deducted and what comes back later.")
    payable_now_fen = serializers.IntegerField()
    final_cost_fen = serializers.IntegerField()
    estimate = serializers.BooleanField()


class ChangeLookOut(serializers.Serializer):
    before = ChangeSumsOut(allow_null=True, help_text="By the quote in force; null where there is none.")
    after = ChangeSumsOut()
    dearer = serializers.BooleanField(help_text="The customer would pay more, so nobody else can say yes to it.")


def _sums(found: object) -> dict[str, int | bool]:
    sums = {name: getattr(found, name) for name in ("gross_fen", "payable_now_fen", "final_cost_fen", "estimate")}
    return sums | {"subsidy_fen": sums["gross_fen"] - sums["final_cost_fen"]}


class ChangeLookView(ApiView):
    """Looking at a move; nothing is changed. With a token of scope ``read``."""

    token_scopes: ClassVar[dict[str, str]] = {"POST": "read"}
    queryset = Reservation.objects.none()
    serializer_class = ChangeLookIn

    @extend_schema(operation_id="reservations_changes_look", responses=ChangeLookOut)
    def create(self, request: Request, pk: str) -> Response:
        """The figures before and after, with what the booking holds now given back first."""
        asked = self.valid(request)
        preview = moving.preview(self.actor, int(pk), range_of(asked), self.now, asked.get("instrument"))
        before, after = quoted_of(self.actor, [int(pk)]).get(int(pk)), preview.assessment
        dearer = before is not None and (
            after.payable_now_fen > before.payable_now_fen or after.final_cost_fen > before.final_cost_fen
        )
        return Response({"before": _sums(before) if before else None, "after": _sums(after), "dearer": dearer})
