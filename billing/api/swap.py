"""/api/v1/reservations/{id}/swap/look: what two bookings would cost after they swapped."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.settlement import swap_figures
from billing.settlement.reservation_figures import Figures
from billing.settlement.swap_figures import SwappedFigures
from booking.models import Reservation
from booking.services.swaps import Swap
from config.kernel.api.fields import Id
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView


class SwapLookIn(StrictSerializer):
    other = Id(help_text="The booking of the same calendar with which it would swap.")


class SwapSumsOut(serializers.Serializer):
    gross_fen = serializers.IntegerField()
    payable_now_fen = serializers.IntegerField()
    final_cost_fen = serializers.IntegerField()
    estimate = serializers.BooleanField()


class SwappedOut(serializers.Serializer):
    reservation = serializers.IntegerField()
    before = SwapSumsOut()
    after = SwapSumsOut()


def _sums(figures: Figures) -> dict[str, Any]:
    return {name: getattr(figures, name) for name in ("gross_fen", "payable_now_fen", "final_cost_fen", "estimate")}


def _row(found: SwappedFigures) -> dict[str, Any]:
    return {"reservation": found.reservation_id, "before": _sums(found.before), "after": _sums(found.after)}


class SwapLookView(ApiView):
    """Looking at a swap; nothing is changed. With a token of scope ``read``."""

    token_scopes: ClassVar[dict[str, str]] = {"POST": "read"}
    queryset = Reservation.objects.none()
    serializer_class = SwapLookIn

    @extend_schema(operation_id="reservations_swap_look", responses=SwappedOut(many=True))
    def create(self, request: Request, pk: str) -> Response:
        """What both would cost, before and after; refused as the swap itself would be. The lab is taken to have everybody's yes."""
        asked = Swap(int(pk), self.valid(request)["other"])
        return Response([_row(found) for found in swap_figures.look(self.actor, asked, self.now)])
