"""/api/v1/booking-consents: who may book in whose name."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from booking.models import BookingConsent
from booking.queries import consents as queries
from booking.services import consents
from config.kernel.api.fields import Day, Id, Text
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, PageParameters, StrictSerializer
from config.kernel.api.views import ApiView
from instruments.models import Membership


class ColleagueParameters(PageParameters):
    q = Text(max_length=100, required=False, allow_blank=True, default="", help_text="A part of the name or of the e-mail.")


class ColleagueOut(serializers.Serializer):
    organisation = serializers.IntegerField()
    taker = serializers.IntegerField(help_text="Send both to let them book in my name.")
    taker_name = serializers.CharField()


class ConsentIn(StrictSerializer):
    organisation = Id(help_text="To which both belong.")
    taker = Id(help_text="The colleague who may book in my name, and pay from the fund cards from which I may.")
    until_on = Day(help_text="The last day on which they may, a year ahead at most.")


class ConsentOut(serializers.Serializer):
    id = serializers.IntegerField()
    organisation = serializers.IntegerField()
    giver = serializers.IntegerField(help_text="In whose name is booked: send it as for_person of a reservation.")
    giver_name = serializers.CharField()
    taker = serializers.IntegerField()
    taker_name = serializers.CharField()
    until_on = serializers.DateField()


def consent_out(row: BookingConsent) -> dict[str, Any]:
    return {
        "id": row.pk,
        "organisation": row.organisation_id,
        "giver": row.giver_id,
        "giver_name": str(row.giver),
        "taker": row.taker_id,
        "taker_name": str(row.taker),
        "until_on": row.until_on.isoformat(),
    }


def colleague_out(row: Membership) -> dict[str, Any]:
    return {"organisation": row.organisation_id, "taker": row.user_id, "taker_name": str(row.user)}


class ConsentView(ApiView):
    """Given and taken by me; with a token of scope ``book``."""

    token_scopes = {"GET": "read", "POST": "book"}
    queryset = BookingConsent.objects.none()
    parameters_shapes = {"list": PageParameters, "colleagues": ColleagueParameters}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return ConsentIn if self.action == "create" else NoFields

    @extend_schema(parameters=[PageParameters], responses=ConsentOut(many=True))
    def list(self, request: Request) -> Response:
        """What holds today."""
        return self.paged(queries.mine(self.actor, self.now), consent_out)

    @extend_schema(
        operation_id="booking_consents_colleagues", parameters=[ColleagueParameters], responses=ColleagueOut(many=True)
    )
    def colleagues(self, request: Request) -> Response:
        """Whom I could let book in my name: who else may book for one of my organisations."""
        text = " ".join(self.parameters(request)["q"].split())
        return self.paged(queries.colleagues_found(self.actor, text), colleague_out)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: ConsentOut})
    def create(self, request: Request) -> Response:
        """Let a colleague book in my name; one that is open gets the new day."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            return consent_out(consents.give(self.actor, asked["organisation"], asked["taker"], asked["until_on"], self.now))

        return self.once(request, "consent.give", effect, status=201)

    @extend_schema(parameters=[IDEMPOTENT], responses=ConsentOut)
    def end(self, request: Request, pk: str) -> Response:
        """Either of the two ends it."""
        self.valid(request)
        return self.once(request, "consent.end", lambda: consent_out(consents.end(self.actor, int(pk), self.now)), status=200)
