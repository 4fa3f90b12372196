"""/api/v1/reservations/{id}/extras and /session-extras: what was used in a session besides its time."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.settlement.extra_models import SessionExtra
from billing.settlement.services import session_extras
from billing.settlement.services.session_extras import MOST_QUANTITY, Used
from booking.models import Reservation
from booking.rules.samples import ExtraEvent
from config.kernel.access import get_visible
from config.kernel.api.fields import Text, WholeNumber
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView

_TEXT = 2000  # longer is refused as input; the service says what really fits


class SessionExtraIn(StrictSerializer):
    """An add-on of the price by its code, or the lab's own words with the price of one."""

    quantity = WholeNumber(help_text=f"1 to {MOST_QUANTITY}.")
    addon = Text(max_length=_TEXT, required=False, default="")
    words = Text(max_length=_TEXT, required=False, default="")
    rate_fen = WholeNumber(required=False, default=0)


class SessionExtraAnswerIn(StrictSerializer):
    amount_fen = WholeNumber(required=False, help_text="What was looked at; another amount is not agreed to (409).")


class SessionExtraOut(serializers.Serializer):
    id = serializers.IntegerField()
    reservation = serializers.IntegerField()
    addon = serializers.CharField(help_text="The code of the price's add-on; empty: the lab's own words.")
    words = serializers.CharField()
    words_en = serializers.CharField(help_text="The English name of the add-on, where it has one.")
    quantity = serializers.IntegerField()
    rate_fen = serializers.IntegerField()
    amount_fen = serializers.IntegerField()
    chosen = serializers.BooleanField(help_text="By the customer when booking.")
    state = serializers.CharField(help_text="proposed, agreed, declined or withdrawn; only what is agreed is ever charged.")


def extra_json(row: SessionExtra) -> dict[str, Any]:
    """One of them as JSON."""
    names = ("addon", "words", "words_en", "quantity", "rate_fen", "amount_fen", "chosen", "state")
    return {"id": row.pk, "reservation": row.reservation_id, **{name: getattr(row, name) for name in names}}


class SessionExtraView(ApiView):
    """What was used besides the time: entered by the lab, charged with the customer's yes."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "book"}
    queryset = SessionExtra.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"create": SessionExtraIn, "agree": SessionExtraAnswerIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", NoFields)

    @extend_schema(responses=SessionExtraOut(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """Those of a reservation, in the order in which they were entered."""
        reservation = get_visible(Reservation.objects.all(), self.actor, pk=int(pk))
        return Response([extra_json(row) for row in session_extras.of(self.actor, reservation)])

    @extend_schema(responses={201: SessionExtraOut})
    def create(self, request: Request, pk: str) -> Response:
        """The lab enters what was used, from the start of the session until it is charged."""
        asked = self.valid(request)
        used = Used(asked["quantity"], asked["addon"], asked["words"], asked["rate_fen"])
        return Response(extra_json(session_extras.propose(self.actor, int(pk), used, self.now)), status=201)

    @extend_schema(responses=SessionExtraOut)
    def agree(self, request: Request, pk: str) -> Response:
        """The customer says yes."""
        seen = self.valid(request).get("amount_fen")
        return Response(extra_json(session_extras.answer(self.actor, int(pk), ExtraEvent.AGREE, self.now, amount_fen=seen)))

    @extend_schema(responses=SessionExtraOut)
    def decline(self, request: Request, pk: str) -> Response:
        """The customer says no: it is not charged."""
        self.valid(request)
        return Response(extra_json(session_extras.answer(self.actor, int(pk), ExtraEvent.DECLINE, self.now)))

    @extend_schema(responses=SessionExtraOut)
    def withdraw(self, request: Request, pk: str) -> Response:
        """The lab takes it back; of what was chosen when booking the customer does too, until the session begins."""
        self.valid(request)
        return Response(extra_json(session_extras.answer(self.actor, int(pk), ExtraEvent.WITHDRAW, self.now)))
