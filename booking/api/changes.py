"""/api/v1/reservations/{id}/changes and /reservation-changes: another time for what is booked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from booking.api.serializers import ExpectedIn, NeededReasonIn
from booking.api.views import expected_of, range_of
from booking.models import Reservation, ReservationChange
from booking.rules.changes import ChangeState, Side
from booking.services import changes, swaps
from booking.services.changes import MOST_TIMES, ChangeRequest
from booking.services.swaps import Swap
from config.kernel.access import get_visible, visible_to
from config.kernel.api.fields import Id, Instant, Text
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import REPLAYED, ApiView


class TimeIn(StrictSerializer):
    starts_at = Instant()
    ends_at = Instant()


class ChangeIn(StrictSerializer):
    """``agreed`` is for the lab alone: the customer has said yes already, and ``reason`` says how."""

    starts_at = Instant()
    ends_at = Instant()
    instrument = Id(required=False, help_text="Another one of the lab; for its managers alone.")
    reason = Text(max_length=500, required=False, allow_blank=True, default="", help_text="Read by the other side.")
    agreed = serializers.BooleanField(required=False, default=False)
    others = serializers.ListField(
        child=TimeIn(),
        required=False,
        default=list,
        max_length=MOST_TIMES - 1,
        help_text="Further times of which the customer may take one instead; for the lab alone.",
    )
    expected = ExpectedIn(required=False, help_text="The figures that the customer saw for the new time.")


class SwapIn(StrictSerializer):
    """``agreed`` is for the lab alone: the customers have said yes already, and ``reason`` says how."""

    other = Id(help_text="The booking of the same calendar with which it swaps.")
    reason = Text(
        max_length=500, required=False, allow_blank=True, default="", help_text="Read by the customers; the lab needs one."
    )
    agreed = serializers.BooleanField(required=False, default=False)
    starts_at = Instant(required=False, help_text="The start that was shown: when it is another by now, nothing moves (409).")
    other_starts_at = Instant(required=False, help_text="The same for the other one.")


class AcceptIn(StrictSerializer):
    other = Id(required=False, help_text="One of the proposal's further times, instead of the first.")
    expected = ExpectedIn(required=False, help_text="The figures that the customer saw for the new time.")


class OtherTimeOut(serializers.Serializer):
    id = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class ChangeOut(serializers.Serializer):
    id = serializers.IntegerField()
    reservation = serializers.IntegerField(source="reservation_id")
    side = serializers.ChoiceField(choices=[str(side) for side in Side], help_text="Who proposed it.")
    state = serializers.ChoiceField(choices=[str(state) for state in ChangeState])
    from_starts_at = serializers.DateTimeField()
    from_ends_at = serializers.DateTimeField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    from_instrument = serializers.IntegerField(source="from_instrument_id", allow_null=True)
    instrument = serializers.IntegerField(
        source="instrument_id", allow_null=True, help_text="Where it goes; null where it stays on its instrument."
    )
    others = OtherTimeOut(many=True, help_text="Further times that were proposed with it.")
    reason = serializers.CharField()
    answer = serializers.CharField()
    proposed_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


class ChangeView(ApiView):
    """The changes of one reservation, oldest first; and asking for another."""

    token_scopes = {"GET": "read", "POST": "book"}
    queryset = ReservationChange.objects.none()
    serializer_class = ChangeIn

    @extend_schema(responses=ChangeOut(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """Every change that was made or proposed: the chain of the reservation's times."""
        reservation = get_visible(Reservation.objects.all(), self.actor, pk=int(pk))
        return Response(ChangeOut(self._rows().filter(reservation=reservation), many=True).data)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: ChangeOut, 200: ChangeOut})
    def create(self, request: Request, pk: str) -> Response:
        """Move, shorten or extend. State "made": it is done; "open": the other side was asked, and both times are kept."""
        key, asked = self.idempotency_key(request), self.valid(request)
        others = tuple(range_of(one) for one in asked["others"])
        wish = ChangeRequest(int(pk), range_of(asked), asked["reason"], asked["agreed"], expected_of(asked), others)
        wish = replace(wish, instrument_id=asked.get("instrument"))
        changed = changes.change(self.actor, wish, self.now, idempotency_key=key)
        body = ChangeOut(self._rows().get(pk=changed.change_id)).data
        return Response(body, headers={REPLAYED: "true"}) if changed.replayed else Response(body, status=201)

    def _rows(self) -> QuerySet[ReservationChange]:
        return visible_to(ReservationChange.objects.all(), self.actor).prefetch_related("others").order_by("pk")


class SwapView(ApiView):
    """Two bookings exchange their starts, at once or not at all."""

    token_scopes = {"POST": "book"}
    queryset = ReservationChange.objects.none()
    serializer_class = SwapIn

    @extend_schema(parameters=[IDEMPOTENT], responses={201: ChangeOut(many=True), 200: ChangeOut(many=True)})
    def create(self, request: Request, pk: str) -> Response:
        """Swap with another booking of the same calendar: each takes the other's start and keeps its length. Answers with both changes."""
        key, asked = self.idempotency_key(request), self.valid(request)
        seen = (asked.get("starts_at"), asked.get("other_starts_at"))
        wish = Swap(int(pk), asked["other"], asked["reason"], asked["agreed"], seen)
        swapped = swaps.swap(self.actor, wish, self.now, idempotency_key=key)
        rows = visible_to(ReservationChange.objects.filter(pk__in=swapped.change_ids), self.actor)
        body = ChangeOut(rows.prefetch_related("others").order_by("pk"), many=True).data
        return Response(body, headers={REPLAYED: "true"}) if swapped.replayed else Response(body, status=201)


class ChangeAnswerView(ApiView):
    """Answering a proposal, once for its Idempotency-Key."""

    token_scopes = {"POST": "book"}
    queryset = ReservationChange.objects.none()

    def get_serializer_class(self) -> type[StrictSerializer]:
        return {"accept": AcceptIn, "refuse": NeededReasonIn}.get(self.action or "", NoFields)

    @extend_schema(parameters=[IDEMPOTENT], responses=ChangeOut)
    def accept(self, request: Request, pk: str) -> Response:
        """Say yes: the reservation has the new time."""
        return self._answer(
            request, int(pk), lambda key, asked: changes.accept(self.actor, key, self.now, expected_of(asked), asked.get("other"))
        )

    @extend_schema(parameters=[IDEMPOTENT], responses=ChangeOut)
    def refuse(self, request: Request, pk: str) -> Response:
        """Say no, with a reason; the old time stays."""
        return self._answer(request, int(pk), lambda key, asked: changes.refuse(self.actor, key, self.now, asked["reason"]))

    @extend_schema(parameters=[IDEMPOTENT], responses=ChangeOut)
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take one's own proposal back."""
        return self._answer(request, int(pk), lambda key, asked: changes.withdraw(self.actor, key, self.now))

    def _answer(self, request: Request, pk: int, act: Any) -> Response:
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            act(pk, asked)
            return dict(ChangeOut(get_visible(ReservationChange.objects.all(), self.actor, pk=pk)).data)

        return self.once(request, f"reservation_change.{self.action}", effect, status=200)
